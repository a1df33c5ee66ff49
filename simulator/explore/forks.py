"""Worlds in processes forked from this one, which has loaded everything: one each, some at a time.

The parent must have no other threads. A child ignores Ctrl-C, which is for the parent, and ends with it.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import selectors
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any, Generic, TypeVar

from simulator.base.errors import CouldNotFinish
from simulator.base.shown import printable

CPU_S = 120
"""A world that has used so much processor time will never end: its code works on without waiting."""
_LAST_WORDS_BYTES = 2_000
_PR_SET_PDEATHSIG = 1
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass
class _Child:
    process: int
    task: Any
    output: IO[bytes]
    received: bytearray = field(default_factory=bytearray)


class Forks(Generic[Task, Result]):
    """Calls `act` with each task in a process of its own, `jobs` at a time. Leave it as a context manager.

    `idle` is called several times a second while results are waited for; it may raise.
    """

    def __init__(self, act: Callable[[Task], Result], jobs: int, idle: Callable[[], object] = bool) -> None:
        self._act, self.jobs, self._idle = act, jobs, idle
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}

    def __enter__(self) -> Forks[Task, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()
        self._selector.close()

    def abandon(self) -> None:
        """End all children, whose results nobody wants any more."""
        for read_end, child in list(self._children.items()):
            os.kill(child.process, signal.SIGKILL)
            self._over(read_end, child)

    def results(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Each task with its result, as they come. Raises `CouldNotFinish` if a child ends without one."""
        upcoming = iter(tasks)
        more = True
        while more or self._children:
            while more and len(self._children) < self.jobs:
                task = next(upcoming, None)
                if task is None:
                    more = False
                else:
                    self._start(task)
            yield from self._wait()

    def _start(self, task: Task) -> None:
        with ExitStack() as unless_started:
            try:
                output = unless_started.enter_context(tempfile.TemporaryFile())
                read_end, write_end = os.pipe()
                unless_started.callback(os.close, read_end)
                unless_started.callback(os.close, write_end)
                sys.stdout.flush()
                sys.stderr.flush()
                process = os.fork()
            except OSError as error:
                raise CouldNotFinish(f"{task} could not be started: {error.strerror or error}") from None
            unless_started.pop_all()
        if not process:
            os.close(read_end)
            self._be_a_child(task, write_end, output)
        os.close(write_end)
        self._children[read_end] = _Child(process, task, output)
        self._selector.register(read_end, selectors.EVENT_READ)

    def _be_a_child(self, task: Task, write_end: int, output: IO[bytes]) -> None:
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 5))
            for stream in (1, 2):
                os.dup2(output.fileno(), stream)
            with os.fdopen(write_end, "wb") as results:
                pickle.dump(self._act(task), results)
            code = 0
        except BaseException:  # noqa: BLE001 - the parent reads it
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _wait(self) -> Iterator[tuple[Task, Result]]:
        """What has come within a moment."""
        ready = self._selector.select(0.1) if self._children else []
        self._idle()
        for key, _ in ready:
            read_end = key.fd
            child = self._children.get(read_end)
            if child is None:
                continue
            if data := os.read(read_end, 1 << 20):
                child.received += data
                continue
            said = self._over(read_end, child)
            if not child.received or said is not None:
                raise CouldNotFinish(f"{child.task} ended without a result: {said or 'nothing was said'}")
            yield child.task, pickle.loads(child.received)  # noqa: S301 - our own child wrote it

    def _over(self, read_end: int, child: _Child) -> str | None:
        """Forget a child that has ended or is about to; its last words if it failed."""
        self._selector.unregister(read_end)
        os.close(read_end)
        del self._children[read_end]
        _, status = os.waitpid(child.process, 0)
        with child.output as output:
            if not status:
                return None
            code = os.waitstatus_to_exitcode(status)
            if code == -signal.SIGXCPU:
                return f"it used more than {CPU_S} s of processor time: its code works on without waiting"
            how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
            output.seek(max(0, output.seek(0, os.SEEK_END) - _LAST_WORDS_BYTES))
            words = output.read().decode(errors="replace").strip().rpartition("\n")[2]
            return printable(f"{how}: {words}" if words else how)
