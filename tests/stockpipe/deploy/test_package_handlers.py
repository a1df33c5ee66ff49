"""The built package in use: unpacked, alone on the path, with AWS's runtime client; and its calls to AWS."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp
import pytest
import pytest_asyncio
import yarl
from aiohttp import web

from simulator.base import limits
from simulator.base.clock import SystemClock
from simulator.base.observations import LogWritten
from simulator.functions.runtimes import Code
from simulator.functions.runtimes.variables import DUMMY_CREDENTIALS
from simulator.stack import intrinsics
from simulator.stack import template as templates
from simulator.store import Store
from simulator.twin.surroundings import Machine
from simulator.twin.twin import Twin
from stockpipe.deploy import transform

STACK = "packaged"
PARAMETERS = {
    "GeneratorName": "PackagedGenerator",
    "ConsumerName": "PackagedConsumer",
    "TableName": "PackagedData",
    "QueueName": "PackagedQueue",
    "DeadLetterQueueName": "PackagedDLQ",
    "FileCount": "2",
    "RowsPerFile": "30",
    "VisibilityTimeout": "360",
}
START_AT = 1_795_000_000.0
# What Lambda itself does in a function's name: its poller with the queue (Developer Guide, "Configuring SQS
# triggers"), its log agent with the log group. No call of a handler shows them.
BY_LAMBDA = {
    "GeneratorRole": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "ConsumerRole": {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    },
}


@dataclass
class Recorder:
    """Forwards every request to the store, and records what the handlers' own credentials were used for.

    An entry is `action resource`, as IAM sees the call.
    """

    upstream: str
    calls: set[tuple[str, str]] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.Response:
        """Record it, forward it, and return the answer."""
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in {"host", "expect"}}
        url = yarl.URL(self.upstream + request.raw_path, encoded=True)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(request.method, url, data=body, headers=headers) as answer,
        ):
            content = await answer.read()
        if DUMMY_CREDENTIALS["AWS_ACCESS_KEY_ID"] in request.headers.get("Authorization", ""):
            self.calls |= set(needed(request.method, request.raw_path, request.headers, body, answer.status))
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in {"transfer-encoding", "connection", "content-length", "date", "server"}
        }
        return web.Response(status=answer.status, headers=kept, body=content)


def needed(method: str, path: str, headers: Any, body: bytes, status: int) -> Iterator[tuple[str, str]]:
    """What a role must allow for one request (Service Authorization Reference, Amazon S3 and DynamoDB)."""
    target = headers.get("X-Amz-Target")
    if target:
        operation = target.rpartition(".")[2]
        request = json.loads(body)
        tables = list(request["RequestItems"]) if "RequestItems" in request else [request["TableName"]]
        for table in tables:
            yield f"dynamodb:{operation}", f"arn:aws:dynamodb:{limits.REGION}:{limits.ACCOUNT_ID}:table/{table}"
        return
    parts = urlsplit(path)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    query = parse_qs(parts.query, keep_blank_values=True)
    if not key:
        yield ("s3:ListBucket" if method in {"GET", "HEAD"} else f"s3:unexpected {method}"), f"arn:aws:s3:::{bucket}"
        return
    action = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
    name = "s3:PutObject" if method == "POST" else action[method]
    if method == "DELETE" and "uploadId" in query:
        name = "s3:AbortMultipartUpload"
    yield name, f"arn:aws:s3:::{bucket}/{key}"
    if name == "s3:GetObject" and status == 404:
        # Without this permission the answer would have been 403.
        yield "s3:ListBucket", f"arn:aws:s3:::{bucket}"


@asynccontextmanager
async def recording(upstream: str) -> AsyncIterator[tuple[Recorder, str]]:
    """The recorder and its endpoint."""
    recorder = Recorder(upstream)
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", recorder.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield recorder, f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def statements(role: str) -> list[dict[str, Any]]:
    """The statements of a role in the translated template, every intrinsic replaced."""
    sam = transform.with_code(templates.load().document, "artifacts", "code.zip")
    translated = transform.translate(sam, PARAMETERS, limits.REGION)
    document = intrinsics.Document(json.dumps(translated), "translated.json", PARAMETERS, STACK, {})
    stack = templates.load(None, PARAMETERS, stack_name=STACK)
    arns = {
        name: resource.arn for kind in (stack.buckets, stack.queues, stack.tables) for name, resource in kind.items()
    }
    document.reference = lambda name, attribute: arns.get(name, f"arn:aws:logs:{name}")
    found = document.resolve(document.resources[role])["Properties"]
    assert "ManagedPolicyArns" not in found
    return [statement for policy in found["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def as_list(value: Any) -> list[str]:
    """IAM's value, one or many, as a list."""
    return value if isinstance(value, list) else [value]


