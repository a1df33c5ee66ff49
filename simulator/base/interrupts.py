"""Ctrl-C and SIGTERM: what the first and second do at any moment, so that neither shows a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from simulator.base.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)
T = TypeVar("T")


class HardStop(BaseException):
    """The second signal: whatever is in flight is abandoned. `except Exception` does not catch it."""


class Interrupts:
    """Counts the signals of one run. The first sets `soft`; the second ends what runs in `until_second`."""

    def __init__(self) -> None:
        self.soft = asyncio.Event()
        self._work: asyncio.Task[Any] | None = None
        self._hard = False

    def signalled(self) -> None:
        """Another signal came in."""
        if not self.soft.is_set():
            self.soft.set()
        elif self._work is not None and not self._hard:
            self._hard = True
            self._work.cancel()

    async def until_second(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result, or what it raises; `HardStop` if the second signal cancelled it.

        The work runs in a task of its own: a signal that comes as it ends cancels nothing that comes after it.
        """
        self._work = task = asyncio.create_task(work)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait((task,))
            if not task.cancelled():
                task.exception()  # marks it as retrieved: the cancellation is what gets raised
            raise
        finally:
            self.concluded()
        if task.cancelled() and self._hard:
            raise HardStop
        return task.result()

    def concluded(self) -> None:
        """All requested work is done: from now on a second signal abandons nothing."""
        self._work = None

    @contextlib.contextmanager
    def installed(self) -> Iterator[Interrupts]:
        """Count SIGINT and SIGTERM while the block runs.

        Afterwards a process that handles SIGTERM itself, as a command does from its start, ignores both for the short
        time until its end.
        """
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in SIGNALS}
        for number in SIGNALS:
            loop.add_signal_handler(number, self.signalled)
        try:
            yield self
        finally:
            # Blocked meanwhile: the loop restores Python's own handling of each, which would end the process.
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            for number in SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN if callable(before[signal.SIGTERM]) else before[number])
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def run(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, except that each signal cancels the work; raises `Interrupted` if that ended it.

    The work cleans up after the first signal; the second cuts that short.
    """

    async def watched() -> T:
        task, interrupts = asyncio.create_task(work), Interrupts()
        with interrupts.installed():
            while not task.done():
                signalled = asyncio.create_task(interrupts.soft.wait())
                await asyncio.wait((task, signalled), return_when=asyncio.FIRST_COMPLETED)
                signalled.cancel()
                if interrupts.soft.is_set():
                    interrupts.soft.clear()
                    task.cancel()
        if task.cancelled():
            raise Interrupted
        return task.result()

    return asyncio.run(watched())


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """For work without a loop: a signal raises `KeyboardInterrupt` in the block, which leaves it as `Interrupted`."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
