"""What the consumer does with its settings when its environment opens."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace

import pytest
from botocore.credentials import ReadOnlyCredentials

from fakes.handlers import environ
from pipeline import consumer
from pipeline.functions import ConsumerSettings
from pipeline.transports import ClientTransport, SignedTransport

AT_AWS = {"TABLE_NAME": "T", "AWS_REGION": "eu-west-1"}
REGIONAL = "https://dynamodb.eu-west-1.amazonaws.com"


class Session:
    """Makes clients that know AWS's address, and records what each was made with."""

    def __init__(self):
        self.made = {}

    @asynccontextmanager
    async def create_client(self, service, **options):
        """Like aiobotocore's."""
        self.made[service] = options
        region = options["region_name"]
        regional = f"https://{service}.{region}.amazonaws.com"
        yield SimpleNamespace(meta=SimpleNamespace(endpoint_url=options["endpoint_url"] or regional))

    async def get_credentials(self):
        """The credentials that botocore finds on its own."""

        async def frozen():
            return ReadOnlyCredentials("found", "secret", None)

        return SimpleNamespace(get_frozen_credentials=frozen)


@pytest.fixture
def authorities(monkeypatch):
    """What these tests trust over TLS, so that no bundle is read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(consumer, "trusted_authorities", lambda _environ: context)
    return context


async def transport_for(session, variables):
    """The transport that these variables select."""
    async with AsyncExitStack() as stack:
        settings = ConsumerSettings.from_environ(variables)
        return await consumer._open_transport(stack, settings, variables, session)


async def test_aws_is_written_to_at_the_endpoint_that_botocore_knows(authorities):
    """Our own client signs, uses TLS with botocore's authorities, and has the credentials that botocore finds."""
    transport = await transport_for(Session(), AT_AWS)

    assert isinstance(transport, SignedTransport)
    assert (transport._pool._host, transport._pool._port) == ("dynamodb.eu-west-1.amazonaws.com", 443)
    assert transport._pool._ssl is authorities
    head = (await transport._signer.head(b"{}")).decode()
    assert "\r\nHost: dynamodb.eu-west-1.amazonaws.com\r\n" in head
    assert "Credential=found/" in head
    assert "/eu-west-1/dynamodb/aws4_request" in head


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://127.0.0.1:8000", "http://127.0.0.1:8000/https:"])
async def test_an_endpoint_of_ones_own_is_written_to_without_a_client(authorities, url):
    """Opening a client would take longer than everything else; TLS is used if the endpoint says so."""
    session = Session()
    variables = environ(url, HTTPS_PROXY="http://proxy:3128")

    transport = await transport_for(session, variables)

    assert isinstance(transport, SignedTransport)
    assert session.made == {}
    assert (transport._pool._host, transport._pool._port) == ("127.0.0.1", 8000)
    assert transport._pool._ssl is (authorities if url.startswith("https:") else None)


@pytest.mark.parametrize(
    "variables",
    [
        environ("http://127.0.0.1:8000", BATCH_WRITER="aiobotocore"),
        AT_AWS | {"BATCH_WRITER": "aiobotocore"},
        AT_AWS | {"HTTPS_PROXY": "http://proxy:3128"},
        AT_AWS | {"https_proxy": "http://proxy:3128"},
    ],
)
async def test_botocores_client_writes_where_it_is_chosen_or_there_is_a_proxy(variables):
    """It never retries on its own: the writer's attempts know the time and the rate."""
    session = Session()

    transport = await transport_for(session, variables | {"WRITE_CONCURRENCY": "7"})

    assert isinstance(transport, ClientTransport)
    assert transport.table == variables["TABLE_NAME"]
    config = session.made["dynamodb"]["config"]
    assert config.max_pool_connections == 7
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}


async def test_idle_connections_are_closed_with_the_environment():
    """Until then, as many are kept as requests may be in flight."""
    closed = []
    async with AsyncExitStack() as stack:
        variables = environ("http://127.0.0.1:8000", WRITE_CONCURRENCY="7")
        settings = ConsumerSettings.from_environ(variables)
        transport = await consumer._open_transport(stack, settings, variables, Session())
        assert transport._pool._keep == 7
        transport._pool._idle.append(SimpleNamespace(close=lambda: closed.append("one")))
        assert closed == []
    assert closed == ["one"]


async def test_each_object_being_read_has_a_connection_to_s3():
    """A request to S3 is tried five times."""
    session = Session()
    async with consumer.open_environment(environ("http://127.0.0.1:1", OBJECT_CONCURRENCY="7"), session, print):
        config = session.made["s3"]["config"]
        assert config.max_pool_connections == 7
        assert config.retries == {"mode": "standard", "total_max_attempts": 5}


@pytest.mark.parametrize(("given", "name"), [({}, "ConsumerLambda"), ({"AWS_LAMBDA_FUNCTION_NAME": "Mine"}, "Mine")])
async def test_figures_have_the_functions_name_without_a_context(given, name):
    """Lambda's variable gives the name; elsewhere it is the template's."""
    lines = []
    async with consumer.open_environment(environ("http://127.0.0.1:1", **given), Session(), lines.append) as invoke:
        assert await invoke({"Records": []}, None) == {"batchItemFailures": []}
    assert [json.loads(line)["FunctionName"] for line in lines] == [name]


@pytest.mark.parametrize(("given", "rate"), [("", None), ("0", None), ("1", 1), ("250", 250)])
async def test_the_rate_of_writing_is_the_settings_or_the_tables(monkeypatch, given, rate):
    """No rate, or a rate of zero, leaves it to the table."""
    opened = []

    class Invocation:
        def __init__(self, environment, _context):
            opened.append(environment)

        async def run(self, _event):
            """Do nothing."""

    monkeypatch.setattr(consumer, "_Invocation", Invocation)
    variables = environ("http://127.0.0.1:1", WRITE_RATE=given, WRITE_CONCURRENCY="7", OBJECT_CONCURRENCY="3")
    async with consumer.open_environment(variables, Session(), print) as invoke:
        await invoke(None, None)

    (environment,) = opened
    assert environment.table.rate.rows_per_s == rate
    assert (environment.table.slots.free, await slots_of(environment.objects)) == (7, 3)


async def slots_of(semaphore: asyncio.Semaphore) -> int:
    """How many slots can be taken at once."""
    taken = 0
    while not semaphore.locked():
        await semaphore.acquire()
        taken += 1
    return taken
