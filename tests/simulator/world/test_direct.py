"""The twin's own busy calls: what they ask the store, what they make of its answer, and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes.fibers import run
from simulator.base.chance import Identifiers, stream
from simulator.store.wire.messages import Request, Response
from simulator.store.wire.routing import route
from simulator.world.direct import DirectS3, DirectSqs
from simulator.world.wire import Caller

CLIENT = SimpleNamespace(head_object="the client's own")


class Shop:
    """A store that notes what it is asked and when, and answers what it is given."""

    def __init__(self, *responses: Response) -> None:
        self.responses, self.asked = list(responses), list[tuple[float, Request]]()

    async def answer(self, request: Request) -> Response:
        """The next of the responses."""
        self.asked.append((asyncio.get_running_loop().time(), request))
        return self.responses.pop(0)


def caller() -> Caller:
    """Who polls."""
    return Caller("mappings", 1, 1769, is_own=True)


def called(work: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Any, float]:
    """The work's result, or the `ClientError` that it raises; and when that was."""

    async def main(*_: Any) -> tuple[Any, float]:
        try:
            result = await work()
        except ClientError as error:
            result = error
        return result, asyncio.get_running_loop().time()

    return run(main)


@pytest.mark.parametrize("name", ["receive_message", "delete_message_batch"])
def test_a_call_of_sqs_asks_as_a_client_does(name: str) -> None:
    """The store takes it for SQS's operation with these parameters, and what it answers is the result."""
    shop = Shop(Response(200, b'{"Messages":[{"Body":"x"}]}'))
    parameters = {"QueueUrl": "http://127.0.0.1:9/1/q", "VisibilityTimeout": 30}
    found, _ = called(lambda: getattr(DirectSqs(CLIENT, shop.answer, caller()), name)(**parameters))
    assert found == {"Messages": [{"Body": "x"}]}
    routed = route(shop.asked[0][1], Identifiers(stream(1, "requests")))
    assert (routed.service, routed.operation) == ("sqs", name.title().replace("_", ""))
    assert (routed.parameters, routed.home.region) == (parameters, "us-east-1")


def test_a_latency_precedes_the_answer() -> None:
    """The store is asked when it has passed; a long poll then waits as long as it is told to."""
    shop = Shop(Response(200, b"{}"))
    latency_s = caller().latency_s("sqs", "ReceiveMessage")
    _, ended_s = called(lambda: DirectSqs(CLIENT, shop.answer, caller()).receive_message())
    assert (shop.asked[0][0], ended_s) == pytest.approx((latency_s, latency_s))


def test_a_refusal_of_sqs_is_botocores_error() -> None:
    """With the code without its prefix, the text and the status, and the operation's name; it takes as long."""
    refusal = {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}
    shop = Shop(Response(400, json.dumps(refusal).encode()))
    error, ended_s = called(lambda: DirectSqs(CLIENT, shop.answer, caller()).receive_message())
    assert str(error) == (
        "An error occurred (QueueDoesNotExist) when calling the ReceiveMessage operation: no such queue"
    )
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert ended_s == pytest.approx(caller().latency_s("sqs", "ReceiveMessage"))


def test_an_object_is_read_in_parts_at_once() -> None:
    """Whatever its key, in no time; an empty object has no parts."""
    shop = Shop(Response(200, b"abcde"), Response(200, b""))

    async def read() -> list[list[bytes]]:
        s3, parts = DirectS3(CLIENT, shop.answer), []
        for key in ("a b/ü+%.csv", "empty"):
            async with (await s3.get_object(Bucket="b", Key=key))["Body"] as body:
                parts.append([part async for part in body.iter_chunks(2)])
        return parts

    assert called(read) == ([[b"ab", b"cd", b"e"], []], 0)
    assert [request.target for _, request in shop.asked] == ["/b/a%20b/%C3%BC%2B%25.csv", "/b/empty"]


def test_too_many_reads_wait_for_the_next_second() -> None:
    """S3 counts requests by the second: what it refuses as too many is asked again a second later."""
    busy = Response(503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
    shop = Shop(busy, busy, Response(200, b"x"))
    _, ended_s = called(lambda: DirectS3(CLIENT, shop.answer).get_object(Bucket="b", Key="k"))
    assert ([at for at, _ in shop.asked], ended_s) == ([0, 1, 2], 2)


def test_a_refusal_of_s3_is_botocores_error() -> None:
    """Its code and its text are the answer's, unescaped; an answer of nothing has the status for a code."""
    gone = Response(404, b"<Error><Code>NoSuchKey</Code><Message>a &lt; b</Message></Error>")
    shop = Shop(gone, Response(404))
    said = [str(called(lambda: DirectS3(CLIENT, shop.answer).get_object(Bucket="b", Key="k"))[0]) for _ in "12"]
    assert said == [
        "An error occurred (NoSuchKey) when calling the GetObject operation: a < b",
        "An error occurred (404) when calling the GetObject operation: Not Found",
    ]


def test_all_else_is_the_clients() -> None:
    """What is not busy goes to the client behind it."""
    assert DirectS3(CLIENT, Shop().answer).head_object == "the client's own"
