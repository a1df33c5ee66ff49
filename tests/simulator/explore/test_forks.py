"""Worlds in forked processes: every result comes, every failure is told, and no process is left, however it ends.

No test here may start a thread: a child is forked from this process as it is.
"""

from __future__ import annotations

import errno
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.base.errors import CouldNotFinish
from simulator.explore import forks as forks_module
from simulator.explore.forks import Forks

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # by xdist


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    """Not even a zombie."""
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def ran(act: Callable[[Any], Any], tasks: Any, jobs: int = 2, idle: Callable[[], object] = bool) -> dict[Any, Any]:
    """The results of all tasks, by task. Standard error is the process's own, as without pytest."""
    with open(2, "w", encoding="utf-8", closefd=False) as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        with Forks[Any, Any](act, jobs, idle) as forks:
            return dict(forks.results(tasks))


@pytest.mark.parametrize("jobs", [1, 2, 5, 50])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_each_task_has_its_result(jobs: int, count: int) -> None:
    """Whether there are fewer tasks than jobs, or more; also with none."""
    assert ran(lambda number: number * number, range(count), jobs) == {number: number**2 for number in range(count)}


def test_the_task_comes_back_as_it_is() -> None:
    """It is the caller's own object, not a copy from the child; what cannot be pickled can be a task."""
    tasks = [lambda: 1, lambda: 2]
    with Forks[Any, Any](lambda task: task(), 2) as forks:
        found = list(forks.results(tasks))
    assert {id(task): result for task, result in found} == {id(tasks[0]): 1, id(tasks[1]): 2}


@pytest.mark.parametrize("result", [None, "", 0, False, [], (), {}])
def test_an_empty_result_is_one(result: object) -> None:
    """Nothing and none are not the same."""
    assert ran(lambda _: result, ["task"]) == {"task": result}


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 5_000_000])
def test_a_large_result_arrives_whole(size: int) -> None:
    """Also one that a pipe cannot hold at once, from two children at a time."""
    found = ran(lambda letter: letter * size, [b"a", b"b"])
    assert found == {b"a": b"a" * size, b"b": b"b" * size}


def test_each_child_is_a_process_of_its_own() -> None:
    """What it changes is gone with it, and it sees what its parent has changed."""
    state = ["parent"]

    def act(task: str) -> tuple[int, list[str]]:
        state.append(task)
        return os.getpid(), state

    found = ran(act, ["a", "b"])
    assert {task: seen for task, (_, seen) in found.items()} == {"a": ["parent", "a"], "b": ["parent", "b"]}
    assert len({os.getpid(), *(process for process, _ in found.values())}) == 3
    assert state == ["parent"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_only_as_many_as_there_are_jobs_run_at_a_time(jobs: int) -> None:
    """And as many do: the next task is taken when one is done, not before."""
    taken, most = [0], [0]

    def tasks() -> Iterator[int]:
        for number in range(8):
            taken[0] += 1
            yield number

    with Forks[int, int](abs, jobs) as forks:
        for done, _ in enumerate(forks.results(tasks()), start=1):
            running = taken[0] - done + 1
            most[0] = max(most[0], running)
            assert running <= jobs
    assert (taken, most) == ([8], [jobs])


def test_endless_tasks_are_taken_one_by_one() -> None:
    """Whoever has enough leaves."""
    found = []
    with Forks[int, int](abs, 2) as forks:
        for number, (_, result) in enumerate(forks.results(iter(int, 1))):
            found.append(result)
            if number == 4:
                break
    assert found == [0] * 5


# Children that fail


def failure(act: Callable[[int], object], jobs: int = 1) -> str:
    """What is said of a child that fails."""
    with pytest.raises(CouldNotFinish) as error:
        ran(act, [1], jobs)
    return str(error.value)


def fail(_: int) -> None:
    """Fails like a program."""
    raise ValueError("the store\x1b is\nfull")


def test_a_child_that_raises_has_its_error_as_last_words() -> None:
    """The last line of its traceback, safe to show."""
    said = failure(fail)
    assert said.startswith("1 ended without a result: exit code 1: ")
    assert said.endswith("full")
    assert said.isprintable()


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda _: sys.exit(3), "exit code 1: SystemExit: 3"),
        (lambda _: os._exit(3), "exit code 3"),
        (lambda _: os.write(2, b"first\nlast words\n") and os._exit(4), "exit code 4: last words"),
        (lambda _: os.write(1, b"\xff said\n") and os._exit(4), "exit code 4: \N{REPLACEMENT CHARACTER} said"),
        (lambda _: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
        (lambda _: os.kill(os.getpid(), signal.SIGTERM), "SIGTERM"),
        (lambda _: os.write(2, b"x" * 100_000 + b"end") and os._exit(5), f"exit code 5: {'x' * 1_997}end"),
        (lambda _: os._exit(0), "nothing was said"),
    ],
)
def test_a_child_that_ends_without_a_result_is_told(act: Callable[[int], object], said: str) -> None:
    """How it ended, and the last thing it said, to whichever stream."""
    assert failure(act) == f"1 ended without a result: {said}"


