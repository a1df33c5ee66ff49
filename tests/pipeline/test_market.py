"""The synthetic market: the same bytes for ever, no key twice, a plausible walk, tickers interleaved."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import market
from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader
from pipeline.market import SLOTS, Market

TICK = 1_795_340_400  # 2026-11-22T09:40:00Z


def csv_of(market: Market, tick: int, number: int) -> bytes:
    """A whole object."""
    return b"".join(market.csv_chunks(tick, number))


def rows_of(market: Market, tick: int) -> list[list[str]]:
    """All rows of a tick, in the order of its objects."""
    numbers = range(market.files)
    return [line.split(",") for number in numbers for line in csv_of(market, tick, number).decode().splitlines()[1:]]


def test_the_bytes_are_these_and_will_stay_these():
    """The hash was taken once: another Python, machine or day makes the same object."""
    body = csv_of(Market(seed=7, files=3, rows=40, tickers=12), TICK, 2)

    assert body.startswith(b"ticker,timestamp,open,high,low,close,volume\n")
    assert hashlib.sha256(body).hexdigest() == "fd8588ecdb427eb0c33a48be63b32d40bf1e1834b342a5ce37d144a68d5d1a1f"


def test_a_large_market_stays_as_it_is_too():
    """The same holds for 1,500 tickers, including cheap ones, at a second within the minute and in trading hours."""
    body = csv_of(Market(seed=7, files=1, rows=3000, tickers=1500), TICK + 4 * 3600 + 13, 0)

    assert hashlib.sha256(body).hexdigest() == "b75e8260c33825be719fab7abf1028b23d3aaad9de1e970f1198b7c8e36a1fdf"


def test_a_minute_begins_at_the_price_at_which_the_one_before_it_ended():
    """Prices do not jump between two ticks a minute apart."""
    for number in range(50):
        _, _, before, after = market._quote(3, number, TICK)
        assert market._quote(3, number, TICK - 60)[3] == before
        assert market._quote(3, number, TICK + 60)[2] == after


@pytest.mark.parametrize(
    ("minute", "activity"), [(0, 20), (809, 20), (810, 300), (1005, 80), (1199, 297), (1200, 20), (1439, 20)]
)
def test_trading_is_from_half_past_one_to_eight(minute, activity):
    """In UTC, volume is three times the average at the opening and least in the middle; before and after it is low."""
    assert market._activity(TICK // 86_400 * 86_400 + minute * 60 + 59) == activity


@pytest.mark.parametrize(("instant", "tick"), [(12.0, 12), (12.999, 12), (-0.5, -1)])
def test_a_tick_is_the_whole_second(instant, tick):
    """The fraction does not matter."""
    assert market.tick_of(instant) == tick


def test_seed_tick_and_number_each_matter():
    """Another seed, tick or object gives another text."""
    made = {
        csv_of(Market(seed, 4, 50, 10), tick, number)
        for seed in (0, 1)
        for tick in (TICK, TICK + 1)
        for number in (0, 3)
    }

    assert len(made) == 8


@settings(max_examples=60, deadline=None)
@given(
    files=st.integers(1, 12),
    rows=st.integers(1, 40),
    tickers=st.integers(1, 30),
    ticks=st.sets(st.integers(TICK, TICK + 200), min_size=1, max_size=4),
)
def test_no_key_twice_across_files_and_ticks(files, rows, tickers, ticks):
    """(ticker, timestamp) is unique whatever the sizes and however close the ticks."""
    market = Market(0, files, rows, tickers)
    keys = [(row[0], row[1]) for tick in ticks for row in rows_of(market, tick)]

    assert len(set(keys)) == len(keys) == len(ticks) * files * rows


def test_a_full_minute_of_one_ticker_has_no_key_twice():
    """At the limit of a ticker's slots, the timestamps are still distinct."""
    market = Market(0, 1000, SLOTS // 1000, 1)
    assert market.rows_per_ticker == SLOTS
    keys = {
        line.split(",")[1]
        for number in (0, 1, 998, 999)
        for line in csv_of(market, TICK + 59, number).decode().split()[1:]
    }

    assert len(keys) == 4 * SLOTS // 1000


def test_quotes_are_of_the_minute_before_the_tick():
    """Nothing is from the future or older than the schedule."""
    stamps = [row[1] for row in rows_of(Market(0, 5, 60, 20), TICK + 13)]

    assert min(stamps) >= "2026-11-22T09:39:12.999"
    assert max(stamps) < "2026-11-22T09:40:13"
    assert stamps == sorted(stamps)
    assert all(len(stamp) == 27 for stamp in stamps)


def test_tickers_are_interleaved():
    """25 consecutive rows are of 25 tickers, so that no DynamoDB partition gets a whole batch."""
    names = [row[0] for row in rows_of(Market(0, 2, 100, 50), TICK)]

    assert all(len(set(names[start : start + 25])) == 25 for start in range(0, 200, 25))


def test_prices_walk_and_volumes_follow_the_day():
    """Prices change little from tick to tick; volume is higher at the opening than at noon, and very low at night."""
    market = Market(0, 1, 60, 1)
    closes = [float(rows_of(market, TICK + 60 * minute)[-1][5]) for minute in range(30)]

    assert len(set(closes)) > 5
    assert all(abs(after / before - 1) < 0.01 for before, after in pairwise(closes))
    day = TICK // 86_400 * 86_400

    def volume(hour: float) -> int:
        return sum(int(row[6]) for row in rows_of(market, day + int(hour * 3600)))

    assert volume(13.6) > 2 * volume(16.75) > 4 * volume(3)


def test_every_row_is_consistent_and_readable():
    """Low <= open, close <= high; the consumer stores every row unchanged."""
    market = Market(3, 4, 250, 60)
    for row in rows_of(market, TICK):
        opened, high, low, closed = map(float, row[2:6])
        assert 0 < low <= min(opened, closed) <= max(opened, closed) <= high
    reader = ItemReader("stocks/x.csv", CsvDialect())
    blocks = [*reader.feed(csv_of(market, TICK, 1)), *reader.feed(b"", final=True)]
    assert sum(len(block.keys) for block in blocks) == 250
    assert '"volume":{"N":"' in blocks[0].puts[0]


def test_keys_name_the_instant_and_the_number():
    """The form is `stocks/YYYY/MM/DD/HHMMSS-NNNN.csv`."""
    assert Market(0, 1, 1, 1).key("stocks/", TICK + 5, 42) == "stocks/2026/11/22/094005-0042.csv"
