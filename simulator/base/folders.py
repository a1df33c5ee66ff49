"""Temporary folders that vanish with their owner: when it ends or, if it was killed, when the next one is made.

An owner holds a lock on its folder, which the system releases however the owner ends; a folder that nobody holds has no
owner. Its name alone marks a folder as ours.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from contextlib import AbstractContextManager, suppress
from pathlib import Path

_PREFIX = "stockpipe-scratch-"
_NAME = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")


class OwnFolder(AbstractContextManager["OwnFolder"]):
    """A new folder at `path`, removed with its contents by `remove` or at the end of the block. Raises OSError."""

    def __init__(self) -> None:
        remove_ownerless()
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._held = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            # Another start may have found it without an owner before it was locked.
            if _lock(self._held) is not False and self.path.exists():
                return
            os.close(self._held)

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove it, as far as possible; does nothing the second time."""
        if self._held >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._held)
            self._held = -1


def remove_ownerless() -> None:
    """Remove the folders whose owners were killed. What cannot be removed stays."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_ownerless(entry.path)


def _remove_ownerless(path: str) -> None:
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(held).st_uid == os.geteuid() and _lock(held):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(held)


def _lock(descriptor: int) -> bool | None:
    """Whether we hold the lock now; None if the file system has no locks, where nobody removes such a folder."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
