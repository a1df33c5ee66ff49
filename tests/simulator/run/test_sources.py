"""Real CSV files: which are found, which are refused, and what arrives in the bucket."""

from __future__ import annotations

import asyncio
import calendar
import gzip
import hashlib
import os
import random
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
from simulator.proof.audit import audit
from simulator.proof.notifications import ObjectRef
from simulator.run.sources import SourceFile, find, send

CSV = "ticker,date,price\nA,2026-01-01,1\n"


def _write(path: Path, content: str | bytes = CSV) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _found(*paths: Path, prefix: str = "stocks/") -> list[tuple[str, str]]:
    return [(str(source.path), source.key) for source in find(paths, prefix)]


def test_a_file_becomes_an_object_under_its_name(tmp_path: Path) -> None:
    """A file that is named itself may have any suffix; its size comes with it."""
    path = _write(tmp_path / "deep" / "quotes.txt")
    assert find([path], "stocks/") == (SourceFile(path, "stocks/source/quotes.txt"),)


def test_a_directory_gives_its_csv_files_in_order_of_name(tmp_path: Path) -> None:
    """Every *.csv and *.csv.gz below it, any case, under its path relative to the directory; nothing hidden."""
    kept = ["a.csv", "b/c d.CSV", "b/e.csv.gz", "z.csv"]
    for name in kept:
        _write(tmp_path / name)
    for name in ("notes.md", ".hidden.csv", ".git/x.csv", "b/._c.csv", "data.gz"):
        _write(tmp_path / name, b"\0")
    assert _found(tmp_path) == [(str(tmp_path / name), f"stocks/source/{name}") for name in kept]


def test_the_prefix_is_the_notifications(tmp_path: Path) -> None:
    """Another template, another prefix: the objects land where the notification sees them."""
    assert _found(_write(tmp_path / "a.csv"), prefix="in/")[0][1] == "in/source/a.csv"


def test_paths_come_in_the_order_given(tmp_path: Path) -> None:
    """Several arguments are sent one after the other."""
    second, first = _write(tmp_path / "a.csv"), _write(tmp_path / "b.csv")
    assert [key for _, key in _found(first, second)] == ["stocks/source/b.csv", "stocks/source/a.csv"]


def test_a_file_named_twice_is_sent_once(tmp_path: Path) -> None:
    """A directory and one of its own files name the same object: that is no conflict."""
    path = _write(tmp_path / "a.csv")
    assert len(_found(tmp_path, path, path)) == 1


