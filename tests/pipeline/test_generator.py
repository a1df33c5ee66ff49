"""The generator against a stand-in for S3."""

from __future__ import annotations

import pytest

from fakes.handlers import tasks_of_the_pipeline
from pipeline import consumer, generator
from pipeline.market import Market
from pipeline.settings import SettingsError

EVENT = {"version": "0", "detail-type": "Scheduled Event", "time": "2026-11-22T09:40:00Z", "detail": {}}


async def test_a_tick_becomes_its_objects(aws, open_generator):
    """The files asked for, under the tick's keys, and the figures that go with them."""
    handler = await open_generator(FILE_COUNT="12", ROWS_PER_FILE="30")

    answer = await handler(EVENT)

    assert sorted(aws.objects) == [f"stocks/2026/11/22/094000-{number:04d}.csv" for number in range(12)]
    size = sum(map(len, aws.objects.values()))
    assert answer == {"files": 12, "rows": 360, "bytes": size}
    metrics = handler.metrics
    assert (metrics["FilesWritten"], metrics["RowsGenerated"], metrics["BytesWritten"]) == (12, 360, size)
    assert all(body.count(b"\n") == 31 for body in aws.objects.values())


async def test_a_retried_tick_writes_the_same_bytes(aws, open_generator):
    """EventBridge delivers at least once; the second time changes nothing, in another environment either."""
    handler = await open_generator(FILE_COUNT="5")
    await handler(EVENT)
    first = dict(aws.objects)

    await (await open_generator(FILE_COUNT="5"))(EVENT)

    assert aws.objects == first
    assert len(aws.puts) == 10


async def test_objects_are_made_one_at_a_time(aws, open_generator, monkeypatch):
    """An object is whole before the next one is begun: the first leaves while the others are still to be made."""
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
    """As the console's Test button sends it, and with EventBridge Scheduler's offsets."""
    monkeypatch.setattr("pipeline.generator.time.time", lambda: 1_795_340_400.75)
    handler = await open_generator(FILE_COUNT="1")

    await handler({"key1": "value1"})
    await handler({"time": "2026-11-22T10:40:01+01:00"})

    assert aws.puts == ["stocks/2026/11/22/094000-0000.csv", "stocks/2026/11/22/094001-0000.csv"]


@pytest.mark.parametrize("time", ["yesterday", "2026-11-22T09:40:00"])
async def test_an_event_with_a_malformed_time_fails(aws, open_generator, time):
    """Rather than writing objects that no retry would write again."""
    with pytest.raises(Exception, match="the event's time"):
        await (await open_generator())({"time": time})
    assert not aws.puts


async def test_a_failed_upload_is_tried_again(aws, open_generator, monkeypatch):
    """S3's own troubles pass."""
    monkeypatch.setattr("pipeline.generator.PAUSE_BASE_S", 0.001)
    aws.refused_puts = [(503, "SlowDown")] * 3
    handler = await open_generator(FILE_COUNT="4")

    assert (await handler(EVENT))["files"] == 4


async def test_a_tick_that_cannot_be_written_whole_fails(aws, open_generator):
    """The other objects are written, the invocation fails, and says which object and why; the retry completes it."""
    aws.refused_puts = [(403, "AccessDenied")]
    handler = await open_generator(FILE_COUNT="4")

    with pytest.raises(
        generator.TickFailed, match=r"1 of 4 objects of the tick were not written: stocks/2026.*AccessDenied"
    ):
        await handler(EVENT)

    assert len(aws.objects) == 3
    assert handler.metrics["FilesWritten"] == 3
    assert handler.logged("tick failed")[0]["level"] == "ERROR"
    await handler(EVENT)
    assert len(aws.objects) == 4


async def test_without_time_the_invocation_fails_before_lambda_ends_it(aws, open_generator):
    """What is undone is told; nothing is left on its way."""
    handler = await open_generator(FILE_COUNT="2000")

    with pytest.raises(generator.TickFailed, match="no time left in this invocation"):
        await handler(EVENT, remaining_s=0.05)

    assert not tasks_of_the_pipeline()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"BUCKET_NAME": ""}, "BUCKET_NAME is not set"),
        ({"FILE_COUNT": "ten"}, "FILE_COUNT='ten' is no whole number"),
        ({"FILE_COUNT": "10001"}, "FILE_COUNT=10001 is not within 1 to 10000"),
        ({"ROWS_PER_FILE": "0"}, "ROWS_PER_FILE=0 is not within"),
        ({"TICKER_COUNT": "-1"}, "TICKER_COUNT=-1 is not within"),
        ({"SEED": "x"}, "SEED='x' is no whole number"),
        ({"KEY_PREFIX": "/stocks/"}, "KEY_PREFIX='/stocks/' must not begin with '/'"),
        ({"FILE_COUNT": "10000", "ROWS_PER_FILE": "1000", "TICKER_COUNT": "5"}, "TICKER_COUNT=5 is too few"),
    ],
)
def test_a_bad_setting_of_the_generator_is_named(variables, message):
    """One line that names it."""
    with pytest.raises(SettingsError, match=message):
        generator.GeneratorSettings.from_environ({"BUCKET_NAME": "bucket"} | variables)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"TABLE_NAME": ""}, "TABLE_NAME is not set"),
        ({"REJECTED_PREFIX": "stocks/rejected/"}, "REJECTED_PREFIX='stocks/rejected/' puts rejected rows under"),
        ({"REJECTED_PREFIX": "a", "KEY_PREFIX": "aa"}, "without end"),
        ({"WRITE_CONCURRENCY": "0"}, "WRITE_CONCURRENCY=0 is not within"),
        ({"OBJECT_CONCURRENCY": "many"}, "OBJECT_CONCURRENCY='many' is no whole number"),
        ({"TIMESTAMP_FORMAT": "%Q"}, "TIMESTAMP_FORMAT='%Q' is no strptime format"),
        ({"TABLE_NAME": "T", "BATCH_WRITER": "boto3"}, "BATCH_WRITER='boto3' is none of signed, aiobotocore"),
    ],
)
def test_a_bad_setting_of_the_consumer_is_named(variables, message):
    """One line that names it; rejected rows that would be ingested again are refused either way round."""
    with pytest.raises(SettingsError, match=message):
        consumer.ConsumerSettings.from_environ({"TABLE_NAME": "table"} | variables)


def test_an_empty_setting_is_an_unset_one():
    """A template's empty parameter arrives as an empty text."""
    names = (
        "TICKER_COLUMN",
        "TIMESTAMP_COLUMN",
        "TIMESTAMP_FORMAT",
        "REJECTED_PREFIX",
        "KEY_PREFIX",
        "WRITE_CONCURRENCY",
    )

    empty = consumer.ConsumerSettings.from_environ({"TABLE_NAME": "T"} | dict.fromkeys(names, ""))

    assert empty == consumer.ConsumerSettings.from_environ({"TABLE_NAME": "T"})
    assert (empty.rejected_prefix, empty.key_prefix) == ("rejected/", "stocks/")
