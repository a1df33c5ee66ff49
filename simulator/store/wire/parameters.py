"""The parameters of a request to SQS or DynamoDB, in the JSON protocol's shape whatever protocol it came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from simulator.store.wire.messages import Request, Routed


def read_json(body: bytes) -> Mapping[str, Any] | None:
    """The parameters in a body of the JSON protocol; None where it is no JSON object."""
    try:
        read = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return None
    return read if isinstance(read, dict) else None


def read_form(request: Request, operation: str) -> Mapping[str, Any] | None:
    """The parameters of an SQS operation in the form-encoded protocol; None where moto's parser does not read them."""
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.utils import get_service_model
    from werkzeug.datastructures import MultiDict

    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    pairs += parse_qsl(request.query_text, keep_blank_values=True)
    try:
        parser: Any = PROTOCOL_PARSERS["query"](get_service_model("sqs").operation_model(operation))
        parsed = parser.parse({"values": MultiDict(pairs), "headers": {}})
    except Exception:  # noqa: BLE001 whatever moto's parser stumbles over, moto's answer will say
        return None
    # The oldest clients name the queue by the path they post to.
    return {"QueueUrl": request.path, **parsed}


def with_parameters(routed: Routed, **changed: Any) -> Routed:
    """The same request with other values of some parameters, in its body too, because moto reads that."""
    request, parameters = routed.request, {**(routed.parameters or {}), **changed}
    if routed.is_query:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        body = urlencode([pair for pair in pairs if pair[0] not in changed] + list(changed.items())).encode()
    else:
        body = orjson.dumps(parameters)
    return routed._replace(request=request._replace(body=body), parameters=parameters)
