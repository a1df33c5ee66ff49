"""The generator against a stand-in for S3."""

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
    assert metrics["tick"] == 1_795_340_400
    assert all(body.count(b"\n") == 31 for body in aws.objects.values())
    (told,) = handler.logged("tick written")
    assert {name: told[name] for name in ("tick", *answer)} == {"tick": 1_795_340_400, **answer}


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
    (told,) = handler.logged("tick failed")
    assert (told["level"], told["failed"]) == ("ERROR", 1)
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
        ({"FILE_COUNT": "ten"}, "FILE_COUNT='ten' is not a whole number"),
        ({"FILE_COUNT": "10001"}, "FILE_COUNT=10001 is not within 1 to 10000"),
        ({"ROWS_PER_FILE": "0"}, "ROWS_PER_FILE=0 is not within"),
        ({"TICKER_COUNT": "-1"}, "TICKER_COUNT=-1 is not within"),
        ({"SEED": "x"}, "SEED='x' is not a whole number"),
        ({"KEY_PREFIX": "/stocks/"}, "KEY_PREFIX='/stocks/' must not begin with '/'"),
        ({"FILE_COUNT": "10000", "ROWS_PER_FILE": "1000", "TICKER_COUNT": "5"}, "TICKER_COUNT=5 is too few"),
    ],
)
def test_a_bad_setting_of_the_generator_is_named(variables, message):
    """One line that names it."""
    with pytest.raises(SettingsError, match=message):
        GeneratorSettings.from_environ({"BUCKET_NAME": "bucket"} | variables)


def test_what_the_generator_does_unasked():
    """Fifty files of a hundred rows of fifty tickers, from seed 0."""
    market = GeneratorSettings.from_environ({"BUCKET_NAME": "bucket"}).market

    assert (market.seed, market.files, market.rows, market.tickers) == (0, 50, 100, 50)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("SEED", -9223372036854775808, 9223372036854775807),
        ("FILE_COUNT", 1, 10_000),
        ("ROWS_PER_FILE", 1, 1_000_000),
        ("TICKER_COUNT", 1, 456_976),
    ],
)
def test_the_settings_of_the_generator_have_bounds(name, low, high):
    """Both ends are allowed, what lies beyond is not; a seed is what 64 bits hold, a ticker four letters."""
    others = {"BUCKET_NAME": "bucket", "TICKER_COUNT": "5000"}
    for value in (low, high):
        if name == "TICKER_COUNT":
            others |= {"FILE_COUNT": "1", "ROWS_PER_FILE": "1"}
        GeneratorSettings.from_environ(others | {name: str(value)})
    for value in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=f"{name}={value} is not within {low} to {high}"):
            GeneratorSettings.from_environ(others | {name: str(value)})


def test_a_ticker_may_use_every_instant_of_a_tick():
    """A million rows of one ticker have an instant each; more would not."""
    variables = {"BUCKET_NAME": "bucket", "FILE_COUNT": "1", "TICKER_COUNT": "1", "ROWS_PER_FILE": "1000000"}
    assert GeneratorSettings.from_environ(variables).market.rows_per_ticker == 1_000_000
    with pytest.raises(SettingsError, match="TICKER_COUNT=1 is too few"):
        GeneratorSettings.from_environ(variables | {"FILE_COUNT": "2"})


async def test_pauses_between_attempts_have_full_jitter_and_end_with_the_fourth(monkeypatch):
    """The n-th is anything up to 0.1 s doubled n times, drawn for the object. S3's refusal is then told, the first."""
    made = []
    real = asyncio.sleep

    async def sleep(seconds):
        if seconds:
            made.append(seconds)
        await real(0)

    class S3:
        puts = 0

        async def put_object(self, **_):
            """Never."""
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
