"""Overwritten contents of objects: kept for the proof, with a bound on their size."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.base.clients import Clients, connect, offline_session
from simulator.base.limits import S3_EARLIER_BYTES
from simulator.store.s3 import earlier
from simulator.store.s3.earlier import EarlierContents
from simulator.store.store import ControlRefused, Store


def test_contents_come_back_whole_and_in_parts() -> None:
    """They are read by their numbers, from any offset, and end at their ends."""
    contents = EarlierContents()
    contents.keep("a", b"first")
    contents.keep("b", b"")
    contents.keep("a", b"second")

    assert [(kept.key, kept.size_bytes) for kept in contents.kept] == [("a", 5), ("b", 0), ("a", 6)]
    assert [contents.read(number, 0, 100) for number in range(3)] == [b"first", b"", b"second"]
    assert [contents.read(2, offset, 4) for offset in (0, 2, 4, 6)] == [b"seco", b"cond", b"nd", b""]


@pytest.mark.parametrize(("number", "offset"), [(1, 0), (-1, 0), (0, -1)])
def test_what_was_never_kept_cannot_be_read(number: int, offset: int) -> None:
    """A wrong number is an error, not answered with something else."""
    contents = EarlierContents()
    contents.keep("a", b"first")
    with pytest.raises(ValueError, match=f"no earlier content {number}"):
        contents.read(number, offset, 5)


def test_the_room_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content that no longer fits is counted as lost; a smaller one may still fit."""
    monkeypatch.setattr(earlier, "S3_EARLIER_BYTES", 10)
    contents = EarlierContents()
    for content in (b"123456", b"12345", b"1234"):
        contents.keep("a", content)

    assert ([kept.size_bytes for kept in contents.kept], contents.lost) == ([6, 4], 1)
    assert S3_EARLIER_BYTES > 10


def test_a_full_disk_loses_a_content_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The put itself continues as if nothing were kept."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(earlier.tempfile, "TemporaryFile", full)
    contents = EarlierContents()
    contents.keep("a", b"content")

    assert (contents.kept, contents.lost) == ([], 1)


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the store ends, nothing is left."""
    monkeypatch.setattr(earlier.tempfile, "tempdir", str(tmp_path))
    contents = EarlierContents()
    contents.keep("a", b"content")

    assert list(tmp_path.iterdir()) == []
    assert contents.read(0, 0, 10) == b"content"


async def _seen(store: Store, bucket: str) -> list[tuple[str, bytes]]:
    return [(key, b"".join([part async for part in chunks])) async for key, chunks in store.earlier_contents(bucket)]


async def _replaced(clients: Clients, bucket: str, key: str, *bodies: bytes) -> None:
    for body in bodies:
        await clients.s3.put_object(Bucket=bucket, Key=key, Body=body)


async def test_the_store_shows_what_was_put_again() -> None:
    """It lists each replaced or deleted content with its key, in order; equal content and a copy replace nothing."""
    async with Store.open() as store, connect(store.endpoint, offline_session()) as clients:
        for bucket in ("plain", "versioned", "untouched"):
            await clients.s3.create_bucket(Bucket=bucket)
        enabled = {"Status": "Enabled"}
        await clients.s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration=enabled)  # type: ignore[arg-type]
        large = b"x" * 2_500_000
        await _replaced(clients, "plain", "a b/ä.csv", b"first", b"first", large, b"third")
        await _replaced(clients, "plain", "gone.csv", b"content")
        await clients.s3.delete_object(Bucket="plain", Key="gone.csv")
        await _replaced(clients, "plain", "gone.csv", b"another")
        await _replaced(clients, "versioned", "v.csv", b"one", b"two")
        await clients.s3.delete_object(Bucket="versioned", Key="v.csv")
        await _replaced(clients, "versioned", "v.csv", b"three")

        assert await _seen(store, "plain") == [("a b/ä.csv", b"first"), ("a b/ä.csv", large), ("gone.csv", b"content")]
        assert await _seen(store, "versioned") == [("v.csv", b"one"), ("v.csv", b"two")]
        assert await _seen(store, "untouched") == []
        with pytest.raises(ControlRefused, match="no bucket 'nowhere'"):
            await _seen(store, "nowhere")
