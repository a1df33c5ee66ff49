"""A function's log stream as in CloudWatch: the platform's lines around the handler's own.

AWS: Lambda Developer Guide, "Working with Lambda function logs" and "Advanced logging controls". Text format has
START, END and REPORT. JSON format has one object per line, of which the default system log level INFO keeps
`platform.initStart`, `platform.start` and `platform.report` (and `platform.runtimeDone` after a failure). The
function's log level filters the handler's own JSON lines ("Log-level filtering").
"""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

from simulator.base import limits
from simulator.base.clock import Clock, iso
from simulator.base.observations import InvocationEnded, LogWritten, Observation, Record
from simulator.stack.model import Function


class LogStream:
    """One environment's log stream. Every line is recorded as it is written."""

    def __init__(self, function: Function, environment: int, record: Record, clock: Clock) -> None:
        """`name` is `2026/11/22/[$LATEST]0000...0007`: the date of the cold start and the environment's number."""
        self.name = f"{iso(clock.now())[:10].replace('-', '/')}/[$LATEST]{environment:032x}"
        self._function, self._environment, self._record, self._clock = function, environment, record, clock
        self._json = function.log_format == "JSON"
        self._least = limits.LOG_LEVELS.index(function.log_level or "INFO")

    def output(self, line: str) -> None:
        """One line from the handler: dropped, in JSON format, if it is an object below the function's log level.

        A line without a level, or without a time, counts as INFO; text that is not an object is always kept.
        """
        if self._json and line.startswith("{") and (self._least > _INFO or _LOW.search(line)):
            try:
                level = _level(json.loads(line))
            except (ValueError, RecursionError):
                level = self._least
            if level < self._least:
                return
        self.line(line)

    def line(self, line: str) -> None:
        """One line, kept whatever its content."""
        self._record(LogWritten(self._clock.now(), self._function.logical_id, self._environment, line))

    def init_started(self) -> None:
        """The runtime is about to load the handler."""
        if self._json:
            names = {"functionName": self._function.name, "functionVersion": "$LATEST"}
            self._platform("initStart", initializationType="on-demand", phase="init", **names)

    def init_failed(self, phase: str, duration_s: float, error_type: str | None) -> None:
        """Init failed: an INIT_REPORT. Without an error type, it ran out of time."""
        duration_ms = round(duration_s * 1000, 2)
        status = "error" if error_type else "timeout"
        if self._json:
            how: Any = {"phase": phase, "status": status, "metrics": {"durationMs": duration_ms}}
            self._platform("initReport", initializationType="on-demand", **how, errorType=error_type)
            return
        parts = [f"INIT_REPORT Init Duration: {duration_ms:.2f} ms", f"Phase: {phase}", f"Status: {status}"]
        self.line("\t".join([*parts, f"Error Type: {error_type}"] if error_type else parts))

    def started(self, request_id: str) -> None:
        """START."""
        if self._json:
            self._platform("start", requestId=request_id, version="$LATEST")
        else:
            self.line(f"START RequestId: {request_id} Version: $LATEST")

    def timed_out(self, request_id: str) -> None:
        """The platform's line for an invocation that ran out of time."""
        timeout_s = self._function.timeout_s
        self.line(f"{iso(self._clock.now())} {request_id} Task timed out after {timeout_s:.2f} seconds")

    def ended(self, invocation: InvocationEnded) -> None:
        """END and REPORT. The billed time is duration and init, rounded up to a millisecond."""
        request_id, outcome, error_type = invocation.request_id, invocation.outcome, invocation.error_type
        memory_used_mb, init_s = invocation.memory_used_mb, invocation.init_s
        duration_ms = round(invocation.duration_s * 1000, 2)
        init_ms = None if init_s is None else round(init_s * 1000, 2)
        billed_ms = math.ceil(round(duration_ms + (init_ms or 0), 2))
        memory_mb = self._function.memory_mb
        status = outcome if outcome in ("success", "timeout") else "error"
        if self._json:
            how: Any = {"requestId": request_id, "status": status}
            if status != "success":
                self._platform("runtimeDone", **how, errorType=error_type, metrics={"durationMs": duration_ms})
            billed = {"durationMs": duration_ms, "billedDurationMs": billed_ms, "memorySizeMB": memory_mb}
            metrics = _known(**billed, maxMemoryUsedMB=memory_used_mb, initDurationMs=init_ms)
            shown_type = error_type if status == "error" else None
            self._platform("report", requestId=request_id, metrics=metrics, status=status, errorType=shown_type)
            return
        self.line(f"END RequestId: {request_id}")
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {billed_ms} ms",
            f"Memory Size: {memory_mb} MB",
            f"Max Memory Used: {memory_used_mb} MB" if memory_used_mb is not None else "",
            f"Init Duration: {init_ms:.2f} ms" if init_ms is not None else "",
            # A handler's own exception is not a failure of the runtime: its REPORT has no status.
            f"Status: {status}" if outcome not in ("success", "error") else "",
            f"Error Type: {error_type}" if error_type and outcome in ("crash", "init-error") else "",
        ]
        self.line("\t".join(filter(None, parts)))

    def _platform(self, kind: str, **content: Any) -> None:
        record = {"time": iso(self._clock.now()), "type": f"platform.{kind}", "record": _known(**content)}
        self.line(json.dumps(record, separators=(",", ":")))


_INFO = limits.LOG_LEVELS.index("INFO")
_LOW = re.compile("|".join(f'"{level}"' for level in limits.LOG_LEVELS[:_INFO]), re.IGNORECASE)


def _level(line: dict[str, Any]) -> int:
    """A line's level, as an index into the levels. The runtime's own lines about exceptions call it `log_level`."""
    level = str(line.get("level", line.get("log_level", ""))).upper()
    stated = level in limits.LOG_LEVELS and isinstance(line.get("timestamp"), str)
    return limits.LOG_LEVELS.index(level) if stated else _INFO


def _known(**figures: Any) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if value is not None}


class LogDirectory:
    """Writes every recorded line to a file per environment: `DIR/FUNCTION/0007.log`. A recorder of observations.

    Files stay open up to a limit; then the least recently written one is closed. Each line is flushed, so that readers
    such as `tail -f` see it at once.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._open: OrderedDict[tuple[str, int], IO[str]] = OrderedDict()
        self._begun: set[tuple[str, int]] = set()
        self.failed: OSError | None = None

    def record(self, observation: Observation) -> None:
        """Write the observation if it is a line. After a failure (disk full) it writes no more; `failed` says why."""
        if not isinstance(observation, LogWritten) or self.failed:
            return
        try:
            file = self._file(observation.function, observation.environment)
            file.write(f"{observation.line}\n")
            file.flush()
        except OSError as error:
            self.failed = error

    def close(self) -> None:
        """Close every file."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _file(self, function: str, environment: int) -> IO[str]:
        key = (function, environment)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key]
        if len(self._open) >= limits.LOG_FILES_OPEN:
            self._open.popitem(last=False)[1].close()
        folder = self._directory / re.sub(r"[^\w.-]", "_", function)
        folder.mkdir(exist_ok=True)
        # An environment's first line in a run replaces what an earlier run left under the same number.
        mode = "a" if key in self._begun else "w"
        self._begun.add(key)
        self._open[key] = (folder / f"{environment:04d}.log").open(mode, encoding="utf-8")
        return self._open[key]
