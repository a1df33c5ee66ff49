"""`explore --replay`: the world of a finding once more, told, or watched on the dashboard, also step by step."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from simulator.base.errors import ExitCode, InputError
from simulator.base.interrupts import Interrupts
from simulator.base.observations import Noted
from simulator.base.terminal import visible_console
from simulator.dashboard.screen import can_draw
from simulator.dashboard.ui import Display
from simulator.explore.case import WorldCase
from simulator.explore.explorer import told_apart
from simulator.explore.replay import RecordedWorld
from simulator.explore.report import line_text
from simulator.explore.running import Explored, Told, Watching, run
from simulator.explore.telling import Line, WorldStory
from simulator.stack import template
from simulator.telemetry import Telemetry
from simulator.world.playback import Playback
from simulator.world.world import World, prepare
from stockpipe.commands.applications import code_in_force
from stockpipe.commands.explore.entrance import entrance, invariants_of
from stockpipe.commands.explore.options import ExploreOptions
from stockpipe.commands.outputs import echo, write
from stockpipe.commands.parameters import parameters_of
from stockpipe.commands.words import require_sound

NEAR_S = 1e-6


def run_again(options: ExploreOptions, recording: RecordedWorld) -> int:
    """Run the world of a finding, tell its story, and return 1 if it still fails."""
    console = visible_console(stderr=str(options.summary) == "-", highlight=False)
    watched = (options.ui == "live" or options.step or options.speed is not None) and can_draw(console)
    if options.step and not (can_draw(console) and sys.stdin.isatty()):
        raise InputError("--step needs a terminal to draw on and to read keys from", hint="leave out --step")
    if options.speed is not None and not can_draw(console):
        raise InputError("--speed needs a terminal to draw on", hint="leave out --speed")
    application = _application(options, recording)
    case = recording.case
    prepare()
    problems, story = told_apart(case, application, recording.problem)
    if watched:
        _watch(options, case, application, story)
    _tell(options, recording, (problems, story))
    return ExitCode.NOT_PROVEN if problems else ExitCode.DONE


def _application(options: ExploreOptions, recording: RecordedWorld) -> Explored:
    """What the recording was made of; the command line's template, code and invariants come first."""
    file = options.template or (Path(recording.template) if recording.template else None)
    code = options.code or (Path(recording.code) if recording.code else None)
    parameters = {**recording.parameters, **parameters_of(options)}
    stack = template.load(file, parameters, defaults={"Seed": "0"})
    require_sound(stack, file)
    bucket, _, _ = entrance(stack)
    names = options.invariants or recording.invariants
    queues = [mapping.queue for mapping in stack.mappings.values()]
    if recording.queue is not None and recording.queue not in stack.queues:
        raise InputError(f"--replay: the template has no queue '{recording.queue}'", hint="give its own --template")
    return Explored(
        (stack,),
        code_in_force(stack, code, build=not options.no_build),
        recording.bucket or bucket,
        recording.queue or (queues[0] if queues else None),
        invariants_of(names, file),
    )


def _watch(options: ExploreOptions, case: WorldCase, application: Explored, story: WorldStory) -> None:
    interrupts = Interrupts()
    lines = list(story.lines)
    playback = _Stepping(lines, interrupts) if options.step else Playback(options.speed or 1.0)

    @contextlib.asynccontextmanager
    async def around(telemetry: Telemetry, world: World) -> AsyncIterator[None]:
        display = Display(telemetry, "live", world, machine_output=str(options.summary) == "-", cadence=playback)
        if isinstance(playback, _Stepping):
            playback.caption = lambda line: telemetry.record(
                Noted(world.now(), f"any key goes on, c to the end · {line.lane}: {line.text}", "caption")
            )
            playback.signalled = world.signalled
        with interrupts.installed(), _keys() if options.step else contextlib.nullcontext():
            async with display.shown():
                yield
                await display.end()

    run(case, application, Watching(playback=playback, around=around, interrupts=interrupts))


class _Stepping(Playback):
    """Lets time pass up to each line of the story, and on from there when a key is pressed."""

    def __init__(self, lines: list[Line], interrupts: Interrupts) -> None:
        super().__init__()
        self._lines, self._interrupts = lines, interrupts
        self.caption: Callable[[Line], object] = bool
        self.signalled: Callable[[], bool] = bool

    def until(self, now: float, when: float) -> float:
        """See `Playback`."""
        while self._lines and self._lines[0].at_s <= now + NEAR_S:
            self.caption(self._lines.pop(0))
            self.draw_now()
            self._wait_for_key()
        super().until(now, now)
        return min(when, max(now, self._lines[0].at_s)) if self._lines else when

    def _wait_for_key(self) -> None:
        while not self.signalled():
            readable, _, _ = select.select([sys.stdin], [], [], 0.1)
            if readable:
                if os.read(sys.stdin.fileno(), 16)[:1] in (b"c", b"q", b""):
                    self._lines.clear()
                return
        self._lines.clear()


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """In the block, keys are read as they are pressed, and not shown."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _tell(options: ExploreOptions, recording: RecordedWorld, told_now: Told) -> None:
    (problems, story), err = told_now, str(options.summary) == "-"
    if options.ui != "quiet":
        for line in story.lines:
            echo(line_text(line), err=err)
    if problems:
        same = any(problem.sort == recording.problem for problem in problems)
        other = "" if same else f" (when it was written, {recording.problem})"
        echo(f"{problems[0].sort}: {problems[0].said}{other}", err=err)
    else:
        echo(f"nothing is wrong in this world now; when it was written: {recording.problem}", err=err)
    if options.summary is not None:
        built: dict[str, Any] = {
            "schema": "stockpipe.explore/1",
            "command": "explore",
            "replay": str(options.replay),
            "problems": [problem._asdict() for problem in problems],
            "story": [line_text(line) for line in story.lines],
        }
        write(options.summary, json.dumps(built, indent=2, ensure_ascii=False) + "\n")