def test_two_files_for_one_key_are_refused(tmp_path: Path) -> None:
    """Of two files with one key the later would overwrite the earlier, so neither is sent."""
    first, two = _write(tmp_path / "1" / "a.csv"), _write(tmp_path / "2" / "a.csv")
    with pytest.raises(InputError, match=r"would both become stocks/source/a\.csv") as refusal:
        find([first, two], "stocks/")
    assert str(first) in str(refusal.value)
    assert str(two) in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n \r\n", "it is empty"),
        (gzip.compress(b"", mtime=0), "it is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "it is no text"),
        (b"PK\x03\x04" + bytes(range(256)), "it is no text"),
        (b"a,b\n\0\0", "it is no text"),
        (b"price,\xff\xfe\xfd\n", "it is no text"),
        (gzip.compress(b"\xff\x00\xff\x00", mtime=0), "it is no text"),
        (b"\x1f\x8b\x08garbage that is no gzip", "the gzip stream is damaged"),
        (b'{"symbol": "A", "price": 1}', "it begins with '{', as JSON or a web page does"),
        (b'[{"symbol": "A", "price": 1}]', "it begins with '['"),
        (b"<!DOCTYPE html>, not found", "it begins with '<'"),
        (b"Some thoughts on the market\nIt went up.\n", "its first line has no comma"),
        (b"date;open;close\n", "its first line has no comma"),
    ],
)
def test_what_is_no_csv_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    """One line says which file and why, before anything is started."""
    path = _write(tmp_path / "source.csv", content)
    with pytest.raises(InputError) as refusal:
        find([tmp_path], "stocks/")
    assert str(refusal.value).startswith(f"{path} is no CSV file: {reason}")
    assert "\n" not in str(refusal.value)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        b"\xef\xbb\xbf" + CSV.encode(),
        b"\r\n" + CSV.replace("\n", "\r\n").encode(),
        CSV.encode("utf-16"),
        gzip.compress(CSV.encode(), mtime=0),
        gzip.compress(CSV.encode("utf-16"), mtime=0),
        b",a\n1,2",
        b'"a,b","c\nd"\n1,2\n',
        b"symbol,n\xc3\xa4me\n" + b"\xc3\xa4" * limits.SOURCE_HEAD_BYTES,
        gzip.compress(b"a,b\n" + random.Random(0).randbytes(100_000).hex().encode(), mtime=0),
    ],
)
def test_what_the_contract_calls_csv_is_taken(tmp_path: Path, content: bytes) -> None:
    """Plain or gzip, with or without BOM, LF or CRLF, quoted fields: a look at the head refuses none of them."""
    assert len(_found(_write(tmp_path / "source.csv", content))) == 1


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A typing error is told as such."""
    with pytest.raises(InputError, match=r"nothing\.csv does not exist$"):
        find([tmp_path / "nothing.csv"], "stocks/")


def test_a_directory_without_csv_files_is_named(tmp_path: Path) -> None:
    """The message says what was looked for."""
    _write(tmp_path / "readme.md")
    with pytest.raises(InputError, match=r"holds no CSV files \(\*\.csv or \*\.csv\.gz\)$"):
        find([tmp_path], "stocks/")


def test_a_device_is_refused() -> None:
    """Only files and directories can be sent."""
    with pytest.raises(InputError, match="/dev/null is neither a file nor a directory"):
        find([Path("/dev/null")], "stocks/")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission is asked for before anything is started."""
    path = _write(tmp_path / "a.csv")

    # Not by chmod: the tests may run as a user who may read everything.
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"a\.csv cannot be read: Permission denied$"):
        find([path], "stocks/")


def test_names_that_s3_cannot_take_are_refused(tmp_path: Path) -> None:
    """A key is at most 1,024 bytes of UTF-8."""
    path = _write(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"a key of 1\d\d\d bytes; S3 takes 1024"):
        find([path], "x" * 1020 + "/")
    raw = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))
    try:
        _write(raw)
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(InputError, match="a key in S3 is UTF-8"):
        find([raw], "stocks/")


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
    files = find([tmp_path], "stocks/")
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
    with pytest.raises(CouldNotFinish, match=r"a\.csv could not be sent: .*EntityTooSmall"):
        await place.send((SourceFile(path, "stocks/source/a.csv"),))
    uploads = await place.clients.s3.list_multipart_uploads(Bucket=place.bucket)
    assert uploads.get("Uploads", []) == []
    assert place.recorded == []


@in_module_loop
async def test_a_stop_lets_the_files_in_hand_finish(tmp_path: Path, place: Place) -> None:
    """Ctrl-C while files are sent: what was begun arrives, nothing more is begun."""
    for number in range(9):
        _write(tmp_path / f"{number}.csv")
    files, stop = find([tmp_path], "stocks/"), asyncio.Event()

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
    file = find([_write(tmp_path / "a.csv")], "stocks/")[0]
    file.path.unlink()
    with pytest.raises(InputError, match=r"a\.csv cannot be read: No such file or directory$"):
        await place.send((file,))


@in_module_loop
async def test_a_bucket_that_refuses_is_named(tmp_path: Path, place: Place) -> None:
    """What the store says is part of the line."""
    with pytest.raises(CouldNotFinish, match=r"a\.csv could not be sent: .*NoSuchBucket"):
        await place.send(find([_write(tmp_path / "a.csv")], "stocks/"), bucket="no-such-bucket-here")


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
    await place.send(find([path], "stocks/"))
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
