"""Clients of a running store, and stock moto beside it for comparison."""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import pytest_asyncio
from botocore.config import Config

from fakes.signatures import signed
from simulator.base.chance import Identifiers, stream
from simulator.store import Store
from simulator.store.moto.application import MotoApplication
from simulator.store.wire.messages import Request, Response
from simulator.store.wire.routing import route

ACCOUNT = "123456789012"
_numbers = itertools.count()


def client(service: str, endpoint: str) -> Any:
    """A boto3 client that tries once and passes every parameter to the server unchecked."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@pytest.fixture(scope="session")
def sqs(store_endpoint: str) -> Any:
    """SQS in the session's strict store."""
    return client("sqs", store_endpoint)


@pytest.fixture(scope="session")
def dynamodb(store_endpoint: str) -> Any:
    """DynamoDB in the session's strict store."""
    return client("dynamodb", store_endpoint)


@pytest.fixture(scope="session")
def s3(store_endpoint: str) -> Any:
    """S3 in the session's strict store."""
    return client("s3", store_endpoint)


@pytest.fixture
def name() -> str:
    """A name that nothing else uses."""
    return f"store-{next(_numbers)}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lenient_store() -> AsyncIterator[Store]:
    """A store without AWS's rules: it must answer like stock moto."""
    async with Store.open(strict=False) as store:
        yield store


@dataclass(frozen=True)
class Server:
    """A server that answers requests: stock moto, or the store."""

    call: Callable[[str, str, dict[str, str], bytes], Response]

    def json(self, service: str, operation: str, parameters: dict[str, Any]) -> tuple[int, Any]:
        """One request in the JSON protocol: status and parsed answer, None for Flask's page for a 500."""
        prefix = {"sqs": "AmazonSQS", "dynamodb": "DynamoDB_20120810"}[service]
        headers = {
            "X-Amz-Target": f"{prefix}.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": signed(service),
        }
        response = self.call("POST", "/", headers, json.dumps(parameters).encode())
        return response.status, None if response.body.startswith(b"<!doctype") else json.loads(response.body or b"{}")

    def s3(self, method: str, target: str, body: bytes = b"", **headers: str) -> Response:
        """One request to S3; underscores in header names become hyphens."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.call(method, target, {"Authorization": signed("s3"), **named}, body)


@dataclass(frozen=True)
class Twins:
    """Stock moto, in this process, and the store that must answer like it."""

    stock: Server
    store: Server


@pytest.fixture(scope="session")
def twins(lenient_store: Store) -> Iterator[Twins]:
    """Stock moto and the store without AWS's rules."""
    address = urlsplit(lenient_store.endpoint)
    moto = MotoApplication(address.port or 0, "stock moto")
    identifiers = Identifiers(stream(0, "stock moto"))
    connection = http.client.HTTPConnection(address.hostname or "", address.port)

    def to_stock(method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        sent = {"Host": address.netloc, **headers}
        raw = tuple((key.encode(), value.encode()) for key, value in sent.items())
        request = Request(method, target, {key.lower(): value for key, value in sent.items()}, raw, body)
        return moto.call(route(request, identifiers))

    def to_store(method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return Response(answer.status, answer.read(), answer.getheaders())

    yield Twins(Server(to_stock), Server(to_store))
    connection.close()