def test_a_result_that_cannot_be_sent_is_a_failure() -> None:
    """It is told what could not be, also if the first part was sent."""
    assert "pickle" in failure(lambda _: lambda: 1)
    assert "pickle" in failure(lambda _: [b"x" * 200_000, lambda: 1])


def test_a_child_that_never_waits_is_ended_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may use only so much processor time."""
    monkeypatch.setattr(forks_module, "CPU_S", 1)
    said = failure(lambda _: next(number for number in itertools.count() if number < 0))
    assert said == (
        "1 ended without a result: it used more than 1 s of processor time: its code works on without waiting"
    )


def test_a_child_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line; what was opened for it is closed."""

    def refuse() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    before = len(list(Path("/dev/fd").iterdir()))
    monkeypatch.setattr(os, "fork", refuse)
    assert failure(abs) == f"1 could not be started: {os.strerror(errno.EAGAIN)}"
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_failure_ends_the_others() -> None:
    """One that waits for ever is not waited for."""

    def act(task: str) -> None:
        if task == "waits":
            signal.pause()
        raise ValueError(task)

    with pytest.raises(CouldNotFinish, match="ValueError: fails"):
        ran(act, ["waits", "fails"], 2)


def test_a_child_ignores_ctrl_c_and_can_be_ended() -> None:
    """Ctrl-C is for the parent, which ends it."""

    def act(_: int) -> list[bool]:
        os.kill(os.getpid(), signal.SIGINT)
        return [signal.getsignal(signal.SIGINT) == signal.SIG_IGN, signal.getsignal(signal.SIGTERM) == signal.SIG_DFL]

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert ran(act, [1]) == {1: [True, True]}
    finally:
        signal.signal(signal.SIGTERM, before)


# What is left


def runs(process: int) -> bool:
    """Whether there is such a process, be it a zombie."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def waiting(write_end: int) -> Callable[[int], None]:
    """Tells who it is, and waits for ever."""

    def act(_: int) -> None:
        os.write(write_end, os.getpid().to_bytes(8, "big"))
        signal.pause()

    return act


class Enough(Exception):
    """It is to end."""


def test_what_idle_raises_ends_all() -> None:
    """It is raised to whoever waits for results, and no child is left, not even as a zombie."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    children = list[int]()

    def idle() -> None:
        try:
            children.append(int.from_bytes(os.read(read_end, 8), "big"))
        except BlockingIOError:
            return
        if len(children) == 3:
            raise Enough

    try:
        with pytest.raises(Enough):
            ran(waiting(write_end), range(9), 3, idle)
    finally:
        os.close(read_end)
        os.close(write_end)
    assert len(set(children)) == 3
    assert not any(map(runs, children))


def sits(number: int) -> int:
    """Waits for ever, unless it is zero."""
    if number:
        signal.pause()
    return number


def test_what_is_abandoned_is_gone() -> None:
    """Children that run, and those that have ended and were not asked yet."""
    with Forks[int, int](sits, 4) as forks:
        results = forks.results([0, 1, 2, 0])
        assert next(results) == (0, 0)
        forks.abandon()
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        forks.abandon()


def test_forks_may_be_nested() -> None:
    """While others wait to be asked, which lose nothing; the inner ones leave nothing of theirs."""
    found = []
    with Forks[int, bytes](lambda number: bytes([number]) * 200_000, 2) as forks:
        for number, result in forks.results(range(4)):
            found.append((number, len(result), ran(lambda task: -task, [number, number + 10], 2)))
    assert sorted(found) == [(number, 200_000, {number: -number, number + 10: -number - 10}) for number in range(4)]


def test_no_descriptor_is_left() -> None:
    """After results, after failures, and after what was abandoned."""

    def count() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before = count()
    ran(abs, range(5))
    failure(fail)
    with Forks[int, int](abs, 2) as forks:
        next(forks.results(range(5)))
    assert count() == before
