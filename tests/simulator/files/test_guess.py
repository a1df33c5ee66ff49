"""A guess for every kind of file that people have: the settings, and the row that the consumer reads with them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from simulator.base.errors import InputError
from simulator.files.guess import Guess, guess, word_list
from simulator.files.reading import read_head


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its content, what it needs, and the first row that results, its cells as text."""

    name: str
    content: str | bytes
    settings: dict[str, str]
    ticker: str
    timestamp: str
    cells: dict[str, str]
    rejected: int = 0
    given: dict[str, str] = field(default_factory=dict)


def _look(content: str | bytes, name: str = "abc.csv", **environ: str) -> Guess:
    data = content if isinstance(content, bytes) else content.encode()
    return guess(f"source/{name}", data, environ)


def _values(found: Guess) -> dict[str, str]:
    return {name: proposed.value for name, proposed in found.settings.items()}


KINDS = [
    Kind("iso", "Date,Close\n2024-01-02,1.5\n", {}, "ABC", "2024-01-02", {"close": "1.5"}),
    Kind(
        "brackets",
        "<TICKER>,<PER>,<DATE>,<TIME>,<VOL>\nX.US,5,20240102,153000,12\nX.US,5,20240102,153500,13\n",
        {},
        "X.US",
        "2024-01-02T15:30:00.000000Z",
        {"<per>": "5", "<vol>": "12"},
    ),
    Kind(
        "date and time apart",
        "Date,Time,Open\n2024-01-02,09:30,1\n2024-01-02,09:31,2\n",
        {},
        "ABC",
        "2024-01-02T09:30:00.000000Z",
        {"open": "1"},
    ),
    Kind(
        "apart by other names",
        "Day;Clock;Last\n2024-01-02;09:30;1\n2024-01-02;09:31;2\n",
        {"TIMESTAMP_COLUMN": "Day+Clock"},
        "ABC",
        "2024-01-02T09:30:00.000000Z",
        {"last": "1"},
    ),
    Kind(
        "no header, Unix microseconds",
        "1704153600000000,42283.58,10,1704157199999999\n1704157200000000,42475.23,11,1704160799999999\n",
        {"COLUMN_NAMES": "timestamp,column_2,column_3,column_4"},
        "ABC",
        "2024-01-02T00:00:00.000000Z",
        {"column_2": "42283.58", "column_3": "10", "column_4": "1704157199999999"},
    ),
    Kind(
        "no header, date and time apart",
        "2024.01.02,09:30,1.1,100\n2024.01.02,09:31,1.2,100\n",
        {"COLUMN_NAMES": "date,time,column_3,column_4", "TIMESTAMP_FORMAT": "%Y.%m.%d %H:%M"},
        "ABC",
        "2024-01-02T09:30:00.000000Z",
        {"column_3": "1.1", "column_4": "100"},
    ),
    Kind(
        "no header, a ticker",
        "A,2024-01-02,1\nB,2024-01-02,2\n",
        {"COLUMN_NAMES": "ticker,timestamp,column_3"},
        "A",
        "2024-01-02",
        {"column_3": "1"},
    ),
    Kind(
        "no header, decimal commas",
        "31.01.2024;1.234,56;7\n30.01.2024;1.200,00;8\n",
        {
            "COLUMN_NAMES": "timestamp,column_2,column_3",
            "TIMESTAMP_FORMAT": "%d.%m.%Y",
            "DECIMAL_SEPARATOR": ",",
            "NUMBERS": "lenient",
        },
        "ABC",
        "2024-01-31",
        {"column_2": "1234.56", "column_3": "7"},
    ),
    Kind(
        "Unix milliseconds by another name",
        "open_time,open,close_time\n1704153600000,1,1704157199999\n1704157200000,2,1704160799999\n",
        {"TIMESTAMP_COLUMN": "open_time"},
        "ABC",
        "2024-01-02T00:00:00.000000Z",
        {"open": "1", "close_time": "1704157199999"},
    ),
    Kind(
        "all quoted, grouped thousands",
        '"Date","Price","Vol.","Change %"\n'
        '"Jan 19, 2018","1,608.00","68.18K","-0.61%"\n"Jan 18, 2018","1,618.00","-","+0.21%"\n',
        {"TIMESTAMP_FORMAT": "%b %d, %Y", "NUMBERS": "lenient"},
        "ABC",
        "2018-01-19",
        {"price": "1608.00", "vol.": "68.18K", "change_%": "-0.61%"},
    ),
    Kind(
        "blanks after commas, - for nothing",
        "SYMBOL, DATE1, QTY\nA, 02-Jan-2024, 207\nB, 02-Jan-2024, -\n",
        {"TIMESTAMP_COLUMN": "DATE1", "TIMESTAMP_FORMAT": "%d-%b-%Y", "NULL_VALUES": "-"},
        "A",
        "2024-01-02",
        {"qty": "207"},
    ),
    Kind(
        "semicolons, decimal commas",
        "Datum;Erster;Stuecke\n2024-01-02;27,51;1.234\n2024-01-03;27,51;34.000\n",
        {"TIMESTAMP_COLUMN": "Datum", "DECIMAL_SEPARATOR": ",", "NUMBERS": "lenient"},
        "ABC",
        "2024-01-02",
        {"erster": "27.51", "stuecke": "1234"},
    ),
    Kind(
        "a disclaimer above",
        "Compiled for the convenience of visitors\nTrade Date,Open\n01/31/2014,14.90\n",
        {"SKIP_LINES": "1", "TIMESTAMP_COLUMN": "Trade Date", "TIMESTAMP_FORMAT": "%m/%d/%Y"},
        "ABC",
        "2014-01-31",
        {"open": "14.90"},
    ),
    Kind(
        "a title with a comma, a blank line",
        "Quotes for ABC Inc, as of 01/02/2024\n\nDate,Open,Close\n2024-01-02,1,2\n2024-01-03,1,2\n",
        {"SKIP_LINES": "2"},
        "ABC",
        "2024-01-02",
        {"open": "1", "close": "2"},
    ),
    Kind(
        "names and values above, as wide as the table",
        "Symbol,ABC\nCurrency,USD\nDate,Close\n2024-01-02,1\n2024-01-03,2\n",
        {"SKIP_LINES": "2"},
        "ABC",
        "2024-01-02",
        {"close": "1"},
    ),
    Kind(
        "a spreadsheet's padding",
        "Report,,\n,,\nDate,Open,High\n2024-01-02,1,2\n2024-01-03,2,3\n",
        {"SKIP_LINES": "2"},
        "ABC",
        "2024-01-02",
        {"open": "1", "high": "2"},
    ),
    Kind(
        "remarks between rows",
        "# downloaded\n# today\nDate,Close\n2024-01-02,1\n# a gap\n2024-01-03,2\n",
        {"COMMENT": "#"},
        "ABC",
        "2024-01-02",
        {"close": "1"},
    ),
    Kind(
        "a header that begins like a remark",
        "#Date,Close\n2024-01-02,1\n2024-01-03,2\n",
        {"TIMESTAMP_COLUMN": "#Date"},
        "ABC",
        "2024-01-02",
        {"close": "1"},
    ),
    Kind("UTF-16, tabs", "Date\tOpen\n2024-01-02\t1\n".encode("utf-16"), {}, "ABC", "2024-01-02", {"open": "1"}),
    Kind(
        "UTF-16 without its mark",
        "Date\tOpen\n2024-01-02\t1\n".encode("utf-16-be"),
        {"ENCODING": "utf-16-be"},
        "ABC",
        "2024-01-02",
        {"open": "1"},
    ),
    Kind(
        "an old Windows export",
        "symbol,date,name\nMC,2024-01-02,LVMH Moët\nPEUP,2024-01-02,Société\n".encode("cp1252"),
        {"ENCODING": "cp1252"},
        "MC",
        "2024-01-02",
        {"name": "LVMH Moët"},
    ),
    Kind(
        "null words, numbers by hand",
        "Date,Open,High\n2024-01-02,1.5,.5\n2024-01-03,null,+1.5\n2024-01-04,NaN,5.\n",
        {"NUMBERS": "lenient", "NULL_VALUES": "null,NaN"},
        "ABC",
        "2024-01-02",
        {"open": "1.5", "high": "0.5"},
    ),
    Kind(
        "names of zones",
        "Symbol,Timestamp,Price\nA,2024-07-02 09:30:00 UTC,3\nA,2024-01-02 09:30:00 EST,1\n",
        {"TIMESTAMP_FORMAT": "%Y-%m-%d %H:%M:%S %Z"},
        "A",
        "2024-07-02T09:30:00.000000Z",
        {"price": "3"},
        rejected=1,
    ),
    Kind(
        "a desk's own names",
        "Instrument,Trade Date,Last\nABC,2024-01-02,1\n",
        {"TICKER_COLUMN": "Instrument", "TIMESTAMP_COLUMN": "Trade Date"},
        "ABC",
        "2024-01-02",
        {"last": "1"},
    ),
    Kind(
        "many tickers under Name",
        "date,open,Name\n2024-01-02,1,A\n2024-01-02,2,B\n2024-01-03,1,A\n",
        {"TICKER_COLUMN": "Name"},
        "A",
        "2024-01-02",
        {"open": "1"},
    ),
    Kind(
        "one ticker under Name",
        "Date,Close,Name\n2024-01-02,1,Apple\n2024-01-03,2,Apple\n",
        {},
        "ABC",
        "2024-01-02",
        {"close": "1", "name": "Apple"},
    ),
    Kind(
        "a 12-hour clock",
        "Date,Time,Open\n1/31/2024,4:05 PM,1\n1/31/2024,4:06 PM,2\n",
        {"TIMESTAMP_FORMAT": "%m/%d/%Y %I:%M %p"},
        "ABC",
        "2024-01-31T16:05:00.000000Z",
        {"open": "1"},
    ),
    Kind(
        "a spreadsheet's hint",
        "sep=;\nDatum;Kurs\n2024-01-02;1,5\n",
        {"TIMESTAMP_COLUMN": "Datum", "DECIMAL_SEPARATOR": ","},
        "ABC",
        "2024-01-02",
        {"kurs": "1.5"},
    ),
    Kind(
        "a header with more commas than columns",
        "Date;Close, USD, adj., net\n2024-01-02;1\n2024-01-03;2\n",
        {"DELIMITER": "semicolon"},
        "ABC",
        "2024-01-02",
        {"close,_usd,_adj.,_net": "1"},
    ),
    Kind("pandas, its dates", ",open\n2024-01-02,1\n2024-01-03,2\n", {}, "ABC", "2024-01-02", {"open": "1"}),
    Kind(
        "pandas, its numbers",
        ",Trade Date,Close\n0,2024-01-02,1\n1,2024-01-03,2\n",
        {"TIMESTAMP_COLUMN": "Trade Date"},
        "ABC",
        "2024-01-02",
        {"column_1": "0", "close": "1"},
    ),
    Kind(
        "three lines of header",
        "Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n2024-01-02,185.1,188\n2024-01-03,184,185\n",
        {"TIMESTAMP_COLUMN": "Price"},
        "ABC",
        "2024-01-02",
        {"close": "185.1", "high": "188"},
        rejected=2,
    ),
    Kind(
        "a comma too many in the rows",
        "Date,Open\n2024-01-02,1,\n2024-01-03,2,\n",
        {"SKIP_LINES": "1", "COLUMN_NAMES": "Date,Open,column_3"},
        "ABC",
        "2024-01-02",
        {"open": "1"},
    ),
    Kind(
        "a comma too many, and a desk's own names",
        "ISIN,Trade Date,Open\nX,2024-01-02,1,\nY,2024-01-02,2,\n",
        {
            "SKIP_LINES": "1",
            "COLUMN_NAMES": "ISIN,Trade Date,Open,column_4",
            "TICKER_COLUMN": "ISIN",
            "TIMESTAMP_COLUMN": "Trade Date",
        },
        "X",
        "2024-01-02",
        {"open": "1"},
    ),
    Kind(
        "a line below the rows",
        'Time,Last\n01/31/2024,1\n01/30/2024,2\n"Downloaded from somewhere"\n',
        {"TIMESTAMP_FORMAT": "%m/%d/%Y"},
        "ABC",
        "2024-01-31",
        {"last": "1"},
        rejected=1,
    ),
    Kind(
        "a code of digits",
        "code,date,close\n600000,2024-01-02,1\n600001,2024-01-02,2\n",
        {"TICKER_COLUMN": "code"},
        "600000",
        "2024-01-02",
        {"close": "1"},
    ),
    Kind(
        "NA is a ticker",
        "ticker,date,close\nNA,2024-01-02,1\nB,2024-01-02,NA\nC,2024-01-02,null\n",
        {"NULL_VALUES": "null"},
        "NA",
        "2024-01-02",
        {"close": "1"},
    ),
    Kind("carriage returns alone", "Date,Close\r2024-01-02,1\r2024-01-03,2\r", {}, "ABC", "2024-01-02", {"close": "1"}),
    Kind(
        "a zone is given",
        "Date,Time,Open\n2024-01-02,09:30,1\n2024-01-02,09:31,2\n",
        {},
        "ABC",
        "2024-01-02T14:30:00.000000Z",
        {"open": "1"},
        given={"TIME_ZONE": "America/New_York"},
    ),
    Kind(
        "the format is given",
        "Date,Close\n01/02/2024,1\n03/02/2024,2\n",
        {},
        "ABC",
        "2024-02-01",
        {"close": "1"},
        given={"TIMESTAMP_FORMAT": "%d/%m/%Y"},
    ),
    Kind(
        "an empty name at the header's end",
        "Date,Close,\n2024-01-02,1\n2024-01-03,2\n",
        {"SKIP_LINES": "1", "COLUMN_NAMES": "Date,Close"},
        "ABC",
        "2024-01-02",
        {"close": "1"},
    ),
    Kind(
        "a name twice",
        "Date,Close,close,A b,a_b,Close_2\n2024-01-02,1,2,3,4,5\n2024-01-03,2,3,4,5,6\n",
        {"SKIP_LINES": "1", "COLUMN_NAMES": "Date,Close,close_2,A b,a_b_2,Close_2_2"},
        "ABC",
        "2024-01-02",
        {"close": "1", "close_2": "2", "a_b": "3", "a_b_2": "4", "close_2_2": "5"},
    ),
    Kind(
        "a line under the names",
        "Date,Close,Volume\n----------,-----,------\n2024-01-02,1,10\n2024-01-03,2,20\n",
        {"COMMENT": "--"},
        "ABC",
        "2024-01-02",
        {"close": "1", "volume": "10"},
    ),
    Kind(
        "the names are given",
        "2024-01-02;1;x\n2024-01-03;2;y\n",
        {},
        "ABC",
        "2024-01-02",
        {"open": "1", "note": "x"},
        given={"COLUMN_NAMES": "date,open,note"},
    ),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_of_file_gets_what_it_needs_and_no_more(kind: Kind) -> None:
    """The proposal is exactly this, and with it the consumer reads the right row."""
    found = _look(kind.content, **kind.given)
    assert _values(found) == kind.settings
    data = kind.content if isinstance(kind.content, bytes) else kind.content.encode()
    reading = read_head("source/abc.csv", data, {**kind.given, **found.environ})
    assert reading == found.reading
    assert reading.unreadable is None
    row = reading.rows[0]
    assert (row.ticker, row.timestamp) == (kind.ticker, kind.timestamp)
    assert {name: text for name, _, text in row.cells} == kind.cells
    assert len(reading.rejected) == kind.rejected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no header: the object is empty"),
        (b"PK\x03\x04zip,zip\0", "the object is a zip archive, not CSV"),
        (b"<html><body>404, not found</body></html>\n", "which looks like a web page or XML"),
        (b'{"Note": "rate limit reached, sorry"}\n', "which looks like JSON"),
        (b"a\n1\n", "no timestamp column in the header 'a'"),
        (b"name,price\nx,1\ny,2\n", "no timestamp column"),
        (
            b"Date,Open\n" + b"".join(b"2024-01-%02d,%d.5\n" % (1 + n % 20, n) for n in range(40)),
            "lines 2 and 22 have the same key but differ",
        ),
        (
            b"Date,Volume\n" + b"".join(b"2024-01-%02d,%d\n" % (1 + n % 20, n) for n in range(40)),
            "lines 2 and 22 have the same key but differ",
        ),
        (
            b"Date,Note\n" + b"".join(b"2024-01-%02d,note %d\n" % (1 + n % 20, n) for n in range(40)),
            "lines 2 and 22 have the same key but differ",
        ),
        (b"Buy low, sell high.\nIt went up, then down.\n", "no timestamp column"),
    ],
)
def test_what_is_not_a_table_of_times_gets_no_proposal(content: bytes, reason: str) -> None:
    """Nothing is proposed if nothing helps, and the reason is the consumer's."""
    found = _look(content)
    assert found.environ == {}
    assert reason in (found.reading.unreadable or "")


