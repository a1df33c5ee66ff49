"""What the consumer logs about rejected rows and failed messages, and that its figures add up."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from fakes.aws import BUCKET, error, unprocessed
from fakes.waiting import until

HEADER = "ticker,timestamp,n\n"


async def test_rejected_rows_are_summed_up_in_one_line(aws, open_consumer):
    """The line lists kinds, the most frequent first, each with an example and the setting that might help."""
    rows = ["A,2026-01-01,1", "A,1/2/2026,1", "A,2/2/2026,1", ",2026-01-03,1", 'A,2026-01-04,"x" y']
    aws.objects["stocks/x.csv"] = (HEADER + "\n".join(rows) + "\n").encode()
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    (line,) = consumer.logged("rows rejected")
    assert (line["level"], line["bucket"], line["key"], line["rejected"]) == ("WARN", BUCKET, "stocks/x.csv", 4)
    assert line["reasons"] == [
        {"reason": "unreadable timestamp", "count": 2, "line": 3, "cell": "1/2/2026", "setting": "TIMESTAMP_FORMAT"},
        {"reason": "an empty ticker", "count": 1, "line": 5, "cell": None, "setting": "TICKER_COLUMN"},
        {"reason": "text after a closing quote", "count": 1, "line": 6, "cell": rows[4], "setting": None},
    ]
    assert [json.loads(row)["reason"] for row in aws.objects["rejected/stocks/x.csv.jsonl"].splitlines()] == [
        "unreadable timestamp '1/2/2026'",
        "unreadable timestamp '2/2/2026'",
        "an empty ticker",
        "text after a closing quote",
    ]


async def test_a_row_that_dynamodb_refuses_is_summed_up_as_well(aws, open_consumer):
    """It is counted under its kind; DynamoDB's own message is in the file of rejected rows."""

    async def picky(items):
        return error("ValidationException", "thirteen!") if any(item["n"]["N"] == "13" for item in items) else None

    aws.objects["stocks/x.csv"] = (HEADER + "A,2026-01-01,12\nA,2026-01-02,13\n").encode()
    aws.on_write = picky
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == []

    (line,) = consumer.logged("rows rejected")
    assert line["reasons"] == [
        {"reason": "DynamoDB refused the row", "count": 1, "line": 3, "cell": None, "setting": None}
    ]


async def test_without_rejected_rows_there_is_no_such_line(aws, open_consumer):
    """It also holds for an object that is gone, or cannot be read from its beginning."""
    aws.objects = {"stocks/x.csv": (HEADER + "A,2026-01-01,1\n").encode(), "stocks/bad.csv": b"a,b\n"}
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv", "stocks/gone.csv", "stocks/bad.csv") == ["stocks/bad.csv"]

    assert consumer.logged("rows rejected") == []


async def test_rows_rejected_before_a_message_fails_are_logged_too(aws, open_consumer):
    """They show what is wrong with the object, whatever failed in the end."""

    async def broken(_items):
        return error("AccessDeniedException", "as told")

    aws.objects["stocks/x.csv"] = (HEADER + "A,never,1\n" + "A,2026-01-01,1\n").encode()
    aws.on_write = broken
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == ["stocks/x.csv"]

    (line,) = consumer.logged("rows rejected")
    assert (line["rejected"], line["reasons"][0]["reason"]) == (1, "unreadable timestamp")
    assert consumer.logged("object stored") == []


@pytest.mark.parametrize(
    ("body", "settings", "setting"),
    [
        ("Instrument,Trade Date\nA,2024-01-02\n", {}, "TIMESTAMP_COLUMN"),
        ("date,n\n2024-01-02,1\n", {"TICKER_COLUMN": "Symbol"}, "TICKER_COLUMN"),
        ("date,Name\n2024-01-02,A\n2024-01-02,B\n", {}, "TICKER_COLUMN"),
        ("", {}, None),
    ],
)
async def test_a_failed_message_names_the_setting_that_would_fix_it(aws, open_consumer, body, settings, setting):
    """It holds where there is such a setting; nothing of the object is written."""
    aws.objects["stocks/x.csv"] = body.encode()
    consumer = await open_consumer(**settings)

    assert await consumer.ingest("stocks/x.csv") == ["stocks/x.csv"]

    (line,) = consumer.logged("message failed")
    assert line.get("setting") == setting
    assert ("setting" in line) == (setting is not None)
    assert line["permanent"] is True
    assert aws.writes == []
    assert aws.puts == []


