"""Reads the consumer's log lines in CloudWatch: objects stored and invocations reported. Pure.

The consumer writes a line `object stored` per object; the platform writes a report per invocation, in JSON or text
(Lambda Developer Guide, "Log and monitor Python Lambda functions").
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.base.observations import Outcome

FILTER = '?"object stored" ?"platform.report" ?"REPORT RequestId" ?"CloudWatchMetrics"'
"""The filter pattern that selects these lines in CloudWatch Logs."""

_REPORT = re.compile(r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms")
_INIT = re.compile(r"Init Duration: ([\d.]+) ms")
_STATUS = re.compile(r"Status: (\w+)")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The consumer has written all rows of an object; `at` is the time in the log line."""

    key: str
    at: float


@dataclass(frozen=True, slots=True)
class InvocationReport:
    """One invocation as the platform reports it; `init_s` for a cold start."""

    request_id: str
    duration_s: float
    init_s: float | None
    outcome: Outcome


def read(message: str) -> StoredObject | InvocationReport | None:
    """Parse the text of one log event; None for any other line."""
    found = _REPORT.search(message)
    if found:
        init, status = _INIT.search(message), _STATUS.search(message)
        return InvocationReport(
            found[1],
            float(found[2]) / 1000,
            float(init[1]) / 1000 if init else None,
            _outcome(status[1] if status else "success"),
        )
    # The runtime may put text before a line.
    start = message.find("{")
    if start < 0:
        return None
    try:
        line = json.loads(message[start:])
    except ValueError:
        return None
    return _read_json(line) if isinstance(line, dict) else None


def _outcome(status: Any) -> Outcome:
    return "success" if status == "success" else "timeout" if status == "timeout" else "error"


def _read_json(line: dict[str, Any]) -> StoredObject | InvocationReport | None:
    try:
        if line.get("message") == "object stored":
            return StoredObject(str(line["key"]), datetime.fromisoformat(line["timestamp"]).timestamp())
        if line.get("type") == "platform.report":
            record, metrics = line["record"], line["record"]["metrics"]
            init_ms = metrics.get("initDurationMs")
            return InvocationReport(
                str(record["requestId"]),
                float(metrics["durationMs"]) / 1000,
                None if init_ms is None else float(init_ms) / 1000,
                _outcome(record.get("status", "success")),
            )
    except (KeyError, TypeError, ValueError):
        return None
    return None
