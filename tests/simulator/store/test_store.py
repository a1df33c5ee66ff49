"""The store's process: it starts, answers many at once, and ends with its owner, however that ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fakes.signatures import signed, signed_json
from fakes.waiting import wait_until
from simulator.base import limits
from simulator.store import ControlRefused, PortInUse, Store, StoreDied

_OWNER = """
import asyncio
from simulator.store import Store
async def main():
    async with Store.open() as store:
        print(store.pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


on_the_sessions_loop = pytest.mark.asyncio(loop_scope="session")


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def outside(pid: int) -> tuple[bytes, str]:
    """What a process was given: its environment, and its standard input. Skipped where there is no /proc."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc")
    return Path(f"/proc/{pid}/environ").read_bytes(), Path(f"/proc/{pid}/fd/0").readlink().name


async def test_a_store_serves_one_loopback_endpoint_and_is_gone_afterwards() -> None:
    """The endpoint answers while the store is open, and the process is reaped at the end."""
    async with Store.open() as store:
        assert store.endpoint.startswith("http://127.0.0.1:")
        counters = await store.counters()
        assert (counters.queues, counters.cpu_s > 0, counters.memory_bytes > 0) == ({}, True, True)
        pid = store.pid
    assert not is_running(pid)


async def test_a_store_ends_when_its_block_is_cancelled() -> None:
    """A cancelled owner leaves no process."""
    pids = []

    async def own() -> None:
        async with Store.open() as store:
            pids.append(store.pid)
            opened.set()
            await asyncio.Event().wait()

    opened = asyncio.Event()
    task = asyncio.create_task(own())
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(pids[0])


def test_a_store_ends_when_its_owner_is_killed() -> None:
    """Then nothing stops it: it sees the end of its standard input. This holds for SIGKILL and SIGTERM."""
    ways = (signal.SIGKILL, signal.SIGTERM)
    owners = [subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE, text=True) for _ in ways]
    for owner, way in zip(owners, ways, strict=True):
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.send_signal(way)
        owner.communicate()
        wait_until(lambda pid=pid: not is_running(pid))


async def _message_ids(seed: int | None) -> list[str]:
    """The ids that a new store gives four messages: by its fast path, in a batch, by moto's code, and an S3 event."""
    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    policy = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}}
    event = f"<QueueConfiguration><Queue>{arn}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
    configuration = f"<NotificationConfiguration>{event}</NotificationConfiguration>"
    async with Store.open(seed=seed) as store, aiohttp.ClientSession() as session:

        async def call(operation: str, **parameters: Any) -> Any:
            headers = signed_json("AmazonSQS", operation)
            async with session.post(store.endpoint, data=json.dumps(parameters), headers=headers) as response:
                return json.loads(await response.read())

        url = (await call("CreateQueue", QueueName="q", Attributes={"Policy": json.dumps(policy)}))["QueueUrl"]
        await call("SendMessage", QueueUrl=url, MessageBody="m")
        await call("SendMessageBatch", QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "m"}])
        attribute = {"DataType": "String", "StringValue": "v"}
        await call("SendMessage", QueueUrl=url, MessageBody="m", MessageAttributes={"a": attribute})
        for target, body in (("/bbb", ""), ("/bbb?notification", configuration), ("/bbb/k", "x")):
            async with session.put(
                store.endpoint + target, data=body, headers={"Authorization": signed("s3")}
            ) as response:
                assert response.status == 200
        return [message.message_id async for message in store.peek("q")]


async def test_two_stores_of_one_seed_give_the_same_sends_the_same_ids() -> None:
    """It holds for every message, whichever code makes it; without a seed no two stores share an id."""
    ids = await asyncio.gather(*map(_message_ids, (7, 7, 8, None, None)))
    assert ids[0] == ids[1]
    assert [len(each) for each in ids] == [5] * 5
    assert len({*ids[0], *ids[2], *ids[3], *ids[4]}) == 20


@on_the_sessions_loop
async def test_ctrl_c_in_the_terminal_does_not_reach_the_store(lenient_store: Store) -> None:
    """The store has a session of its own and ignores SIGINT; its owner decides when it ends."""
    assert os.getsid(lenient_store.pid) != os.getsid(0)
    os.kill(lenient_store.pid, signal.SIGINT)
    await lenient_store.counters()


