"""What the generator opens, and how its uploads share S3, the loop and the time."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from fakes.handlers import environ
from pipeline import generator
from pipeline.budget import Budget
from pipeline.functions import GeneratorSettings
from pipeline.market import Market

EVENT = {"time": "2026-11-22T09:40:00Z"}


class S3:
    """Records the keys of uploads; accepts them once it is allowed to."""

    def __init__(self):
        self.keys = []
        self.taken = 0
        self.may_take = asyncio.Event()

    async def put_object(self, **request):
        """Like aiobotocore's."""
        self.keys.append(request["Key"])
        await self.may_take.wait()
        self.taken += 1


class Session:
    """Hands out `s3`, and records the arguments."""

    def __init__(self, s3):
        self.s3 = s3
        self.made = []

    @asynccontextmanager
    async def create_client(self, service, **options):
        """Like aiobotocore's."""
        self.made.append((service, options))
        yield self.s3


def uploads_of(s3, soft_at=1e12, **settings):
    """The uploads of one tick."""
    checked = GeneratorSettings.from_environ({"BUCKET_NAME": "bucket", **settings})
    return generator._Uploads(s3, checked, 0, Budget(0.0, soft_at, soft_at), "seed")


async def turns():
    """More turns of the loop than anything here needs."""
    for _ in range(1000):
        await asyncio.sleep(0)


async def test_each_upload_has_a_connection_to_s3():
    """There are at most 32, and botocore tries three times before the generator itself waits."""
    session = Session(S3())
    async with generator.open_environment(environ("http://127.0.0.1:1"), session, print):
        ((service, options),) = session.made
    assert service == "s3"
    assert options["config"].max_pool_connections == 32
    assert options["config"].retries == {"mode": "standard", "total_max_attempts": 3}


@pytest.mark.parametrize(("given", "name"), [({}, "GeneratorLambda"), ({"AWS_LAMBDA_FUNCTION_NAME": "Mine"}, "Mine")])
async def test_figures_have_the_functions_name_without_a_context(given, name):
    """Lambda's variable gives the name; elsewhere it is the template's."""
    lines = []
    session = Session(S3())
    session.s3.may_take.set()
    variables = environ("http://127.0.0.1:1", FILE_COUNT="1", ROWS_PER_FILE="1", **given)
    async with generator.open_environment(variables, session, lines.append) as invoke:
        await invoke(EVENT, None)
    assert [line["FunctionName"] for line in map(json.loads, lines) if "_aws" in line] == [name]


@pytest.mark.parametrize(("files", "at_once"), [(40, 32), (3, 3)])
async def test_no_more_objects_are_on_their_way_at_once_than_32(files, at_once):
    """The others follow as these finish."""
    s3 = S3()
    uploads = uploads_of(s3, FILE_COUNT=str(files), ROWS_PER_FILE="1")
    run = asyncio.create_task(uploads.run())
    await turns()
    assert len(s3.keys) == at_once

    s3.may_take.set()
    await run
    assert len(set(s3.keys)) == s3.taken == uploads.files == files


@pytest.mark.parametrize(
    ("before", "told"), [(None, "no time left in this invocation"), ("key: AccessDenied", "key: AccessDenied")]
)
async def test_what_failed_first_is_reported_though_time_ran_out_as_well(before, told):
    """The end of the time is the reason only if there was no other."""
    uploads = uploads_of(S3(), soft_at=asyncio.get_running_loop().time())
    uploads.reason = before

    await uploads.run()

    assert (uploads.reason, uploads.files) == (told, 0)


async def test_others_have_their_turn_after_each_chunk(monkeypatch):
    """Making an object of a million rows does not block the loop."""
    told = []
    whole = Market.csv_chunks

    def watched(self, tick, number):
        for chunk in whole(self, tick, number):
            told.append("chunk")
            yield chunk

    async def other():
        while True:
            told.append("other")
            await asyncio.sleep(0)

    monkeypatch.setattr(Market, "csv_chunks", watched)
    s3 = S3()
    s3.may_take.set()
    uploads = uploads_of(s3, FILE_COUNT="1", ROWS_PER_FILE="1500")
    run = asyncio.create_task(uploads.run())
    others = asyncio.create_task(other())
    await run
    others.cancel()

    began = told.index("chunk")
    assert told[began : began + 8] == ["chunk", "other"] * 4
