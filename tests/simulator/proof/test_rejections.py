"""The files of rejected rows, line by line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from simulator.base import limits
from simulator.proof.content import rejection_content
from simulator.proof.rejections import line_key, recorded_rejection, whole_lines


def test_a_record_names_line_and_row() -> None:
    """What is recorded in addition is for people."""
    record = {"line": 7, "reason": "r", "row": ["a", "", "é\ud800"], "more": 1}
    assert recorded_rejection(json.dumps(record).encode()) == (line_key(7), rejection_content(["a", "", "é\ud800"]))
    assert recorded_rejection(b'{"line": 7, "reason": "r", "row": []}') == (line_key(7), "[]")
    assert sorted([line_key(10), line_key(9)]) == [line_key(9), line_key(10)]


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"[]", b"7", b"null", b"\xff", b'{"line": "7", "reason": "r", "row": []}', b'{"reason": "r"}'),
        *(b'{"line": 7, "reason": "", "row": ["a"]}', b'{"line": 7, "reason": 1, "row": ["a"]}'),
        *(b'{"line": 7, "reason": "r", "row": "a"}', b'{"line": 7, "reason": "r", "row": ["a", 1]}'),
        *(b'{"line": 7, "reason": "r", "row": [1]}', b'{"line": 7.0, "reason": "r", "row": []}'),
    ],
)
def test_what_is_not_a_record_is_none(line: bytes) -> None:
    """It may not be JSON, or have a member missing or of another type, no reason, or a field that is not text."""
    assert recorded_rejection(line) is None


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b"a\nb\n"], [[b"a", b"b"]]),
        ([b"a", b"b\nc", b"\nd"], [[b"ab"], [b"c"], [b"d"]]),
        ([b"a\n", b"", b"\n"], [[b"a"], [b""]]),
        ([b"123456789", b"\n"], [[b"123456789"]]),
        ([b"1234567890", b"1\nb\n"], [[b"12345678901", b"b"]]),
        ([b"x\n12345678901", b"2\n"], [[b"x", b"12345678901"], [b"2"]]),
    ],
)
async def test_lines_are_whole_and_of_bounded_length(
    chunks: list[bytes], lines: list[list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds whatever the chunks; a line longer than a record is cut, which bounds the memory."""
    monkeypatch.setattr(limits, "AUDIT_RECORD_BYTES", 10)

    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    assert [found async for found in whole_lines(body())] == lines
