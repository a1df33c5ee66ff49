"""A user's pattern against a user's text: what it means, and that it ends."""

from __future__ import annotations

import signal
import threading
import warnings

import pytest

from simulator.base.patterns import matches


def test_the_whole_text_must_match() -> None:
    """It has CloudFormation's meaning."""
    assert matches("[a-z]+", "abc")
    assert not matches("[a-z]+", "abc1")
    assert matches("", "")


@pytest.mark.parametrize("pattern", ["(", "a{99999999999999999999}", "(" * 5_000 + ")" * 5_000, "(?P<a", "*"])
def test_what_is_not_a_pattern_is_a_value_error(pattern: str) -> None:
    """It also covers errors that Python's compiler words differently."""
    with pytest.raises(ValueError, match=r"^is not a regular expression: "):
        matches(pattern, "x")


def test_a_pattern_that_backtracks_without_end_is_given_up() -> None:
    """There are 2 to the 60 ways to match: without the alarm this test would not end. The alarm is restored."""
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        assert matches("a", "a")
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        with pytest.raises(ValueError, match=r"^takes longer than 0\.01 s on this value"):
            matches("(a+)+$", "a" * 60 + "b", within_s=0.01)
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGALRM, before)


def test_what_a_later_python_reads_differently_is_not_warned_of() -> None:
    """A warning would be a line of its own on the user's terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not matches("[[a]", "x")


def test_another_thread_has_no_alarm() -> None:
    """It still matches."""
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(matches("a", "a")))
    thread.start()
    thread.join()
    assert found == [True]
