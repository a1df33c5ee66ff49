"""The log stream around the handler's lines, and the files of `--logs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fakes import declare
from fakes.clock import ManualClock
from fakes.recorder import Recorder
from simulator.base import limits
from simulator.base.observations import InvocationEnded, LogWritten, Noted
from simulator.functions.logs import LogDirectory, LogStream

AT = 1_763_802_000.123
REQUEST = "1027c4d1-c386-4bc4-8d61-3e30d8f16adf"


@pytest.fixture
def streams(recorded: Recorder) -> dict[str, LogStream]:
    """A stream in either format."""
    return {
        name: LogStream(declare.function(memory_mb=128, log_format=name), 7, recorded.append, ManualClock(AT))
        for name in ("Text", "JSON")
    }


def ended(outcome: Any, duration_s: float, error_type: str | None = None, **known: Any) -> InvocationEnded:
    """The end of an invocation; `known` are its init and memory, if it has them."""
    figures = {"init_s": None, "memory_used_mb": None} | known
    return InvocationEnded(
        AT, "F", 7, REQUEST, 1, outcome, duration_s, error_type=error_type, error_message="", **figures
    )


def test_stream_name(streams: dict[str, LogStream]) -> None:
    """It consists of the date, the version and the environment, as in CloudWatch."""
    assert streams["Text"].name == "2025/11/22/[$LATEST]00000000000000000000000000000007"


def test_text(streams: dict[str, LogStream], recorded: Recorder) -> None:
    """START, END and REPORT have AWS's words; the billed time is duration and init, rounded up to a millisecond."""
    stream = streams["Text"]
    stream.init_started()
    stream.started(REQUEST)
    stream.ended(ended("success", 0.0137412, init_s=0.084, memory_used_mb=31))
    assert recorded.lines() == [
        f"START RequestId: {REQUEST} Version: $LATEST",
        f"END RequestId: {REQUEST}",
        f"REPORT RequestId: {REQUEST}\tDuration: 13.74 ms\tBilled Duration: 98 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 31 MB\tInit Duration: 84.00 ms",
    ]


@pytest.mark.parametrize(
    ("outcome", "error_type", "tail"),
    [
        ("timeout", "Sandbox.Timedout", "\tStatus: timeout"),
        ("crash", "Runtime.ExitError", "\tStatus: error\tError Type: Runtime.ExitError"),
        ("error", "ValueError", ""),
    ],
)
def test_text_status(
    streams: dict[str, LogStream], recorded: Recorder, outcome: Any, error_type: str, tail: str
) -> None:
    """A runtime that failed appears in REPORT; an exception of the handler does not. Unknown memory is left out."""
    streams["Text"].ended(ended(outcome, 3.0, error_type))
    assert recorded.lines()[-1] == (
        f"REPORT RequestId: {REQUEST}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB{tail}"
    )


def test_json(streams: dict[str, LogStream], recorded: Recorder) -> None:
    """There is one object per line: initStart, start and report, with AWS's keys."""
    stream = streams["JSON"]
    stream.init_started()
    stream.started(REQUEST)
    stream.ended(ended("success", 0.0137412, init_s=0.084, memory_used_mb=31))
    init, start, report = map(json.loads, recorded.lines())
    assert (init["type"], init["record"]["phase"]) == ("platform.initStart", "init")
    assert start == {
        "time": "2025-11-22T09:00:00.123Z",
        "type": "platform.start",
        "record": {"requestId": REQUEST, "version": "$LATEST"},
    }
    assert report["type"] == "platform.report"
    assert report["record"] == {
        "requestId": REQUEST,
        "metrics": {
            "durationMs": 13.74,
            "billedDurationMs": 98,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 31,
            "initDurationMs": 84.0,
        },
        "status": "success",
    }


def test_json_failure(streams: dict[str, LogStream], recorded: Recorder) -> None:
    """A failure adds runtimeDone, which the default level otherwise hides."""
    streams["JSON"].ended(ended("crash", 0.5, "Runtime.ExitError"))
    done, report = map(json.loads, recorded.lines())
    assert (done["type"], done["record"]["status"]) == ("platform.runtimeDone", "error")
    assert (report["record"]["status"], report["record"]["errorType"]) == ("error", "Runtime.ExitError")


def test_timeout_line(streams: dict[str, LogStream], recorded: Recorder) -> None:
    """The platform says when the time was up, and for which request."""
    streams["Text"].timed_out(REQUEST)
    assert recorded.lines() == [f"2025-11-22T09:00:00.123Z {REQUEST} Task timed out after 3.00 seconds"]


