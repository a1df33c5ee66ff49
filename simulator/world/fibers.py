"""Blocking code in a world: each worker's thread is a fiber, which works only while the loop's thread waits for it.

So one thread works at a time, in an order that only the world decides, and what a fiber waits for takes virtual time.
A fiber that never waits holds up the world; after `RUNAWAY_S` that is an error.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar, cast

from simulator.base.errors import CouldNotFinish
from simulator.base.workers import Worker
from simulator.functions.runtimes import imports
from simulator.world.borders import place, world_starts_it
from simulator.world.loop import Ticketed, TicketedFuture, VirtualLoop
from simulator.world.pins import CALLER, apart, real_sleep, replaced

RUNAWAY_S, GRACE_S = 60.0, 1.0
"""How long a fiber may work without waiting, in real time; the second once a signal wants to end the program."""
LOOK_S = 0.1
DEATHS = 100
"""How often code may catch that it is killed and wait again; then it never goes on."""
T = TypeVar("T")
Resume = Callable[[], object]
_here = threading.local()


class Killed(BaseException):
    """The execution environment is killed: raised wherever its thread waits, from then on."""


class Runaway(CouldNotFinish):
    """Code in a world works on and on, or waits for what no other thread will do."""


def current_fiber() -> Fiber | None:
    """The fiber that this code runs in."""
    fiber: Fiber | None = getattr(_here, "fiber", None)
    return fiber


class Fiber(Worker):
    """A worker whose thread takes turns with its loop's. It is one of `fibers` until it is closed."""

    def __init__(self, fibers: Fibers, name: str) -> None:
        self.loop, self._fibers = fibers.loop, fibers
        fibers.open[self] = None
        self._turn, self._loops_turn = threading.Lock(), threading.Lock()
        self._turn.acquire()
        self._loops_turn.acquire()
        self._waits, self._waiting, self._gone, self._deaths = 0, True, False, 0
        self._more: Resume = partial(self._resume, 0)
        self._caller: Any = None
        with world_starts_it():
            super().__init__(name)

    async def run(self, call: Callable[[], T]) -> T:
        """The call's result; raises whatever the call raises. The call sees the context variables of who asks."""
        variables, self._caller = copy_context(), CALLER.get()

        def seeing() -> T:
            for variable, value in variables.items():
                variable.set(value)
            return call()

        return await super().run(seeing)

    def close(self, last: Callable[[], object] = bool) -> None:
        """Kill what runs, make no more calls but `last`, and end the thread. It is over when this returns."""
        if not self._closed:
            super().close(last)
            self._waiting = False
            del self._fibers.open[self]
            self._go_on()
            self._thread.join(0 if self._gone else None)

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """For code inside a call: run `work` on the loop and block until it is done; raises what it raises."""
        task = self.loop.create_task(work, context=Context())
        try:
            self.block(lambda resume: task.add_done_callback(lambda _: resume(), context=Context()))
        finally:
            task.cancel()
        result: T = task.result()
        return result

    def block(self, register: Callable[[Resume], object], until: float | None = None) -> None:
        """For code inside a call: wait until what `register` gets is called, or it is `until` on the loop.

        `register` runs at once; it arranges for the call, in the loop's thread, in which the fiber goes on soon after.
        """
        self.check()
        if (caller := CALLER.get()) is not None and caller.fuse is not None:
            caller.fuse.burn()
        timer = None if until is None else self.loop.call_at(until, self._resume, self._waits + 1, context=Context())
        try:
            self.pause(register)
        finally:
            if timer is not None:
                timer.cancel()
        while caller is not None and caller.halted and not self._closed:
            self.pause(bool)
        self.check()

    def pause(self, register: Callable[[Resume], object]) -> None:
        """Like `block`, also in a fiber that is killed."""
        self._waits += 1
        register(partial(self._resume, self._waits))
        self._waiting = True
        with imports.interrupted():
            self._loops_turn.release()
            self._turn.acquire()

    def check(self) -> None:
        """Raise `Killed` if the fiber is."""
        if self._closed:
            self._deaths += 1
            while self._deaths > DEATHS:
                self._gone = True
                self.pause(bool)
            raise Killed

    def _resume(self, wait: int) -> None:
        self.loop.call_soon(self._resumed, wait, context=Context())

    def _resumed(self, wait: int) -> None:
        if self._waiting and wait == self._waits:
            self._waiting = False
            self._go_on()

    def _go_on(self) -> None:
        """Let the fiber work, by its own clock, and wait until it waits or ends."""
        with apart(self._caller.apart_s) if self._caller is not None and self._caller.apart_s else nullcontext():
            self._take_turn()

    def _take_turn(self) -> None:
        """Looks are counted, however long a laptop sleeps."""
        looks, signalled, ended = 0, False, False
        self._turn.release()
        try:
            while not (ended := self._loops_turn.acquire(timeout=LOOK_S)) and self._thread.is_alive():
                if self.loop.signalled() and not signalled:
                    looks, signalled = 0, True
                looks += 1
                if looks * LOOK_S >= (GRACE_S if signalled else RUNAWAY_S):
                    where = place(sys._current_frames()[cast("int", self._thread.ident)])  # noqa: SLF001 - no other way
                    told = f"{self._thread.name} never lets time pass: {where} computes, or waits for a thread"
                    self._fibers.lost(Runaway(told))
                    return
        finally:
            if not ended:
                self._closed = self._gone = True

    def _put(self, job: Any) -> None:
        super()._put(job)
        if not self.loop.is_closed():
            self._more()

    def _next(self) -> Any:
        """The next job: the fiber waits for one as for all else."""
        while self._jobs.empty():
            if self._gone:
                return None
            self.pause(lambda resume: setattr(self, "_more", resume))
        return super()._next()

    def _work(self) -> None:
        _here.fiber = self
        self._turn.acquire()
        try:
            super()._work()
        finally:
            self._loops_turn.release()

    def _on_loop(self, function: Callable[..., object], *arguments: Any) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon(function, *arguments, context=Context())


