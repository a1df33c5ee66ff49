"""Replacements of moto's code see the request that is being answered, and no other."""

from __future__ import annotations

import asyncio

import pytest

from fakes.clock import ManualClock
from simulator.store.front.application import Application
from simulator.store.moto.scope import SCOPE, StoreContext
from simulator.store.wire.messages import Request, Response, Routed

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def _moto(routed: Routed) -> Response:
    """Answers with the target and the index bytes of the scope, not of the argument; fails on `/broken`."""
    scope = SCOPE.get()
    assert scope.routed is routed
    scope.index_bytes += 1
    if routed.request.path == "/broken":
        raise RuntimeError("nobody foresaw this")
    return Response(200, f"{scope.routed.request.path} {scope.index_bytes}".encode())


async def answered(application: Application, path: str) -> Response:
    """The answer to a GET from S3; afterwards this task has no request any more."""
    response = await application.answer(Request("GET", path, {}, (), b""))
    with pytest.raises(LookupError):
        SCOPE.get()
    return response


async def test_each_request_has_a_scope_of_its_own_and_none_outlives_it(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever the request before it was, and whether it failed: a scope begins empty, and ends with its request."""
    store = StoreContext.of(ManualClock(), "a seed", strict=False)
    application = Application(store, _moto, set(), rates=False)
    paths = ["/one", "/broken", "/two", "/two"]
    responses = [await answered(application, path) for path in paths]
    assert [response.status for response in responses] == [200, 500, 200, 200]
    assert [response.body for response in responses if response.status == 200] == [b"/one 1", b"/two 1", b"/two 1"]
    assert b"nobody foresaw this" in responses[1].body
    assert "RuntimeError: nobody foresaw this" in capfd.readouterr().err
    together = await asyncio.gather(*(answered(application, f"/{number}") for number in range(20)))
    assert [response.body for response in together] == [f"/{number} 1".encode() for number in range(20)]


@pytest.mark.parametrize(
    ("service", "headers", "body", "said"),
    [
        (
            "sns",
            FORM,
            b"Action=Publish&Message=m",
            "<Code>NotImplemented</Code><Message>The stockpipe store serves S3, ",
        ),
        ("events", {"x-amz-target": "AWSEvents.PutEvents"}, b"{}", '{"__type":"NotImplemented","message":"The stockp'),
        ("lambda", {}, b"{}", '{"__type":"NotImplemented","message":"The stockp'),
    ],
)
async def test_a_service_that_is_not_here_says_so_in_its_protocol(
    service: str, headers: dict[str, str], body: bytes, said: str
) -> None:
    """A client that expects XML could not read JSON, and would complain of that instead."""
    scope = f"AWS4-HMAC-SHA256 Credential=AKIA/20260105/us-east-1/{service}/aws4_request, SignedHeaders=host"
    application = Application(StoreContext.of(ManualClock(), "a seed", strict=False), _moto, set(), rates=False)
    response = await application.answer(Request("POST", "/", {"authorization": scope, **headers}, (), body))
    assert response.status == 501
    assert said in response.body.decode()
