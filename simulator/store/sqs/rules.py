"""What SQS refuses and moto accepts. Parameters are in the JSON protocol's form, whatever protocol they came in.

Sources: Amazon SQS API Reference (SendMessage, ReceiveMessage, ChangeMessageVisibility, SetQueueAttributes) and
Developer Guide, "Amazon SQS standard queue quotas".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simulator.base import limits
from simulator.store.sqs.moto_queue import depot_of
from simulator.store.sqs.receipt_handles import UnknownHandle
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Parameters

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_RANGES = {
    "VisibilityTimeout": limits.SQS_VISIBILITY_TIMEOUT_S,
    "DelaySeconds": limits.SQS_DELAY_S,
    "MessageRetentionPeriod": limits.SQS_RETENTION_S,
    "ReceiveMessageWaitTimeSeconds": limits.SQS_RECEIVE_WAIT_S,
    "MaximumMessageSize": limits.SQS_MESSAGE_BYTES,
}
_NO_BODY = "MissingParameter"


def check_request(operation: str, parameters: Parameters, queue: Any, now_ms: float) -> None:
    """Raise SQS's error, if there is one; `queue` is moto's or None."""
    if operation in ("CreateQueue", "SetQueueAttributes"):
        check_attributes(parameters.get("Attributes") or {})
    if queue is None:
        return
    if operation == "SendMessage":
        check_message(parameters, queue)
    elif operation == "ReceiveMessage":
        check_range(parameters, "VisibilityTimeout", limits.SQS_VISIBILITY_TIMEOUT_S)
        check_range(parameters, "WaitTimeSeconds", limits.SQS_RECEIVE_WAIT_S)
        check_range(
            parameters, "MaxNumberOfMessages", (1, limits.SQS_BATCH_ENTRIES), "Must be between 1 and 10, if provided."
        )
        if not queue.fifo_queue and depot_of(queue).counts(now_ms)[1] >= limits.SQS_IN_FLIGHT_MESSAGES:
            # A long poll then gets no messages and no error.
            raise AwsError("OverLimit", "The maximum number of in flight messages is reached.", status=403)
    elif operation == "ChangeMessageVisibility":
        check_range(parameters, "VisibilityTimeout", limits.SQS_VISIBILITY_TIMEOUT_S)
        if not queue.fifo_queue:
            _check_visibility_change(parameters.get("ReceiptHandle"), queue, now_ms)


def check_attributes(attributes: Mapping[str, Any]) -> None:
    """Check that every numeric attribute of a queue is within its range."""
    for name, (low, high) in _ATTRIBUTE_RANGES.items():
        if name not in attributes:
            continue
        text = str(attributes[name])
        if not text.lstrip("-").isdigit() or not low <= int(text) <= high:
            raise AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def check_message(entry: Parameters, queue: Any, opening: str = "One or more parameters are invalid.") -> None:
    """Check one message's body, delay and size. Raises SQS's error; one about the size begins with `opening`."""
    body = entry.get("MessageBody")
    if not isinstance(body, str) or not body:
        raise AwsError(_NO_BODY, "The request must contain the parameter MessageBody.")
    found = None if body.isascii() and body.isprintable() else FORBIDDEN.search(body)
    if found is not None:
        raise AwsError(
            "InvalidMessageContents",
            f"Invalid binary character '#x{ord(found.group()):X}' was found in the message body, the set of "
            "allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )
    check_range(entry, "DelaySeconds", limits.SQS_DELAY_S, "DelaySeconds must be >= 0 and <= 900.")
    if message_size(entry) > queue.maximum_message_size:
        text = f"{opening} Reason: Message must be shorter than {queue.maximum_message_size} bytes."
        raise AwsError("InvalidParameterValue", text)


def refusal_of_entry(entry: Parameters, queue: Any) -> AwsError | None:
    """SQS's error for one message in a batch, None without one. Raises SQS's error for the whole batch."""
    try:
        check_message(entry, queue, "One or more parameters cannot be validated.")
    except AwsError as error:
        if error.code == _NO_BODY:
            raise
        return error
    return None


def message_size(entry: Parameters) -> int:
    """One message's size in bytes, attributes included."""
    body = entry.get("MessageBody")
    if not isinstance(body, str):
        return 0
    size = len(body) if body.isascii() else len(body.encode())
    for name, value in (entry.get("MessageAttributes") or {}).items():
        size += len(name.encode()) + sum(len(str(part).encode()) for part in value.values())
    return size


def _check_visibility_change(handle: Any, queue: Any, now_ms: float) -> None:
    """Check that a message whose visibility changes is in flight, or was last received with this very handle."""
    depot = depot_of(queue)
    depot.counts(now_ms)
    try:
        available = depot.may_hide(str(handle))
    except UnknownHandle:
        return
    if not available:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
            "available for visibility timeout change.",
        )


def check_range(parameters: Parameters, name: str, bounds: tuple[int, int], reason: str | None = None) -> None:
    """Check that a number, if given, is within its bounds."""
    value = parameters.get(name)
    if value is None:
        return
    low, high = bounds
    if not isinstance(value, int) or not low <= value <= high:
        reason = reason or f"Must be >= {low} and <= {high}, if provided."
        raise AwsError("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")