class Fibers:
    """All fibers of the world of `loop`, which runs in this thread. `lost` is told of a runaway, then left alone."""

    def __init__(self, loop: VirtualLoop, lost: Callable[[Runaway], object]) -> None:
        self.loop, self.lost, self._thread = loop, lost, threading.get_ident()
        self.open = dict[Fiber, None]()

    def worker(self, name: str) -> Fiber:
        """A new one; a `WorkerFactory`."""
        return Fiber(self, name)

    def sleep(self, seconds: float) -> None:
        """What `time.sleep` is in the world: in the loop's own thread, all else is late by so much."""
        fiber = current_fiber()
        if fiber is not None:
            fiber.block(bool, fiber.loop.time() + seconds)
        elif threading.get_ident() == self._thread:
            self.loop.jump(seconds)
        else:
            real_sleep(seconds)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """In the block, fibers have loops of their own and pools that make each call at once. At its end they end.

        `os._exit` ends the execution environment, and not all of them.
        """
        submit, new_event_loop = ThreadPoolExecutor.submit, asyncio.new_event_loop
        get_event_loop, leave = asyncio.get_event_loop, os._exit
        lock: Callable[[str], Any] = vars(importlib._bootstrap)["_get_module_lock"]  # noqa: SLF001

        def submit_here(pool: ThreadPoolExecutor, call: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
            if current_fiber() is None and threading.get_ident() != self._thread:
                return submit(pool, call, *given, **named)
            return _called(_Result(self.loop.ticket()), pool, call, *given, **named)

        def new_loop() -> asyncio.AbstractEventLoop:
            fiber = current_fiber()
            return new_event_loop() if fiber is None else FiberLoop(fiber)

        def get_loop() -> asyncio.AbstractEventLoop:
            if current_fiber() is not None and sys.version_info < (3, 14):
                theirs: Any = asyncio.get_event_loop_policy()
                if not theirs._local._set_called:  # noqa: SLF001 - what a main thread has, as a handler's is on Lambda
                    asyncio.set_event_loop(new_loop())
            return get_event_loop()

        with replaced(
            (os, "_exit", lambda code: leave(code) if current_fiber() is None else sys.exit(code)),
            (asyncio, "get_event_loop", get_loop),
            (asyncio.events, "get_event_loop", get_loop),
            (ThreadPoolExecutor, "submit", submit_here),
            (asyncio, "new_event_loop", new_loop),
            (asyncio.events, "new_event_loop", new_loop),
            (importlib._bootstrap, "_get_module_lock", lambda name: lock(imports.lock_name(name))),  # noqa: SLF001
        ):
            try:
                yield
            finally:
                for fiber in tuple(self.open):
                    fiber.close()


class _Result(Ticketed, Future[T]):
    """What a pool's call returns, with a ticket."""


def _called(done: Future[T], pool: Any, call: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
    """Make the call here and now, as the only thread of the pool would."""
    if pool._shutdown:  # noqa: SLF001 - as its own `submit`
        raise RuntimeError("cannot schedule new futures after shutdown")
    if not hasattr(pool, "begun"):
        pool.begun = True
        if hasattr(pool, "_create_worker_context"):  # since Python 3.14
            pool._create_worker_context().initialize()  # noqa: SLF001
        elif pool._initializer is not None:  # noqa: SLF001
            pool._initializer(*pool._initargs)  # noqa: SLF001
    done.set_running_or_notify_cancel()
    try:
        done.set_result(call(*given, **named))
    except Killed:
        raise
    except BaseException as error:  # noqa: BLE001 - as a pool's thread
        done.set_exception(error)
    return done


def _end(work: Any) -> None:
    """Close what may be a coroutine, in silence, although it awaits more while it is closed."""
    for _ in range(9 if asyncio.iscoroutine(work) else 0):
        with suppress(BaseException):
            work.close()


class FiberLoop(VirtualLoop):
    """A loop inside a fiber, for a handler's `asyncio.run`: while it waits, so does the fiber. Time is the outer's."""

    def __init__(self, fiber: Fiber) -> None:
        self._fiber = fiber
        self._wake: Resume = bool
        super().__init__(cast("Any", None))
        self.lead_to(fiber.loop.connect)

    def time(self) -> float:
        """Seconds since the world began."""
        return self._fiber.loop.time()

    def create_future(self) -> asyncio.Future[Any]:
        """Like every loop's; sets of them have one order."""
        return TicketedFuture(self.ticket(), loop=self)

    def wait(self, when: float | None) -> None:
        """Wait with the fiber."""
        self._fiber.block(lambda resume: setattr(self, "_wake", resume), when)
        self._wake = bool

    def look(self) -> None:
        """Signals are the outer loop's."""

    def call_soon(self, *given: Any, **named: Any) -> Any:  # type: ignore[override]
        """As on every loop; for the outer loop, which may have more to tell, a closed one is no error."""
        if self.is_closed() and current_fiber() is not self._fiber:
            return None
        self._wake()
        return super().call_soon(*given, **named)

    def run_until_complete(self, future: Any) -> Any:
        """As on every loop, unless the fiber is killed: then nothing is cleaned up, as on Lambda."""
        try:
            self._fiber.check()
        except Killed:
            _end(future)
            raise
        return super().run_until_complete(future)

    def close(self) -> None:
        """As on every loop; what a killed fiber leaves is not complained about."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001
            _end(task.get_coro())
        super().close()

    _make_self_pipe = _close_self_pipe = lambda _: None  # it needs no socket to be woken

    def _write_to_self(self) -> None:
        self._wake()
