"""How both transports read DynamoDB's answers, and answers that are not DynamoDB's."""

from __future__ import annotations

import asyncio
import json
import socket
import zlib
from types import SimpleNamespace

import pytest
from aiohttp import ClientConnectorError, web
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ReadTimeoutError,
)

from fakes.aws import TABLE, serving
from fakes.handlers import environ
from pipeline.environment import access, client, credentials_of
from pipeline.table import WriteError
from pipeline.transports import ClientTransport, SignedTransport, unprocessed_keys
from pipeline.wire import HttpPool, WireError

PUT = '{"PutRequest":{"Item":{"PK":{"S":"A\\""},"SK":{"S":"2024-01-02"},"n":{"N":"1"}}}}'


async def write(session, writer, answer):
    """Write one put to a server that gives this answer, with this transport."""
    requests = []

    async def handle(request):
        requests.append(json.loads(await request.read()))
        return answer(request)

    async with serving(handle) as endpoint:
        variables = environ(endpoint)
        where = access(variables, "dynamodb")
        if writer == "signed":
            pool = HttpPool(endpoint, 4)
            credentials = await credentials_of(session, where)
            transport = SignedTransport(endpoint, "us-east-1", TABLE, pool, credentials, lambda: 1e9)
            try:
                left = await transport.write([PUT], 5.0)
            finally:
                pool.close()
        else:
            async with client(session, "dynamodb", where, connections=4, retries=0) as dynamodb:
                left = await ClientTransport(dynamodb, TABLE).write([PUT], 5.0)
    assert requests[0] == {
        "RequestItems": {
            TABLE: [{"PutRequest": {"Item": {"PK": {"S": 'A"'}, "SK": {"S": "2024-01-02"}, "n": {"N": "1"}}}}]
        }
    }
    return left


def answering(text, status=200, headers=None):
    """An answer with DynamoDB's content type."""
    return lambda _request: web.Response(
        text=text, status=status, headers=headers, content_type="application/x-amz-json-1.0"
    )


async def test_both_ways_send_the_same_body_and_read_the_same_answer(session, batch_writer):
    """The parsed body is the same to the last character; so are the keys that were left."""
    left_over = f'{{"UnprocessedItems": {{"{TABLE}": [{PUT}]}}, "ConsumedCapacity": []}}'

    assert await write(session, batch_writer, answering('{"UnprocessedItems":{}}')) == []
    assert await write(session, batch_writer, answering('{"UnprocessedItems": {}, "x": 1}')) == []
    assert await write(session, batch_writer, answering(left_over)) == [('A"', "2024-01-02")]


@pytest.mark.parametrize(
    ("text", "status", "kind"),
    [
        ('{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"m"}', 400, "throttled"),
        ('{"__type":"com.amazon.coral.validate#ValidationException","message":"m"}', 400, "invalid"),
        ('{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"m"}', 400, "permanent"),
        ('{"__type":"InternalServerError"}', 500, "transient"),
        ("<html>bad gateway</html>", 502, "transient"),
        ("", 503, "transient"),
    ],
)
async def test_both_ways_distinguish_errors(session, batch_writer, text, status, kind):
    """DynamoDB's code decides, or else the status; a load balancer's page is not a reason to give up."""
    with pytest.raises(WriteError) as raised:
        await write(session, batch_writer, answering(text, status))

    assert (raised.value.kind, raised.value.unanswered) == (kind, False)


async def test_an_answer_damaged_in_transit_is_requested_again(session):
    """DynamoDB sends a checksum with each answer; if it does not match, nothing is known about the rows."""
    text = '{"UnprocessedItems": {} }'
    good, bad = zlib.crc32(text.encode()), zlib.crc32(b"another")

    assert await write(session, "signed", answering(text, headers={"x-amz-crc32": str(good)})) == []
    with pytest.raises(WriteError, match="damaged") as raised:
        await write(session, "signed", answering(text, headers={"x-amz-crc32": str(bad)}))
    assert raised.value.kind == "transient"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"UnprocessedItems": {"StockData": [{}]}}'])
async def test_a_success_that_cannot_be_read_is_not_a_success(session, text):
    """Status 200 alone does not prove that anything was stored."""
    with pytest.raises(WriteError) as raised:
        await write(session, "signed", answering(text))

    assert raised.value.kind == "transient"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "m"}, "ThrottlingException: m"),
        ({"__type": "AccessDeniedException", "Message": "m"}, "AccessDeniedException: m"),
        ({"__type": "AccessDeniedException"}, "AccessDeniedException"),
        ({}, "status 400"),
    ],
)
async def test_an_error_is_reported_by_its_code_and_message(session, answer, told):
    """Both spellings of the message are read; a missing one is empty."""
    with pytest.raises(WriteError) as raised:
        await write(session, "signed", answering(json.dumps(answer), 400))

    assert str(raised.value) == told


