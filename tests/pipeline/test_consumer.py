"""The consumer against a fake that enforces AWS's rules and misbehaves on demand, with both ways to write."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json

import pytest

from fakes.aws import BUCKET, error, unprocessed
from fakes.handlers import batch, notification, sqs_event, tasks_of_the_pipeline
from fakes.waiting import until

HEADER = "ticker,timestamp,n\n"


def csv_of(rows: int, ticker: str = "A", first: int = 0) -> bytes:
    """`rows` rows with distinct keys."""
    lines = [f"{ticker},2026-01-01T00:00:00.{i:06d}Z,{i}" for i in range(first, first + rows)]
    return (HEADER + "\n".join(lines) + "\n").encode()


async def test_a_batch_is_stored_and_nothing_failed(aws, open_consumer):
    """All rows of all objects are in the table, and the figures and log lines agree."""
    aws.objects = {f"stocks/{i}.csv": csv_of(60, f"T{i}") for i in range(3)}
    consumer = await open_consumer()

    assert await consumer(batch(*aws.objects)) == {"batchItemFailures": []}

    assert len(aws.table) == 180
    assert aws.table["T1", "2026-01-01T00:00:00.000007Z"]["n"] == {"N": "7"}
    metrics = consumer.metrics
    assert metrics["FunctionName"] == "Function"
    assert {name: metrics[name] for name in ("MessagesReceived", "ObjectsIngested", "RowsRead", "RowsWritten")} == {
        "MessagesReceived": 3,
        "ObjectsIngested": 3,
        "RowsRead": 180,
        "RowsWritten": 180,
    }
    stored = consumer.logged("object stored")
    assert sorted((line["bucket"], line["key"], line["rows"], line["rejected"]) for line in stored) == [
        (BUCKET, f"stocks/{i}.csv", 60, 0) for i in range(3)
    ]
    assert all(line["requestId"] == "request-1" and line["duration"] >= 0 for line in stored)


async def test_the_environment_outlives_the_invocation(aws, open_consumer):
    """A second invocation uses the same clients, and its counts start from zero."""
    aws.objects = {"stocks/a.csv": csv_of(30)}
    consumer = await open_consumer()

    await consumer.ingest("stocks/a.csv")
    await consumer.ingest("stocks/a.csv")

    assert consumer.metrics["RowsWritten"] == 30


async def test_odd_messages_are_distinguished(aws, open_consumer):
    """A test event, a removal, an encoded key, several records, the unknown, the malformed: each has its outcome."""
    aws.objects = {
        "stocks/a b+ü=1.csv": csv_of(1, "A"),
        "stocks/two.csv": csv_of(1, "B"),
        "stocks/3.csv": csv_of(1, "C"),
    }
    consumer = await open_consumer()

    answer = await consumer(
        sqs_event(
            json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}),
            notification("stocks/gone.csv", event_name="ObjectRemoved:Delete"),
            notification("stocks/a b+ü=1.csv"),
            notification("stocks/two.csv", "stocks/3.csv"),
            "no JSON",
            json.dumps({"Records": [{"eventName": "ObjectCreated:Put"}]}),
            json.dumps(["a list"]),
            json.dumps({"something": "else"}),
            notification("stocks/two.csv", "stocks/empty.csv"),
        )
    )

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["4", "5", "6", "7"]
    assert {ticker for ticker, _ in aws.table} == {"A", "B", "C"}
    failed = consumer.logged("message failed")
    assert [(line["messageId"], line["level"], line["permanent"], line["receiveCount"]) for line in failed] == [
        (identifier, "ERROR", True, 2) for identifier in "4567"
    ]
    assert failed[0]["reason"] == "the message is not JSON"


@pytest.mark.parametrize("event", [None, {}, {"Records": "none"}, {"Records": [{"body": "x"}]}, []])
async def test_an_event_that_is_not_a_batch_fails_the_invocation(aws, open_consumer, event):
    """Without message ids no failure can be reported, so the whole invocation fails and every message comes back."""
    consumer = await open_consumer()

    with pytest.raises(Exception, match="the consumer expects batches"):
        await consumer(event)


async def test_a_poisoned_object_does_not_hurt_its_neighbours(aws, open_consumer):
    """Only the unreadable object's message fails, with one line that says why and that a retry will not help."""
    aws.objects = {
        "stocks/a.csv": csv_of(40, "A"),
        "stocks/poison.csv": b"ticker,open\nA,1\n",
        "stocks/b.csv": csv_of(40, "B"),
    }
    consumer = await open_consumer()

    assert await consumer.ingest(*aws.objects) == ["stocks/poison.csv"]

    assert len(aws.table) == 80
    (line,) = consumer.logged("message failed")
    assert line["reason"] == "the object cannot be read: no timestamp column in the header 'ticker,open'"
    assert line["permanent"] is True
    assert consumer.metrics["ObjectsUnreadable"] == consumer.metrics["MessagesFailed"] == 1


