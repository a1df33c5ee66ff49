"""The files of `simulate --source`: the gate that says what the consumer would not read, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.base.words import counted
from simulator.files.finding import SourceFile, find
from simulator.files.gate import examine
from simulator.stack.model import Stack
from simulator.stack.wiring import Wiring
from stockpipe.commands.files import HANDLER, MOST_LISTED, bar, parameter_names, problem_line, refusal, sizes

WAY_OUT = "add --skip-unreadable to continue without them"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files to send, and one line per path that is left out (at most a screenful)."""

    files: tuple[SourceFile, ...]
    left_out: tuple[str, ...]


def choose(paths: Sequence[Path], stack: Stack, path: Wiring, *, skip_unreadable: bool) -> Chosen:
    """The files under these paths that the consumer can read with its current settings.

    Raises `InputError` with one line per unreadable file, unless those are skipped and something remains. If the
    consumer is not ours, we do not know what it reads, and refuse only files that cannot be sent.
    """
    found = find(paths, path.notification.prefix)
    names = parameter_names(stack, path)
    problems = list(found.problems)
    files = found.files
    if path.consumer.handler == HANDLER:
        with bar("looking at the files", sum(sizes(files))) as progress:
            refused = examine(files, path.consumer.environment, progress=progress)
        problems += refused
        unreadable = {problem.path for problem in refused}
        files = tuple(source for source in files if source.path not in unreadable)
    if problems and not (skip_unreadable and files):
        # A path in the list of problems is one of the files that the user meant.
        raise refusal(problems, len(files) + len(problems), names, WAY_OUT)
    lines = [problem_line(problem, names) for problem in problems[:MOST_LISTED]]
    if len(problems) > MOST_LISTED:
        lines.append(counted(len(problems) - MOST_LISTED, "more file"))
    return Chosen(files, tuple(lines))
