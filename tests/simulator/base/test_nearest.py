"""Which name somebody meant."""

from __future__ import annotations

import pytest

from simulator.base.nearest import did_you_mean, listed, nearest

KNOWN = ("simulate", "load-test", "TickerColumn", "TimestampColumn", "drain_timeout", "rate_per_s")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("simualte", "simulate"),
        ("loadtest", "load-test"),
        ("tickercolum", "TickerColumn"),
        ("Drain-Timeout", "drain_timeout"),
        ("sim", "simulate"),
        ("si", None),
        ("rate", "rate_per_s"),
        ("column", "TickerColumn"),
        ("co", None),
        ("xyzzy", None),
        ("", None),
        ("simulate" * 100, None),
    ],
)
def test_the_nearest_name_is_like_what_was_written(name: str, found: str | None) -> None:
    """A slip, another case or separator, or the beginning of a name; nothing where nothing is near."""
    assert nearest(name, KNOWN) == found
    assert nearest("path", ("python",)) is None


def test_a_hint_names_one_or_few_or_says_how_to_list_them() -> None:
    """Never a list that hides what is wrong."""
    assert did_you_mean("simualte", KNOWN, "x") == "did you mean 'simulate'?"
    assert did_you_mean("zzz", ("a", "b", "c"), "x") == "choose from 'a', 'b' or 'c'"
    assert did_you_mean("zzz", map(str, range(100, 200)), "see the help") == "see the help"
    assert did_you_mean("zzz", (), "see the help") == "see the help"
    assert listed(("a",)) == "'a'"
