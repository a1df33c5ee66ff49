"""A world with nothing in it but its loop, its fibers and what blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from simulator.world import fibers, sockets
from simulator.world.fibers import Fibers, Runaway
from simulator.world.loop import Connected, Deadlock, VirtualLoop

T = TypeVar("T")


class Nobody:
    """Is told how time passes, and does not care."""

    def moved(self, now: float) -> None:
        """Nothing."""

    def stuck(self, deadlock: Deadlock) -> bool:
        """Nothing helps."""
        raise deadlock

    def until(self, now: float, when: float) -> float:
        """No limit."""
        del now
        return when


def nobody(address: tuple[Any, ...], factory: Callable[[], asyncio.Protocol], loop: Any) -> Connected:
    """Nothing answers."""
    del factory, loop
    raise ConnectionRefusedError(address)


def run(
    main: Callable[[VirtualLoop, Fibers], Coroutine[Any, Any, T]],
    lost: Callable[[Runaway], object] = print,
) -> T:
    """What `main` returns, in a new world."""
    loop = VirtualLoop(Nobody())
    loop.lead_to(nobody)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        made = fibers.Fibers(loop, lost)
        with sockets.installed(), made.installed():
            return runner.run(main(loop, made))
