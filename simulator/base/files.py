"""Files that others wait for, and what is said of one that cannot be written."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.base.errors import CouldNotFinish

_FULL = (errno.ENOSPC, errno.EDQUOT)


class UnusableFileError(Exception):
    """Why a file is not one that can be read: the predicate of a sentence about it."""


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """A small file, or what comes out of a pipe. Raises `FileNotFoundError`, and `UnusableFileError` for all else.

    Nothing else is opened, because a device may never end, and no more than `most_bytes` are read.
    """
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise UnusableFileError("is a directory; name a file")
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode)):
            raise UnusableFileError("is neither a file nor a pipe")
        with path.open("rb") as file:
            content = b"" if found.st_size > most_bytes else file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnusableFileError(f"cannot be read: {error.strerror or error}") from None
    except ValueError:  # Python's own, of a name that no system takes
        raise UnusableFileError("cannot be read: its name has a NUL character") from None
    if found.st_size > most_bytes or len(content) > most_bytes:
        raise UnusableFileError(f"has more than {most_bytes:,} bytes")
    return content


def write_whole(path: Path, text: str) -> None:
    """Write the file whole or not at all: whoever waits for it reads it the moment it appears.

    What is no regular file, such as a pipe or a device, stays what it is. Raises `CouldNotFinish`.
    """
    with told(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8")
            return
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path.resolve())
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What keeps this file from being written in the block, as a `CouldNotFinish` that names it."""
    try:
        yield
    except OSError as error:
        raise CouldNotFinish(failure_text(error, str(path))) from error


def failure_text(error: OSError, name: str | None = None) -> str:
    """The one line of it: what is wrong with what, the file `name` unless it says so itself, and the way out."""
    name = name or (os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None)
    if error.errno in _FULL:
        return f"the disk is full: {name or 'no space is left'}; free some space and run again"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"too many open files ({error.strerror}); allow more with `ulimit -n 1024` and run again"
    return f"{name}: {error.strerror or error}" if name else f"{error.strerror or error}"