def test_failed_init_in_both_formats(streams: dict[str, LogStream], recorded: Recorder) -> None:
    """INIT_REPORT names the phase, and the error or the timeout."""
    streams["Text"].init_failed("init", 10.0, None)
    streams["JSON"].init_failed("invoke", 0.5, "Runtime.ImportModuleError")
    text, line = recorded.lines()
    assert text == "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"
    assert json.loads(line)["record"]["errorType"] == "Runtime.ImportModuleError"


def test_a_file_an_environment(tmp_path: Path) -> None:
    """Each environment has its own file in its function's directory; an older run's is replaced."""
    (tmp_path / "logs" / "Consumer").mkdir(parents=True)
    (tmp_path / "logs" / "Consumer" / "0001.log").write_text("of an older run\n")
    directory = LogDirectory(tmp_path / "logs")
    for environment, line in ((1, "one"), (2, "two"), (1, "three")):
        directory.record(LogWritten(AT, "Consumer", environment, line))
    directory.record(Noted(AT, "not a log line"))
    directory.close()
    assert (tmp_path / "logs" / "Consumer" / "0001.log").read_text() == "one\nthree\n"
    assert (tmp_path / "logs" / "Consumer" / "0002.log").read_text() == "two\n"


def test_more_environments_than_open_files(tmp_path: Path) -> None:
    """Beyond the limit, files are closed and opened again, and nothing is lost."""
    directory = LogDirectory(tmp_path)
    count = limits.LOG_FILES_OPEN + 3
    for turn in ("first", "second"):
        for environment in range(count):
            directory.record(LogWritten(AT, "F", environment, turn))
    directory.close()
    assert {(tmp_path / "F" / f"{each:04d}.log").read_text() for each in range(count)} == {"first\nsecond\n"}


def test_a_full_disk_is_reported_once(tmp_path: Path) -> None:
    """A write error does not raise into the run; `failed` says why."""
    (tmp_path / "F").write_text("in the way")
    directory = LogDirectory(tmp_path)
    directory.record(LogWritten(AT, "F", 1, "line"))
    directory.record(LogWritten(AT, "F", 1, "line"))
    assert isinstance(directory.failed, OSError)


def line_of(level: str | None, key: str = "level", **more: str) -> str:
    """A JSON line from a handler."""
    stated = {} if level is None else {key: level}
    return json.dumps({"timestamp": "2026-11-28T09:30:00Z", **stated, **more})


@pytest.mark.parametrize(
    ("least", "kept"),
    [
        (None, ["INFO", "WARN", "ERROR", None, "odd"]),
        ("DEBUG", ["debug", "INFO", "WARN", "ERROR", None, "odd"]),
        ("INFO", ["INFO", "WARN", "ERROR", None, "odd"]),
        ("WARN", ["WARN", "ERROR"]),
        ("FATAL", []),
    ],
)
def test_json_lines_below_the_functions_level_are_dropped(
    recorded: Recorder, least: str | None, kept: list[str | None]
) -> None:
    """A line without a level, or with one that is not Lambda's, counts as INFO; text is kept at any level."""
    function = declare.function(log_format="JSON", log_level=least)
    stream = LogStream(function, 7, recorded.append, ManualClock(AT))
    lines = {level: line_of(level) for level in ("TRACE", "debug", "INFO", "WARN", "ERROR", None, "odd")}
    for line in (*lines.values(), "plain text", "{not JSON", "[" * 100_000, "{" + '"a":{' * 100_000):
        stream.output(line)
    assert recorded.lines()[:-4] == [lines[level] for level in kept]
    assert recorded.lines()[-4:-2] == ["plain text", "{not JSON"]


def test_a_level_counts_with_a_time_alone(recorded: Recorder) -> None:
    """Lambda treats a line without a timestamp as INFO; the runtime's own lines call their level `log_level`."""
    function = declare.function(log_format="JSON", log_level="ERROR")
    stream = LogStream(function, 7, recorded.append, ManualClock(AT))
    timeless, own = json.dumps({"level": "ERROR"}), line_of("ERROR", key="log_level")
    for line in (timeless, own):
        stream.output(line)
    assert recorded.lines() == [own]


def test_text_format_drops_nothing(recorded: Recorder) -> None:
    """Lambda filters only JSON."""
    function = declare.function(log_format="Text", log_level="FATAL")
    LogStream(function, 7, recorded.append, ManualClock(AT)).output(line_of("TRACE"))
    assert recorded.lines() == [line_of("TRACE")]
