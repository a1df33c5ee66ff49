"""The program behind `make fuzz`: what it makes, what it prints, and what it leaves when readers disagree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz import __main__ as program
from fuzz.bounds import PLACES, Bounds, within
from fuzz.making import make
from fuzz.readings import Example, by_proof, malformed
from fuzz.smaller import smaller
from simulator.proof import reader, splitting
from simulator.proof.dialect import Dialect
from simulator.proof.reader import ReadRows

ROOT = Path(__file__).parents[1]


def test_an_object_is_the_same_each_time() -> None:
    """A seed and a number are enough to have it again; another of either is another object."""
    assert make(1, 7) == make(1, 7)
    assert len({(make(seed, number).body, make(seed, number).key) for seed in (1, 2) for number in range(50)}) > 90


def test_what_is_made_up_comes_to_every_part_of_the_reader() -> None:
    """Among a few hundred objects there are stored rows, rejected ones, and each way to be unreadable or malformed."""
    seen: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for number in range(700):
        example = make(3, number)
        with within(example.bounds):
            if malformed(Dialect.from_environ, example) is not None:
                seen["malformed"] += 1
                continue
            used.update(Dialect.from_environ(example.environ).chosen)
            found = by_proof(example)
        seen["stored"] += bool(found.stored and found.unreadable is None)
        seen["rejected"] += bool(found.rejected)
        words = (found.unreadable or "").split()
        seen.update({" ".join(words[:2]), *words[:1]})
    wanted = [
        *(
            "stored",
            "rejected",
            "no header:",
            "the header",
            "a header",
            "no timestamp",
            "the gzip",
            "malformed",
            "TICKER_COLUMN",
        ),
        *("a gzip", "a column's"),
    ]
    assert [what for what in wanted if not seen[what]] == []
    assert seen["stored"] > 100
    assert len(used) == 12
    assert min(used.values()) > 20
    assert any(what.startswith("lines ") for what in seen)


def test_bounds_are_those_of_both_sides_and_are_put_back() -> None:
    """The product's own are the same on both sides, and in force again afterwards."""
    small = Bounds(**{name: 50 + place for place, name in enumerate(PLACES)})

    def values() -> dict[str, set[int]]:
        return {
            name: {getattr(sys.modules[place.rpartition(".")[0]], place.rpartition(".")[2]) for place in places}
            for name, places in PLACES.items()
        }

    before = values()
    assert {name: len(found) for name, found in before.items()} == dict.fromkeys(PLACES, 1)
    with within(small):
        assert values() == {name: {getattr(small, name)} for name in PLACES}
    assert values() == before


@pytest.fixture
def loses_line_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that drops whatever is on line 3."""
    real = reader.ObjectReader.feed

    def feed(self: reader.ObjectReader, chunk: bytes, *, final: bool = False) -> Iterator[ReadRows]:
        for rows in real(self, chunk, final=final):
            yield ReadRows([row for row in rows.stored if row[2] != 3], rows.rejected)

    monkeypatch.setattr(reader.ObjectReader, "feed", feed)


@pytest.mark.usefixtures("loses_line_3")
def test_a_disagreement_is_one_line_and_a_small_object_to_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 at the first; the file has the smallest such object that was found."""
    out = tmp_path / "out"
    assert program.main(["--seed", "3", "--for", "10m", "--out", str(out)]) == 1
    (path,) = out.iterdir()
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert str(path) in said
    assert "of seed 3: items against the proof: stored: " in said
    example = program.from_text(path.read_text(encoding="utf-8"))
    assert len(example.body) < 40
    assert (example.bounds, example.environ, example.cuts) == (Bounds(), {}, ((), (), ()))
    assert program.main(["--again", str(path)]) == 1
    assert "by_proof: Reading(stored=[]" in capsys.readouterr().out


def test_an_object_that_is_read_again_and_agrees_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Once it is mended, exit code 0; whatever an object is, its file has all of it."""
    for number in range(40):
        example = make(5, number)
        assert program.from_text(program.as_text(example, number, 5, "said")) == example
    (tmp_path / "x.json").write_text(program.as_text(make(5, 1), 1, 5, "said"), encoding="utf-8")
    assert program.main(["--again", str(tmp_path / "x.json")]) == 0
    assert "the readers agree" in capsys.readouterr().out


def test_a_reader_that_breaks_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a reader raises is a disagreement in words, not the end of the program."""

    def breaks(self: splitting.Splitter, line: str, *, inside: bool = False) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(splitting.Splitter, "split", breaks)
    said = program.what_fails(Example("a.csv", {}, b'date,n\n"2024-01-02",1\n'))
    assert said is not None
    assert said.startswith("ZeroDivisionError in test_fuzz.py:")


def test_the_smallest_object_still_fails() -> None:
    """What is left out was not needed, and there is an end to trying."""
    asked = 0

    def fails(example: Example) -> bool:
        nonlocal asked
        asked += 1
        return b"x" in example.body and len(example.cuts[1]) > 1

    whole = Example(
        "k.csv", {"TICKER_COLUMN": "a"}, b"a,b\n" * 20 + b"1,x\n", ((1, 2), (3, 4, 5), ()), Bounds(columns=3)
    )
    assert smaller(whole, fails) == Example("s/a.csv", {}, b"x", ((), (4, 5), ()))
    asked = 0
    assert len(smaller(whole, fails, tries=5).body) == len(whole.body)
    assert asked == 5


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5_400), ("1m 5s", 65)])
def test_a_duration_is_written_with_its_units(text: str, seconds: float) -> None:
    """Hours, minutes and seconds, one after the other."""
    assert program.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-5s", "ten"])
def test_what_is_no_duration_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line that names it, with exit code 2."""
    with pytest.raises(SystemExit) as refusal:
        program.main([f"--for={text}"])
    assert refusal.value.code == 2
    assert f"{text!r} is not a duration" in capsys.readouterr().err


def _started(*arguments: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-m", "fuzz", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
    )


def test_the_end_of_the_time_and_ctrl_c_are_one_line(tmp_path: Path) -> None:
    """After so many objects it says that all agree; Ctrl-C ends it at once with what it came to."""
    with _started("--seed", "1", "--examples", "20", "--out", str(tmp_path / "out")) as ended:
        output, errors = ended.communicate(timeout=60)
    assert (ended.returncode, output, errors) == (0, "20 objects of seed 1: all agree\n", "")
    with _started("--seed", "1", "--for", "1h", "--progress", "0s", "--out", str(tmp_path / "out")) as stopped:
        assert stopped.stderr
        progress = stopped.stderr.readline()
        stopped.send_signal(signal.SIGINT)
        output, _ = stopped.communicate(timeout=60)
    assert progress.endswith("/s, all agree\n")
    assert stopped.returncode == 130
    assert output.startswith("stopped after ")
    assert output.endswith(" of seed 1: all agree\n")
    assert output.count("\n") == 1
    assert not (tmp_path / "out").exists()