async def test_the_death_of_the_process_is_reported_at_once() -> None:
    """`wait_died` raises, and so does every later call, with the reason in one line."""
    async with Store.open() as store:
        os.kill(store.pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            with pytest.raises(StoreDied, match=r"ended unexpectedly \(signal 9\)"):
                await store.wait_died()
        with pytest.raises(StoreDied):
            await store.counters()


async def test_a_store_that_does_not_answer_is_reported_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process is alive but silent: `wait_died` raises, and the block still ends it."""
    monkeypatch.setattr(limits, "SILENCE_LOOK_S", 0.01)
    async with Store.open() as store:
        os.kill(store.pid, signal.SIGSTOP)
        with pytest.raises(StoreDied, match=rf"does not answer \(process {store.pid} is stopped"):
            await store.wait_died()
    with pytest.raises(ProcessLookupError):
        os.kill(store.pid, 0)


@on_the_sessions_loop
async def test_a_port_in_use_is_one_clear_line(lenient_store: Store) -> None:
    """The line names the port and says what to do."""
    port = lenient_store.port
    with pytest.raises(PortInUse, match=rf"port {port} cannot be used: .*; `--port 0` uses a free one"):
        async with Store.open(port=port):
            pass


async def test_the_users_aws_variables_do_not_reach_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither credentials nor files of the user are in its environment, and its standard input is not the terminal."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "999999999999")
    async with Store.open() as store:
        environment, standard_input = outside(store.pid)
    assert b"production" not in environment
    assert b"MOTO_" not in environment
    assert b"AWS_SECRET_ACCESS_KEY=testing" in environment
    assert standard_input.startswith("pipe:")


@on_the_sessions_loop
async def test_a_hundred_and_fifty_long_polls_do_not_block_other_calls(lenient_store: Store) -> None:
    """Polls wait on the event loop: with 150 of them open other calls are answered, and each message wakes one."""
    store = lenient_store
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(operation: str, **parameters: Any) -> Any:
            headers = signed_json("AmazonSQS", operation)
            async with session.post(store.endpoint, data=json.dumps(parameters), headers=headers) as response:
                return json.loads(await response.read() or b"{}")

        url = (await call("CreateQueue", QueueName="polled"))["QueueUrl"]
        polls = [asyncio.create_task(call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)) for _ in range(150)]
        await store.counters()
        entries = [{"Id": str(number), "MessageBody": f"m{number}"} for number in range(10)]
        for _ in range(15):
            await call("SendMessageBatch", QueueUrl=url, Entries=entries)
        answers = await asyncio.gather(*polls)
        assert sum(len(answer.get("Messages", ())) for answer in answers) == 150
        counted = (await store.counters()).queues["polled"]
        assert (counted.sent, counted.received, counted.in_flight, counted.visible) == (150, 150, 150, 0)


@on_the_sessions_loop
async def test_long_polls_end_when_the_owner_says_so(lenient_store: Store) -> None:
    """They are answered, not broken off: with nothing, as if their time were up."""
    store = lenient_store
    async with aiohttp.ClientSession() as session:

        async def call(operation: str, **parameters: Any) -> Any:
            headers = signed_json("AmazonSQS", operation)
            async with session.post(store.endpoint, data=json.dumps(parameters), headers=headers) as response:
                return response.status, json.loads(await response.read() or b"{}")

        _, queue = await call("CreateQueue", QueueName="ended")
        poll = asyncio.create_task(call("ReceiveMessage", **queue, WaitTimeSeconds=20))
        async with asyncio.timeout(10):
            while not poll.done():  # it may not have arrived yet
                await store.end_long_polls()
        assert await poll == (200, {})


@on_the_sessions_loop
async def test_counters_and_peek_show_what_happened_without_side_effects(lenient_store: Store) -> None:
    """There are totals, gauges and messages; reading changes nothing, and test events are not in the figures."""
    store = lenient_store
    async with aiohttp.ClientSession() as session:

        async def call(target: str, **parameters: Any) -> Any:
            headers = signed_json(*target.split("."))
            async with session.post(store.endpoint, data=json.dumps(parameters), headers=headers) as response:
                return json.loads(await response.read() or b"{}")

        url = (await call("AmazonSQS.CreateQueue", QueueName="seen"))["QueueUrl"]
        for body in ("first", '{"Service": "Amazon S3", "Event": "s3:TestEvent"}', "second"):
            await call("AmazonSQS.SendMessage", QueueUrl=url, MessageBody=body)
        await call("AmazonSQS.ReceiveMessage", QueueUrl=url)
        messages = [message async for message in store.peek("seen")]
        assert [(message.body[:6], message.receive_count, message.in_flight) for message in messages] == [
            ("first", 1, True),
            ('{"Serv', 0, False),
            ("second", 0, False),
        ]
        counters = await store.counters()
        queue = counters.queues["seen"]
        assert (queue.sent, queue.received, queue.visible, queue.in_flight, queue.test_events) == (2, 1, 1, 1, 1)
        assert queue.oldest_age_s is not None
        assert counters.operations["sqs.SendMessage"].requests >= 3
        with pytest.raises(ControlRefused, match="there is no queue 'gone'"):
            _ = [message async for message in store.peek("gone")]
        with pytest.raises(ControlRefused, match="there is no table 'gone'"):
            await store.refuse_writes("gone", 0.5)


@on_the_sessions_loop
async def test_refused_writes_come_back_unprocessed_and_then_as_an_exception(lenient_store: Store) -> None:
    """Half a batch refused is 200 with UnprocessedItems; all of it is AWS's exception with a reason; zero ends it."""
    store = lenient_store
    async with aiohttp.ClientSession() as session:

        async def call(operation: str, **parameters: Any) -> tuple[int, Any]:
            headers = signed_json("DynamoDB_20120810", operation)
            async with session.post(store.endpoint, data=json.dumps(parameters), headers=headers) as response:
                return response.status, json.loads(await response.read() or b"{}")

        await call(
            "CreateTable",
            TableName="rows",
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        batch = {"rows": [{"PutRequest": {"Item": {"PK": {"S": str(number)}}}} for number in range(20)]}
        await store.refuse_writes("rows", 0.5)
        status, answer = await call("BatchWriteItem", RequestItems=batch)
        assert (status, len(answer["UnprocessedItems"]["rows"])) == (200, 10)
        await store.refuse_writes("rows", 1)
        status, answer = await call("BatchWriteItem", RequestItems=batch)
        assert status == 400
        assert answer["__type"].endswith("#ProvisionedThroughputExceededException")
        assert answer["ThrottlingReasons"][0]["reason"] == "TableWriteKeyRangeThroughputExceeded"
        await store.refuse_writes("rows", 0)
        status, answer = await call("BatchWriteItem", RequestItems=batch)
        assert (status, answer["UnprocessedItems"]) == (200, {})
        table = (await store.counters()).tables["rows"]
        assert (table.rows, table.rows_written, table.batch_writes) == (20, 30, 2)
        assert (table.unprocessed_items, table.throttled_requests, table.write_units) == (30, 2, 30.0)
