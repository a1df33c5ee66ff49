"""The parameters of a request to SQS or DynamoDB, in the JSON protocol's shape whatever protocol it came in."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from simulator.store.wire.aws_errors import is_query
from simulator.store.wire.messages import Request


def read_parameters(request: Request) -> None:
    """Fill in `request.parameters`; leave it None where the body is not what the protocol says: moto answers that."""
    if request.service == "s3":
        return
    if not is_query(request):
        try:
            read = orjson.loads(request.body) if request.body else {}
        except orjson.JSONDecodeError:
            return
        if isinstance(read, dict):
            request.parameters = read
    elif request.service == "sqs":
        request.parameters = _read_form(request)


def _read_form(request: Request) -> dict[str, Any] | None:
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.utils import get_service_model
    from werkzeug.datastructures import MultiDict

    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    pairs += parse_qsl(request.query_text, keep_blank_values=True)
    try:
        operation = get_service_model("sqs").operation_model(request.operation)
        parser: Any = PROTOCOL_PARSERS["query"](operation)
        parsed = parser.parse({"values": MultiDict(pairs), "headers": {}})
    except Exception:  # noqa: BLE001 whatever moto's parser stumbles over, moto's answer will say
        return None
    parameters = dict(parsed)
    # The oldest clients name the queue by the path they post to.
    parameters.setdefault("QueueUrl", request.path)
    return parameters


def without_waiting(request: Request) -> Request:
    """The same ReceiveMessage as a short poll; the form-encoded body is rewritten, because moto reads it."""
    parameters = {**(request.parameters or {}), "WaitTimeSeconds": 0}
    if is_query(request):
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        body = urlencode([pair for pair in pairs if pair[0] != "WaitTimeSeconds"] + [("WaitTimeSeconds", "0")]).encode()
    else:
        body = orjson.dumps(parameters)
    return Request(
        request.method,
        request.target,
        request.headers,
        request.raw_headers,
        body,
        request.service,
        request.operation,
        parameters,
    )