async def test_a_file_of_many_tickers_is_refused_before_a_row_is_written(aws, open_consumer):
    """However long the file is, its first rows give it away."""
    rows = [f"2024-01-{day:02d},{name}" for name in range(100) for day in range(1, 29)]
    aws.objects["stocks/all.csv"] = ("date,Name\n" + "\n".join(rows) + "\n").encode()
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/all.csv") == ["stocks/all.csv"]

    assert aws.writes == []
    assert "lines 2 and 30 have the same key but differ" in consumer.logged("message failed")[0]["reason"]
    assert consumer.metrics["ObjectsUnreadable"] == 1


@pytest.mark.parametrize("seed", range(6))
async def test_the_rows_add_up_when_all_messages_succeed(aws, open_consumer, short_pauses, seed):
    """Read = written + duplicate + rejected, however many rows were left, throttled, sent again or refused."""
    chance = random.Random(seed)

    async def moody(items):
        await asyncio.sleep(0)
        if any(item.get("n") == {"N": "13"} for item in items):
            return error("ValidationException", "thirteen!")
        kind = chance.randrange(6)
        if kind == 0:
            return error(chance.choice(["ThrottlingException", "InternalServerError"]), "as told", 500)
        return unprocessed(chance.sample(items, chance.randrange(len(items)))) if kind == 1 else None

    def row(key: int) -> str:
        bad = chance.randrange(12)
        when = "never" if bad == 0 else f"2026-01-01T00:00:00.{chance.randrange(60):06d}Z"
        return f"{key},{when},{13 if bad == 1 else chance.randrange(5)}{',x' if bad == 2 else ''}"

    aws.objects = {
        f"stocks/{key}.csv": (HEADER + "\n".join(row(key) for _ in range(100)) + "\n").encode() for key in range(3)
    }
    aws.on_write = moody
    consumer = await open_consumer()
    aws.objects["stocks/first.csv"] = (HEADER + "A,2026-01-01,1\n").encode()

    assert await consumer.ingest("stocks/first.csv") == []
    assert await consumer.ingest("stocks/0.csv", "stocks/1.csv", "stocks/2.csv") == []

    metrics = consumer.metrics
    assert metrics["RowsRead"] == 300
    assert metrics["RowsRead"] == metrics["RowsWritten"] + metrics["RowsDuplicate"] + metrics["RowsRejected"]
    assert metrics["RowsRejected"] > 30
    assert metrics["RowsUnanswered"] == 0


@pytest.mark.usefixtures("sent_at_once")
async def test_a_write_that_comes_late_leaves_no_older_row(aws, open_consumer, short_pauses, monkeypatch):
    """The message fails instead of overwriting it, and its next delivery writes all rows in order."""
    monkeypatch.setattr("pipeline.table.REQUEST_TIMEOUT_S", 0.2)
    monkeypatch.setattr("pipeline.consumer.PART_ROWS", 25)
    late = asyncio.Event()
    first = True

    async def held(_items):
        nonlocal first
        if first:
            first = False
            await late.wait()

    rows = [f"K{i},2026-01-01,{age}" for age in ("old", "new") for i in range(25)]
    aws.objects["stocks/x.csv"] = (HEADER + "\n".join(rows) + "\n").encode()
    aws.on_write = held
    consumer = await open_consumer()

    assert await consumer.ingest("stocks/x.csv") == ["stocks/x.csv"]

    (line,) = consumer.logged("message failed")
    assert line["reason"].startswith("the row of line 2 may still be in flight")
    assert line["permanent"] is False
    assert consumer.metrics["RowsUnanswered"] == 25
    assert {item["n"]["S"] for item in aws.table.values()} == {"old"}
    aws.table.clear()
    late.set()
    await until(lambda: len(aws.table) == 25)

    assert await consumer.ingest("stocks/x.csv") == []

    assert {item["n"]["S"] for item in aws.table.values()} == {"new"}
    assert consumer.metrics["RowsUnanswered"] == 0
