"""Our own exceptions, grouped by who caused the failure. Only the command line turns them into messages and exit codes.

A failure of the pipeline under test (a failed invocation, a rejected row) is a value, never one of these.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Self

OUT_OF_MEMORY = "out of memory: the machine or a limit (ulimit -v) has no more; free some, or run with less data"
HINT = "  hint: "
"""The start of the line that says how to fix an error."""


class ExitCode(IntEnum):
    """The exit code of a command."""

    DONE = 0
    """Done, proven and within its bounds."""
    NOT_PROVEN = 1
    """Not proven, or a bound missed."""
    WRONG_INPUT = 2
    """Wrong usage, settings, template or input."""
    COULD_NOT_FINISH = 3
    """The store died, the disk is full, AWS refused."""
    INTERRUPTED = 130
    """Interrupted, or somebody answered a question with no, before the work was done."""


class OutOfMemory(SystemExit):
    """A callback of the event loop ran out of memory. A `SystemExit`, because the loop swallows ordinary errors."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out: in Python, in the system, for a thread's stack or in a library."""
    return (
        isinstance(error, MemoryError | OutOfMemory)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and str(error) == "can't start new thread")
        # From Python itself, during an import.
        or (isinstance(error, SystemError) and "without exception set" in str(error))
        or (isinstance(error, ImportError) and "failed to map segment" in str(error))
    )


class UnusableValueError(ValueError):
    """A text that cannot be used: the message says what is wrong with it, `hint` how to write it."""

    def __init__(self, said: str, hint: str | None = None) -> None:
        super().__init__(said)
        self.hint = hint

    def __str__(self) -> str:
        return with_hint(self.args[0], self.hint)


def about(what: str, error: ValueError) -> UnusableValueError:
    """The same error with `what` in front of its message. The hint stays."""
    hint = getattr(error, "hint", None)
    return UnusableValueError(f"{what}{error.args[0] if hint else error}", hint)


class StockpipeError(Exception):
    """A failure in one clear line (or several, one per argument); `hint`, a line of its own, says how to fix it.

    `exit_code` is the exit code of the command.
    """

    exit_code = ExitCode.COULD_NOT_FINISH

    def __init__(self, *said: object, hint: str | None = None) -> None:
        super().__init__(*said)
        self.hint = hint

    @classmethod
    def about(cls, what: str, error: Exception) -> Self:
        """The same failure with `what` in front of its message. The hint stays."""
        hint = getattr(error, "hint", None)
        return cls(f"{what}{error.args[0] if hint else error}", hint=hint)

    def hinted(self, hint: str | None) -> None:
        """Replace the hint, if the caller knows a better one."""
        self.hint = hint

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the message. Text from a user in them may still contain line ends."""
        hints = (f"{HINT}{self.hint}",) if self.hint else ()
        return (*(map(str, self.args) if self.args else (str(self),)), *hints)

    def __str__(self) -> str:
        return with_hint("\n".join(map(str, self.args)), self.hint)


def with_hint(said: str, hint: str | None) -> str:
    """The message and its hint, where both must be on one line."""
    return f"{said}; {hint}" if hint else said


class InputError(StockpipeError):
    """Something that the user gave cannot be used: an option, a setting, a template, a source file."""

    exit_code = ExitCode.WRONG_INPUT


class CouldNotFinish(StockpipeError):
    """The input was valid, but the work could not be done: the store died, the disk is full, AWS refused."""


class Interrupted(StockpipeError):
    """A signal ended the work before it was done."""

    exit_code = ExitCode.INTERRUPTED

    def __str__(self) -> str:
        return "interrupted"


def cause_of(failure: BaseException) -> BaseException:
    """The failure to report, of several that came together: the first of our own exceptions, else the first."""
    leaves = _leaves(failure)
    return next((leaf for leaf in leaves if isinstance(leaf, StockpipeError)), leaves[0])


@contextmanager
def one_failure(explain: Callable[[BaseException], StockpipeError | None] = lambda _: None) -> Iterator[None]:
    """Raise a failure inside as one exception, never as a group: as `explain` turns it, or unchanged."""
    try:
        yield
    except BaseException as failure:
        cause = cause_of(failure)
        explained = explain(cause) or cause
        if explained is failure:
            raise
        raise explained from (cause.__cause__ if explained is cause else cause)


def _leaves(failure: BaseException) -> list[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        return [leaf for inner in failure.exceptions for leaf in _leaves(inner)]
    return [failure]
