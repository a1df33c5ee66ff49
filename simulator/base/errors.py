"""Our own failures, by whose fault. Only the command line turns them into a message and an exit code.

What the thing under test does wrong (a failed invocation, a rejected row) is a value, never one of these.
"""

from __future__ import annotations


class StockpipeError(Exception):
    """One clear line with the way out. `exit_code` is what the command ends with."""

    exit_code = 3


class InputError(StockpipeError):
    """What was given cannot be used: an option, a setting, a template, a source file."""

    exit_code = 2


class CouldNotFinish(StockpipeError):
    """The work was sound but could not be done: the store died, the disk is full, AWS refused."""

    exit_code = 3


def cause_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one failure to tell of several that came together: ours if there is one, else the first."""
    leaves = _leaves(failures)
    return next((leaf for leaf in leaves if isinstance(leaf, StockpipeError)), leaves[0])


def _leaves(failure: BaseException) -> list[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        return [leaf for inner in failure.exceptions for leaf in _leaves(inner)]
    return [failure]
