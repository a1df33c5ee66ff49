"""Structured log lines and CloudWatch's embedded metrics, as JSON text passed to a `write` function. Reads no clock.

One log line is one JSON object with the keys of Lambda's own JSON logs (`timestamp`, `level`, `message`, `requestId`)
and the fields of the call. There is one metric line per invocation, in the embedded metric format (CloudWatch User
Guide, "Specification: Embedded metric format"), with the metrics as members of the root.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

NAMESPACE = "stockpipe"
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


@dataclass(frozen=True, slots=True)
class Log:
    """Writes the lines of one invocation.

    `now` gives seconds since the epoch. `level` is the lowest level to write, one of Lambda's names
    (`AWS_LAMBDA_LOG_LEVEL`); an unknown one means INFO. Metrics are written at every level.
    """

    write: Callable[[str], None]
    now: Callable[[], float]
    function_name: str
    level: str | None = None
    request_id: str | None = None

    def of_invocation(self, context: object) -> Log:
        """The same log, with lines that carry the ids in Lambda's `context`; any of them may be missing."""
        name = getattr(context, "function_name", None) or self.function_name
        return replace(self, function_name=name, request_id=getattr(context, "aws_request_id", None))

    def info(self, message: str, **fields: object) -> None:
        """Log that something was done."""
        self._line("INFO", message, fields)

    def warn(self, message: str, **fields: object) -> None:
        """Log something unusual that did no harm."""
        self._line("WARN", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """Log that something failed; `fields` give the reason."""
        self._line("ERROR", message, fields)

    def metrics(self, values: Mapping[str, int], **properties: object) -> None:
        """One line with all of `values`; a name that begins with `Bytes` is measured in bytes.

        `properties` are added for searching, and are not metrics. The line has the lowest level that is written: Lambda
        drops what is below that, and treats a line without a level as INFO (Developer Guide, "Log-level filtering").
        """
        units = [{"Name": name, "Unit": "Bytes" if name.startswith("Bytes") else "Count"} for name in values]
        now = self.now()
        directive = {"Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": units}
        line = {
            "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
            "timestamp": _instant(now),
            "level": max(self._lowest(), "INFO", key=LEVELS.index),
            "FunctionName": self.function_name,
            "requestId": self.request_id,
            **properties,
            **values,
        }
        self.write(json.dumps(line))

    def _line(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        if LEVELS.index(level) < LEVELS.index(self._lowest()):
            return
        line = {
            "timestamp": _instant(self.now()),
            "level": level,
            "message": message,
            "requestId": self.request_id,
            **fields,
        }
        self.write(json.dumps(line, ensure_ascii=False, default=str))

    def _lowest(self) -> str:
        lowest = (self.level or "INFO").upper()
        return lowest if lowest in LEVELS else "INFO"


def _instant(now: float) -> str:
    """In the form of Lambda's own lines, with milliseconds."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
