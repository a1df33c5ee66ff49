"""Whether the consumer would read files: by its own reader, under the settings in force, before any of them is sent.

A file is read until its header is read and its first rows are judged: nothing that comes later makes the consumer give
up a plain file. A gzip stream can be damaged anywhere, so it is inflated to its end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

from simulator.base import limits
from simulator.files import heads
from simulator.files.finding import Problem, SourceFile
from simulator.files.guess import guess
from simulator.files.reading import Inflater, ObjectUnreadable, Row, RowReader, open_reader

Progress = Callable[[int], None]
"""Takes how many bytes more are done with."""
MOST_GUESSED = 100
"""For so many files a cure is looked for."""
_GZIP = b"\x1f\x8b"


def examine(
    files: Sequence[SourceFile],
    environ: Mapping[str, str],
    fixed: Set[str] = frozenset(),
    progress: Progress = lambda _: None,
) -> tuple[Problem, ...]:
    """What the consumer would not read, in the order of the files, each with its reason and a cure that was tried.

    `environ` are the consumer's variables, `fixed` those that stay even where they are as by default. A file that is no
    data to the consumer is not looked at. Raises `InputError` for a malformed setting.
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
            if problem is None:
                guessed += 1
                cure = guessed <= MOST_GUESSED
                problem = _problem(source, str(refused), environ, fixed) if cure else _unguessed(source, str(refused))
        except OSError as error:
            problem = Problem(source.path, f"it cannot be read: {error.strerror or error}")
        problems.append(problem)
    return tuple(problems)


def _alike(source: SourceFile, reason: str, problems: Sequence[Problem], environ: Mapping[str, str]) -> Problem | None:
    """The cure of the last file with the same reason, if it is one of this file too."""
    for problem in reversed(problems):
        if problem.reason == reason and (problem.settings or problem.without):
            changed = {**environ, **dict.fromkeys(problem.without, ""), **problem.settings}
            if _refused(source.path, source.key, changed, lambda _: None) is None:
                return replace(problem, path=source.path)
            return None
    return None


def _problem(source: SourceFile, reason: str, environ: Mapping[str, str], fixed: Set[str]) -> Problem:
    """Why the file is refused, and by which settings it would not be. Raises OSError.

    Settings by which rows would replace others are no cure: who pastes them loses rows without a word.
    """
    found = guess(source.key, heads.read(source.path), environ, fixed)
    if not found.environ or found.reading.overwrites:
        return Problem(source.path, reason)
    if _refused(source.path, source.key, {**environ, **found.environ}, lambda _: None) is not None:
        return Problem(source.path, reason)
    settings = {name: proposed.value for name, proposed in found.settings.items()}
    return Problem(source.path, reason, settings=settings, without=found.without)


def _unguessed(source: SourceFile, reason: str) -> Problem:
    return Problem(source.path, reason, "stockpipe inspect says what may help")


def _refused(path: Path, key: str, environ: Mapping[str, str], progress: Progress) -> ObjectUnreadable | None:
    """What the consumer would say of the file; None if it would read it. Raises OSError."""
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
    """Whether a row has come out, which is when the header is read and the first rows are judged.

    Raises `ObjectUnreadable`. The reader must not be used after it was true.
    """
    return any(isinstance(row, Row) for row in reader.feed(chunk, final=not chunk))
