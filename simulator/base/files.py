"""Reading users' files with a bound, writing files that others wait for, and the messages when either fails."""

from __future__ import annotations

import errno
import itertools
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simulator.base.errors import CouldNotFinish, InputError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM_FOR_ANOTHER = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY)
_DESCRIPTOR = re.compile(r"(?:/dev|/proc/(?:self|thread-self))/fd/(\d{1,9})")
_LINKS = 40


class UnusableFileError(Exception):
    """Why a file cannot be read, as a predicate for its name."""


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """A small file, or the output of a pipe. Raises `FileNotFoundError`, and `UnusableFileError` for anything else.

    Nothing else is opened, because a device may never end, and at most `most_bytes` are read.
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
    except ValueError:  # Python raises it for a name that no system accepts
        raise UnusableFileError("cannot be read: its name has a NUL character") from None
    if found.st_size > most_bytes or len(content) > most_bytes:
        raise UnusableFileError(f"has more than {most_bytes:,} bytes")
    return content


def require_writable(path: Path) -> None:
    """Raise `InputError` if the file cannot be written: better now than after an hour's run."""
    try:
        if _own_descriptor(path) is not None:
            return
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode if target.exists() else None
        if mode is None and not target.parent.is_dir():
            raise InputError(f"'{path}' cannot be written: there is no directory '{target.parent}'")
        if mode is not None and stat.S_ISDIR(mode):
            raise InputError(f"'{path}' is a directory", hint="name a file")
        if mode is not None and not (stat.S_ISREG(mode) or _in_place(mode)):
            raise InputError(f"'{path}' is a socket or a disk", hint="name a file")
        if not os.access(target if mode is not None else target.parent, os.W_OK):
            raise InputError(f"'{path}' cannot be written: Permission denied")
    except OSError as error:
        raise InputError(f"'{path}' cannot be written: {error.strerror or error}") from None
    except ValueError:  # Python raises it for a name that no system accepts
        raise InputError(f"'{path}' cannot be written: its name has a NUL character") from None


def write_whole(path: Path, content: str | bytes) -> None:
    """Write the file whole or not at all, so that a reader may read it as soon as it appears.

    A regular file is replaced and keeps its permissions; a link's target is replaced. A pipe or a device is written to
    and stays what it is, and so is a file in a directory that accepts no new file. Raises `CouldNotFinish`.
    """
    try:
        require_writable(path)
    except InputError as error:  # it was checked before the work began, so now the work fails
        raise CouldNotFinish(str(error)) from None
    data = content if isinstance(content, bytes) else content.encode(errors="backslashreplace")
    with naming(path):
        if (descriptor := _own_descriptor(path)) is not None:
            sys.stdout.flush()
            _write_all(os.dup(descriptor), data)
            return
        target = Path(os.path.realpath(path))
        found = target.stat() if target.exists() else None
        if found is not None and _in_place(found.st_mode):
            _write_all(os.open(path, os.O_WRONLY), data)
            return
        try:
            _replace(target, data, found)
        except OSError as error:
            if found is None or error.errno not in _NO_ROOM_FOR_ANOTHER:
                raise
            _write_all(os.open(target, os.O_WRONLY | os.O_TRUNC), data)


def _replace(target: Path, data: bytes, before: os.stat_result | None) -> None:
    """Put a new file in place of the old one, or where there was none."""
    partial, descriptor = _partial_beside(target)
    try:
        if before is not None:
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
            with suppress(OSError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
        _write_all(descriptor, data)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _partial_beside(target: Path) -> tuple[Path, int]:
    """A new file in the same directory, open. A name already taken is left from a killed process of the same number."""
    for number in itertools.count():
        partial = target.with_name(f".stockpipe-{os.getpid()}-{number}.partial")
        with suppress(FileExistsError):
            return partial, os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    raise AssertionError  # the numbers never run out


def _write_all(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


def _in_place(mode: int) -> bool:
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _own_descriptor(path: Path) -> int | None:
    """The open file that `/dev/stdout` or the like names: a file that it leads to must not be replaced under it."""
    link = path.absolute()
    for _ in range(_LINKS):
        if found := _DESCRIPTOR.fullmatch(str(link)):
            os.fstat(int(found[1]))
            return int(found[1])
        if not link.is_symlink():
            return None
        link = link.parent / link.readlink()
    return None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn an error while writing this file in the block into a `CouldNotFinish` that names it."""
    try:
        yield
    except OSError as error:
        raise failure_of(error, str(path)) from error


def failure_of(error: OSError, name: str | None = None) -> CouldNotFinish:
    """The same as one of ours: what is wrong, with which file (`name`, unless the error names one), and what to do."""
    name = name or (os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None)
    if error.errno in _FULL:
        return CouldNotFinish(f"the disk is full: {name or 'no space is left'}", hint="free some space and run again")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        said = f"too many open files ({error.strerror})"
        return CouldNotFinish(said, hint="allow more with `ulimit -n 1024` and run again")
    return CouldNotFinish(f"{name}: {error.strerror or error}" if name else f"{error.strerror or error}")
