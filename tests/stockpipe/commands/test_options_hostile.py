"""Options made to do harm, or by mistake: one line, exit code 2, and nothing was begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app

MANY = "9" * 5_000
SIMULATE = [
    *(("--start", text) for text in ("9999-12-31T23:59:59", "0001-01-01T00:00:00+14:00", "1969-12-31", "9000-01-01")),
    *(("--start", text) for text in ("", "\0", "2026-01-01T00:00:00+99:00")),
    *(
        ("--duration", text)
        for text in ("1e300h", f"{MANY}h", f"{'9' * 300}h", "-5s", "nan", "", "1s" * 5_000, "10001d")
    ),
    *(("--drain-timeout", f"{'9' * 300}s"), ("--speed", "nan"), ("--speed", "inf"), ("--speed", "1e400")),
    *((option, text) for option in ("--seed", "--ticks", "--files", "--rows", "--port") for text in (MANY, "1.5", "")),
    *(("--seed", "9" * 3_000), ("--files", "9" * 30), ("--rows", "9" * 30), ("--port", "70000"), ("--port", "-1")),
    *(("--slo", text) for text in ("\0", "rejected<1e400", f"rejected<{MANY}", "rejected<1" * 1_000, "x\ny<1")),
    *((option, text) for option in ("--ready", "--summary", "--screenshot") for text in ("", ".", "a\0b", "x" * 5_000)),
    *((option, text) for option in ("--logs", "--code", "--template") for text in ("a\0b", "x" * 5_000)),
    *(("--scenario", text) for text in ("\0", "\0.yaml", f"{'x' * 5_000}.yaml", "\x1b[31m", "a\nb")),
    *(("--parameter", text) for text in ("A", "A=\0", "Seed=\udcff", "\udcff=1", f"Seed={MANY}", "FileCount=1e400")),
    *(("--parameters", text) for text in ("", "\0", "x" * 5_000, "\udcff")),
    *(("--runtime", "\x1b[31m"), ("--ui", "x\ny"), ("--accept", "\u202e"), ("--\udcff",), ("--nope\x1b[0m",)),
    *(("x" * 5_000,), ("\0",), ("--code", "/dev/null"), ("--logs", "/dev/null")),
]
LOAD_TEST = [
    *(("--rate", text) for text in ("1e308/s", f"{MANY}/s", "0/s", "nan/s", f"0.{'0' * 300}1/s", "999999999/s", "")),
    *(("--rows", "9" * 30), ("--backlog", "9" * 30), ("--batch-size", "9" * 30), ("--ramp", MANY)),
    *(("--endpoint-url", text) for text in ("\0", "http://[::1", "http://127.0.0.1:99999", "x", "http://\x1b[31m")),
    *(("--report", ""), ("--report", "x" * 5_000), ("--report", "\0")),
]
OTHERS = [
    *(("compare", "--tolerance", text, "a", "b") for text in ("nan", "inf", "1e400", "-1")),
    *(("store", "--port", text) for text in ("70000", "x", MANY)),
    *(("package", "--output", text) for text in ("", ".", "\0", "x" * 5_000)),
    *(("status", "--stack", "s", "--endpoint-url", text) for text in ("\0", "http://[::1", "ftp://x", "")),
    *(("\x1b[31m",), ("no\nsuch",), ("check", "x\u2028y")),
]  # fmt: skip
CASES = [
    *(("simulate", "--ticks", "1", "--ui", "quiet", *case) for case in SIMULATE),
    *(("load-test", "--duration", "1s", "--ui", "quiet", *case) for case in LOAD_TEST),
    *OTHERS,
]


@pytest.mark.parametrize("arguments", CASES, ids=lambda arguments: ascii(" ".join(arguments)[-60:]))
def test_an_option_that_cannot_be_used_is_one_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the option or the value, bounded and without control characters; no file is left."""
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, list(arguments))
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code == 2, ended.output
    assert ended.stderr.startswith("stockpipe: ")
    line, *hints = ended.stderr.splitlines()
    assert all(hint.startswith("  hint: ") for hint in hints)
    assert (ended.stderr.count("\n"), len(hints) > 1, ended.stdout) == (1 + len(hints), False, "")
    assert "".join((line, *hints)).isprintable()
    assert max(map(len, (line, *hints))) < 2_100
    assert list(tmp_path.iterdir()) == []
