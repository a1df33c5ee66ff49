"""The consumer's parser and the proof's reader, written separately from the same rules, on the same objects."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fuzz.making import make
from fuzz.readings import Example, disagreement

SEED = 2024
EXAMPLES = 400


@pytest.mark.parametrize("first", range(0, EXAMPLES, 50))
def test_the_readers_agree_on_objects_made_up_by_chance(first: int) -> None:
    """On the first objects of `make fuzz`, both give the same items and rejected rows, or both call it unreadable."""
    for number in range(first, first + 50):
        assert disagreement(make(SEED, number)) is None, f"object {number} of seed {SEED}"


pieces = st.sampled_from(
    [
        *("date", "ticker", "A", "2024-01-02", "2024-02-30", "2024-01-02T03:04:05Z", "2024-01-02 03:04", "1.5", "1.50"),
        *(
            "-0",
            "0",
            "1e400",
            "01",
            "",
            " ",
            ",",
            ",",
            ",",
            "\n",
            "\n",
            "\r\n",
            "\r",
            '"',
            '""',
            '",',
            '\n"',
            "é",
            "\0",
        ),
        *("\ufeff", "%s", "\\", "\t", "x" * 50, "1234567890" * 4, "\ud800", "\udc80"),
    ]
)
texts = st.lists(pieces, max_size=60).map("".join)
bodies = st.one_of(
    st.binary(max_size=300),
    texts.map(lambda text: ("ticker,date,n\n" + text).encode("utf-8", "surrogatepass")),
    texts.map(lambda text: ("date,n\n" + text).encode("utf-8", "surrogatepass")),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    texts.map(lambda text: ("\ufeffdate,n\n" + text).encode("utf-16-le", "surrogatepass")),
    texts.map(lambda text: gzip.compress(("date,n\n" + text).encode("utf-8", "surrogatepass"), mtime=0)),
)
environs = st.fixed_dictionaries(
    {},
    optional={
        "TICKER_COLUMN": st.sampled_from(["ticker", " N", "who", ""]),
        "TIMESTAMP_COLUMN": st.sampled_from(["DATE", "n", " "]),
        "TIMESTAMP_FORMAT": st.sampled_from(["%Y-%m-%d", "%Y-%d-%m", "%b %d %Y %H", "%%%Y"]),
    },
)
cuts = st.lists(st.integers(0, 400), max_size=4).map(tuple)


@settings(max_examples=300)
@given(bodies, environs, st.tuples(cuts, cuts, cuts))
@example(b'date,a\n2024-01-02,"x\n2024-01-03,y"\n2024-01-03,z', {}, ((), (), (9, 30)))
@example(b"date,n\r\n2024-01-02,1\r", {}, ((8,), (), ()))
@example(b"date,n\n2024-01-02,0e99999999999\n2024-01-02,-0.0\n2024-01-02,0", {}, ((), (), ()))
@example(gzip.compress(b"ticker,date,n\nA,2024-01-02,1\nA,2024-01-03,2\n", mtime=0)[:-9], {}, ((30,), (), (40,)))
def test_the_readers_agree_on_whatever_hypothesis_makes_up(
    body: bytes, environ: dict[str, str], places: tuple[tuple[int, ...], ...]
) -> None:
    """The bytes, delimiters and settings are arbitrary, and each reader has its own cuts."""
    assert disagreement(Example("stocks/a.csv", environ, body, places)) is None
