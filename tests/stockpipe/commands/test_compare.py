"""`stockpipe compare`: exit codes, forms and bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app


def a_summary(scale: float = 1.0) -> dict[str, Any]:
    """A run of a minute at a steady latency."""
    wave = [0.3 * scale * (1 + 0.02 * (second % 3)) for second in range(60)]
    return {
        "schema": "stockpipe.load/1",
        "command": "load-test",
        "options": {"target": "store"},
        "planned": 1200,
        "dropped": 0,
        "latency_s": {"planned_to_stored": {"p50": 0.3 * scale, "p99": 0.32 * scale}},
        "audit": {"verdict": "exact"},
        "series": {"planned_per_s": [20.0] * 60, "p50_s": wave, "p99_s": wave},
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A run, and one that is twice as slow."""
    paths = tmp_path / "a.json", tmp_path / "b.json"
    for path, scale in zip(paths, (1.0, 2.0), strict=True):
        path.write_text(json.dumps(a_summary(scale)))
    return str(paths[0]), str(paths[1])


def run(*arguments: str) -> Any:
    """Run it in this process."""
    return CliRunner().invoke(app, ["compare", *arguments], env={"COLUMNS": "160", "TERM": "dumb"})


def test_a_against_a_ends_with_0(files: tuple[str, str]) -> None:
    """The same file twice: no difference."""
    done = run(files[0], files[0])
    assert done.exit_code == 0
    assert "no difference beyond noise" in done.output


def test_what_got_worse_ends_with_1_and_what_got_better_with_0(files: tuple[str, str]) -> None:
    """Twice the latency fails a CI job; half of it does not."""
    worse, better = run(*files), run(*reversed(files))
    assert (worse.exit_code, better.exit_code) == (1, 0)
    assert "worse: planned to stored, p50" in worse.output
    assert "better: planned to stored, p50" in better.output


def test_markdown_and_json_carry_the_same_verdict(files: tuple[str, str]) -> None:
    """One for a pull request, one for a program; the exit code stays."""
    table, as_json = run(*files, "--format", "markdown"), run(*files, "--format", "json")
    assert table.exit_code == as_json.exit_code == 1
    assert table.output.startswith("**stockpipe: worse: planned to stored, p50")
    assert "| | a.json | b.json | change | samples | |" in table.output
    assert json.loads(as_json.output)["verdict"] == "worse"


def test_runs_of_unlike_loads_are_refused(files: tuple[str, str], tmp_path: Path) -> None:
    """Each difference with both values, and the way out; --force compares them, and says so in every form."""
    other = a_summary() | {"options": {"target": "store", "rate": 40.0, "rows": 10, "duration": 60.0}}
    first = a_summary() | {"options": {"target": "store", "rate": 20.0, "rows": 100, "duration": 30.0}}
    paths = [str(tmp_path / name) for name in ("one.json", "two.json")]
    for path, content in zip(paths, (first, other), strict=True):
        Path(path).write_text(json.dumps(content))
    done = run(*paths)
    assert done.exit_code == 2
    said = " ".join(done.output.split())
    assert "unlike loads: rows 100 and 10; rate 20/s and 40/s; duration 30s and 60s hint: " in said
    assert said.endswith("or add --force")
    forced = run(*paths, "--force")
    assert forced.exit_code == 0
    assert "unlike loads: rate 20/s and 40/s" in forced.output
    assert "rate 20/s and 40/s" in run(*paths, "--force", "--format", "markdown").output
    assert json.loads(run(*paths, "--force", "--format", "json").output)["unlike"][1] == "rate 20/s and 40/s"


def test_what_is_judged_is_what_is_printed(files: tuple[str, str]) -> None:
    """Both values, the change of these two, the samples, and the judgement, on one line."""
    (line,) = (line for line in run(*files).output.splitlines() if line.startswith("planned to stored, p99"))
    assert " ".join(line.split()) == (
        "planned to stored, p99 320 ms 640 ms +100.0 % 12 beyond "
        "worse (12 samples beyond p99: 12 of 12 stretches changed that way)"
    )


def test_the_tolerance_decides_what_matters(files: tuple[str, str]) -> None:
    """A change within it is none, however sure."""
    assert run(*files, "--tolerance", "1.5").exit_code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "is not text"),
        (b"[]", "not a summary"),
        (b'{"schema": "stockpipe.load/9"}', "reads version 1"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_summary_ends_with_2_and_a_line(
    content: bytes | None, said: str, files: tuple[str, str], tmp_path: Path
) -> None:
    """Missing, broken or foreign files are named with their reason; never a traceback."""
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content)
    done = run(files[0], str(path))
    assert done.exit_code == 2, done.output
    assert str(path) in "".join(done.output.split("\n"))
    assert said in done.output
    assert run(*files, "--format", "yaml").exit_code == 2
