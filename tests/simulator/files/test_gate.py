"""The gate predicts what the consumer would say about a file: it reads only what decides, and proposes a fix."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest

from simulator.base import limits
from simulator.base.errors import InputError
from simulator.files import gate
from simulator.files.finding import Problem, SourceFile
from simulator.files.gate import MOST_GUESSED, examine
from simulator.files.guess import Guess, guess
from simulator.files.reading import HeadReading, Row, is_settable, read_head

ROW = "2024-01-{:02d} {:02d}:{:02d}:00,{}\n"


def _file(path: Path, content: str | bytes) -> SourceFile:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return SourceFile(path, f"stocks/source/{path.name}")


def _rows(count: int) -> str:
    return "".join(ROW.format(n // 1440 + 1, n // 60 % 24, n % 60, n) for n in range(count))


@pytest.mark.parametrize(
    "content",
    [
        b"Date,Close\n2024-01-02,1\n",
        b"\xef\xbb\xbfDate,Close\n2024-01-02,1\n",
        "Date\tClose\n2024-01-02\t1\n".encode("utf-16"),
        b"Date;Close\r\n2024-01-02;1,5\r\n",
        b"Date,Close\r2024-01-02,1\r",
        gzip.compress(b"Date,Close\n2024-01-02,1\n", mtime=0),
        b"Date,Close\n",
        b"Date,Close\nsomeday,1\n",
        b"Date,Close\n\xff\xfe\xfd,1\n",
        b"Date,Name\n2024-01-02,\0\n",
        b"time\n2024-01-02\n",
        b'Date,"two\nlines"\n2024-01-02,1\n',
    ],
)
def test_nothing_that_the_consumer_reads_is_refused(tmp_path: Path, content: bytes) -> None:
    """Rows may all be rejected, bytes may not be text, a column may be the only one: the object is still read."""
    assert read_head("a.csv", gzip.decompress(content) if content[:1] == b"\x1f" else content, {}).unreadable is None
    assert examine([_file(tmp_path / "a.csv", content)], {}) == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no header: the object is empty"),
        (b"PK\x03\x04zip,zip\0", "the object is a zip archive, not CSV"),
        (b"a\n1\n", "no timestamp column in the header 'a'"),
        (gzip.compress(b"", mtime=0), "no header: the object is empty"),
        (gzip.compress(gzip.compress(b"Date,Close\n2024-01-02,1\n", mtime=0), mtime=0), "gzip"),
        (b"Date,Date\n", "the header has the column 'date' twice"),
    ],
)
def test_the_reason_is_the_consumers(tmp_path: Path, content: bytes, reason: str) -> None:
    """If no settings help, the file itself must be fixed."""
    (problem,) = examine([_file(tmp_path / "a.csv", content)], {})
    assert reason in problem.reason
    assert (problem.cure, problem.settings, problem.without) == ("fix or remove it", {}, ())


@pytest.mark.parametrize(
    "content",
    [
        "date,expiration,strike,bid\n2024-01-02,2024-02-16,100,1\n2024-01-02,2024-02-16,105,2\n2024-01-02,2024-03-15,100,3\n",
        "Symbol,Year,Month,Day,Price\nA,2024,1,2,1\nA,2024,1,3,1.5\n",
    ],
)
def test_what_would_lose_rows_is_not_a_cure(tmp_path: Path, content: str) -> None:
    """Settings under which rows replace others make the file readable, and would be worse than the refusal."""
    (problem,) = examine([_file(tmp_path / "a.csv", content)], {})
    assert (problem.cure, problem.settings, problem.without) == ("fix or remove it", {}, ())


def test_a_repeated_row_is_not_a_loss(tmp_path: Path) -> None:
    """A row that is written differently but is equal replaces nothing."""
    content = "Datum,Name,Kurs\n2024-01-02,A,1.5\n2024-01-02,B,2\n2024-01-02,B,2.0\n"
    (problem,) = examine([_file(tmp_path / "a.csv", content)], {})
    assert problem.settings == {"TICKER_COLUMN": "Name", "TIMESTAMP_COLUMN": "Datum"}


def test_a_few_rows_twice_do_not_hide_the_cure(tmp_path: Path) -> None:
    """A file of many tickers with one row that was corrected later is still one of many tickers."""
    rows = [f"2024-01-{day:02},{ticker}.{day},T{ticker}" for ticker in range(5) for day in range(1, 20)]
    content = "\n".join(["date,close,Name", *rows, "2024-01-05,9,T1", ""])
    (problem,) = examine([_file(tmp_path / "a.csv", content)], {})
    assert problem.settings == {"TICKER_COLUMN": "Name"}


def test_all_files_are_looked_at(tmp_path: Path) -> None:
    """The bad ones are listed in order, whatever is between them."""
    files = [_file(tmp_path / f"{n}.csv", "" if n % 2 else "Date,Close\n2024-01-02,1\n") for n in range(6)]
    assert [problem.path for problem in examine(files, {})] == [files[n].path for n in (1, 3, 5)]


def test_rows_that_share_a_key_are_seen_up_to_the_last_that_is_judged(tmp_path: Path) -> None:
    """Row 1,000 counts, as for the consumer, after many chunks; row 1,001 no longer does."""
    header = "timestamp,n\n"
    wide = "x" * 200
    for place, refused in ((999, True), (1000, False)):
        rows = [f"2024-01-02T00:{n // 60:02d}:{n % 60:02d},{n}{wide}\n" for n in range(1200)]
        rows[place] = rows[0].replace(",0", ",other")
        file = _file(tmp_path / f"{place}.csv", header + "".join(rows))
        assert file.path.stat().st_size > limits.SOURCE_CHUNK_BYTES
        reasons = [problem.reason for problem in examine([file], {})]
        assert len(reasons) == refused
        assert all("lines 2 and 1001 have the same key but differ" in reason for reason in reasons)


def test_a_plain_file_is_read_no_further_than_needed(tmp_path: Path) -> None:
    """For a large file, only the first chunks are read."""
    file = _file(tmp_path / "a.csv", "timestamp,n\n" + _rows(40_000))
    seen: list[int] = []
    assert examine([file], {}, progress=seen.append) == ()
    assert len(seen) <= 2
    assert sum(seen) == file.path.stat().st_size > 10 * limits.SOURCE_CHUNK_BYTES
    zipped = _file(tmp_path / "b.csv.gz", gzip.compress(file.path.read_bytes(), mtime=0))
    seen.clear()
    assert examine([zipped], {}, progress=seen.append) == ()
    assert sum(seen) == zipped.path.stat().st_size


@pytest.mark.parametrize("ending", ["cut", "damaged", "bomb"])
def test_a_gzip_stream_is_read_to_its_end(tmp_path: Path, ending: str) -> None:
    """Damage far beyond the first rows would still make the consumer reject the object."""
    body = gzip.compress(("timestamp,n\n" + _rows(40_000)).encode(), mtime=0)
    if ending == "cut":
        body = body[:-10]
    elif ending == "damaged":
        body = body[:-2000] + b"\0" * 1500 + body[-500:]
    else:
        zeros = zlib.compressobj(9, wbits=31)
        body += b"".join(zeros.compress(b"\n" * 1024 * 1024) for _ in range(90)) + zeros.flush()
    file = _file(tmp_path / "a.csv.gz", body)
    (problem,) = examine([file], {})
    expected = {"cut": "ends early", "damaged": "is damaged", "bomb": "a gzip bomb"}[ending]
    assert expected in problem.reason
    assert problem.cure == "fix or remove it"


def test_the_cure_is_one_by_which_the_file_is_read(tmp_path: Path) -> None:
    """It may need several settings, and given ones that do harm are named."""
    file = _file(tmp_path / "a.csv", "A title, or so\nTrade Date;Last\n31.01.2024;1,5\n30.01.2024;2,5\n")
    (problem,) = examine([file], {})
    assert problem.settings == {
        "SKIP_LINES": "1",
        "TIMESTAMP_COLUMN": "Trade Date",
        "TIMESTAMP_FORMAT": "%d.%m.%Y",
        "DECIMAL_SEPARATOR": ",",
    }
    assert examine([file], problem.settings) == ()
    other = _file(tmp_path / "b.csv", "Date,Time,Open\n2024-01-02,09:30,1\n2024-01-02,09:31,2\n")
    (problem,) = examine([other], {"TIMESTAMP_COLUMN": "Date"})
    assert (problem.settings, problem.without) == ({}, ("TIMESTAMP_COLUMN",))


def test_a_cure_that_only_the_beginning_bears_out_is_not_offered(tmp_path: Path) -> None:
    """No column names make a damaged stream readable."""
    body = gzip.compress(b"Trade Date,Last\n" + b"2024-01-02,1\n" * 10_000, mtime=0)[:-10]
    (problem,) = examine([_file(tmp_path / "a.csv.gz", body)], {})
    assert (problem.settings, problem.cure) == ({}, "fix or remove it")


def test_a_file_that_cannot_be_opened_is_one_of_the_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported with all the others."""
    file = _file(tmp_path / "a.csv", "")

    # Not with chmod: the tests may run as a user who may read everything.
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert examine([file], {}) == (Problem(file.path, "it cannot be read: Permission denied"),)


