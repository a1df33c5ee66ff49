"""Telemetry on the terminal: one task that refreshes the dashboard, or prints plain lines, until it is stopped.

While the dashboard is up, it never scrolls or clears the screen: a frame overwrites the previous one, and only changed
lines are sent. The last frame stays. However the task ends, it restores the terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from rich.console import Console

from simulator.base.clock import Clock
from simulator.base.errors import one_failure
from simulator.base.files import write_whole
from simulator.base.observations import Phase
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
PLAIN_LOOK_S = 0.25
"""How often the plain display looks for events, and so how late it may print one."""
PLAIN_LINE_S = 5.0
"""The time between two plain lines, unless --every sets another."""
SCREENSHOT_SIZE = (120, 36)
"""Columns and lines of a screenshot if there is no terminal to give the size."""


class Cadence(Protocol):
    """When a display draws: by real time, also if the time that it shows is virtual."""

    def elapsed_s(self, shown_s: float) -> float:
        """Seconds of real time since the run began, which shows `shown_s`."""

    async def keep(self, draw: Callable[[], None], period_s: float, stop: asyncio.Event) -> None:
        """Draw at once and then once per period, until `stop` is set."""


@dataclass(frozen=True, slots=True)
class ByClock:
    """The cadence of a run in real time, by its own clock."""

    clock: Clock

    def elapsed_s(self, shown_s: float) -> float:
        """See `Cadence`."""
        return shown_s

    async def keep(self, draw: Callable[[], None], period_s: float, stop: asyncio.Event) -> None:
        """See `Cadence`."""
        while not stop.is_set():
            draw()
            await wait_for_event(stop, self.clock, period_s)


def choose_mode(ui: Choice, console: Console) -> Mode:
    """The mode for `--ui`: `auto` is `live` on a terminal that can show frames, and `plain` everywhere else.

    `live` becomes `plain`, with a line on standard error, if the console cannot show even the last frame.
    """
    if ui == "live" and (reason := obstacle(console)) is not None:
        sys.stderr.write(f"stockpipe: --ui live is not possible here: {reason}; using --ui plain\n")
        return "plain"
    if ui != "auto":
        return ui
    return "live" if can_draw(console) else "plain"


class Display:
    """The display of one run on `console`, from its start to its last line.

    If the console is not a terminal, `live` prints only the last frame; `plain` prints a line every `every_s`. If the
    terminal goes away, the display ends, but not the run. In every mode, `screenshot` receives the last frame as SVG.
    `machine_output` keeps standard output free for the JSON of `--summary -`; all text then goes to standard error.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        ui: Choice,
        clock: Clock,
        *,
        machine_output: bool = False,
        screenshot: Path | None = None,
        every_s: float = PLAIN_LINE_S,
        cadence: Cadence | None = None,
    ) -> None:
        self.console = visible_console(trims=True, stderr=machine_output, highlight=False)
        self.mode = choose_mode(ui, self.console)
        self._telemetry, self._clock, self._screenshot, self._every_s = telemetry, clock, screenshot, every_s
        self._cadence = cadence or ByClock(clock)
        self._stop = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None

    def located(self, endpoint: str) -> None:
        """Print that the store listens and all resources exist; scripts wait for this line."""
        self._telemetry.located(endpoint)
        if self.mode != "live":
            sys.stderr.write(f"endpoint {endpoint}\n")
            sys.stderr.flush()

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show the run while the block runs, or until `end`. A failure of either is raised alone, not in a group.

        Raises `CouldNotFinish` if the screenshot cannot be written.
        """
        with one_failure():
            async with asyncio.TaskGroup() as group:
                self._showing = group.create_task(self._show(), name="display")
                try:
                    yield
                finally:
                    self._stop.set()

    async def end(self, conclusion: Conclusion | None = None) -> None:
        """Show the last state with the run's conclusion, and stop, so that further output appears below."""
        if conclusion is not None:
            self._telemetry.concluded(conclusion)
        self._stop.set()
        if self._showing is not None:
            await self._showing

    async def _show(self) -> None:
        """Show the run until `end` or until the task is cancelled; then show its last state once more."""
        console, stop = self.console, self._stop
        try:
            if self.mode == "live" and can_draw(console):
                with Screen(console) as screen:

                    def draw() -> None:
                        if screen.alive:
                            screen.draw(render(self._look(), *screen.size))

                    await self._refresh(draw, 1 / FRAMES_PER_S)
            elif self.mode == "plain":
                printer = _LinePrinter(console, self._every_s, self._cadence)
                await self._refresh(lambda: printer.show(self._look(), last=stop.is_set()), PLAIN_LOOK_S)
            else:
                await stop.wait()
                if self.mode == "live":
                    console.print(render(self._look(), *console.size), soft_wrap=True)
                    console.print()  # ends the last line, because a frame has no newline at its end
        finally:
            if self._screenshot is not None:
                size = (console.width, console.height) if can_draw(console) else SCREENSHOT_SIZE
                last = self._look()
                write_whole(self._screenshot, svg(render(last, *size), titled(last), described(last)))

    def _look(self) -> Snapshot:
        return self._telemetry.snapshot(self._clock.now())

    async def _refresh(self, draw: Callable[[], None], period_s: float) -> None:
        """Draw once per period until `end`, and once more at the end, however it ends."""
        try:
            await self._cadence.keep(draw, period_s, self._stop)
        finally:
            draw()


@dataclass(slots=True)
class _LinePrinter:
    """Prints events as they come, and a line when the phase changes, every `_every_s` seconds and at the end.

    Repetitions are printed with the next line, so a thousand throttles are not a thousand lines.
    """

    _console: Console
    _every_s: float
    _cadence: Cadence
    _shown: frozenset[Event] = frozenset()
    _phase: Phase | None = None
    _lines: int = 0
    _last: str = ""
    _alive: bool = True

    def show(self, snapshot: Snapshot, *, last: bool) -> None:
        """Print what is due; once the reader is gone, do nothing."""
        if not self._alive:
            return
        period = int(self._cadence.elapsed_s(snapshot.elapsed_s) / max(self._every_s, PLAIN_LOOK_S))
        due = last or snapshot.phase != self._phase or (period != self._lines and snapshot.phase != "done")
        texts = [plain_event(event, snapshot.began_at) for event in self._new(snapshot, repeated=due)]
        line = plain_line(snapshot)
        if due and line != self._last and not (last and snapshot.phase == self._phase == "done"):
            texts.append(line)
            self._last = line
        self._phase, self._lines = snapshot.phase, period
        encoding = self._console.encoding
        try:
            for text in texts:
                self._console.file.write(f"{visible(text)}\n".encode(encoding, REPLACE).decode(encoding))
                self._console.file.flush()
        except (OSError, ValueError):
            self._alive = False

    def _new(self, snapshot: Snapshot, *, repeated: bool) -> list[Event]:
        """The events to print that have not been printed yet."""
        read = [event for event in snapshot.events if event.tone != "plain"]
        new = [event for event in read if event not in self._shown]
        if not repeated and all(event.count > 1 for event in new):
            return []
        self._shown = frozenset(read)
        return new
