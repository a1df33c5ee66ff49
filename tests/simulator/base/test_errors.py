"""Whose fault a failure is, and which one is reported of several."""

from __future__ import annotations

import asyncio

import pytest

from simulator.base.errors import CouldNotFinish, ExitCode, InputError, StockpipeError, cause_of, one_failure


def test_errors_know_whose_fault_they_are() -> None:
    """Each kind of our own errors has the exit code of the contract."""
    assert (InputError.exit_code, CouldNotFinish.exit_code, StockpipeError.exit_code) == (2, 3, 3)
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 130]


def test_our_own_error_is_the_cause_of_a_group() -> None:
    """Wherever it is in the group: what else failed is most likely its consequence."""
    ours = InputError("ours")
    group = BaseExceptionGroup("", [OSError(), BaseExceptionGroup("", [ValueError(), ours])])
    assert cause_of(group) is ours


def test_first_of_others_errors_is_the_cause() -> None:
    """A single failure is its own cause."""
    first = OSError()
    assert cause_of(ExceptionGroup("", [ExceptionGroup("", [first]), ValueError()])) is first
    assert cause_of(first) is first


async def test_failure_of_a_task_is_raised_alone() -> None:
    """With the cause that it had in its task."""
    source = OSError("disk")

    async def work() -> None:
        raise CouldNotFinish("no") from source

    with pytest.raises(CouldNotFinish) as raised, one_failure():
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
    assert raised.value.__cause__ is source


async def test_failure_is_explained() -> None:
    """What is known becomes our own error, alone or in a group; anything else is raised as it is."""

    def explain(error: BaseException) -> StockpipeError | None:
        return CouldNotFinish("explained") if isinstance(error, OSError) else None

    alone = OSError("alone")
    with pytest.raises(CouldNotFinish, match="explained") as raised, one_failure(explain):
        raise alone
    assert raised.value.__cause__ is alone
    with pytest.raises(CouldNotFinish, match="explained"), one_failure(explain):
        raise ExceptionGroup("tasks", [OSError()])
    with pytest.raises(ValueError, match="other"), one_failure(explain):
        raise ExceptionGroup("tasks", [ValueError("other")])
    with pytest.raises(asyncio.CancelledError), one_failure(explain):
        raise asyncio.CancelledError
