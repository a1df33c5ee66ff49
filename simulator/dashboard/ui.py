"""Telemetry on the terminal: one task that refreshes the dashboard, or prints a line a second, until told to stop.

The screen is never scrolled and never cleared while the dashboard is up: a frame overwrites the one before, and only
the lines that changed are sent. The last frame stays. Whatever way the task ends, the terminal is as it was found.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from simulator.base.clock import Clock
from simulator.base.errors import one_failure
from simulator.base.files import write_whole
from simulator.base.shown import visible
from simulator.base.stand_ins import REPLACE
from simulator.base.terminal import visible_console
from simulator.base.waiting import wait_for_event
from simulator.dashboard import plain_event, plain_line, render
from simulator.dashboard.description import described, titled
from simulator.dashboard.screen import Screen, can_draw, obstacle
from simulator.dashboard.screenshot import svg
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import Conclusion, Event, Snapshot

Mode = Literal["live", "plain", "quiet"]
Choice = Mode | Literal["auto"]
FRAMES_PER_S = 4
PLAIN_LINE_S = 1.0
"""Between two lines of the plain display."""
SCREENSHOT_SIZE = (120, 36)
"""Columns and lines of a screenshot when no terminal says how large the screen is."""


def choose_mode(ui: Choice, console: Console) -> Mode:
    """What `--ui` means here: `auto` is `live` on a terminal that can be drawn on, and `plain` everywhere else.

    `live` is `plain` where no frame can be shown, not even the last one; standard error says so in one line.
    """
    if ui == "live" and (reason := obstacle(console)) is not None:
        sys.stderr.write(f"stockpipe: --ui live cannot be shown: {reason}; --ui plain instead\n")
        return "plain"
    if ui != "auto":
        return ui
    return "live" if can_draw(console) else "plain"


async def show(
    telemetry: Telemetry,
    *,
    mode: Mode,
    console: Console,
    clock: Clock,
    stop: asyncio.Event,
    screenshot: Path | None = None,
) -> None:
    """Show the run on `console` until `stop` is set or the task is cancelled; then show its last state once more.

    `live` on something that is no terminal prints the last frame only. A terminal that goes away ends the showing,
    not the run. `screenshot` receives the last frame as SVG, in every mode; where it cannot be written, that is a
    `CouldNotFinish`.
    """

    def look() -> Snapshot:
        return telemetry.snapshot(clock.now())

    try:
        if mode == "live" and can_draw(console):
            with Screen(console) as screen:

                def draw() -> None:
                    if screen.alive:
                        screen.draw(render(look(), *screen.size))

                await _refresh(draw, 1 / FRAMES_PER_S, clock, stop)
        elif mode == "plain":
            printer = _LinePrinter(console)
            await _refresh(lambda: printer.show(look()), PLAIN_LINE_S, clock, stop)
        else:
            await stop.wait()
            if mode == "live":
                console.print(render(look(), *console.size), soft_wrap=True)
                console.print()  # which ends the last line: rich ends none of a frame's
    finally:
        if screenshot is not None:
            size = (console.width, console.height) if can_draw(console) else SCREENSHOT_SIZE
            last = look()
            write_whole(screenshot, svg(render(last, *size), titled(last), described(last)))


class Display:
    """The display of one run: where its words go while it runs, and until it has said its last.

    `machine_output` keeps standard output free for the JSON of `--summary -`; all words go to standard error then.
    """

    def __init__(
        self, telemetry: Telemetry, ui: Choice, clock: Clock, *, machine_output: bool, screenshot: Path | None
    ) -> None:
        self.console = visible_console(stderr=machine_output, highlight=False)
        self.mode = choose_mode(ui, self.console)
        self._telemetry = telemetry
        self._stop = asyncio.Event()
        self._show = functools.partial(
            show, telemetry, mode=self.mode, console=self.console, clock=clock, stop=self._stop, screenshot=screenshot
        )
        self._showing: asyncio.Task[None] | None = None

    def located(self, endpoint: str) -> None:
        """The engine listens and all resources exist: scripts wait for this line."""
        self._telemetry.located(endpoint)
        if self.mode != "live":
            sys.stderr.write(f"endpoint {endpoint}\n")
            sys.stderr.flush()

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show the run beside the block, or until `end`. A failure of either leaves alone, not in a group."""
        with one_failure():
            async with asyncio.TaskGroup() as group:
                self._showing = group.create_task(self._show(), name="display")
                try:
                    yield
                finally:
                    self._stop.set()

    async def end(self, conclusion: Conclusion | None = None) -> None:
        """Show the last state, with how the run ended, and stop, so that what is printed next stands below it."""
        if conclusion is not None:
            self._telemetry.concluded(conclusion)
        self._stop.set()
        if self._showing is not None:
            await self._showing


async def _refresh(draw: Callable[[], None], period_s: float, clock: Clock, stop: asyncio.Event) -> None:
    """Draw again and again until `stop`, and whatever ends it once more."""
    try:
        while not stop.is_set():
            draw()
            await wait_for_event(stop, clock, period_s)
    finally:
        draw()


@dataclass(slots=True)
class _LinePrinter:
    """Prints the line of a snapshot, after the events since the last one that someone should read."""

    _console: Console
    _shown: frozenset[Event] = frozenset()
    _alive: bool = True

    def show(self, snapshot: Snapshot) -> None:
        """Print; once nobody reads any more, do nothing."""
        if not self._alive:
            return
        since_at = snapshot.began_at
        new = [event for event in snapshot.events if event.tone != "plain" and event not in self._shown]
        self._shown = frozenset(snapshot.events)
        texts = [*(plain_event(event, since_at) for event in new), plain_line(snapshot)]
        encoding = self._console.encoding
        text = "".join(f"{visible(text)}\n" for text in texts).encode(encoding, REPLACE).decode(encoding)
        try:
            self._console.file.write(text)
            self._console.file.flush()
        except (OSError, ValueError):
            self._alive = False
