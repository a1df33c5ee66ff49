"""What runs a handler: the interface of an execution environment, which `inline.py` and `process.py` implement.

A runtime makes environments. The service starts one, gives it one event at a time, and kills it when its time is up. A
handler's errors are returned as values; nothing here raises for them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from simulator.faults.plane import Fault
from simulator.stack.model import Function

RuntimeName = Literal["inline", "process"]
"""In the simulator's own process, or each environment in a process of its own, as on Lambda."""

Write = Callable[[str], None]
"""Takes one line of the handler's output, without its newline."""


RUNTIME_MODULES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What Lambda's Python has besides the runtime client: Lambda Developer Guide, "Python" (python-package)."""


@dataclass(frozen=True)
class Code:
    """Where Python finds a function's code: its own folder (Lambda's /var/task), those of layers, what pip adds."""

    root: Path
    layers: tuple[Path, ...] = ()
    packages: tuple[Path, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The top-level names of what the code itself provides.

        Not of what was installed into it, nor of modules of the standard library that are loaded already, as on Lambda.
        """
        names: set[str] = set()
        for folder in (self.root, *self.layers):
            names |= {each.stem for each in folder.glob("[!.]*") if each.suffix == ".py" or any(each.rglob("*.py"))}
            names -= {each.name.partition("-")[0].lower() for each in folder.glob("*.dist-info")}
            for record in folder.glob("*.dist-info/RECORD"):
                names -= set(re.findall(r"(?m)^([^/.,]+)", record.read_text(encoding="utf-8", errors="replace")))
        return frozenset(names - set(RUNTIME_MODULES) - (sys.stdlib_module_names & sys.modules.keys()))


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for one environment. The event now belongs to the handler, which may change it.

    `fault` strikes the environment while it works.
    """

    request_id: str
    event: Any
    deadline_at: float
    trace_id: str
    fault: Fault | None = None


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
    """The runtime is gone; `status` is in Lambda's words: `exit status 1`, `signal: killed`, or empty."""

    status: str
    error_type: str = "Runtime.ExitError"


OUT_OF_MEMORY = Exited("signal: killed", "Runtime.OutOfMemory")
"""What Lambda reports of a Python that used more memory than its function has."""
Answer = Returned | Raised | Exited
"""The outcome of one event."""


class RuntimeEnvironment(Protocol):
    """One environment's runtime. Call `start` and `invoke` one at a time; `kill` may interrupt either."""

    @property
    def memory_used_mb(self) -> int | None:
        """The most memory it has used so far; None if unknown (a shared process)."""

    async def start(self) -> Raised | Exited | None:
        """Run init: load the handler. None: ready. May be called again after a failure or a kill."""

    async def invoke(self, invocation: Invocation) -> Answer:
        """Give it one event, and wait for the answer."""

    async def kill(self) -> None:
        """End it now; `/tmp` stays, and `start` makes it usable again."""

    async def close(self) -> None:
        """End it for good, with everything that belongs to it."""


class Runtime(Protocol):
    """Makes environments. Call `close` after the last of them is closed."""

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> RuntimeEnvironment:
        """A new environment, not started."""

    async def close(self) -> None:
        """Release what the environments shared."""
