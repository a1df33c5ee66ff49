"""Real CSV files on their way: what arrives in the bucket, and what is said of a file that cannot be sent."""

from __future__ import annotations

import asyncio
import calendar
import gzip
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes.clock import ManualClock
from simulator.base import limits
from simulator.base.clients import Clients, connect, offline_session
from simulator.base.errors import CouldNotFinish, InputError
from simulator.base.observations import ObjectPut, Observation
from simulator.files.finding import SourceFile, find
from simulator.proof.audit import audit
from simulator.proof.notifications import ObjectRef
from simulator.run.sources import _batches, send

CSV = "ticker,date,price\nA,2026-01-01,1\n"


def _write(path: Path, content: str | bytes = CSV) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _files(*paths: Path) -> tuple[SourceFile, ...]:
    """The files that these paths name."""
    found = find(paths, "stocks/")
    assert found.problems == ()
    return found.files


@dataclass
class Place:
    """A bucket of its own."""

    clients: Clients
    bucket: str
    recorded: list[Observation] = field(default_factory=list)

    async def send(self, files: tuple[SourceFile, ...], **changes: Any) -> None:
        """Send into it; nobody stops it unless told otherwise."""
        arguments: dict[str, Any] = {
            "s3": self.clients.s3,
            "bucket": self.bucket,
            "record": self.recorded.append,
            "clock": ManualClock(7.0),
            "stop": asyncio.Event(),
        }
        await send(files, **(arguments | changes))

    async def content(self, key: str) -> bytes:
        """An object's bytes."""
        answer = await self.clients.s3.get_object(Bucket=self.bucket, Key=key)
        return await answer["Body"].read()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(store_endpoint: str) -> AsyncIterator[Clients]:
    """One set for all tests: making it costs more than a test."""
    async with connect(store_endpoint, offline_session()) as clients:
        yield clients


@pytest_asyncio.fixture(loop_scope="module")
async def place(clients: Clients) -> Place:
    """An empty bucket."""
    bucket = f"sources-{uuid.uuid4().hex[:12]}"
    await clients.s3.create_bucket(Bucket=bucket)
    return Place(clients, bucket)


in_module_loop = pytest.mark.asyncio(loop_scope="module")


@in_module_loop
async def test_every_file_arrives_as_it_is(tmp_path: Path, place: Place) -> None:
    """The objects hold the files' bytes, and each put is told once with its size."""
    for name in ("a b+c.csv", "d/é.csv", "f.csv"):
        _write(tmp_path / name, CSV + name)
    files = _files(tmp_path)
    await place.send(files, concurrency=2)
    for file in files:
        assert await place.content(file.key) == file.path.read_bytes()
    assert sorted(place.recorded, key=lambda put: put.key) == [
        ObjectPut(7.0, place.bucket, file.key, file.path.stat().st_size) for file in files
    ]


