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
    if found := _REPORT.search(message):
        init, status = _INIT.search(message), _STATUS.search(message)
        return _report(found[1], found[2], init[1] if init else None, status[1] if status else "success")
    start = message.find("{")  # the runtime may put text before a line
    try:
        line = json.loads(message[start:]) if start >= 0 else {}
        if line.get("message") == "object stored":
            return StoredObject(str(line["key"]), datetime.fromisoformat(line["timestamp"]).timestamp())
        if line.get("type") == "platform.report":
            record, metrics = line["record"], line["record"]["metrics"]
            status = record.get("status", "success")
            return _report(record["requestId"], metrics["durationMs"], metrics.get("initDurationMs"), status)
    except (KeyError, TypeError, ValueError):
        return None
    return None


def _report(request_id: Any, duration_ms: Any, init_ms: Any, status: Any) -> InvocationReport:
    outcome: Outcome = status if status in ("success", "timeout") else "error"
    init_s = None if init_ms is None else float(init_ms) / 1000
    return InvocationReport(str(request_id), float(duration_ms) / 1000, init_s, outcome)
