"""A user's regular expression against a user's text, in bounded time.

Python's `re` backtracks: `(a+)+$` against forty letters takes longer than anybody would wait. It checks for signals
while it matches, so an alarm can stop it. Nothing else in this package uses the alarm. Only the main thread gets
signals; in others, nothing bounds a match.
"""

from __future__ import annotations

import re
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

MATCH_S = 2.0
"""A template parameter's pattern normally takes microseconds."""


def matches(pattern: str, text: str, within_s: float = MATCH_S) -> bool:
    """Whether the whole text matches. Raises `ValueError` with what is wrong, as a predicate for the pattern's name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about syntax that a later Python may read differently
        try:
            compiled = re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is not a regular expression: {error}") from None
    try:
        with _alarm(within_s):
            return compiled.fullmatch(text) is not None
    except _TooLongError:
        raise ValueError(f"takes longer than {within_s:g} s on this value; write one that backtracks less") from None


class _TooLongError(Exception):
    """The alarm went off."""


@contextmanager
def _alarm(within_s: float) -> Iterator[None]:
    """End the block with `_TooLongError` once the time is up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, within_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)


def _ring(*_: object) -> None:
    raise _TooLongError
