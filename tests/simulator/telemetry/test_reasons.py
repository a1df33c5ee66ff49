"""Causes in words: what is folded, what is kept, and that a flood of them stays small."""

from __future__ import annotations

import pytest

from simulator.telemetry.reasons import (
    OTHERS,
    Causes,
    mappings_in,
    shortened,
    spot,
    structured,
    text_in,
    whole_in,
)
from simulator.telemetry.snapshot import Cause, Example


def causes(*reasons: str) -> list[tuple[str, int]]:
    """The groups of these reasons, one happening each."""
    kept = Causes()
    for reason in reasons:
        kept.group(reason).add(None)
    return [(cause.reason, cause.count) for cause in kept.view({})]


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ("no column 'Last' here", "no column 'Close' here", "no column … here"),
        ('KeyError: "it\'s"', 'KeyError: "b"', "KeyError: …"),
        ("stocks/a.csv is bad", "stocks/2026/01/02/000000-0001.csv is bad", "… is bad"),
        ("s3://b/k (403): no", "s3://b/other key (403): no", None),
        ("429 bytes, of which 7 were read", "1,024 bytes, of which 7 were read", "… bytes, of which 7 were read"),
        ("took 0.5 s, 1e-3 left", "took 12 s, 2e-3 left", "took … s, … left"),
        (
            "message 0a1b2c3d-0000-4000-8000-0123456789ab is lost",
            "message 1111ffff-0000-4000-8000-0123456789ab is lost",
            "message … is lost",
        ),
        ("id 0123456789abcdef", "id ffff56789abcdef0", "id …"),
        ("at 09:30:15", "at 10:00", "at …"),
    ],
)
def test_what_differs_from_message_to_message_is_folded(first: str, second: str, shown: str | None) -> None:
    """Quoted text, keys, identifiers and numbers do not make another reason; what is equal in all of them is kept."""
    expected = [(first, 1), (second, 1)] if shown is None else [(shown, 2)]
    assert causes(first, second) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("KeyError: 'Records'", "ValueError: 'Records'"),
        ("no header", "no timestamp column"),
        ("it can't read that, it didn't", "it can't write that, it didn't"),
        ("facade of beef", "facade of defaced"),
    ],
)
def test_what_says_something_else_is_another_reason(first: str, second: str) -> None:
    """Words differ, so the reasons do: an apostrophe quotes nothing, and a word of the letters a to f is no number."""
    assert causes(first, second) == [(first, 1), (second, 1)]


def test_a_reason_that_is_always_the_same_is_shown_as_it_is() -> None:
    """The name in `KeyError: 'Records'` is what a person needs to see."""
    assert causes("KeyError: 'Records'", "KeyError: 'Records'") == [("KeyError: 'Records'", 2)]


def test_permanence_and_setting_tell_reasons_apart() -> None:
    """The same words of a message that may succeed are another reason; the parameter is the one behind the setting."""
    kept = Causes()
    kept.group("no", True, "TIMESTAMP_COLUMN").add(Example("a"), 3)
    kept.group("no", False).add(Example("b"), 2)
    kept.group("no", True, "UNKNOWN").add(Example("c"))
    assert kept.view({"TIMESTAMP_COLUMN": "TimestampColumn", "": "Nothing"}) == (
        Cause("no", True, 3, (Example("a"),), "TimestampColumn"),
        Cause("no", False, 2, (Example("b"),)),
        Cause("no", True, 1, (Example("c"),)),
    )


def test_a_flood_of_reasons_and_examples_stays_small() -> None:
    """Twenty reasons have names, the rest is counted as one; each keeps its first five different examples."""
    kept = Causes()
    for number in range(27):
        for place in range(12):
            kept.group("why " + "x" * number).add(Example(f"{place // 2}.csv"))
    kept.others.add(None, 3)
    seen = kept.view({})
    assert len(seen) == 21
    assert (seen[-1].reason, seen[-1].count, seen[-1].permanent) == (OTHERS, 7 * 12 + 3, None)
    assert [example.object for example in seen[0].examples] == [f"{place}.csv" for place in range(5)]


def test_no_example_is_none() -> None:
    """Nothing is shown where nothing is known."""
    kept = Causes()
    kept.group("x").add(None)
    assert kept.view({}) == (Cause("x", None, 1),)


def test_test_events_count_alone() -> None:
    """They are the count of a reason that has no other; a reason that has nothing any more is not listed."""
    kept = Causes()
    kept.group("tests").tests += 2
    both, gone = kept.group("both"), kept.group("gone")
    both.tests += 2
    both.add(None, 3)
    gone.add(None, 1)
    gone.add(None, -1)
    assert {cause.reason: cause.count for cause in kept.view({})} == {"tests": 2, "both": 3}


def test_a_kind_is_what_its_reasons_share() -> None:
    """Whatever they say of one message or another; so a line of one kind can be counted instead of listed again."""
    kept = Causes()
    first, second = kept.group("column 'a' of 3 is 'b'"), kept.group("column 'x' of 5 is 'b'")
    assert first is second
    assert first.kind == "column … of … is …"
    assert first.text == "column … of … is 'b'"


def test_text_from_outside_is_one_bounded_line() -> None:
    """Control characters and new lines do not get through, and a reason is cut before it is looked at."""
    kept = Causes()
    kept.group("a\x1b[2J\nb\u202e " + "'" * 100_000).add(None)
    (cause,) = kept.view({})
    assert cause.reason.startswith(r"a\x1b[2J b\u202e '")
    assert len(cause.reason) == 400
    assert spot("stocks/a\x1b[2J.csv", 1_234, "x\ny") == r"stocks/a\x1b[2J.csv line 1,234 'x y'"
    assert spot(None, None, None) == ""
    assert shortened("y" * 101) == "y" * 99 + "…"
    assert shortened("y" * 100) == "y" * 100
    assert shortened(7) is None


@pytest.mark.parametrize(
    "line", ['{"message": "other", "x": "message failed"}', '["message failed"]', '"message failed" x', "{}", "7"]
)
def test_other_lines_are_not_taken_for_structured_ones(line: str) -> None:
    """Only a JSON object with just this message is."""
    assert structured(line, "message failed") is None
    assert structured('["message failed", ' + "[" * 99_999, "message failed") is None


def test_members_of_a_structured_line() -> None:
    """Each of the type that is expected, or nothing."""
    told = structured('{"message": "m", "a": "text", "n": 7, "yes": true, "list": [{"b": 1}, 3], "empty": ""}', "m")
    assert told is not None
    assert [text_in(told, name) for name in ("a", "n", "empty", "none")] == ["text", None, None, None]
    assert [whole_in(told, name) for name in ("n", "yes", "a", "none")] == [7, None, None, None]
    assert [list(mappings_in(told, name)) for name in ("list", "a", "none")] == [[{"b": 1}], [], []]