def test_a_file_that_is_sorted_by_instrument_needs_its_column() -> None:
    """The rows that the consumer judges are all from one instrument; later ones would replace them."""
    days = [f"20{n // 336:02d}-{n // 28 % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(1300)]
    text = "date,close,Name\n" + "".join(f"{day},{n}.5,{name}\n" for name in "AB" for n, day in enumerate(days))
    assert read_head("abc.csv", text.encode(), {}).unreadable is None
    assert _values(_look(text)) == {"TICKER_COLUMN": "Name"}


def test_a_setting_that_is_given_stays() -> None:
    """A given value is not guessed again, even if it is the default."""
    found = guess("a.csv", b'Date,Vol\n2024-01-02,"1,234"\n2024-01-03,.5\n', {}, {"NUMBERS"})
    assert _values(found) == {}
    found = _look("Date;Close\n2024-01-02;1,5\n2024-01-03;n/a\n", NULL_VALUES="x")
    assert _values(found) == {"DECIMAL_SEPARATOR": ","}


def test_a_given_name_that_is_a_slip_is_put_right() -> None:
    """The consumer says that the file cannot be read because of this very setting, so another value is searched for."""
    text = "Instrument,Trade Date,Last\nABC,2024-01-02,1\nDEF,2024-01-02,1\n"
    found = _look(text, TICKER_COLUMN="Instrumnet", TIMESTAMP_COLUMN="Trade Date")
    assert _values(found) == {"TICKER_COLUMN": "Instrument"}
    assert found.without == ()


def test_a_given_name_that_does_harm_is_left_out() -> None:
    """`Date` alone repeats over different rows; by default, date and time together are the key."""
    text = "Date,Time,Open\n2024-01-02,09:30,1\n2024-01-02,09:31,2\n"
    found = _look(text, TIMESTAMP_COLUMN="Date")
    assert (_values(found), found.without) == ({}, ("TIMESTAMP_COLUMN",))
    assert found.environ == {"TIMESTAMP_COLUMN": ""}
    assert len(found.reading.rows) == 2


def test_two_slips_are_put_right_at_once() -> None:
    """The consumer names each once the other is gone."""
    text = "Instrument,Trade Date,Last\nABC,2024-01-02,1\nDEF,2024-01-02,1\n"
    found = _look(text, TICKER_COLUMN="Instrumnet", TIMESTAMP_COLUMN="Trade Dat")
    assert _values(found) == {"TICKER_COLUMN": "Instrument", "TIMESTAMP_COLUMN": "Trade Date"}


def test_a_given_setting_that_is_not_named_is_found_to_do_harm() -> None:
    """With a delimiter that no line has, the header is one name, and the consumer misses a column of times."""
    found = _look("Date,Close\n2024-01-02,1\n2024-01-03,2\n", DELIMITER=";", NUMBERS="lenient")
    assert (_values(found), found.without) == ({}, ("DELIMITER",))
    assert found.environ == {"DELIMITER": "auto"}


def test_a_setting_that_is_malformed_is_named() -> None:
    """A guess with a setting that the consumer refuses at the start would help nobody."""
    with pytest.raises(InputError, match="SKIP_LINES"):
        _look("Date,Close\n2024-01-02,1\n", SKIP_LINES="many")


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("Date,Close\n01/02/2024,1\n03/02/2024,2\n", "TimestampFormat=%d/%m/%Y"),
        ("Timestamp,Close\n2024-01-02 09:30,1\n", "TimeZone="),
        ("Timestamp,Close\n2024-01-02 09:30:00 EST,1\n2024-01-02 09:31:00 UTC,1\n", "EST"),
        ("Timestamp,Close\n2024-01-02 09:30 EST,1\n", "TimestampFormat=%Y-%m-%d %H:%M EST reads them"),
        ("1704153600000,1\n1704153601000,2\n", "ColumnNames"),
        ("Date,Bid_1,Bid_1\n2024-01-02,1,2\n", "missing or repeated, such as Bid_1_2:"),
        ('Date,Vol\n2024-01-02,"1,234"\n2024-01-03,"2,345"\n', "thousands or decimals"),
    ],
)
def test_what_is_not_certain_is_reported(content: str, note: str) -> None:
    """For day and month, the zone, and names that are made up, a note says so and how to change it."""
    assert any(note in each for each in _look(content).notes)


def test_times_with_a_zone_need_no_word_of_it() -> None:
    """Unix times and offsets are unambiguous, and dates are in no zone."""
    for content in ("ts,x\n1704153600,1\n", "date,x\n2024-01-02,1\n", "time,x\n2024-01-02T09:30:00+01:00,1\n"):
        assert _look(content).notes == ()


def test_every_proposal_has_its_reason() -> None:
    """The user can see why."""
    for kind in KINDS:
        found = _look(kind.content, **kind.given)
        assert all(proposed.why for proposed in found.settings.values())


def test_words_are_written_as_the_settings_take_them() -> None:
    """A comma or a quote within a name is quoted."""
    assert word_list(["a", "b, c", 'd"e']) == 'a,"b, c","d""e"'
