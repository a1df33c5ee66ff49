"""Blocking calls beside the event loop: a thread that makes them one after the other, and its ways back to the loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Callable[[], Any], asyncio.Future[tuple[Any, BaseException | None]]]


class Worker:
    """Makes blocking calls in a thread of its own, for the loop that runs when it is made. It must be closed.

    The thread is a daemon, so that a call that never returns cannot keep the program from exiting.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._last: Callable[[], object] = bool
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        """The call's result; raises whatever the call raises. Calls are made one after the other."""
        done: asyncio.Future[tuple[T, BaseException | None]] = self._loop.create_future()
        self._put((call, done))
        result, error = await done
        if error is not None:
            raise error
        return result

    def close(self, last: Callable[[], object] = bool) -> None:
        """Make no more calls but `last`. One that runs is abandoned: what it still posts is ignored."""
        self._last, self._closed = last, True
        self._put(None)

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """For code inside a call: run `work` on the loop and block until it is done; raises what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def post(self, function: Callable[..., object], *arguments: Any) -> None:
        """For code inside a call: call something on the loop, soon and in order."""
        if not self._closed:
            self._on_loop(function, *arguments)

    def _put(self, job: _Job | None) -> None:
        self._jobs.put(job)

    def _next(self) -> _Job | None:
        return self._jobs.get()

    def _work(self) -> None:
        while (job := self._next()) is not None and not self._closed:
            call, done = job
            outcome: tuple[Any, BaseException | None]
            try:
                outcome = call(), None
            except BaseException as error:  # noqa: BLE001 - sys.exit() must not end the thread
                outcome = None, error
            # Nobody may be waiting any more: an abandoned call returned late.
            self._on_loop(lambda done=done, outcome=outcome: done.done() or done.set_result(outcome))
        self._last()

    def _on_loop(self, function: Callable[..., object], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            # It must not see the thread's variables and output.
            self._loop.call_soon_threadsafe(function, *arguments, context=contextvars.Context())


WorkerFactory = Callable[[str], Worker]
"""Makes a worker whose thread has this name."""
