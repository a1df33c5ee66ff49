"""What either way of sending makes of DynamoDB's answers, and of answers that are not DynamoDB's."""

from __future__ import annotations

import json
import zlib

import pytest
from aiohttp import web

from fakes.aws import TABLE, serving
from fakes.handlers import environ
from pipeline.environment import access, client, credentials_of
from pipeline.table import WriteError, kind_of
from pipeline.transports import ClientTransport, SignedTransport
from pipeline.wire import HttpPool

PUT = '{"PutRequest":{"Item":{"PK":{"S":"A\\""},"SK":{"S":"2024-01-02"},"n":{"N":"1"}}}}'


async def write(session, writer, answer):
    """Write one put to a server that gives this answer, over this way."""
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
    """An answer of DynamoDB's content type."""
    return lambda _request: web.Response(
        text=text, status=status, headers=headers, content_type="application/x-amz-json-1.0"
    )


async def test_both_ways_send_the_same_body_and_read_the_same_answer(session, batch_writer):
    """The body, parsed, is the same to the last character; so are the keys that were left."""
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
async def test_both_ways_tell_errors_apart(session, batch_writer, text, status, kind):
    """By DynamoDB's code, else by the status; a load balancer's page is no reason to give up."""
    with pytest.raises(WriteError) as raised:
        await write(session, batch_writer, answering(text, status))

    assert raised.value.kind == kind


async def test_an_answer_damaged_on_its_way_is_asked_for_again(session):
    """DynamoDB sends a checksum with each answer; one that does not fit tells nothing about the rows."""
    text = '{"UnprocessedItems": {} }'
    good, bad = zlib.crc32(text.encode()), zlib.crc32(b"another")

    assert await write(session, "signed", answering(text, headers={"x-amz-crc32": str(good)})) == []
    with pytest.raises(WriteError, match="damaged") as raised:
        await write(session, "signed", answering(text, headers={"x-amz-crc32": str(bad)}))
    assert raised.value.kind == "transient"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"UnprocessedItems": {"StockData": [{}]}}'])
async def test_a_success_that_cannot_be_read_is_no_success(session, text):
    """Status 200 alone stores nothing for sure."""
    with pytest.raises(WriteError) as raised:
        await write(session, "signed", answering(text))

    assert raised.value.kind == "transient"


def test_every_throttle_of_dynamodb_slows_down_and_nothing_else_does():
    """The codes of the Developer Guide's error table."""
    for code in ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"):
        assert kind_of(code, 400) == "throttled"
    assert kind_of("ResourceNotFoundException", 400) == "permanent"
    assert kind_of("", 403) == "permanent"
    assert kind_of("Anything", 500) == "transient"
