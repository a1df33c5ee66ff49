"""Captions: the values in force in their placeholders, and the time to read one."""

from __future__ import annotations

import pytest

from simulator.run.captions import filled, reading_s

VALUES = {
    "Seconds": "1",
    "Files": "24",
    "Rows": "200",
    "Rate": "rate(1 minute)",
    "Large": "10000",
    "Loss": "-1",
    "Half": "0.5",
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{Seconds}", "1"),
        ("after {Seconds second}", "after 1 second"),
        ("after {Files second}", "after 24 seconds"),
        ("{Files batch/batches}", "24 batches"),
        ("{Seconds batch/batches}", "1 batch"),
        ("{Files*Rows row}", "4,800 rows"),
        ("{Large}", "10,000"),
        ("{Loss}", "-1"),
        ("every {Rate}", "every rate(1 minute)"),
        ("after {Half second}", "after 0.5 seconds"),
        ("{Half}", "0.5"),
        ("a { alone", "a { alone"),
        ("}{", "}{"),
        ("{Seconds}{Seconds}", "11"),
        ("{{Files}}", "{Files}"),
        ("{{{Files}}}", "{24}"),
        ('{{"a": {{"b": 1}}}}', '{"a": {"b": 1}}'),
    ],
)
def test_a_placeholder_has_the_value_in_force(text: str, said: str) -> None:
    """Bare, with a noun that is counted, or multiplied; doubled braces are braces, and a lone one stays."""
    assert filled(text, VALUES) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{Second}", "there is no parameter or option 'Second'; did you mean 'Seconds'?"),
        ("{xyz}", "there is no parameter or option 'xyz'; choose from 'Seconds', 'Files', 'Rows', 'Rate', 'Large'"),
        ("{Files * Rows}", "'{Files * Rows}' is not a placeholder"),
        ("{}", "'{}' is not a placeholder; write for example"),
        ("{Files*Rate}", "'Rate' is 'rate(1 minute)' and not a whole number"),
        ("{Rate tick}", "'Rate' is 'rate(1 minute)' and not a number; write {Rate}"),
        ("{Never}", "'Never' does not apply to this run; set Never, or leave out {Never}"),
        ("{Files*Never}", "'Never' does not apply to this run"),
        ('{"a": 1}', "'{\"a\": 1}' is not a placeholder"),
        ("{5}", "'{5}' is not a placeholder"),
        ("{Files a/b/c}", "'{Files a/b/c}' is not a placeholder"),
    ],
)
def test_what_is_no_placeholder_is_named(text: str, said: str) -> None:
    """With how to write one, or the nearest name."""
    with pytest.raises(ValueError, match=r"placeholder|no parameter|number|not apply") as refused:
        filled(text, {**VALUES, "Never": None})
    assert said in str(refused.value)


def test_a_text_is_read_at_two_and_a_half_words_per_second() -> None:
    """Words are what blanks separate."""
    assert reading_s("one two three four five") == 2.0
