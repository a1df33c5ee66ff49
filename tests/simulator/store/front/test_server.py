"""The store's port: requests that a web page makes a browser send change nothing and read nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from simulator.base.clients import connect, offline_session
from simulator.store import Store, StoreDied

FOREIGN = {
    "a form on a page": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "a sandboxed page": {"Origin": "null"},
    "an image on a page": {"Sec-Fetch-Site": "cross-site"},
    "a name that was bound anew": {"Host": "evil.example:4566"},
}


async def answered(endpoint: str, method: str, target: str, headers: dict[str, str], body: str = "") -> tuple[int, str]:
    """Status and whole answer of a request written like this."""
    parts = urlsplit(endpoint)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close"} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with closing(writer):
        writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n{body}".encode())
        answer = (await reader.read()).decode()
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("page", FOREIGN)
async def test_no_page_from_elsewhere_drives_the_store(store_endpoint: str, page: str) -> None:
    """Nothing is purged, read or switched, and no answer lets the page read it, whatever it requests."""
    async with connect(store_endpoint, offline_session()) as clients:
        name = page.replace(" ", "-")
        url = (await clients.sqs.create_queue(QueueName=name))["QueueUrl"]
        await clients.sqs.send_message(QueueUrl=url, MessageBody="kept")
        form = {"Content-Type": "application/x-www-form-urlencoded"} | FOREIGN[page]
        purge = f"Action=PurgeQueue&Version=2012-11-05&QueueUrl={url}"
        for method, target, body in (
            ("POST", "/", purge),
            ("POST", f"{urlsplit(url).path}?{purge}", ""),
            ("OPTIONS", "/", ""),
            ("GET", f"/_stockpipe/messages?queue={name}", ""),
            ("GET", "/_stockpipe/counters", ""),
            ("POST", "/_stockpipe/refuse-writes?table=x&fraction=1", ""),
            ("PUT", "/new-bucket", ""),
            ("GET", "/", ""),
        ):
            status, answer = await answered(store_endpoint, method, target, form, body)
            head, _, said = answer.partition("\r\n\r\n")
            assert status == 403, (method, target, answer)
            assert "access-control" not in head.lower()
            assert "kept" not in answer
            assert said.count("\n") == 1
            assert "http://127.0.0.1" in said
        counted = await clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        assert counted["Attributes"]["ApproximateNumberOfMessages"] == "1"
        buckets = {bucket["Name"] for bucket in (await clients.s3.list_buckets())["Buckets"]}
        assert "new-bucket" not in buckets


async def test_programs_and_pages_of_this_machine_are_let_in(store_endpoint: str) -> None:
    """They may use any name of loopback, no Host as in HTTP/1.0, or be a page that this machine serves."""
    for headers in ({"Host": "LOCALHOST:1"}, {"Host": "[::1]"}, {"Origin": "http://localhost:3000"}):
        assert (await answered(store_endpoint, "GET", "/_stockpipe/health", headers))[0] == 200
    parts = urlsplit(store_endpoint)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    with closing(writer):
        writer.write(b"GET /_stockpipe/health HTTP/1.0\r\n\r\n")
        assert (await reader.read()).split()[1] == b"200"


async def test_a_refused_body_is_not_requested(store_endpoint: str) -> None:
    """A client that waits for `100 Continue` gets the refusal instead."""
    parts = urlsplit(store_endpoint)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    with closing(writer):
        writer.write(b"PUT /b/k HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"403"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("messages?queue=gone", "there is no queue 'gone'"),
        ("messages?queue=gone&after=abc", "after must be a whole number from 0 on, not 'abc'"),
        ("messages?queue=gone&after=-2", "after must be a whole number"),
        ("messages?queue=gone&after=1.5", "after must be a whole number"),
        (f"messages?queue=gone&after={'9' * 5_000}", "after must be a whole number"),
        ("messages?queue=a%0Ab", r"there is no queue 'a\nb'"),
        ("earlier?bucket=gone&after=nan", "after must be a whole number"),
        ("earlier?bucket=gone", "there is no bucket 'gone'"),
        ("earlier-content?bucket=gone", "number must be a whole number from 0 on, not ''"),
        ("earlier-content?bucket=gone&number=0&offset=%F0", "offset must be a whole number"),
    ],
)
async def test_a_mistake_in_a_control_call_is_one_line(store_endpoint: str, query: str, said: str) -> None:
    """The answer is a 400 that says what is wrong."""
    status, answer = await answered(store_endpoint, "GET", f"/_stockpipe/{query}", {})
    line = answer.partition("\r\n\r\n")[2]
    assert (status, line.count("\n")) == (400, 1)
    assert said in line


async def test_what_changes_something_is_sent_by_post(store_endpoint: str) -> None:
    """A link cannot do it: any other method is 405, and the answer names the one to use."""
    target = "/_stockpipe/refuse-writes?table=gone&fraction=1"
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        status, answer = await answered(store_endpoint, method, target, {})
        assert (status, "Allow: POST" in answer) == (405, True)
    assert (await answered(store_endpoint, "POST", target, {}))[0] == 400
    status, answer = await answered(store_endpoint, "GET", "/_stockpipe/nothing", {})
    assert (status, "the calls are health, counters" in answer) == (404, True)


async def test_an_invalid_fraction_is_refused_in_one_line(store_endpoint: str) -> None:
    """It may not be a number, be infinite, negative, or above one."""
    async with connect(store_endpoint, offline_session()) as clients:
        await clients.dynamodb.create_table(
            TableName="fraction-of-nothing",
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for fraction in ("nan", "inf", "-1", "1.01", "x", "", "9" * 5_000):
            target = f"/_stockpipe/refuse-writes?table=fraction-of-nothing&fraction={fraction}"
            status, answer = await answered(store_endpoint, "POST", target, {})
            assert (status, answer.partition("\r\n\r\n")[2][:19]) == (400, "fraction must be a ")
        counters = json.loads(
            (await answered(store_endpoint, "GET", "/_stockpipe/counters", {}))[1].partition("\r\n\r\n")[2]
        )
        assert counters["tables"]["fraction-of-nothing"]["throttled_requests"] == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
async def test_a_store_without_memory_says_so_and_ends() -> None:
    """The store may have no memory for an object: its last output says so, and its owner gets that."""
    async with Store.open() as store:
        limit = 32 * 1024 * 1024
        resource.prlimit(store.pid, resource.RLIMIT_AS, (limit, limit))  # less than it has: nothing more is given
        async with connect(store.endpoint, offline_session()) as clients:
            with contextlib.suppress(BotoCoreError, ClientError):
                await clients.s3.create_bucket(Bucket="full")
                await clients.s3.put_object(Bucket="full", Key="k", Body=b"x" * 8 * limit)
        with pytest.raises(StoreDied, match=r"ended unexpectedly \(exit code 3\); its last output: out of memory"):
            await store.counters()
