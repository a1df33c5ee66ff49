"""A loop on which nothing waits: its clock jumps to whatever is due next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class JumpingLoop(asyncio.SelectorEventLoop):
    """Time passes only when there is nothing else to do, and then at once."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__()

    def time(self) -> float:
        """Seconds, as the loop counts them."""
        return self._now

    def _run_once(self) -> None:
        loop: Any = self
        due = [timer.when() for timer in loop._scheduled if not timer.cancelled()]
        if due and not loop._ready:
            self._now = max(self._now, min(due))
        super()._run_once()  # type: ignore[misc]


def run(main: Coroutine[Any, Any, T]) -> T:
    """The result of `main` on its own loop, which waits for nothing."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
