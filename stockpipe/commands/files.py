"""What several commands say of real files: why the consumer would not read one, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from simulator.base.errors import InputError
from simulator.base.shown import printable
from simulator.files.finding import Problem, SourceFile
from simulator.files.reading import FILE_SETTINGS
from simulator.run.command_line import quoted
from simulator.stack.model import Stack
from simulator.stack.settings import parameters_behind
from simulator.stack.wiring import Wiring

HANDLER = "pipeline.consumer.handler"
"""The handler whose rules for files are known."""
MOST_LISTED = 20
SLOW_S = 1.0
"""A look at files that takes longer has a bar."""


def parameter_names(stack: Stack, path: Wiring) -> dict[str, str]:
    """The template parameter of each of the consumer's settings for files, where one decides it."""
    found = parameters_behind(stack, path.consumer.logical_id)
    return {setting: found[setting] for setting in FILE_SETTINGS if setting in found}


def parameter_words(settings: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    """The words of a command line that set these settings, those that no parameter decides left out."""
    return [
        word
        for setting, value in settings.items()
        if setting in names
        for word in ("--parameter", f"{names[setting]}={value}")
    ]


def problem_line(problem: Problem, names: Mapping[str, str]) -> str:
    """`PATH: reason; cure`, on one line whatever is in it."""
    return f"{shown_path(problem.path)}: {printable(problem.reason)}; {cure(problem, names)}"


def cure(problem: Problem, names: Mapping[str, str]) -> str:
    """What makes this file readable, ready to paste."""
    parts = []
    if words := parameter_words(problem.settings, names):
        parts.append(f"set {quoted(words)}")
    if without := [names[setting] for setting in problem.without if setting in names]:
        parts.append(f"leave out {' and '.join(without)}")
    return " and ".join(parts) or problem.cure


def refusal(problems: Sequence[Problem], total: int, names: Mapping[str, str], way_out: str | None) -> InputError:
    """Says which of the files cannot be read, a line each; `way_out` is for where some can."""
    lines = [f"{len(problems)} of {total} {'file' if total == 1 else 'files'} cannot be read"]
    lines += [f"  {problem_line(problem, names)}" for problem in problems[:MOST_LISTED]]
    if len(problems) > MOST_LISTED:
        lines.append(f"  and {len(problems) - MOST_LISTED} more")
    return InputError(*lines, hint=way_out if len(problems) < total else None)


def shown_path(path: Path) -> str:
    """The path on one line."""
    return plain(str(path))


def plain(text: str) -> str:
    """On one line, without control characters; bytes that are not text are shown as such."""
    return printable(text)


def sizes(files: Sequence[SourceFile]) -> list[int]:
    """How large each of these is, in bytes; one that cannot be asked has none."""
    found = []
    for source in files:
        with suppress(OSError):
            found.append(source.path.stat().st_size)
    return found


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function that takes how many bytes more were looked at, and draws a bar on a terminal once it takes long."""
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