async def test_a_key_that_is_gone_is_done_and_a_forbidden_one_fails(aws, open_consumer):
    """404 NoSuchKey settles the message; 403 fails it for good."""
    aws.refused["stocks/forbidden.csv"] = (403, "AccessDenied")
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/gone.csv", "stocks/forbidden.csv") == ["stocks/forbidden.csv"]

    assert consumer.metrics["ObjectsGone"] == 1
    assert [line["key"] for line in consumer.logged("object gone")] == ["stocks/gone.csv"]
    (line,) = consumer.logged("message failed")
    assert line["permanent"] is True
    assert "AccessDenied" in line["reason"]


async def test_objects_that_are_not_data_are_done_at_once(aws, open_consumer):
    """Names that begin with _ or . are not even read; a key that ends in / is read, and is data if it holds any."""
    aws.objects = {
        "stocks/_SUCCESS": b"",
        "stocks/x/.DS_Store": b"\0\0\0\1Bud1",
        "stocks/_a.csv": csv_of(1, "HIDDEN"),
        "stocks/x/": b"",
        "stocks/y/": csv_of(1, "FOLDER"),
        "stocks/_x/a_.csv": csv_of(1, "DATA"),
    }
    aws.refused["stocks/_forbidden.csv"] = (403, "AccessDenied")
    consumer = await open_consumer()

    assert await consumer.ingest(*aws.objects, "stocks/_forbidden.csv", "stocks/_gone.csv") == []

    assert {ticker for ticker, _ in aws.table} == {"FOLDER", "DATA"}
    skipped = {"stocks/_SUCCESS", "stocks/x/.DS_Store", "stocks/_a.csv", "stocks/x/"}
    assert {line["key"] for line in consumer.logged("object skipped")} == skipped | {
        "stocks/_forbidden.csv",
        "stocks/_gone.csv",
    }
    assert (consumer.metrics["ObjectsSkipped"], consumer.metrics["ObjectsIngested"]) == (6, 2)
    assert consumer.metrics["ObjectsUnreadable"] == consumer.metrics["MessagesFailed"] == 0


async def test_an_empty_object_that_is_not_a_folder_fails(aws, open_consumer):
    """An empty object is an error, because nobody means to upload one."""
    aws.objects = {"stocks/empty.csv": b""}
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/empty.csv") == ["stocks/empty.csv"]
    assert consumer.metrics["ObjectsSkipped"] == 0


async def test_an_object_announced_by_a_topic_or_by_eventbridge_is_stored(aws, open_consumer):
    """Such an object is stored as if S3 itself had announced it: with the topic's envelope, or with a plain key."""
    aws.objects = {"stocks/a b.csv": csv_of(1, "A"), "stocks/c+d.csv": csv_of(1, "B")}
    topic = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t"}
    detail = {"bucket": {"name": BUCKET}, "object": {"key": "stocks/c+d.csv"}}
    consumer = await open_consumer()

    answer = await consumer(
        sqs_event(
            json.dumps(topic | {"Message": notification("stocks/a b.csv")}),
            json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail}),
        )
    )

    assert answer == {"batchItemFailures": []}
    assert {ticker for ticker, _ in aws.table} == {"A", "B"}


