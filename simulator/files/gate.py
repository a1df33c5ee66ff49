"""Whether the consumer would read files, checked with its own reader and the current settings before any is sent.

A file is read until its header is read and its first rows are judged: after that, nothing makes the consumer reject a
plain file. A gzip stream can be damaged anywhere, so it is inflated to its end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from simulator.base import limits
from simulator.files import heads
from simulator.files.finding import Problem, SourceFile
from simulator.files.guess import guess, values_of
from simulator.files.reading import Inflater, ObjectUnreadable, Row, RowReader, open_reader

Progress = Callable[[int], None]
"""Receives how many more bytes are done."""
MOST_GUESSED = 100
"""For how many files a fix is searched for."""
_GZIP = b"\x1f\x8b"


def examine(
    files: Sequence[SourceFile], environ: Mapping[str, str], progress: Progress = lambda _: None
) -> tuple[Problem, ...]:
    """What the consumer would not read, in the order of the files, each with a reason and a fix that was tried.

    `environ` are the consumer's variables. A file that is not data to the consumer is skipped. Raises `InputError` for
    a malformed setting.
    """
    open_reader("", environ)
    problems: list[Problem] = []
    guessed = 0
    for source in files:
        try:
            refused = _refused(source.path, source.key, environ, progress)
            if refused is None:
                continue
            problem = _alike(source, str(refused), problems, environ)
            if problem is None and guessed == MOST_GUESSED:
                problem = Problem(source.path, str(refused), "run stockpipe inspect on it to see what may help")
            elif problem is None:
                guessed += 1
                problem = _problem(source, str(refused), environ)
        except OSError as error:
            problem = Problem(source.path, f"it cannot be read: {error.strerror or error}")
        problems.append(problem)
    return tuple(problems)


def _alike(source: SourceFile, reason: str, problems: Sequence[Problem], environ: Mapping[str, str]) -> Problem | None:
    """The last problem with the same reason, if its fix works for this file too."""
    for problem in reversed(problems):
        if problem.reason == reason and (problem.settings or problem.without):
            changed = {**environ, **dict.fromkeys(problem.without, ""), **problem.settings}
            if _refused(source.path, source.key, changed, lambda _: None) is None:
                return replace(problem, path=source.path)
            return None
    return None


def _problem(source: SourceFile, reason: str, environ: Mapping[str, str]) -> Problem:
    """Why the file is refused, and the settings under which it would be read. Raises OSError.

    Settings under which rows would replace others are not a fix: the user would lose rows without noticing.
    """
    found = guess(source.key, heads.read(source.path), environ)
    if not found.environ or found.reading.overwrites:
        return Problem(source.path, reason)
    if _refused(source.path, source.key, {**environ, **found.environ}, lambda _: None) is not None:
        return Problem(source.path, reason)
    return Problem(source.path, reason, settings=values_of(found.settings), without=found.without)


def _refused(path: Path, key: str, environ: Mapping[str, str], progress: Progress) -> ObjectUnreadable | None:
    """The consumer's error for this file; None if it would read it. Raises OSError."""
    try:
        with path.open("rb") as file:
            zipped = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            reader = open_reader(key, environ)
            while not _judged(reader, chunk := file.read(limits.SOURCE_CHUNK_BYTES)):
                if not chunk:
                    break
                if not zipped:
                    progress(len(chunk))
            if not zipped:
                # The rest need not be read.
                progress(os.fstat(file.fileno()).st_size - file.tell() + len(chunk))
            else:
                file.seek(0)
                inflater = Inflater()
                while chunk := file.read(limits.SOURCE_CHUNK_BYTES):
                    for _ in inflater.feed(chunk, final=False):
                        pass
                    progress(len(chunk))
                for _ in inflater.feed(b"", final=True):
                    pass
    except ObjectUnreadable as error:
        return error
    return None


def _judged(reader: RowReader, chunk: bytes) -> bool:
    """Whether a row has come out, which means that the header is read and the first rows are judged.

    Raises `ObjectUnreadable`. Do not use the reader again after this was true.
    """
    return any(isinstance(row, Row) for row in reader.feed(chunk, final=not chunk))