def allows(statement: dict[str, Any], action: str, resource: str) -> bool:
    """Whether an Allow statement covers a call."""
    return (
        statement["Effect"] == "Allow"
        and any(fnmatch.fnmatchcase(action, pattern) for pattern in as_list(statement["Action"]))
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(task_root: Path) -> tuple[set[tuple[str, str]], int, list[Any]]:
    """With one tick, a file with a bad row and a missing key: the handlers' calls, the rows, the observations."""
    observed: list[Any] = []
    stack = templates.load(None, PARAMETERS, stack_name=STACK)
    async with (
        Store.open() as store,  # of its own: the names are those that the roles name
        recording(store.endpoint) as (recorder, endpoint),
        Twin.open(
            stack,
            Machine(clock=SystemClock(), runtime="process", endpoint_url=endpoint),
            record=observed.append,
            seed=7,
            code={name: Code(task_root) for name in stack.functions},
        ) as twin,
    ):
        bucket = twin.resources.bucket or ""
        twin.start_mappings()
        await twin.run_schedules(start_at=START_AT, speed=60.0, ticks=1, stop=asyncio.Event())
        content = b"ticker,timestamp,close\nAAPL,2026-01-02T10:00:00Z,1.5\nAAPL,yesterday,2\n"
        await twin.clients.s3.put_object(Bucket=bucket, Key="stocks/with a bad row.csv", Body=content)
        gone = {"Records": [{"eventName": "ObjectCreated:Put", "eventSource": "aws:s3", "eventVersion": "2.1"}]}
        gone["Records"][0]["s3"] = {"bucket": {"name": bucket}, "object": {"key": "stocks/gone.csv"}}  # type: ignore[assignment]
        await twin.clients.sqs.send_message(
            QueueUrl=twin.resources.queue_urls["StockQueue"], MessageBody=json.dumps(gone)
        )
        assert await twin.drained(60.0), [
            observation.line for observation in observed if isinstance(observation, LogWritten)
        ]
        await twin.stop_mappings()
        answer = await twin.clients.dynamodb.scan(TableName=twin.resources.table or "", Select="COUNT")
        return recorder.calls, answer["Count"], observed


def test_handlers_run_from_the_package_alone(run: tuple[set[Any], int, list[Any]]) -> None:
    """With the unpacked zip, the standard library and AWS's runtime client on the path, a tick's rows are stored."""
    calls, rows, observed = run
    assert rows == 2 * 30 + 1
    assert {observation.outcome for observation in observed if type(observation).__name__ == "InvocationEnded"} == {
        "success"
    }
    assert any(resource.endswith("rejected/stocks/with a bad row.csv.jsonl") for _, resource in calls)


def test_calls_are_a_subset_of_the_roles(run: tuple[set[tuple[str, str]], int, list[Any]]) -> None:
    """Every call that a handler made in a full run is allowed by a role, the generator's by its own."""
    generator, consumer = statements("GeneratorRole"), statements("ConsumerRole")
    generated = re.compile(r"/stocks/\d{4}/")
    for action, resource in run[0]:
        role = generator if action == "s3:PutObject" and generated.search(resource) else consumer
        assert any(allows(statement, action, resource) for statement in role), (action, resource)


@pytest.mark.parametrize("role", ["GeneratorRole", "ConsumerRole"])
def test_every_statement_is_needed(run: tuple[set[tuple[str, str]], int, list[Any]], role: str) -> None:
    """Each action of each statement is one that the handler made on that resource, or that Lambda makes for it."""
    for statement in statements(role):
        for action in as_list(statement["Action"]):
            narrowed = {**statement, "Action": action}
            used = any(allows(narrowed, *call) for call in run[0]) or action in BY_LAMBDA[role]
            assert used, (role, statement["Sid"], action)
            assert "*" not in action
        assert as_list(statement["Resource"]) != ["*"]
