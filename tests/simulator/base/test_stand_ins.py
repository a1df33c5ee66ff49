"""What is written where an encoding lacks a character."""

from __future__ import annotations

import io

import pytest

from simulator.base.stand_ins import ESCAPE, REPLACE, stream_errors


@pytest.mark.parametrize(
    ("text", "encoding", "replaced", "escaped"),
    [
        ("a → b", "latin-1", "a -> b", "a -> b"),
        ("2 × 3 ≥ 5…", "ascii", "2 x 3 >= 5...", "2 x 3 >= 5..."),
        ("│ a ─ b │", "ascii", "| a - b |", "| a - b |"),
        ("“it’s” – yes", "ascii", '"it\'s" - yes', '"it\'s" - yes'),
        ("2 × 3", "latin-1", "2 × 3", "2 × 3"),
        ("naïve 行情", "ascii", "na?ve ??", r"na\xefve \u884c\u60c5"),
        ("→ 行", "utf-8", "→ 行", "→ 行"),
        ("a\udc80", "utf-8", "a?", r"a\udc80"),
    ],
)
def test_ascii_takes_the_place_of_what_is_lacking(text: str, encoding: str, replaced: str, escaped: str) -> None:
    """Signs have something like them, letters are `?` or escaped; what the encoding has stays."""
    assert text.encode(encoding, REPLACE).decode(encoding) == replaced
    assert text.encode(encoding, ESCAPE).decode(encoding) == escaped


@pytest.mark.parametrize(
    ("encoding", "errors", "expected"),
    [
        ("ascii", "surrogateescape", REPLACE),
        ("iso8859-1", "strict", REPLACE),
        ("utf-8", "strict", REPLACE),
        ("utf-8", "surrogateescape", "surrogateescape"),
        ("ascii", "backslashreplace", ESCAPE),
        (None, None, REPLACE),
    ],
)
def test_a_stream_has_its_handler(encoding: str | None, errors: str | None, expected: str) -> None:
    """Standard error escapes, standard output replaces; bytes of names pass through UTF-8 where Python lets them."""
    assert stream_errors(encoding, errors) == expected


def test_a_text_stream_takes_the_handler() -> None:
    """What is written to it never fails."""
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii", errors=REPLACE) as stream:
        stream.write("│→│")
        stream.flush()
        assert raw.getvalue() == b"|->|"


def test_what_cannot_be_read_is_not_replaced() -> None:
    """The handlers are for writing."""
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", REPLACE)