async def test_both_ways_know_a_request_that_gets_no_answer(session, batch_writer):
    """The server accepts it and disconnects: its outcome is unknown."""

    def hang_up(request):
        request.transport.abort()
        return web.Response()

    with pytest.raises(WriteError) as raised:
        await write(session, batch_writer, hang_up)

    assert (raised.value.kind, raised.value.unanswered) == ("transient", True)


async def test_only_status_200_is_a_success(session):
    """It holds whatever the body says."""
    with pytest.raises(WriteError) as raised:
        await write(session, "signed", answering('{"UnprocessedItems":{}}', 500))

    assert raised.value.kind == "transient"


class Failing:
    """A client and a pool that fail in this way; None: never answer."""

    def __init__(self, error):
        self.error = error

    async def batch_write_item(self, **request):
        """Like aiobotocore's client."""
        if self.error is None:
            await asyncio.Event().wait()
        raise self.error

    async def request(self, request, timeout_s):
        """Like our own pool."""
        raise self.error


REFUSED = ClientConnectorError(SimpleNamespace(host="h", port=80, ssl=True), OSError("refused"))


@pytest.mark.parametrize(
    ("error", "code", "kind", "unanswered"),
    [
        (None, "timeout", "transient", True),
        (ConnectionClosedError(endpoint_url="http://h"), "ConnectionClosedError", "transient", True),
        (ReadTimeoutError(endpoint_url="http://h", error="late"), "ReadTimeoutError", "transient", True),
        (HTTPClientError(error="reset"), "HTTPClientError", "transient", True),
        (
            EndpointConnectionError(endpoint_url="http://h", error=OSError()),
            "EndpointConnectionError",
            "transient",
            True,
        ),
        (
            EndpointConnectionError(endpoint_url="http://h", error=REFUSED),
            "EndpointConnectionError",
            "transient",
            False,
        ),
        (ConnectTimeoutError(endpoint_url="http://h"), "ConnectTimeoutError", "transient", False),
        (ParamValidationError(report="r"), "ParamValidationError", "permanent", False),
    ],
)
async def test_aiobotocores_own_errors_are_distinguished(error, code, kind, unanswered):
    """What may be temporary is retried; what a retry cannot fix is not. What was sent may still be carried out."""
    with pytest.raises(WriteError) as raised:
        await ClientTransport(Failing(error), TABLE).write([PUT], 0.02)

    assert str(raised.value).startswith(f"{code}: ")
    assert (raised.value.kind, raised.value.unanswered) == (kind, unanswered)


@pytest.mark.parametrize("sent", [True, False])
async def test_a_connection_that_fails_may_pass(sent):
    """The rows may be sent again; whether they may be stored meanwhile depends on whether they were sent."""

    async def credentials():
        return ReadOnlyCredentials("key", "secret", None)

    pool = Failing(WireError("connection closed", sent=sent))
    transport = SignedTransport("http://h", "us-east-1", TABLE, pool, credentials, lambda: 1e9)
    with pytest.raises(WriteError, match="connection: connection closed") as raised:
        await transport.write([PUT], 5.0)

    assert (raised.value.kind, raised.value.unanswered) == ("transient", sent)


async def test_where_nothing_listens_another_attempt_may_succeed(session, batch_writer):
    """A refused connection is temporary with either transport: neither the table nor the rows are to blame."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # and never listened on
        endpoint = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        where = access(environ(endpoint), "dynamodb")
        async with client(session, "dynamodb", where, connections=1, retries=0) as dynamodb:
            signed = SignedTransport(
                endpoint, "us-east-1", TABLE, HttpPool(endpoint, 1), await credentials_of(session, where), lambda: 1e9
            )
            transport = signed if batch_writer == "signed" else ClientTransport(dynamodb, TABLE)
            with pytest.raises(WriteError) as raised:
                await transport.write([PUT], 5.0)

    assert (raised.value.kind, raised.value.unanswered) == ("transient", False)


@pytest.mark.parametrize("answer", [{}, {"UnprocessedItems": None}, {"UnprocessedItems": {"Another": [1]}}])
def test_nothing_unprocessed_has_many_forms(answer):
    """The member may be missing, null, or for another table."""
    assert unprocessed_keys(answer, TABLE) == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://h", "h"),
        ("http://h:80/x", "h"),
        ("https://h:443", "h"),
        ("https://h:80", "h:80"),
        ("http://h:443", "h:443"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://[::1]", "[::1]"),
    ],
)
def test_the_host_header_names_a_port_that_is_not_the_schemes(url, host):
    """It is signed, so it must match what is sent over the wire."""
    pool = HttpPool(url, 1)
    assert SignedTransport(url, "us-east-1", TABLE, pool, credentials_of, lambda: 1e9)._signer.host == host