def test_a_malformed_setting_is_not_a_files_fault(tmp_path: Path) -> None:
    """It is reported once, and not for each file."""
    with pytest.raises(InputError, match="DELIMITER"):
        examine([_file(tmp_path / "a.csv", "Date,Close\n")], {"DELIMITER": "x"})


def test_files_that_are_alike_have_one_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is searched for once, and tried on each; where it does not help, another one is searched for."""
    looked: list[str] = []

    def counted(key: str, *arguments: Any) -> Guess:
        looked.append(key)
        return guess(key, *arguments)

    monkeypatch.setattr(gate, "guess", counted)
    desk = "Instrument,Day\nA,2024-01-02\nB,2024-01-02\n"
    files = [_file(tmp_path / f"{n}.csv", desk) for n in range(5)]
    other = "Instrument,Day\nA,not\n"
    files.insert(3, _file(tmp_path / "x.csv", other))
    problems = examine(files, {})
    assert {problem.path for problem in problems} == {file.path for file in files}
    assert {tuple(problem.settings) for problem in problems} == {("TICKER_COLUMN", "TIMESTAMP_COLUMN")}
    assert len(looked) == 1
    files.append(_file(tmp_path / "y.csv", desk.replace("Day", "Day,More").replace("-02", "-02,x")))
    looked.clear()
    examine(files, {})
    assert len(looked) == 2


def test_only_a_limited_number_of_fixes_is_searched_for(tmp_path: Path) -> None:
    """A folder of thousands of other files is refused quickly, and the message names the command for more."""
    files = [_file(tmp_path / f"{n}.csv", "") for n in range(MOST_GUESSED + 2)]
    cures = [problem.cure for problem in examine(files, {})]
    assert cures == ["fix or remove it"] * MOST_GUESSED + ["run stockpipe inspect on it to see what may help"] * 2


def test_settings_with_which_the_consumer_would_not_start_are_known() -> None:
    """They are known before a file is tried under them."""
    assert is_settable("in/a.csv", {"DELIMITER": ";"})
    assert not is_settable("in/a.csv", {"DELIMITER": "::"})


@pytest.mark.parametrize(("rows", "overwrites"), [(49, True), (50, False)])
def test_a_few_rows_that_replace_others_are_none(rows: int, overwrites: bool) -> None:
    """One in fifty is ignored, a larger share is not."""
    others = [Row(line, "A", f"2024-01-02T00:00:{line:02}", ()) for line in range(2, rows + 1)]
    again = others[0]._replace(line=99, cells=(("n", "N", "1"),))
    assert HeadReading((*others, again), ()).overwrites is overwrites
