"""The consumer's log lines as CloudWatch has them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.log import Log
from simulator.load.measure.cloud_log import InvocationReport, StoredObject, read

REPORT = (
    "REPORT RequestId: 6f1d-2\tDuration: 13.74 ms\tBilled Duration: 14 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB"
)


def test_the_consumers_own_line_is_understood() -> None:
    """A line as the pipeline's logger writes it gives key and instant."""
    lines: list[str] = []
    at = datetime(2026, 11, 22, 9, 30, 0, 250_000, UTC).timestamp()
    Log(lines.append, lambda: at, "Consumer").info(
        "object stored", bucket="b", key="stocks/load/x/00000001.csv", rows=3
    )
    assert read(lines[0]) == StoredObject("stocks/load/x/00000001.csv", at)


def test_reports_are_understood_in_text_and_json() -> None:
    """Duration, init and outcome, whichever form the function's logs have."""
    assert read(REPORT) == InvocationReport("6f1d-2", 0.01374, None, "success")
    cold = read(f"{REPORT}\tInit Duration: 84.00 ms\tStatus: timeout")
    assert cold == InvocationReport("6f1d-2", 0.01374, 0.084, "timeout")
    record = {"requestId": "r", "status": "success", "metrics": {"durationMs": 20.5, "initDurationMs": 400}}
    line = json.dumps({"time": "2026-11-22T09:30:00.000Z", "type": "platform.report", "record": record})
    assert read(line) == InvocationReport("r", 0.0205, 0.4, "success")
    assert read(f"[INFO]\t{line}") == read(line)
    record = {"requestId": "r", "metrics": {"durationMs": 20.5}}
    assert read(json.dumps({"type": "platform.report", "record": record})) == InvocationReport(
        "r", 0.0205, None, "success"
    )
    record["status"] = "timeout"
    assert read(json.dumps({"type": "platform.report", "record": record})) == InvocationReport(
        "r", 0.0205, None, "timeout"
    )
    record["status"] = "failure"
    assert read(json.dumps({"type": "platform.report", "record": record})) == InvocationReport(
        "r", 0.0205, None, "error"
    )
    assert read(f"{REPORT}\tStatus: error\tError Type: Runtime.ExitError") == InvocationReport(
        "6f1d-2", 0.01374, None, "error"
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "START RequestId: 1",
        "{no json",
        "[]",
        '{"message": "object stored"}',
        '{"message": "object stored", "key": "k", "timestamp": "soon"}',
        '{"type": "platform.report", "record": {}}',
        '{"message": "object gone", "key": "k"}',
    ],
)
def test_other_lines_are_passed_over(line: str) -> None:
    """Nothing else is an object or a report, and nothing malformed is an error."""
    assert read(line) is None
