"""Ctrl-C and SIGTERM: the first asks for a soft stop, the second ends at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator


class HardStop(BaseException):
    """The second signal: whatever is in flight is abandoned. No `except Exception` may hold it back."""


class Interrupts:
    """Counts the signals of one run. `soft` is set by the first; the second cancels the owning task."""

    def __init__(self) -> None:
        self.soft = asyncio.Event()
        self.hard = False
        self._owner: asyncio.Task[object] | None = None

    def signalled(self) -> None:
        """One more signal came in."""
        if not self.soft.is_set():
            self.soft.set()
        elif not self.hard:
            self.hard = True
            if self._owner is not None:
                self._owner.cancel()

    @contextlib.contextmanager
    def installed(self) -> Iterator[Interrupts]:
        """Take SIGINT and SIGTERM for as long as the block runs; a second signal leaves it as `HardStop`.

        From then on the process ignores both.
        """
        loop = asyncio.get_running_loop()
        self._owner = asyncio.current_task()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.signalled)
        try:
            yield self
        except asyncio.CancelledError:
            if not self.hard:
                raise
            if self._owner is not None:
                self._owner.uncancel()
            raise HardStop from None
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
                if self.hard:
                    # The little that is left, the summary, is not interrupted a third time.
                    signal.signal(number, signal.SIG_IGN)
