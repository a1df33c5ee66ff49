"""What a world pins: the time and the chance that code sees inside it are the world's.

Wall-clock time is time-machine's: it replaces the C functions behind `time.time` and `datetime.now`, so whoever holds
them sees it. All else are names of modules, replaced where a loaded module holds them; a module that is loaded later
finds the replacements. What was kept elsewhere before (in an object, as an argument's default) stays the machine's.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from simulator.base.chance import Seed, stream

real_perf_counter, real_sleep = partial(time.perf_counter), partial(time.sleep)
"""The machine's own, inside a world too, and not by a name that is replaced: for the pace of the dashboard."""
_seed = random.Random.seed
_REAL = {__name__, "simulator.base.usage", "queue", "subprocess", "threading"}
"""The modules that keep them: what measures the machine, and whose waits are real and would never end otherwise."""
_COUNTERS = ("monotonic", "perf_counter", "process_time", "thread_time")
_BYTES = [getattr(os, name) for name in ("urandom", "getrandom") if hasattr(os, name)]
_SECOND_NS = 1_000_000_000
CALLER: ContextVar[Any] = ContextVar("caller", default=None)
"""The execution environment that runs, with `numbers` and `system` of its own; None: the world itself."""


class Pins:
    """What is pinned now: the instant, and the world's own chance: its random numbers and the system's bytes."""

    def __init__(self, seed: Seed, start_at_ns: int, sleep: Callable[[float], None], shift: Callable[[float], None]):
        self.elapsed_ns, self.elapsed_s, self.sleep = 0, 0.0, sleep
        self._start_at_ns, self._shift = start_at_ns, shift
        # Python's own generator is the world's: whoever kept one of its methods draws from it, too.
        self.numbers: random.Random = vars(random)["_inst"]
        self.system = stream(seed, "world/bytes")

    @contextmanager
    def apart(self, seconds: float) -> Iterator[None]:
        """In the block, the wall clock is so far from the world's; all else is the same."""
        self._shift(seconds)
        try:
            yield
        finally:
            self._shift(-seconds)

    def move(self, now_ns: int) -> None:
        """From now on it is `now_ns`, in nanoseconds since the epoch."""
        elapsed_ns = now_ns - self._start_at_ns
        self._shift((elapsed_ns - self.elapsed_ns) / _SECOND_NS)
        self.elapsed_ns, self.elapsed_s = elapsed_ns, elapsed_ns / _SECOND_NS


_open: list[Pins] = []


def apart(seconds: float) -> AbstractContextManager[None]:
    """See `Pins.apart`; of whatever is pinned now."""
    return _open[0].apart(seconds)


def _seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
    """`Random.seed`: without a seed Python asks the system in a way of its own."""
    _seed(self, int.from_bytes(os.urandom(32), "big") if a is None else a, version)


def _elsewhere(real: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: (ours if _open else real)(*given, **named)


def _of_clock(real: Callable[[int], Any], unit: str) -> Callable[[int], Any]:
    return lambda clock: real(clock) if clock == time.CLOCK_REALTIME else getattr(_open[0], unit)


def _chance() -> Any:
    return CALLER.get() or _open[0]


def _drawn(name: str) -> Callable[..., Any]:
    return lambda *given, **named: getattr(_chance().numbers, name)(*given, **named)


_OURS: list[tuple[Any, Callable[..., Any]]] = [
    (time.sleep, lambda seconds: (_open[0].sleep if seconds >= 0 else real_sleep)(seconds)),
    (time.clock_gettime, _of_clock(time.clock_gettime, "elapsed_s")),
    (time.clock_gettime_ns, _of_clock(time.clock_gettime_ns, "elapsed_ns")),
    *((getattr(time, name), lambda: _open[0].elapsed_s) for name in _COUNTERS),
    *((getattr(time, f"{name}_ns"), lambda: _open[0].elapsed_ns) for name in _COUNTERS),
    *((real, lambda size, *_: _chance().system.randbytes(size)) for real in _BYTES),
    # Not another class for the hidden generator: `random.random` is bound to C's method, whatever the class becomes.
    *((real, _drawn(name)) for name, real in vars(random).items() if getattr(real, "__self__", 0) is random._inst),  # noqa: SLF001
]
_KINDS = {BuiltinFunctionType, FunctionType, MethodType}
_REPLACED = [(real, _elsewhere(real, ours)) for real, ours in _OURS]


@contextmanager
def pinned(seed: Seed, start_at_ns: int, sleep: Callable[[float], None]) -> Iterator[Pins]:
    """Time starts at `start_at_ns` (since the epoch), as UTC, and stands still until `move`; chance is the seed's.

    `time.monotonic` and its like start at 0; `sleep` is what `time.sleep` becomes. Restores all; one at a time.
    """
    loaded: dict[str, Any] = sys.modules  # where it finds pytest, time-machine loads it too: a tenth of a second
    tests = loaded.setdefault("pytest", None)
    from time_machine import travel

    if tests is None:
        del loaded["pytest"]
    start_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start_at_ns // 1000)
    of_log_records = start_at_ns if isinstance(vars(logging)["_startTime"], int) else start_at_ns / _SECOND_NS
    with ExitStack() as undo:
        traveller = undo.enter_context(travel(start_at, tick=False))
        traveller.shift(start_at_ns % 1000 / _SECOND_NS)
        undo.callback(random.setstate, random.getstate())
        random.seed(f"{seed}/world/numbers")
        single = replaced(
            (logging, "_startTime", of_log_records),
            (random.Random, "seed", _seeded),
            (tempfile, "_name_sequence", None),
            (uuid, "_node", stream(seed, "world/node").getrandbits(48) | 1 << 40),
        )
        undo.enter_context(single)
        undo.callback(_replace, {ours: real for real, ours in _REPLACED})
        _replace(dict(_REPLACED))
        _open.append(Pins(seed, start_at_ns, sleep, traveller.shift))
        undo.callback(_open.clear)
        yield _open[0]


@contextmanager
def replaced(*those: tuple[Any, str, Any]) -> Iterator[None]:
    """In the block, each owner has another attribute of that name."""
    with ExitStack() as undo:
        for owner, name, ours in those:
            undo.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, ours)
        yield


def _replace(others: dict[Any, Any]) -> None:
    """Replace these functions wherever a loaded module names one."""
    for module in list(sys.modules.values()):
        names = module.__dict__ if isinstance(module, ModuleType) else {}
        if names.get("__name__") not in _REAL:
            named = [(name, value) for name, value in names.items() if type(value) in _KINDS and value in others]
            names.update({name: others[value] for name, value in named})
