"""What several commands say about real files: why the consumer cannot read one, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from simulator.base.errors import InputError
from simulator.base.shown import printable
from simulator.files.finding import Problem, SourceFile
from simulator.files.reading import FILE_SETTINGS
from simulator.run.command_line import quoted
from simulator.stack.model import Stack
from simulator.stack.settings import parameters_behind
from simulator.stack.wiring import Wiring

MOST_LISTED = 20
SLOW_S = 1.0
"""From this time on, looking at files shows a progress bar."""


def parameter_names(stack: Stack, path: Wiring) -> dict[str, str]:
    """The consumer's file settings, each with the template parameter that sets it, if there is one."""
    found = parameters_behind(stack, path.consumer.logical_id)
    return {setting: found[setting] for setting in FILE_SETTINGS if setting in found}


def parameter_words(settings: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    """The command-line words for these settings; those without a parameter are left out."""
    given = [f"{names[setting]}={value}" for setting, value in settings.items() if setting in names]
    return [word for each in given for word in ("--parameter", each)]


def problem_line(problem: Problem, names: Mapping[str, str]) -> str:
    """`PATH: reason; cure`, always on one line."""
    return f"{printable(str(problem.path))}: {printable(problem.reason)}; {cure(problem, names)}"


def cure(problem: Problem, names: Mapping[str, str]) -> str:
    """What makes the file readable, ready to paste."""
    parts = []
    if words := parameter_words(problem.settings, names):
        parts.append(f"set {quoted(words)}")
    if without := [names[setting] for setting in problem.without if setting in names]:
        parts.append(f"leave out {' and '.join(without)}")
    return " and ".join(parts) or problem.cure


def refusal(problems: Sequence[Problem], total: int, names: Mapping[str, str], way_out: str | None) -> InputError:
    """An error with one line per file that cannot be read; `way_out` is the hint if others can."""
    lines = [f"{len(problems)} of {total} {'file' if total == 1 else 'files'} cannot be read"]
    lines += [f"  {problem_line(problem, names)}" for problem in problems[:MOST_LISTED]]
    if len(problems) > MOST_LISTED:
        lines.append(f"  and {len(problems) - MOST_LISTED} more")
    return InputError(*lines, hint=way_out if len(problems) < total else None)


def sizes(files: Sequence[SourceFile]) -> list[int]:
    """The size of each file in bytes; 0 if it cannot be found out."""
    found = []
    for source in files:
        with suppress(OSError):
            found.append(source.path.stat().st_size)
    return found


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that adds the bytes looked at; a terminal shows a progress bar if it takes long."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from simulator.base.clock import SystemClock

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task(title, total=total)
    clock = SystemClock()
    begun_at = clock.now()

    def advance(size: int) -> None:
        if not progress.live.is_started and clock.now() - begun_at > SLOW_S:
            progress.start()
        progress.advance(task, size)

    try:
        yield advance
    finally:
        progress.stop()
