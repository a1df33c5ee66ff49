"""Waits for what no event announces: checks again until it is true, with a deadline that only a defect reaches."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

DEADLINE_S = 60.0
LOOK_S = 0.002
Found = TypeVar("Found")


async def until(condition: Callable[[], Found | Awaitable[Found]]) -> Found:
    """The first true answer, on a loop; the condition may be a coroutine function."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            answer = condition()
            found = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
            await asyncio.sleep(LOOK_S)


def wait_until(condition: Callable[[], Found], what: object = "what was waited for") -> Found:
    """The same without a loop; `what` is reported when it does not come."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"no {what} within {DEADLINE_S:g} s"
        time.sleep(LOOK_S)
    return found
