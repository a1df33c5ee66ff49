"""What is specific to the inline runtime: the asynchronous core on the loop, and a process left as it was found."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fakes.waiting import until
from simulator.base.observations import EnvironmentStarted
from simulator.functions.runtimes import Returned
from simulator.functions.runtimes.isolation import installed, seen_as
from simulator.functions.service import Failed

Open = Callable[..., Any]
CORE = """
    import asyncio, contextlib, os

    opened = []

    @contextlib.asynccontextmanager
    async def open_environment(environ, session, write):
        if "TABLE_NAME" not in environ:
            raise ValueError("TABLE_NAME is missing")
        write("opened")
        calls = 0

        async def invoke(event, context):
            nonlocal calls
            calls += 1
            if event == "exit":
                raise SystemExit(4)
            if event == "cancelled":
                raise asyncio.CancelledError
            if event == "hang":
                write("hanging")
                try:
                    await asyncio.Event().wait()
                finally:
                    write("cancelled at the deadline")
            if event == "raise":
                raise KeyError(event)
            return {
                "calls": calls,
                "function": environ["AWS_LAMBDA_FUNCTION_NAME"],
                "session": type(session).__name__,
                "process": os.environ.get("TABLE_NAME", "unset"),
                "left": context.get_remaining_time_in_millis() > 0,
            }

        try:
            yield invoke
        finally:
            write("closed")

    def handler(event, context):
        raise AssertionError("the plain handler is not for the inline runtime")

    handler.open_environment = open_environment
"""
SETTINGS = {"TABLE_NAME": "StockData"}


async def test_core_runs_on_the_loop(open_function: Open) -> None:
    """The core gets its variables, the shared session and a context, and keeps its state; the process sees nothing."""
    async with open_function("inline", CORE, environment=SETTINGS) as function:
        assert (await function.invoke()).payload == {
            "calls": 1,
            "function": "Consumer",
            "session": "AioSession",
            "process": "unset",
            "left": True,
        }
        assert (await function.invoke()).payload["calls"] == 2
    assert function.recorded.lines().count("opened") == function.recorded.lines().count("closed") == 1


async def test_core_is_cancelled_at_the_deadline(open_function: Open) -> None:
    """The deadline cancels the core where it waits, closes it, and the next event opens a new one."""
    async with open_function("inline", CORE, environment=SETTINGS) as function:
        result = await function.time_out("hang", "hanging")
        assert isinstance(result, Failed)
        assert result.error_type == "Sandbox.Timedout"
        assert (await function.invoke()).payload["calls"] == 1
    lines = [line for line in function.recorded.lines() if line in ("opened", "closed", "cancelled at the deadline")]
    assert lines == ["opened", "cancelled at the deadline", "closed", "opened", "closed"]


@pytest.mark.parametrize(("event", "status"), [("exit", "exit status 4"), ("cancelled", "exit status 1")])
async def test_core_that_exits(open_function: Open, event: str, status: str) -> None:
    """SystemExit and a stray CancelledError end the environment, not the simulator."""
    async with open_function("inline", CORE, environment=SETTINGS) as function:
        result = await function.invoke(event)
        assert isinstance(result, Failed)
        assert (result.outcome, result.message.rpartition(": ")[2]) == ("crash", status)
        assert (await function.invoke()).payload["calls"] == 1


async def test_an_exception_that_cannot_be_read(open_function: Open) -> None:
    """Where its `__str__` raises, AWS's runtime client exits."""
    source = """
        class Unreadable(Exception):
            def __str__(self):
                raise ValueError
        def handler(event, context):
            raise Unreadable
    """
    async with open_function("inline", source) as function:
        assert (await function.invoke()).error_type == "Runtime.ExitError"


async def test_core_that_raises(open_function: Open) -> None:
    """An exception of the core is reported as the runtime client would, and the core stays open."""
    async with open_function("inline", CORE, environment=SETTINGS) as function:
        result = await function.invoke("raise")
        assert isinstance(result, Failed)
        assert (result.error_type, result.message) == ("KeyError", "'raise'")
        assert (await function.invoke()).payload["calls"] == 2


async def test_core_that_does_not_open(open_function: Open) -> None:
    """A missing setting is an init error with its one line."""
    async with open_function("inline", CORE) as function:
        result = await function.invoke()
    assert isinstance(result, Failed)
    assert (result.outcome, result.message) == ("init-error", "TABLE_NAME is missing")


async def test_process_is_left_as_it_was(open_function: Open) -> None:
    """After a plain handler's run, `os.environ`, the streams and threads are what they were."""
    await until(lambda: type(os.environ).__module__ == "os")  # threads of other tests have ended
    before = (type(os.environ), sys.stdout, sys.stderr, threading.Thread.start)
    source = """
        def handler(event, context):
            return 1
    """
    async with open_function("inline", source) as function:
        await function.invoke()
        assert type(os.environ) is not before[0]
    await until(lambda: type(os.environ) is before[0])  # the handler's thread ends in its own time
    assert (type(os.environ), sys.stdout, sys.stderr, threading.Thread.start) == before


def test_variables_follow_the_context() -> None:
    """Inside, reads, writes and deletes go to the given mapping; outside, to the process, as before."""
    lines: list[str] = []
    own = {"MINE": "1"}

    def inside() -> None:
        with seen_as(own, lines.append):
            assert dict(os.environ) == {"MINE": "1"}
            assert os.environ.copy() == {"MINE": "1"}
            assert "PATH" not in os.environ
            os.environ["NEW"] = "2"
            os.environ.setdefault("THIRD", "3")
            del os.environ["MINE"]
            with pytest.raises(KeyError):
                os.environ["MINE"]
            with pytest.raises(TypeError):
                os.environ["NUMBER"] = 1  # type: ignore[assignment]
            print("hello", "world", sep="\n")  # noqa: T201 - the subject of the test
            sys.stderr.writelines(["a\n", "b"])

    with installed():
        contextvars.copy_context().run(inside)
        assert "NEW" not in os.environ
        assert "PATH" in os.environ
        os.environ["OUTSIDE"] = "1"
        del os.environ["OUTSIDE"]
    assert own == {"NEW": "2", "THIRD": "3"}
    assert lines == ["hello", "world", "a", "b"]


async def test_a_thousand_idle_environments(open_function: Open) -> None:
    """A thousand environments run, and none of them has a timer that would wake the loop."""
    async with open_function("inline", CORE, environment=SETTINGS) as function:
        results = await asyncio.gather(*(function.invoke() for _ in range(1000)))
        assert {type(result) for result in results} == {Returned}
        started = len(function.recorded.of(EnvironmentStarted))
        assert started > 500
        assert f"{started} warm" in repr(function.service)
        timers = [each for each in asyncio.get_running_loop()._scheduled if not each.cancelled()]  # type: ignore[attr-defined]
        assert len(timers) <= 2
