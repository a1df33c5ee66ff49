"""Sees each step of an environment's code: counts what it waits for, halts it, and sets its clock apart.

A step is what a coroutine does between two waits. Only the code of an environment that a fault strikes is watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Fuse:
    """Burns down with each wait; `burnt` is set at the last."""

    def __init__(self, waits: int) -> None:
        self._left, self.burnt = waits, asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def burn(self) -> None:
        """The code waits once more. Any thread may say so: only one works at a time."""
        self._left -= 1
        if self._left == 0:
            self._loop.call_soon(self.burnt.set)


class Watched(Protocol):
    """Whose code it is."""

    fuse: Fuse | None
    halted: bool
    apart_s: float


async def watched(
    work: Coroutine[Any, Any, T], whose: Watched, apart: Callable[[float], AbstractContextManager[None]]
) -> T:
    """The result of `work`, each step of which is seen; `apart` is the block in which the clock is so far apart."""
    return await _Steps(work, whose, apart)


class _Steps(Awaitable[T]):
    def __init__(
        self, work: Coroutine[Any, Any, T], whose: Watched, apart: Callable[[float], AbstractContextManager[None]]
    ) -> None:
        self._work, self._whose, self._apart = work, whose, apart

    def __await__(self) -> Generator[Any, Any, T]:
        whose, given = self._whose, None
        error: BaseException | None = None
        may_halt = True
        while True:
            try:
                with self._apart(whose.apart_s) if whose.apart_s else nullcontext():
                    waits_for = self._work.send(given) if error is None else self._work.throw(error)
            except StopIteration as ended:
                result: T = ended.value
                return result
            if whose.fuse is not None:
                whose.fuse.burn()
            given = error = None
            try:
                given = yield waits_for
                if whose.halted and may_halt:
                    yield from asyncio.Event().wait().__await__()
            except BaseException as raised:  # noqa: BLE001 - the work gets it, and comes to its end: it is dead by then
                error, may_halt = raised, False
