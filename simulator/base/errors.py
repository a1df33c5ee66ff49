"""Our own exceptions, grouped by who caused the failure. Only the command line turns them into a message and a code.

What the thing under test does wrong (a failed invocation, a rejected row) is a value, never one of these.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Self

OUT_OF_MEMORY = "out of memory: the machine or a limit (ulimit -v) has no more; free some, or run with less data"
HINT = "  hint: "
"""What begins the line with the way out of an error."""


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    """Done, proven and within its bounds."""
    NOT_PROVEN = 1
    """Not proven, or a bound missed."""
    WRONG_INPUT = 2
    """Wrong usage, settings, template or input."""
    COULD_NOT_FINISH = 3
    """The store died, the disk is full, AWS refused."""
    INTERRUPTED = 130
    """Interrupted, or a question answered with no, before the end that was asked for."""


class OutOfMemory(SystemExit):
    """A callback of the event loop had no memory: of all that it may raise the loop lets only this through."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that there is no more memory: Python, the system, a thread without a stack, a library."""
    return (
        isinstance(error, MemoryError | OutOfMemory)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and str(error) == "can't start new thread")
        or (isinstance(error, SystemError) and "without exception set" in str(error))  # Python's own, while it imports
        or (isinstance(error, ImportError) and "failed to map segment" in str(error))
    )


class UnusableValueError(ValueError):
    """A text that cannot be used: what is wrong with it, and `hint`, how to write it."""

    def __init__(self, said: str, hint: str | None = None) -> None:
        super().__init__(said)
        self.hint = hint

    def __str__(self) -> str:
        return with_hint(self.args[0], self.hint)


def about(what: str, error: ValueError) -> UnusableValueError:
    """The same mistake with what it is about in front, its hint kept."""
    hint = getattr(error, "hint", None)
    return UnusableValueError(f"{what}{error.args[0] if hint else error}", hint)


class StockpipeError(Exception):
    """One clear line, or several, an argument each, and `hint`, the way out, which is a line of its own.

    `exit_code` is what the command ends with.
    """

    exit_code = ExitCode.COULD_NOT_FINISH

    def __init__(self, *said: object, hint: str | None = None) -> None:
        super().__init__(*said)
        self.hint = hint

    @classmethod
    def about(cls, what: str, error: Exception) -> Self:
        """The same failure with what it is about in front, its hint kept."""
        hint = getattr(error, "hint", None)
        return cls(f"{what}{error.args[0] if hint else error}", hint=hint)

    def hinted(self, hint: str | None) -> None:
        """Take another way out, as somebody who knows more words it."""
        self.hint = hint

    @property
    def lines(self) -> tuple[str, ...]:
        """What to say of it; a line may still hold what a user wrote, line ends and all."""
        hints = (f"{HINT}{self.hint}",) if self.hint else ()
        return (*(map(str, self.args) if self.args else (str(self),)), *hints)

    def __str__(self) -> str:
        return with_hint("\n".join(map(str, self.args)), self.hint)


def with_hint(said: str, hint: str | None) -> str:
    """What is wrong and the way out, where both must be on one line."""
    return f"{said}; {hint}" if hint else said


class InputError(StockpipeError):
    """What was given cannot be used: an option, a setting, a template, a source file."""

    exit_code = ExitCode.WRONG_INPUT


class CouldNotFinish(StockpipeError):
    """The work was sound but could not be done: the store died, the disk is full, AWS refused."""


class Interrupted(StockpipeError):
    """A signal ended the work before the end that was asked for."""

    exit_code = ExitCode.INTERRUPTED

    def __str__(self) -> str:
        return "interrupted"


def cause_of(failure: BaseException) -> BaseException:
    """The one failure to report of several that came together: ours if there is one, else the first."""
    leaves = _leaves(failure)
    return next((leaf for leaf in leaves if isinstance(leaf, StockpipeError)), leaves[0])


@contextmanager
def one_failure(explain: Callable[[BaseException], StockpipeError | None] = lambda _: None) -> Iterator[None]:
    """Raise what fails inside as one exception, never as a group: as `explain` puts it, or else as it is."""
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
