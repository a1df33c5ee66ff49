"""What is said of files that cannot be read: the parameters that help, quoted for a shell, and a bar."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

import pytest

from simulator.base.clock import SystemClock
from simulator.files.finding import Problem, SourceFile
from simulator.stack import template
from simulator.stack.wiring import wiring
from stockpipe.commands.files import MOST_LISTED, bar, parameter_names, problem_line, refusal, sizes

NAMES = {"TICKER_COLUMN": "TickerColumn", "TIMESTAMP_FORMAT": "TimestampFormat", "COMMENT": "Comment"}


class Screen(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_every_setting_of_files_has_its_parameter() -> None:
    """In the pipeline's own template; the names are those of the settings in another form."""
    stack = template.load(None, {})
    names = parameter_names(stack, wiring(stack))
    assert len(names) == 12
    assert all(parameter.lower() == setting.replace("_", "").lower() for setting, parameter in names.items())


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem(Path("a.csv"), "why"), "a.csv: why; fix or remove it"),
        (Problem(Path("a.csv"), "why", "rename it"), "a.csv: why; rename it"),
        (
            Problem(Path("a.csv"), "why", settings={"TICKER_COLUMN": "it's", "COMMENT": "#"}),
            "a.csv: why; set --parameter TickerColumn='it'\"'\"'s' --parameter Comment='#'",
        ),
        (Problem(Path("a.csv"), "why", without=("COMMENT",)), "a.csv: why; leave out Comment"),
        (
            Problem(Path("a.csv"), "why", settings={"TIMESTAMP_FORMAT": "%d"}, without=("COMMENT", "TICKER_COLUMN")),
            "a.csv: why; set --parameter TimestampFormat=%d and leave out Comment and TickerColumn",
        ),
        (Problem(Path("a.csv"), "why", settings={"ENCODING": "cp1252"}), "a.csv: why; fix or remove it"),
        (Problem(Path("a\x1b.csv"), "two\nlines\x07"), r"a\x1b.csv: two lines\x07; fix or remove it"),
    ],
)
def test_a_problem_is_one_line_with_its_cure(problem: Problem, line: str) -> None:
    """A setting that no parameter decides is not offered; what is in the file does not steer the terminal."""
    assert problem_line(problem, NAMES) == line


def test_the_cure_is_quoted_for_a_shell() -> None:
    """The words that a shell makes of it are those that were meant."""
    line = problem_line(Problem(Path("a.csv"), "why", settings={"TIMESTAMP_FORMAT": "%b %d, 'yes'"}), NAMES)
    assert shlex.split(line.partition("; set ")[2]) == ["--parameter", "TimestampFormat=%b %d, 'yes'"]


def test_a_refusal_counts_and_lists() -> None:
    """The way out is named where something would be left; of many problems the first are listed."""
    problems = [Problem(Path(f"{n}.csv"), "why") for n in range(MOST_LISTED + 3)]
    lines = refusal(problems, 100, NAMES, "do this").lines
    assert lines[0] == "23 of 100 files cannot be read"
    assert lines[1] == "  0.csv: why; fix or remove it"
    assert (len(lines), lines[-2:]) == (MOST_LISTED + 3, ("  and 3 more", "  hint: do this"))
    alone = refusal(problems[:1], 1, NAMES, "do this")
    assert (alone.lines[0], alone.hint) == ("1 of 1 file cannot be read", None)


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, False), (1.1, True)])
def test_a_bar_comes_once_it_takes_long(monkeypatch: pytest.MonkeyPatch, seconds: float, shown: bool) -> None:
    """A look that is over at once does not flicker; a bar goes when it is done."""
    screen, now = Screen(), [5.0]
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(SystemClock, "now", lambda _: now[0])
    monkeypatch.setenv("TERM", "xterm")
    with bar("looking", 100) as advance:
        advance(10)
        assert screen.getvalue() == ""
        now[0] += seconds
        advance(40)
    assert ("looking" in screen.getvalue()) is shown


def test_no_bar_is_drawn_on_what_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log has no use for it."""
    now = [5.0]
    monkeypatch.setattr(SystemClock, "now", lambda _: now[0])
    with bar("looking", 100) as advance:
        now[0] += 10
        advance(50)
    assert capsys.readouterr() == ("", "")


def test_what_cannot_be_asked_for_its_size_has_none(tmp_path: Path) -> None:
    """It may be gone since it was found."""
    (tmp_path / "a.csv").write_bytes(b"12345")
    files = [SourceFile(tmp_path / name, name) for name in ("a.csv", "gone.csv")]
    assert sizes(files) == [5]
