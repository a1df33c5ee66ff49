"""Temporary folders that go with their owner: at its end, or, should it be killed, when the next one is made.

An owner holds a lock on its folder, which the system lets go of however the owner ends; a folder that nobody holds is
nobody's. Its name alone makes a folder one of ours.
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
    """A new folder at `path`, removed with all that is in it by `remove` or at the end of the block. Raises OSError."""

    def __init__(self) -> None:
        remove_ownerless()
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._held = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            # Another start may have taken it for ownerless before it was locked.
            if _lock(self._held) is not False and self.path.exists():
                return
            os.close(self._held)

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove it, as far as that can be; nothing the second time."""
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
    """Whether it is ours now; None where the file system knows no locks: nobody takes such a folder away."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
