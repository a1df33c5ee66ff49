"""SendMessageBatch with some entries that SQS refuses: they are listed in `Failed`, and the others are sent.

Source: Amazon SQS API Reference, SendMessageBatch: "the result of sending each message is reported individually".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import compress, count
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

import orjson

from simulator.base import limits
from simulator.store.moto.application import LeftToMoto
from simulator.store.sqs.answers import batch_entries
from simulator.store.sqs.moto_queue import queue_of
from simulator.store.sqs.rules import message_size, refusal_of_entry
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Response, Routed, empty_response
from simulator.store.wire.routing import with_parameters

_FORM_ENTRY = re.compile(r"(SendMessageBatchRequestEntry\.|Entries\.(?:member\.)?)(\d+)(\..*)")


def answer(call: Callable[[Routed], Response], routed: Routed) -> Response:
    """The answer to a batch with refused entries; `call` answers for the others.

    Raises `AwsError` if SQS refuses the whole batch, `LeftToMoto` if nothing is to be refused here.
    """
    queue = queue_of(routed) if routed.operation == "SendMessageBatch" else None
    LeftToMoto.when(queue is None)
    entries = batch_entries(routed.parameters or {})
    total = sum(map(message_size, entries))
    if total > limits.SQS_MESSAGE_BYTES[1]:
        raise AwsError(
            "AWS.SimpleQueueService.BatchRequestTooLong",
            f"Batch requests cannot be longer than {limits.SQS_MESSAGE_BYTES[1]} bytes. You have sent {total} bytes.",
        )
    refusals = [refusal_of_entry(entry, queue) for entry in entries]
    LeftToMoto.when(not any(refusals))
    failed = [
        {"Id": entry["Id"], "SenderFault": True, "Code": refusal.code, "Message": refusal.message}
        for entry, refusal in zip(entries, refusals, strict=True)
        if refusal is not None
    ]
    left = _with_only(routed, [refusal is None for refusal in refusals])
    return _with_failures(routed, empty_response(routed) if all(refusals) else call(left), failed)


def _with_only(routed: Routed, accepted: list[bool]) -> Routed:
    """The same request with the accepted entries only."""
    kept = list(compress((routed.parameters or {})["Entries"], accepted))
    if not routed.is_query:
        return with_parameters(routed, Entries=kept)
    # In a form, the name of each member of an entry includes the entry's position.
    places = list(compress(count(1), accepted))
    pairs = []
    for name, value in parse_qsl(routed.request.body.decode("utf-8", "replace"), keep_blank_values=True):
        found = _FORM_ENTRY.fullmatch(name)
        if found is None:
            pairs.append((name, value))
        elif int(found[2]) in places:
            pairs.append((f"{found[1]}{places.index(int(found[2])) + 1}{found[3]}", value))
    changed = routed.request._replace(body=urlencode(pairs).encode())
    return routed._replace(request=changed, parameters={**(routed.parameters or {}), "Entries": kept})


def _with_failures(routed: Routed, response: Response, failed: list[dict[str, Any]]) -> Response:
    if response.status != 200:
        return response
    if routed.is_query:
        end = b"</SendMessageBatchResult>"
        body = response.body.replace(end, _failures(failed).encode() + end)
    else:
        content = {"Successful": [], "Failed": [], **orjson.loads(response.body)}
        body = orjson.dumps(content | {"Failed": content["Failed"] + failed})
    headers = [each for each in response.headers if each[0].lower() != "content-length"]
    return Response(200, body, headers)


def _failures(failed: list[dict[str, Any]]) -> str:
    return "".join(
        f"<BatchResultErrorEntry><Id>{escape(each['Id'])}</Id><SenderFault>true</SenderFault>"
        f"<Code>{escape(each['Code'])}</Code><Message>{escape(each['Message'])}</Message></BatchResultErrorEntry>"
        for each in failed
    )
