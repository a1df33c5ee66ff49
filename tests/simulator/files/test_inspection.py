"""Several files: the settings for all of them, which ones differ, and which cannot be read at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.files.finding import find
from simulator.files.inspection import Inspection, inspect


def _inspect(folder: Path, environ: dict[str, str] | None = None, **files: str | bytes) -> Inspection:
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return inspect(find([folder], "stocks/").files, environ or {})


def _settings(found: Inspection) -> dict[str, str]:
    return {name: proposed.value for name, proposed in found.settings.items()}


def _differing(found: Inspection) -> dict[str, tuple[str, ...]]:
    return {one.path.stem: one.differences for one in found.differing}


GERMAN = "Datum;Kurs\n31.01.2024;1,5\n30.01.2024;2,5\n"


def test_alike_files_agree(tmp_path: Path) -> None:
    """What each needs is what all need, and none differs."""
    found = _inspect(tmp_path, a=GERMAN, b=GERMAN, c=GERMAN)
    assert _settings(found) == {
        "TIMESTAMP_COLUMN": "Datum",
        "TIMESTAMP_FORMAT": "%d.%m.%Y",
        "DECIMAL_SEPARATOR": ",",
    }
    assert found.readable
    assert (found.differing, found.problems) == ((), ())
    assert [(one.path.stem, one.survey.rows, one.settings) for one in found.files] == [
        (name, 2, _settings(found)) for name in "abc"
    ]


def test_what_one_needs_and_none_minds_is_added(tmp_path: Path) -> None:
    """Null words of several files are combined, and leniency harms no file."""
    found = _inspect(
        tmp_path,
        a="Date,Close\n2024-01-02,1\n2024-01-03,2\n",
        b="Date,Close\n2024-01-02,null\n2024-01-03,2\n",
        c="Date,Close\n2024-01-02,NaN\n2024-01-03,2\n",
        d='Date,Close\n2024-01-02,"1,608.00"\n2024-01-03,2\n',
    )
    assert _settings(found) == {"NUMBERS": "lenient", "NULL_VALUES": "null,NaN"}
    assert found.readable
    assert _differing(found) == {}


def test_what_would_harm_others_is_not_added(tmp_path: Path) -> None:
    """A file in another encoding, and one with decimal commas, are named with what they need."""
    plain = "Date,Close,Name\n2024-01-02,1.5,Moët\n2024-01-03,2.5,Moët\n"
    found = _inspect(
        tmp_path,
        a=plain,
        b=plain,
        c=plain.encode("cp1252"),
        d="Date;Close;Name\n2024-01-02;1,5;Moët\n2024-01-03;2,5;Moët\n",
    )
    assert _settings(found) == {}
    assert not found.readable
    assert _differing(found) == {
        "c": ("its encoding is cp1252, not utf-8", "it needs other parameters"),
        "d": ("its delimiter is ';', not ','", "it needs other parameters"),
    }
    settings = {one.path.stem: one.settings for one in found.files}
    assert settings == {"a": {}, "b": {}, "c": {"ENCODING": "cp1252"}, "d": {"DECIMAL_SEPARATOR": ","}}
    assert found.problems == ()


def test_one_file_says_for_all_which_is_the_day(tmp_path: Path) -> None:
    """If most files could be either way, those that are unambiguous decide."""
    found = _inspect(
        tmp_path,
        a="Date,Close\n01/02/2024,1\n",
        b="Date,Close\n03/04/2024,1\n",
        c="Date,Close\n13/02/2024,1\n",
    )
    assert _settings(found) == {"TIMESTAMP_FORMAT": "%d/%m/%Y"}
    assert found.readable
    assert [one.survey.timestamps for one in found.files] == [["2024-02-01"], ["2024-04-03"], ["2024-02-13"]]


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ("Date,Close,Note\n2024-01-02,1,x\n", "its columns are with 'Note'"),
        ("Date,Last\n2024-01-02,1\n", "its columns are without 'Close' and with 'Last'"),
        ("Close,Date\n1,2024-01-02\n", "its columns are in another order"),
        ("Date;Close\n2024-01-02;1\n", "its delimiter is ';', not ','"),
    ],
)
def test_a_file_that_is_not_like_the_others_is_named(tmp_path: Path, other: str, difference: str) -> None:
    """It is so even if the same settings read it."""
    usual = "Date,Close\n2024-01-02,1\n"
    found = _inspect(tmp_path, a=usual, b=usual, odd=other)
    assert _differing(found) == {"odd": (difference,)}
    assert found.readable


def test_files_that_nothing_makes_readable_are_named(tmp_path: Path) -> None:
    """All of them are listed with the consumer's reason; the others are surveyed."""
    found = _inspect(tmp_path, a="", b="<html>x</html>", c="Date,Close\n2024-01-02,1\n")
    assert [one.path.stem for one in found.files] == ["c"]
    assert {problem.path.stem: problem.reason for problem in found.problems} == {
        "a": "no header: the object is empty",
        "b": "no timestamp column in the header '<html>x</html>', which looks like a web page or XML",
    }
    assert not found.readable


def test_a_clash_behind_the_beginning_is_a_finding_and_no_reason(tmp_path: Path) -> None:
    """The consumer judges 1,000 rows; the survey counts keys over all of them."""
    rows = "".join(f"2024-01-02T00:{n // 60 % 60:02d}:{n % 60:02d},{n}\n" for n in range(2000))
    found = _inspect(tmp_path, a="timestamp,n\n" + rows + "2024-01-02T00:00:00,other\n")
    (one,) = found.files
    assert (one.survey.keys.replaced, one.survey.keys.first) == (1, ("A", "2024-01-02T00:00:00.000000Z", 2, 2002))
    assert "TickerColumn" in one.found.notes[-1]


def test_given_settings_stay(tmp_path: Path) -> None:
    """The rest is guessed under them."""
    found = _inspect(tmp_path, {"TIMESTAMP_FORMAT": "%m.%d.%Y"}, a="Datum;Kurs\n01.02.2024;1,5\n")
    assert _settings(found) == {"TIMESTAMP_COLUMN": "Datum", "DECIMAL_SEPARATOR": ","}
    assert found.files[0].survey.timestamps == ["2024-01-02"]


def test_files_of_the_same_ticker_are_named(tmp_path: Path) -> None:
    """Keys unique within each file clash across them; if a column names the instrument, they do not matter."""
    found = _inspect(tmp_path, abc="Date,Close\n2024-01-02,1\n", ABC="Date,Close\n2024-01-02,2\n")
    notes = [note for one in found.files for note in one.found.notes]
    assert notes == ["2 files have the ticker ABC: rows with the same time replace each other"] * 2
    (tmp_path / "named").mkdir()
    named = _inspect(tmp_path / "named", abc="Date,Symbol\n2024-01-02,A\n", ABC="Date,Symbol\n2024-01-02,B\n")
    assert [note for one in named.files for note in one.found.notes] == []
