"""What AWS's Python runtime client reports about a handler's result or exception, for handlers run without it.

Source: awslambdaric, `bootstrap.py` (make_error, log_error) and `lambda_runtime_marshaller.py`.
"""

from __future__ import annotations

import decimal
import json
import math
import traceback
from typing import Any

from simulator.base import limits
from simulator.base.clock import iso
from simulator.functions.runtimes import Exited, Raised, Returned

RESPONSE_TOO_LARGE = (
    f"Response payload size exceeded maximum allowed payload size ({limits.RESPONSE_PAYLOAD_BYTES} bytes)."
)


def raised(error: Exception, request_id: str, *, skip_files: tuple[str, ...]) -> Raised:
    """The report of an exception from the handler, without the frames from `skip_files`."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in skip_files]
    return fault(type(error).__name__, str(error), request_id, traceback.format_list(frames))


def fault(error_type: str, message: str, request_id: str = "", trace: list[str] | None = None) -> Raised:
    """A report with the runtime client's four keys."""
    named = {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": trace or []}
    return Raised(error_type, message, named)


def exited(error: BaseException) -> Exited:
    """What exits the interpreter: the runtime client catches only `Exception`, as AWS's does."""
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        return Exited(f"exit status {code & 0xFF}" if code else "")
    if isinstance(error, KeyboardInterrupt):
        return Exited("signal: interrupt")
    return Exited("exit status 1")


def marshalled(result: Any, request_id: str) -> Returned | Raised:
    """The result after JSON, as the caller would get it; or the report of why it cannot be sent."""
    if result is None:
        return Returned(None)
    try:
        text = json.dumps(result, default=_number, ensure_ascii=False)
    except Exception as error:  # noqa: BLE001 - whatever an object's encoding raises is the handler's failure
        return fault("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)
    if len(text) * 4 > limits.RESPONSE_PAYLOAD_BYTES and len(text.encode()) > limits.RESPONSE_PAYLOAD_BYTES:
        return fault("Function.ResponseSizeTooLarge", RESPONSE_TOO_LARGE, request_id)
    return Returned(json.loads(text))


def error_lines(report: Raised, now: float, *, as_json: bool) -> list[str]:
    """The lines that the runtime client logs for an uncaught exception."""
    if as_json:
        return [json.dumps({"timestamp": iso(now, "seconds"), "level": "ERROR", **report.payload})]
    trace = [line for entry in report.payload["stackTrace"] for line in entry.splitlines()]
    return [f"[ERROR] {report.error_type}: {report.message}", "Traceback (most recent call last):", *trace]


def _number(value: Any) -> Any:
    """A Decimal is sent as a number; anything else is refused in the JSON encoder's own words."""
    if isinstance(value, decimal.Decimal):
        if value.is_nan():
            return math.nan
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