async def test_rejected_rows_are_written_beside_what_is_stored(aws, open_consumer):
    """Each rejected row is one JSON line with line, reason and fields; the rest of the object is in the table."""
    aws.objects["stocks/x.csv"] = (
        HEADER + "A,2026-01-01,1\n,2026-01-01,2\nB,never,3\nC,2026-01-01,caf"
    ).encode() + b"\xe9\n"
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    assert list(aws.table) == [("A", "2026-01-01")]
    assert [json.loads(line) for line in aws.objects["rejected/stocks/x.csv.jsonl"].splitlines()] == [
        {"line": 3, "reason": "an empty ticker", "row": ["", "2026-01-01", "2"]},
        {"line": 4, "reason": "unreadable timestamp 'never'", "row": ["B", "never", "3"]},
        {"line": 5, "reason": "the text is not valid UTF-8", "row": ["C", "2026-01-01", "caf\udce9"]},
    ]
    assert consumer.metrics["RowsRejected"] == 3


async def test_rejected_rows_beyond_memory_go_up_in_parts(aws, open_consumer):
    """More rejections than fit into memory are still written completely."""
    rows = 24_000
    aws.objects["stocks/x.csv"] = HEADER.encode() + b"".join(b",%d,%s\n" % (i, b"x" * 400) for i in range(rows))
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    lines = aws.objects["rejected/stocks/x.csv.jsonl"].splitlines()
    assert [json.loads(line)["line"] for line in lines] == list(range(2, rows + 2))
    assert aws.puts == ["rejected/stocks/x.csv.jsonl"]


async def test_rejections_that_cannot_be_written_fail_the_message(aws, open_consumer):
    """If the rejections cannot be written, rows would be lost silently, so the message fails."""
    aws.objects["stocks/x.csv"] = (HEADER + ",2026-01-01,2\n").encode()
    aws.refused_puts = [(403, "AccessDenied")]
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == ["stocks/x.csv"]


async def test_the_last_row_of_a_key_wins(aws, open_consumer):
    """It holds within one request or over many in flight at once, whichever is answered first."""
    keys = 7
    rows = [f"K{i % keys},2026-01-01,{i}" for i in range(500)]
    aws.objects["stocks/x.csv"] = (HEADER + "\n".join(rows) + "\n").encode()
    turns = itertools.cycle([500, 0, 200])

    async def out_of_order(_items):
        for _ in range(next(turns)):
            await asyncio.sleep(0)

    aws.on_write = out_of_order
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    assert {key[0]: int(item["n"]["N"]) for key, item in aws.table.items()} == {
        rows[i].split(",")[0]: i for i in range(500 - keys, 500)
    }
    assert consumer.metrics["RowsDuplicate"] + consumer.metrics["RowsWritten"] == 500


async def test_the_last_row_wins_over_an_earlier_one_that_is_being_retried(aws, open_consumer, short_pauses):
    """A row that the table left unprocessed must not be written after its successor."""
    first = [f"K{i},2026-01-01,old" for i in range(25)]
    second = [f"K{i},2026-01-01,new" for i in range(25)]
    aws.objects["stocks/x.csv"] = (HEADER + "\n".join(first + second) + "\n").encode()
    left = [10, 5, 2]

    async def some_left(items):
        return unprocessed(items[: left.pop(0)]) if left else None

    aws.on_write = some_left
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    assert {item["n"]["S"] for item in aws.table.values()} == {"new"}
    assert consumer.metrics["UnprocessedItems"] == 17


