"""A survey says what is in a whole file: rows, columns, rejections and keys, in bounded memory."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from simulator.base import limits
from simulator.base.errors import CouldNotFinish
from simulator.files.survey import ColumnFound, KeysFound, RejectedKind, Survey, Suspicion, survey


def _survey(path: Path, content: str | bytes, **environ: str) -> Survey:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return survey(path, f"stocks/source/{path.name}", environ)


def _columns(found: Survey) -> dict[str, ColumnFound]:
    return {column.name: column for column in found.columns if column is not None}


def test_columns_have_their_types_and_cells(tmp_path: Path) -> None:
    """They hold numbers, texts, both, or nothing, with three different cells each; key columns are left out."""
    rows = "".join(f"A,2024-01-{day:02d},{day % 5},x{day},{'' if day % 2 else 'n'},,{day}\n" for day in range(1, 9))
    rows += "A,2024-01-09,7,y,,,oops\n"
    found = _survey(tmp_path / "a.csv", "ticker,date,n,t,half,none,mixed\n" + rows)
    assert (found.rows, found.rejected_rows, found.unreadable) == (9, 0, None)
    assert [column is None for column in found.columns] == [True, True, False, False, False, False, False]
    columns = _columns(found)
    assert {name: (column.kind, column.numbers, column.texts) for name, column in columns.items()} == {
        "n": ("number", 9, 0),
        "t": ("text", 0, 9),
        "half": ("text", 0, 4),
        "none": ("empty", 0, 0),
        "mixed": ("mixed", 8, 1),
    }
    assert columns["n"].examples == ["1", "2", "3"]
    assert columns["t"].examples == ["x1", "x2", "x3"]
    assert (found.tickers, found.timestamps) == (["A"], ["2024-01-01", "2024-01-02", "2024-01-03"])


def test_texts_that_look_like_something_else_are_counted(tmp_path: Path) -> None:
    """They are counted by kind, with up to three examples; what is read as a number is not included."""
    cells = ["1.5", '"1,608.00"', "null", "null", "5%", "6%", "7%", "8%", "AAPL"]
    rows = "".join(f"2024-01-{day:02d},{cell}\n" for day, cell in enumerate(cells, 1))
    (column,) = _columns(_survey(tmp_path / "a.csv", "Date,x\n" + rows)).values()
    assert column.suspicions == {
        "a grouped number": Suspicion(1, ["1,608.00"]),
        "a null word": Suspicion(2, ["null"]),
        "a percentage": Suspicion(4, ["5%", "6%", "7%"]),
    }
    lenient = _survey(tmp_path / "a.csv", "Date,x\n" + rows, NUMBERS="lenient", NULL_VALUES="null")
    assert list(_columns(lenient)["x"].suspicions) == ["a percentage"]


def test_rejected_rows_are_counted_by_reason(tmp_path: Path) -> None:
    """Each kind has its first line, the cell and the setting that may help."""
    found = _survey(
        tmp_path / "a.csv", 'Date,x\n2024-01-02,1\nsoon,1\nlater,1\n2024-01-03,1,2\n2024-01-04,"open\n2024-01-05,1\n'
    )
    assert found.rows == 2
    assert found.rejected["unreadable timestamp"] == RejectedKind(
        "unreadable timestamp", 2, 3, "soon", "TIMESTAMP_FORMAT"
    )
    assert found.rejected["another number of fields than the header has"].line == 5
    assert found.rejected_rows == 4


def test_keys_are_judged_over_the_whole_file(tmp_path: Path) -> None:
    """Rows with one key are equal, if their numbers have equal values, or they replace the first."""
    rows = [f"A{n},2024-01-02,{n}.50,x\n" for n in range(5000)]
    rows[4000] = "A7,2024-01-02,7.5,x\n"
    rows[4001] = "A8,2024-01-02,8.500,y\n"
    rows[4002] = "A9,2024-01-02,0.95e1,x\n"
    found = _survey(tmp_path / "a.csv", "ticker,date,n,t\n" + "".join(rows))
    assert found.keys == KeysFound(4997, repeated=2, replaced=1, first=("A8", "2024-01-02", 10, 4003))


def test_keys_that_outgrow_the_memory_go_to_a_file_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result is the same, and nothing is left behind."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 10_000)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    rows = "".join(f"A{n % 4999},2024-01-02,{n}\n" for n in range(5000))
    found = _survey(tmp_path / "a.csv", "ticker,date,n\n" + rows)
    assert found.keys == KeysFound(4999, 0, 1, ("A0", "2024-01-02", 2, 5001))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be counted is not claimed to be unique."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(CouldNotFinish, match="temporary file"):
        _survey(tmp_path / "a.csv", "Date,x\n2024-01-02,1\n")


def test_what_is_given_up_says_why(tmp_path: Path) -> None:
    """It has the consumer's reason, and what was read before it."""
    found = _survey(tmp_path / "a.csv.gz", gzip.compress(b"Date,x\n2024-01-02,1\n" * 1, mtime=0)[:-4])
    assert found.unreadable == "the gzip stream ends early"
    assert _survey(tmp_path / "b.csv", "a,b\n1,2\n").unreadable == "no timestamp column in the header 'a,b'"


def test_progress_is_the_bytes_of_the_file(tmp_path: Path) -> None:
    """A progress bar reaches its end."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"Date,x\n" + b"2024-01-02,1\n" * 20_000)
    seen: list[int] = []
    survey(path, "a.csv", {}, seen.append)
    assert sum(seen) == path.stat().st_size
    assert len(seen) > 2


def test_examples_are_short(tmp_path: Path) -> None:
    """A cell of megabytes is not kept."""
    found = _survey(tmp_path / "a.csv", f"Date,x\n2024-01-02,{'y' * 1000}\n")
    assert _columns(found)["x"].examples == ["y" * 60]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.50", "1.5", True),
        ("15e-1", "1.5", True),
        ("1E2", "100", True),
        ("-0", "0.0", True),
        ("0e99999999999999999999", "0", True),
        ("1e-3", "0.001", True),
        ("-120.0e-1", "-12", True),
        ("1.5", "15", False),
        ("1E2", "1000", False),
        ("-1", "1", False),
    ],
)
def test_numbers_are_the_same_by_their_value(tmp_path: Path, one: str, other: str, same: bool) -> None:
    """How they are written does not matter, as in the table."""
    found = _survey(tmp_path / "a.csv", f"ticker,date,n\nA,2024-01-02,{one}\nA,2024-01-02,{other}\n")
    assert (found.keys.repeated, found.keys.replaced) == ((1, 0) if same else (0, 1))
