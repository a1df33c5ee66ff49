"""Whatever bytes a file has, the gate, the survey and the consumer agree, and no guess fails."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.base import limits
from simulator.files.finding import SourceFile
from simulator.files.gate import examine
from simulator.files.guess import guess
from simulator.files.reading import read_head
from simulator.files.survey import survey

KEY = "stocks/source/abc.csv"
PIECES = (
    *(
        b",",
        b";",
        b"\t",
        b"|",
        b'"',
        b'""',
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"\0",
        b"\xff",
        b"\xe9",
        b"\xc3\xa9",
        b"#",
        b"+",
    ),
    *(
        b"Date",
        b"date,close\n",
        b"Date;Time;Open\n",
        b"<DATE>",
        b"Name",
        b"ISIN",
        b"sep=;\n",
        b"PK\x03\x04",
        b"{",
        b"<html",
    ),
    *(b"2024-01-02", b"2024-01-02,1\n", b"31.01.2024;1,5\n", b"01/02/2024", b"09:30", b"1704153600000", b"Jan 2, 2024"),
    *(
        b"1.5",
        b"27,51",
        b"1,608.00",
        b".5",
        b"5.",
        b"+1",
        b"1e5",
        b"0e999999999999999999",
        b"null",
        b"-",
        b"N/A",
        b"68.18K",
    ),
)
CONTENT = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)), max_size=40).map(b"".join)


@settings(max_examples=200)
@given(CONTENT, st.booleans(), st.sampled_from([1, 7, 65_536]))
def test_the_gate_and_the_survey_say_what_the_consumer_says(content: bytes, zipped: bool, chunk: int) -> None:
    """They agree however the file is cut into pieces; and a fix, if there is one, makes the consumer read the file."""
    body = gzip.compress(content, mtime=0) if zipped else content
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SOURCE_CHUNK_BYTES", chunk)
        path = Path(folder, "abc.csv")
        path.write_bytes(body)
        problems = examine([SourceFile(path, KEY)], {})
        found = survey(path, KEY, {})
    reading = read_head(KEY, body, {})
    assert [problem.reason for problem in problems] == ([] if reading.unreadable is None else [reading.unreadable])
    assert found.unreadable == reading.unreadable
    if reading.unreadable is None:
        assert (found.rows, found.rejected_rows) == (len(reading.rows), len(reading.rejected))
    for problem in problems:
        if problem.settings:
            assert read_head(KEY, body, problem.settings).unreadable is None


@settings(max_examples=200)
@given(CONTENT)
def test_a_guess_makes_nothing_worse(content: bytes) -> None:
    """The proposal never reads fewer rows, and every part of it is needed: without it the result differs."""
    before = read_head(KEY, content, {})
    found = guess(KEY, content, {})
    after = read_head(KEY, content, found.environ)
    assert after == found.reading
    assert len(after.rows) >= len(before.rows)
    for name in found.environ:
        fewer = {other: value for other, value in found.environ.items() if other != name}
        assert not read_head(KEY, content, fewer).comes_to_the_same(after)
