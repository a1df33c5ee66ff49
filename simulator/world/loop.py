"""The event loop of a world: nothing waits, because time moves on to what is due next.

It owns virtual time, the order of what is due at the same instant, and where connections lead. Callbacks run as on any
loop of asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import selectors
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from types import CoroutineType
from typing import Any, Protocol

from simulator.base.errors import CouldNotFinish
from simulator.base.words import counted
from simulator.world.pins import CALLER, apart
from simulator.world.watching import watched

TURNS_A_LOOK = 64
"""How many turns of the loop pass between two looks for a signal."""
MANY_TIMERS = 1_000
"""With so many, and from then on whenever they have doubled, the cancelled ones are removed."""
_TASKS_NAMED = 5
Connected = tuple[asyncio.Transport, asyncio.Protocol]
Connect = Callable[[tuple[Any, ...], Callable[[], asyncio.Protocol], Any], Connected]
"""Makes a connection to an address, for the protocol that it gets, on the loop that it gets."""


class Deadlock(CouldNotFinish):
    """Nothing is due in a world, and so nothing can ever happen in it again; the text names who waits."""


class Passing(Protocol):
    """What is told how time passes in a world."""

    def moved(self, now: float) -> None:
        """It is `now`, in seconds since the world began."""

    def stuck(self, deadlock: Deadlock) -> bool:
        """Nothing is due; returns whether something is now."""

    def until(self, now: float, when: float) -> float:
        """Time is about to move on from `now` to `when`: how far it may, before signals are looked for.

        Also called when the program has worked for a while; `when` is `now` then.
        """


class Ticketed:
    """Something whose place in a set depends on its ticket, not on its address in memory."""

    def __init__(self, ticket: int, *given: Any, **named: Any) -> None:
        self.ticket = ticket  # asyncio's own set has a task before `super().__init__` returns
        super().__init__(*given, **named)

    def __hash__(self) -> int:
        return self.ticket


class _Task(Ticketed, asyncio.Task[Any]):
    """A task with a ticket."""


class TicketedFuture(Ticketed, asyncio.Future[Any]):
    """A future with a ticket."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose `time()` is virtual: seconds since the world began. Raises `Deadlock` if nothing is due.

    What is due at the same instant happens in the order in which it was asked for. Calls for a thread pool run at once.
    """

    connect: Connect
    # asyncio's own, which its stubs leave out.
    _ready: deque[Any]
    _stopping: bool
    _selector: selectors.BaseSelector
    _check_closed: Callable[[], None]
    _process_events: Callable[[Any], None]
    # No: asyncio asks for each callback, and its remarks on slow ones are no part of a world.
    get_debug = staticmethod(bool)
    _check_thread = lambda _: None  # noqa: E731 - fibers call it, in debug mode too: only one thread works at a time

    def __init__(self, passing: Passing) -> None:
        self._now, self._ticket, self._turn, self._passing = 0.0, 0, 0, passing
        self._leads: dict[Any, Any] = {}
        self._timers: list[tuple[float, int, Any]] = []
        self._many = MANY_TIMERS
        super().__init__()

    def lead_to(self, connect: Connect) -> None:
        """From now on, connections are made by this."""
        self.connect = connect

    def time(self) -> float:
        """Seconds since the world began."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Move time on although other things are due: whoever blocks the loop for so long makes them late."""
        self._move(self._now + max(0.0, seconds))

    def _run_once(self) -> None:
        """One turn: what can be done now; if there is nothing, time moves on. In asyncio's loop it asks the system."""
        ready, timers = self._ready, self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        self._turn += 1
        if not ready and not self._stopping:
            self.wait(timers[0][0] if timers else None)
        elif self._turn % TURNS_A_LOOK == 0:
            self.look()
        now = self.time()
        while timers and timers[0][0] <= now:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - as asyncio's own loop

    def wait(self, when: float | None) -> None:
        """Nothing can be done until `when`, or ever: let time pass."""
        now = self._passing.until(self._now, self._now if when is None else when)
        self._move(now)
        looks = when is None or now < when or self._turn % TURNS_A_LOOK == 0
        if looks and not self._signals() and when is None:
            deadlock = self._deadlock()
            if not self._passing.stuck(deadlock):
                raise deadlock

    def look(self) -> None:
        """The program has worked for a while: look for signals."""
        self._passing.until(self._now, self._now)
        self._signals()

    def _signals(self) -> bool:
        """Handle the signals that have come; whether there are any."""
        come = self._selector.select(0)
        self._process_events(come)
        return bool(come)

    def _move(self, now: float) -> None:
        self._now = max(self._now, now)
        self._passing.moved(self._now)

    def signalled(self) -> bool:
        """Whether a signal waits to be handled."""
        with contextlib.suppress(BlockingIOError, AttributeError):  # nothing there, or closed
            return any(self._ssock.recv(4096, socket.MSG_PEEK))  # type: ignore[attr-defined]
        return False

    def _deadlock(self) -> Deadlock:
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: getattr(task, "ticket", 0))
        told = [f"{task.get_name()} at {_place(task)}" for task in tasks]
        more = counted(len(told) - _TASKS_NAMED, "more task") if len(told) > _TASKS_NAMED else ""
        who = ", ".join(filter(None, (*told[:_TASKS_NAMED], more)))
        return Deadlock(f"nothing is due, and nothing ever will be: {who}")

    def ticket(self) -> int:
        """A new one."""
        self._ticket += 1
        return self._ticket

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Like every loop's, but of two timers for the same instant the first comes first."""
        self._check_closed()
        if len(self._timers) >= self._many:
            # Most are time limits that never strike.
            self._timers[:] = [each for each in self._timers if not each[2].cancelled()]
            heapq.heapify(self._timers)
            self._many = 2 * len(self._timers) + MANY_TIMERS
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, self.ticket(), timer))
        return timer

    def create_task(self, coro: Coroutine[Any, Any, Any], **named: Any) -> Any:  # type: ignore[override]
        """Like every loop's; names and hashes are the same in every process."""
        self._check_closed()
        ticket = self.ticket()
        name = named.pop("name", None) or f"Task-{ticket}"
        named.pop("eager_start", None)
        caller = CALLER.get()
        if caller is not None and caller.is_watched:
            coro = watched(coro, caller, apart)
        return _Task(ticket, coro, loop=self, name=name, **named)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Run the call at once: time stands still meanwhile, as it does for all work."""
        del executor
        done = TicketedFuture(self.ticket(), loop=self)
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the caller gets it
            done.set_exception(error)
        return done

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Remember where the socket leads; `create_connection` connects it."""
        self._leads[sock] = address

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **named: Any) -> Any:
        """A connection in memory."""
        sock = named.get("sock")
        address = (host, port)
        if sock is not None:
            address = self._leads.pop(sock)
            sock.close()
        return self.connect(address, protocol_factory, self)


def _place(task: asyncio.Task[Any]) -> str:
    """FILE:LINE in FUNCTION where a task waits, inside what it awaits."""
    coroutine: Any = task.get_coro()
    found = "?"
    while isinstance(coroutine, CoroutineType) and coroutine.cr_frame is not None:
        frame = coroutine.cr_frame
        found = f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno} in {frame.f_code.co_name}"
        coroutine = coroutine.cr_await
    return found
