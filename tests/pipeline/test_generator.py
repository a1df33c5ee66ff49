"""The generator against a fake S3."""

from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ConnectTimeoutError

from fakes.handlers import tasks_of_the_pipeline
from pipeline import generator
from pipeline.budget import Budget
from pipeline.chance import stream
from pipeline.functions import GeneratorSettings
from pipeline.market import Market

EVENT = {"version": "0", "detail-type": "Scheduled Event", "time": "2026-11-22T09:40:00Z", "detail": {}}


async def test_a_tick_becomes_its_objects(aws, open_generator):
    """The requested files are written under the tick's keys, with the figures for them."""
    handler = await open_generator(FILE_COUNT="12", ROWS_PER_FILE="30")

    answer = await handler(EVENT)

    assert sorted(aws.objects) == [f"stocks/2026/11/22/094000-{number:04d}.csv" for number in range(12)]
    size = sum(map(len, aws.objects.values()))
    assert answer == {"files": 12, "rows": 360, "bytes": size}
    metrics = handler.metrics
    assert (metrics["FilesWritten"], metrics["RowsGenerated"], metrics["BytesWritten"]) == (12, 360, size)
    assert metrics["tick"] == 1_795_340_400
    assert all(body.count(b"\n") == 31 for body in aws.objects.values())
    (told,) = handler.logged("tick written")
    assert {name: told[name] for name in ("tick", *answer)} == {"tick": 1_795_340_400, **answer}


async def test_a_retried_tick_writes_the_same_bytes(aws, open_generator):
    """EventBridge delivers at least once; the second time changes nothing, even in another environment."""
    handler = await open_generator(FILE_COUNT="5")
    await handler(EVENT)
    first = dict(aws.objects)

    await (await open_generator(FILE_COUNT="5"))(EVENT)

    assert aws.objects == first
    assert len(aws.puts) == 10


async def test_objects_are_made_one_at_a_time(aws, open_generator, monkeypatch):
    """An object is complete before the next one is begun: the first is sent while the others are still to be made."""
    written = []
    whole = Market.csv_chunks

    def watched(self, tick, number):
        written.append(("begin", number))
        yield from whole(self, tick, number)
        written.append(("end", number))

    monkeypatch.setattr(Market, "csv_chunks", watched)
    handler = await open_generator(FILE_COUNT="40", ROWS_PER_FILE="1000")

    await handler(EVENT)

    assert written == [(moment, number) for number in range(40) for moment in ("begin", "end")]


async def test_an_event_without_time_means_now(aws, open_generator, monkeypatch):
    """It is what the console's Test button sends; EventBridge Scheduler's offsets are read as well."""
    monkeypatch.setattr("pipeline.generator.time.time", lambda: 1_795_340_400.75)
    handler = await open_generator(FILE_COUNT="1")

    await handler({"key1": "value1"})
    await handler({"time": "2026-11-22T10:40:01+01:00"})

    assert aws.puts == ["stocks/2026/11/22/094000-0000.csv", "stocks/2026/11/22/094001-0000.csv"]


@pytest.mark.parametrize("time", ["yesterday", "2026-11-22T09:40:00"])
async def test_an_event_with_a_malformed_time_fails(aws, open_generator, time):
    """Otherwise it would write objects that no retry would write again."""
    with pytest.raises(Exception, match="the event's time"):
        await (await open_generator())({"time": time})
    assert not aws.puts


async def test_a_failed_upload_is_tried_again(aws, open_generator, monkeypatch):
    """S3's own problems are temporary."""
    monkeypatch.setattr("pipeline.generator.PAUSE_BASE_S", 0.001)
    aws.refused_puts = [(503, "SlowDown")] * 3
    handler = await open_generator(FILE_COUNT="4")

    assert (await handler(EVENT))["files"] == 4


async def test_a_tick_that_cannot_be_written_whole_fails(aws, open_generator):
    """The other objects are written, the invocation fails and says which object and why; the retry completes it."""
    aws.refused_puts = [(403, "AccessDenied")]
    handler = await open_generator(FILE_COUNT="4")

    with pytest.raises(
        generator.TickFailed, match=r"1 of 4 objects of the tick were not written: stocks/2026.*AccessDenied"
    ):
        await handler(EVENT)

    assert len(aws.objects) == 3
    assert handler.metrics["FilesWritten"] == 3
    (told,) = handler.logged("tick failed")
    assert (told["level"], told["failed"]) == ("ERROR", 1)
    await handler(EVENT)
    assert len(aws.objects) == 4


async def test_without_time_the_invocation_fails_before_lambda_ends_it(aws, open_generator):
    """The invocation reports what is not done, and leaves nothing in flight."""
    handler = await open_generator(FILE_COUNT="2000")

    with pytest.raises(generator.TickFailed, match="no time left in this invocation"):
        await handler(EVENT, remaining_s=0.05)

    assert not tasks_of_the_pipeline()


async def test_pauses_between_attempts_have_full_jitter_and_end_with_the_fourth(monkeypatch):
    """The n-th pause is up to 0.1 s doubled n times, drawn per object. Then the first refusal from S3 is reported."""
    made = []
    real = asyncio.sleep

    async def sleep(seconds):
        if seconds:
            made.append(seconds)
        await real(0)

    class S3:
        puts = 0

        async def put_object(self, **_):
            """Never finish."""
            self.puts += 1
            raise ConnectTimeoutError(endpoint_url=f"http://{self.puts}")

    settings = GeneratorSettings.from_environ({"BUCKET_NAME": "bucket", "FILE_COUNT": "1"})
    s3 = S3()
    uploads = generator._Uploads(s3, settings, 0, Budget(0.0, 1e12, 1e12), "seed")
    monkeypatch.setattr("pipeline.generator.asyncio.sleep", sleep)
    assert not await uploads._put("first", b"")
    assert not await uploads._put("second", b"")

    assert s3.puts == 8
    assert uploads.reason == 'first: Connect timeout on endpoint URL: "http://4"'
    assert made == [
        stream("seed", key, attempt).uniform(0, bound)
        for key in ("first", "second")
        for attempt, bound in ((1, 0.2), (2, 0.4), (3, 0.8))
    ]
