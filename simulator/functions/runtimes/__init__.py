"""What runs a handler: the language of an execution environment, spoken by `inline.py` and `process.py` alike.

A runtime makes environments; the service starts one, gives it one event at a time, kills it when its time is up.
What the handler does wrong comes back as a value. Nothing here raises for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from simulator.stack.model import Function

RuntimeName = Literal["inline", "process"]
"""In the simulator's own process, or each environment in a process of its own, as on Lambda."""

Write = Callable[[str], None]
"""Takes one line of the handler's output, without its newline."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for one environment. The event is the handler's from now on: it may change it."""

    request_id: str
    event: Any
    deadline_at: float
    trace_id: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The handler returned; `payload` is its answer as decoded JSON."""

    payload: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """The handler (or, at init, its module) raised, and the runtime reported it. The environment lives on.

    `payload` is what the caller of a synchronous invocation gets: errorMessage, errorType, requestId, stackTrace.
    """

    error_type: str
    message: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exited:
    """The runtime is gone, `status` in the service's words: `exit status 1`, `signal: killed`, or empty."""

    status: str
    error_type: str = "Runtime.ExitError"


Answer = Returned | Raised | Exited
"""What comes back for one event."""


class RuntimeEnvironment(Protocol):
    """One environment's runtime. Never asked for two things at once; `kill` may interrupt either."""

    @property
    def memory_used_mb(self) -> int | None:
        """The most memory it has used so far; None where it cannot be told (a shared process)."""

    async def start(self) -> Raised | Exited | None:
        """Run init: load the handler. None: ready. Called again after a failure or a kill."""

    async def invoke(self, invocation: Invocation) -> Answer:
        """Give it one event, wait for its answer."""

    async def kill(self) -> None:
        """End it now; `/tmp` stays, and `start` makes it usable again."""

    async def close(self) -> None:
        """End it for good, with all that belongs to it."""


class Runtime(Protocol):
    """Makes environments. `close` comes after the last of them is closed."""

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> RuntimeEnvironment:
        """A new environment, not started."""

    async def close(self) -> None:
        """Give back what the environments shared."""