@in_module_loop
async def test_a_large_file_goes_in_parts(tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large for one put arrives whole all the same, its parts in order."""
    monkeypatch.setattr(limits, "SOURCE_PUT_BYTES", 6 * 1024 * 1024)
    monkeypatch.setattr(limits, "SOURCE_PART_BYTES", 5 * 1024 * 1024)
    body = b"a,b\n" + os.urandom(1024) * 11 * 1024
    path = _write(tmp_path / "large.csv", body)
    file = SourceFile(path, "stocks/source/large.csv")
    await place.send((file,))
    stored = await place.content(file.key)
    assert hashlib.sha256(stored).digest() == hashlib.sha256(body).digest()
    assert place.recorded == [ObjectPut(7.0, place.bucket, file.key, len(body))]


@in_module_loop
async def test_a_large_file_that_breaks_off_leaves_no_upload(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a part is refused the upload is ended, so that no part stays behind in the bucket."""
    monkeypatch.setattr(limits, "SOURCE_PUT_BYTES", 10)
    monkeypatch.setattr(limits, "SOURCE_PART_BYTES", 20)  # S3 refuses parts below 5 MB when the upload is completed
    path = _write(tmp_path / "a.csv", CSV * 3)
    with pytest.raises(CouldNotFinish, match=r"a\.csv' could not be sent: .*EntityTooSmall"):
        await place.send((SourceFile(path, "stocks/source/a.csv"),))
    uploads = await place.clients.s3.list_multipart_uploads(Bucket=place.bucket)
    assert uploads.get("Uploads", []) == []
    assert place.recorded == []


@in_module_loop
async def test_a_stop_lets_the_files_in_hand_finish(tmp_path: Path, place: Place) -> None:
    """Ctrl-C while files are sent: what was begun arrives, nothing more is begun."""
    for number in range(9):
        _write(tmp_path / f"{number}.csv")
    files, stop = _files(tmp_path), asyncio.Event()

    def record(observation: Observation) -> None:
        place.recorded.append(observation)
        stop.set()

    await place.send(files, stop=stop, record=record, concurrency=2)
    sent = [each.key for each in place.recorded if isinstance(each, ObjectPut)]
    assert 1 <= len(sent) <= 2
    listed = await place.clients.s3.list_objects_v2(Bucket=place.bucket)
    assert sorted(entry["Key"] for entry in listed["Contents"]) == sorted(sent)


@in_module_loop
async def test_a_file_that_vanished_is_named(tmp_path: Path, place: Place) -> None:
    """A file that was there when it was found and is gone now ends the sending with one line."""
    file = _files(_write(tmp_path / "a.csv"))[0]
    file.path.unlink()
    with pytest.raises(InputError, match=r"a\.csv' cannot be read: No such file or directory$"):
        await place.send((file,))


@in_module_loop
async def test_a_bucket_that_refuses_is_named(tmp_path: Path, place: Place) -> None:
    """What the store says is part of the line."""
    with pytest.raises(CouldNotFinish, match=r"a\.csv' could not be sent: .*NoSuchBucket"):
        await place.send(_files(_write(tmp_path / "a.csv")), bucket="no-such-bucket-here")


def test_the_real_files_rows_are_as_expected(vega_stocks: Path) -> None:
    """The real input is the file the other tests count on."""
    lines = vega_stocks.read_text().splitlines()
    assert (lines[0], lines[1], len(lines) - 1) == ("symbol,date,price", "MSFT,Jan 1 2000,39.81", 560)


@in_module_loop
@pytest.mark.parametrize("name", ["stocks.csv", "stocks.csv.gz"])
async def test_a_real_file_is_sent_and_its_rows_are_proven(
    name: str, vega_stocks: Path, tmp_path: Path, place: Place
) -> None:
    """560 rows of vega-datasets, plain and gzipped, against items written from the file's text by hand."""
    text = await asyncio.to_thread(vega_stocks.read_bytes)
    path = _write(tmp_path / name, gzip.compress(text) if name.endswith(".gz") else text)
    await place.send(_files(path))
    table = place.bucket
    await place.clients.dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("PK", "SK")],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    )
    months = {calendar.month_abbr[number]: f"{number:02d}" for number in range(1, 13)}
    puts = []
    for line in text.decode().splitlines()[1:]:
        symbol, date, price = line.split(",")
        month, _, year = date.split()
        item = {"PK": {"S": symbol}, "SK": {"S": f"{year}-{months[month]}-01"}, "price": {"N": price}}
        puts.append({"PutRequest": {"Item": item}})
    for first in range(0, len(puts), 25):
        await place.clients.dynamodb.batch_write_item(RequestItems={table: puts[first : first + 25]})

    async def none() -> AsyncIterator[ObjectRef]:
        for ref in ():
            yield ref

    found = await audit(
        s3=place.clients.s3,
        dynamodb=place.clients.dynamodb,
        bucket=place.bucket,
        prefix="stocks/",
        table=table,
        environ={"TIMESTAMP_FORMAT": "%b %d %Y"},
        rejected_prefix="rejected/",
        dead_lettered=none(),
        pending=none(),
        earlier=none(),
        drained=True,
        record=place.recorded.append,
        clock=ManualClock(),
    )
    assert (found.verdict, found.parsed_rows, found.expected_rows, found.stored_rows) == ("exact", 560, 560, 560)


def test_messages_go_in_batches_that_sqs_takes() -> None:
    """Ten at most, and together no larger than one message may be, which then goes alone; the order is kept."""
    small = [str(number) for number in range(21)]
    assert [len(batch) for batch in _batches(small)] == [10, 10, 1]
    large = "x" * (limits.SQS_MESSAGE_BYTES[1] - 2)
    bodies = ["a", large, "b", "c", "é", large]
    assert list(_batches(bodies)) == [["a", large, "b"], ["c", "é"], [large]]
    assert list(_batches([])) == []