async def test_throttles_and_unprocessed_items_lose_nothing(aws, open_consumer, short_pauses):
    """The table accepts a third of the rows, a third of the time: all rows end up stored, and the figures show how."""
    count = 0

    async def moody(items):
        nonlocal count
        count += 1
        if count % 3 == 1:
            return error("ProvisionedThroughputExceededException", "slow down")
        return unprocessed(items[len(items) // 3 :]) if count % 3 == 2 else None

    aws.objects["stocks/x.csv"] = csv_of(300)
    aws.on_write = moody
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    assert len(aws.table) == 300
    assert consumer.metrics["ThrottledRequests"] > 3
    assert consumer.metrics["UnprocessedItems"] > 30
    assert consumer.metrics["RowsWritten"] == 300
    assert consumer.metrics["BatchWrites"] == len(aws.writes)


@pytest.mark.parametrize(
    "answer", [error("InternalServerError", "oops", 500), (503, {}), error("ExpiredTokenException")]
)
async def test_what_a_retry_can_fix_is_retried(aws, open_consumer, short_pauses, answer):
    """Errors of the service itself occur once and are gone."""
    answers = [answer, answer]

    async def twice(_items):
        return answers.pop() if answers else None

    aws.objects["stocks/x.csv"] = csv_of(10)
    aws.on_write = twice
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []
    assert len(aws.table) == 10


@pytest.mark.parametrize(
    ("code", "permanent"),
    [("AccessDeniedException", True), ("ResourceNotFoundException", True), ("InternalServerError", False)],
)
async def test_what_a_retry_cannot_fix_fails_at_once(aws, open_consumer, short_pauses, code, permanent):
    """Access denied is tried once; a service that stays broken, a bounded number of times."""

    async def broken(_items):
        return error(code, "as told", 400 if permanent else 500)

    aws.objects["stocks/x.csv"] = csv_of(10)
    aws.on_write = broken
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == ["stocks/x.csv"]

    (line,) = consumer.logged("message failed")
    assert line["permanent"] is permanent
    assert code in line["reason"]
    assert len(aws.writes) == (1 if permanent else 8)


async def test_a_row_that_dynamodb_refuses_is_rejected_alone(aws, open_consumer):
    """A rule of DynamoDB's that we did not know costs one row, not its whole request."""

    async def picky(items):
        return error("ValidationException", "thirteen!") if any(item["n"]["N"] == "13" for item in items) else None

    aws.objects["stocks/x.csv"] = csv_of(60)
    aws.on_write = picky
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    assert len(aws.table) == 59
    (rejected,) = map(json.loads, aws.objects["rejected/stocks/x.csv.jsonl"].splitlines())
    assert rejected["line"] == 15
    assert "thirteen!" in rejected["reason"]
    assert consumer.logged("object stored")[0]["rows"] == 59


async def test_a_table_that_refuses_every_row_is_not_the_rows_fault(aws, open_consumer):
    """If the table has another key, nothing is rejected: the message fails, and the redrive policy handles it."""

    async def other_key(_items):
        return error("ValidationException", "The provided key element does not match the schema")

    aws.objects["stocks/x.csv"] = csv_of(3)
    aws.on_write = other_key
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == ["stocks/x.csv"]
    assert not aws.puts


async def test_requests_in_flight_are_bounded(aws, open_consumer):
    """`WRITE_CONCURRENCY` applies to all objects of the environment together."""
    full = asyncio.Event()

    async def together(_items):
        if aws.writes_at_once == 3:
            full.set()
        await full.wait()
        for _ in range(100):  # a fourth would come meanwhile
            await asyncio.sleep(0)

    aws.objects = {f"stocks/{i}.csv": csv_of(200, f"T{i}") for i in range(4)}
    aws.on_write = together
    consumer = await open_consumer(WRITE_CONCURRENCY="3", OBJECT_CONCURRENCY="4")

    assert await consumer.ingest(*aws.objects) == []
    assert aws.writes_at_once_max == 3


async def test_two_messages_about_one_object_share_its_reading(aws, open_consumer):
    """S3 may announce an object twice; within a batch it is read once and both messages share the outcome."""
    aws.objects = {"stocks/a.csv": csv_of(5), "stocks/bad.csv": b""}
    consumer = await open_consumer()

    failed = await consumer.ingest("stocks/a.csv", "stocks/a.csv", "stocks/bad.csv", "stocks/bad.csv")

    assert failed == ["stocks/bad.csv", "stocks/bad.csv"]
    assert sorted(aws.gets) == ["stocks/a.csv", "stocks/bad.csv"]
    assert len(consumer.logged("message failed")) == 2


async def test_a_broken_download_goes_on_where_it_broke(aws, open_consumer, short_pauses):
    """A connection that dies within an object costs neither rows nor the message."""
    body = csv_of(5000)
    aws.objects["stocks/x.csv"] = body
    aws.cut["stocks/x.csv"] = [70_000, 1000]
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    assert len(aws.table) == 5000
    assert len(aws.gets) == 3
    assert consumer.metrics["BytesRead"] == len(body)


async def test_an_object_replaced_while_it_is_read_fails_its_message(aws, open_consumer, short_pauses):
    """The rest of another object's bytes must not be taken for this one's; the next delivery reads the object whole."""
    bodies = iter([csv_of(5000), csv_of(5001, "B")])

    class Replaced(dict[str, bytes]):
        def __getitem__(self, key: str) -> bytes:
            return next(bodies)

    aws.objects = Replaced({"stocks/x.csv": b""})
    aws.cut["stocks/x.csv"] = [70_000]
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == ["stocks/x.csv"]
    (line,) = consumer.logged("message failed")
    assert line["reason"] == "the object was replaced while being read"
    assert line["permanent"] is False


async def test_gzip_and_names_without_a_ticker(aws, open_consumer):
    """In a compressed real file without a ticker column, the file's name is the ticker."""
    aws.objects["stocks/source/msft.csv.gz"] = gzip.compress(b"Date,Open\r\n2024-01-02,1.5\r\n")
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/source/msft.csv.gz") == []
    assert aws.table == {("MSFT", "2024-01-02"): {"PK": {"S": "MSFT"}, "SK": {"S": "2024-01-02"}, "open": {"N": "1.5"}}}


@pytest.mark.usefixtures("sent_at_once")
async def test_when_time_runs_out_the_rest_is_reported_and_the_stored_stays(aws, open_consumer):
    """When the table stops answering, the handler still returns, and names what is not done."""
    held = asyncio.Event()

    async def stuck_with_s_after_some(items):
        if items[0]["PK"]["S"] == "S" and len(aws.table) > 100:
            await held.wait()

    aws.objects = {"stocks/quick.csv": csv_of(25, "Q"), "stocks/slow.csv": csv_of(2000, "S")}
    aws.on_write = stuck_with_s_after_some
    consumer = await open_consumer(OBJECT_CONCURRENCY="1", WRITE_CONCURRENCY="2")
    await consumer.ingest("stocks/quick.csv")

    failed = await consumer.ingest(*aws.objects, remaining_s=4.0)

    assert failed == ["stocks/slow.csv"]
    assert len(aws.table) > 100
    (line,) = consumer.logged("message failed")
    assert line["permanent"] is False
    assert not tasks_of_the_pipeline()
    held.set()


async def test_throttled_to_the_end_the_handler_returns_in_time(aws, open_consumer):
    """A table that accepts nothing causes no busy loop and no overrun; the message comes back."""

    async def never(_items):
        return error("ThrottlingException")

    aws.objects["stocks/x.csv"] = csv_of(100)
    aws.on_write = never
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv", remaining_s=1.0) == ["stocks/x.csv"]
    assert len(aws.writes) < 200


async def test_an_object_that_cannot_be_done_in_time_is_refused_early(aws, open_consumer):
    """The reason has its size and the measured rate, and time is left for the other objects."""

    async def slowly(_items):
        await asyncio.sleep(0.05)

    aws.objects = {"stocks/warm.csv": csv_of(1), "stocks/huge.csv": csv_of(20_000)}
    aws.on_write = slowly
    consumer = await open_consumer(WRITE_CONCURRENCY="1")
    await consumer.ingest("stocks/warm.csv")

    assert await consumer.ingest("stocks/huge.csv", remaining_s=6.0) == ["stocks/huge.csv"]

    (line,) = consumer.logged("message failed")
    assert line["reason"].startswith("too large for the time left: ")
    assert f"{len(aws.objects['stocks/huge.csv'])} bytes" in line["reason"]
    assert "rows/s" in line["reason"]
    assert line["permanent"] is True


async def test_cancellation_leaves_nothing_behind(aws, open_consumer):
    """A hard stop during a write takes effect at once, and the next invocation works."""
    held = asyncio.Event()

    async def stuck(_items):
        await held.wait()

    aws.objects["stocks/x.csv"] = csv_of(500)
    aws.on_write = stuck
    consumer = await open_consumer()
    invocation = asyncio.ensure_future(consumer.ingest("stocks/x.csv"))
    await until(lambda: len(aws.writes) > 3)

    invocation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await invocation

    assert not tasks_of_the_pipeline()
    held.set()
    aws.on_write = None
    assert await consumer.ingest("stocks/x.csv") == []
    assert len(aws.table) == 500
