"""Which files the paths on a command line name, and the keys of the objects that they become.

No file is opened here. Paths that cannot be sent are returned with the rest, so that all are reported at once.
"""

from __future__ import annotations

import mimetypes
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from simulator.base import limits

SUFFIXES = (".csv", ".csv.gz")
FOLDER = "source/"
LEFT_OUT = (".", "_")
"""In a folder, files whose names begin like this are not data: hidden files, and those that programs leave behind."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to send: where it is, and the key of the object that it becomes."""

    path: Path
    key: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A path that cannot be sent, or that the consumer would not read: why, and what helps.

    `settings` are the consumer's variables by which this very file can be read, `without` those that are set and should
    not be. `cure` says what to do if neither helps.
    """

    path: Path
    reason: str
    cure: str = "fix or remove it"
    settings: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The files to send, in order, and what is wrong with the other paths."""

    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]


def content_type(key: str) -> str:
    """What the name of a file says about its content, as the AWS CLI guesses it; else S3's own default."""
    return mimetypes.guess_type(key)[0] or "binary/octet-stream"


def find(paths: Sequence[Path], prefix: str | Callable[[str], str], *, as_it_is: bool = False) -> Found:
    """The CSV files that `paths` name, in the order of the paths and, within a directory, of their names.

    A file becomes `prefix` + `source/` + its name, whatever its suffix. A directory gives every `*.csv` and `*.csv.gz`
    below it (in any case; names that begin with `.` or `_` are left out), each under its path relative to the
    directory. A file that is named twice with the same key is sent once; if two files have the same key, neither is
    sent.

    `prefix` is the prefix of the bucket's notification, or a function that gives it for a name. With `as_it_is`, for a
    consumer that is not ours, a directory gives every file that is not hidden, and a file becomes `prefix` + its name.
    """
    folder = "" if as_it_is else FOLDER
    found: dict[str, SourceFile] = {}
    problems: dict[Path, Problem] = {}
    clashing: set[str] = set()
    for path in paths:
        for file, name in _files(path, problems, as_it_is=as_it_is):
            key = f"{prefix if isinstance(prefix, str) else prefix(name)}{folder}{name}"
            if (problem := _file_problem(file, key, as_it_is=as_it_is)) is not None:
                problems.setdefault(file, problem)
                continue
            other = found.setdefault(key, SourceFile(file, key))
            if not other.path.samefile(file):
                clashing.add(key)
                for one, another in ((other.path, file), (file, other.path)):
                    reason = f"it would become the object {key}, and so would {another}"
                    problems.setdefault(one, Problem(one, reason, "send one of them at a time"))
    files = tuple(source for key, source in found.items() if key not in clashing)
    return Found(files, tuple(problems.values()))


def _files(path: Path, problems: dict[Path, Problem], *, as_it_is: bool) -> Iterator[tuple[Path, str]]:
    """Each file that the path names, with its name relative to it."""
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        is_folder = False  # `_file_problem` says why
    if not is_folder:
        yield path, path.name
        return
    known = len(problems)
    files = sorted(_below(path, problems, as_it_is=as_it_is))
    if not files and len(problems) == known:
        looked_for = "files" if as_it_is else f"CSV files ({' or '.join('*' + suffix for suffix in SUFFIXES)})"
        problems.setdefault(path, Problem(path, f"it holds no {looked_for}", "name a file or another folder"))
    for file in files:
        yield file, PurePosixPath(file.relative_to(path)).as_posix()


def _below(directory: Path, problems: dict[Path, Problem], *, as_it_is: bool) -> Iterator[Path]:
    def note(error: OSError) -> None:
        path = Path(os.fsdecode(error.filename))
        problems.setdefault(path, Problem(path, _unreachable(path, error)))

    for folder, folders, names in os.walk(directory, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            is_data = name.lower().endswith(SUFFIXES) and not name.startswith(LEFT_OUT)
            if is_data or (as_it_is and not name.startswith(".")):
                yield Path(folder, name)


def _file_problem(file: Path, key: str, *, as_it_is: bool) -> Problem | None:
    try:
        mode = file.stat().st_mode
    except OSError as error:
        return Problem(file, _unreachable(file, error))
    if not stat.S_ISREG(mode):
        return Problem(file, "it is neither a file nor a directory")
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        return Problem(file, "a key in S3 is UTF-8, and this name is not", "rename it")
    if length > limits.S3_KEY_BYTES:
        return Problem(file, f"its key would have {length} bytes; S3 allows {limits.S3_KEY_BYTES}", "rename it")
    if not as_it_is and file.name.startswith(LEFT_OUT):
        return Problem(file, f"the consumer skips objects whose names begin with {file.name[0]!r}", "rename it")
    return None


def _unreachable(path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"it cannot be read: {error.strerror}"
    if path.is_symlink():
        return f"it is a link to {str(path.readlink())!r}, which does not exist"
    return "it does not exist"
