"""Reading an object over connections that break, and writing its rejected rows."""

from __future__ import annotations

import json

import pytest
from aiohttp import ClientPayloadError
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from pipeline.chance import stream
from pipeline.failures import MessageFailure, ObjectGone
from pipeline.objects import ObjectStream, RejectedRows
from pipeline.rows import RejectedRow

MIB = 1024 * 1024


def refusal(code: str, status: int) -> ClientError:
    """An error answer from S3."""
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


class Body:
    """An object's bytes, in these chunks; an error breaks the connection."""

    def __init__(self, *chunks):
        self.chunks = list(chunks)
        self.closed = False

    async def read(self, size):
        """The next chunk, empty at the end."""
        assert size == 64 * 1024
        chunk = self.chunks.pop(0) if self.chunks else b""
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def close(self):
        """Like aiobotocore's."""
        self.closed = True


class Bucket:
    """A client whose GETs return these bodies in turn; it records requests and writes."""

    def __init__(self, *bodies, size=10):
        self.bodies = list(bodies)
        self.size = size
        self.asked = []
        self.refused = None

    async def get_object(self, **request):
        """Get the next body; bucket and key are not recorded."""
        assert (request.pop("Bucket"), request.pop("Key")) == ("bucket", "key")
        self.asked.append(request)
        body = self.bodies[len(self.asked) - 1]
        if isinstance(body, Exception):
            raise body
        left = self.size - int(request.get("Range", "bytes=0-")[6:-1])
        return {"Body": body, "ContentLength": left, "ETag": f"etag-{len(self.asked)}"}

    def __getattr__(self, operation):
        async def write(**request):
            if self.refused:
                raise self.refused
            assert (request.pop("Bucket"), request.pop("Key")) == ("bucket", "key")
            self.asked.append((operation, request))
            return {"UploadId": "upload", "ETag": f"etag-{len(self.asked)}"}

        return write


@pytest.fixture
def pauses(monkeypatch):
    """The pauses, none of which took any time."""
    made = []

    async def sleep(seconds):
        made.append(seconds)

    monkeypatch.setattr("pipeline.objects.asyncio.sleep", sleep)
    return made


async def read(reading):
    """All chunks."""
    return [chunk async for chunk in reading.chunks()]


async def test_an_object_is_read_once_from_its_beginning(pauses):
    """The answer gives its size; the connection is returned."""
    body = Body(b"01234", b"56789")
    s3 = Bucket(body)
    reading = ObjectStream(s3, "bucket", "key", "seed")
    assert (reading.size_bytes, reading.bytes_read) == (None, 0)

    assert await read(reading) == [b"01234", b"56789"]

    assert (reading.size_bytes, reading.bytes_read, body.closed) == (10, 10, True)
    assert (s3.asked, pauses) == ([{}], [])


async def test_a_broken_connection_is_taken_up_at_its_byte_if_the_object_is_the_same(pauses):
    """Before the first byte there is nothing to resume: the object that is there by then is read."""
    errors = [ClientPayloadError(), ReadTimeoutError(endpoint_url="u"), TimeoutError()]
    s3 = Bucket(Body(errors[0]), Body(b"0123", errors[1]), Body(b"4567", errors[2]), Body(b"89"))
    reading = ObjectStream(s3, "bucket", "key", "seed")

    assert await read(reading) == [b"0123", b"4567", b"89"]

    assert s3.asked == [{}, {}, {"Range": "bytes=4-", "IfMatch": "etag-2"}, {"Range": "bytes=8-", "IfMatch": "etag-2"}]
    assert (reading.size_bytes, reading.bytes_read) == (10, 10)
    assert all(body.closed for body in s3.bodies)


async def test_what_breaks_after_the_last_byte_is_whole(pauses):
    """S3 would refuse a range that begins at the end."""
    s3 = Bucket(Body(b"0123456789", TimeoutError()))

    assert await read(ObjectStream(s3, "bucket", "key", "seed")) == [b"0123456789"]


async def test_a_connection_that_breaks_six_times_fails_the_message(pauses):
    """Five breaks are tolerated, with pauses of up to 0.2 s, doubled up to 2 s; a later delivery may succeed."""
    s3 = Bucket(*(Body(TimeoutError("broken")) for _ in range(6)))

    with pytest.raises(
        MessageFailure, match="the connection broke 6 times while reading the object: broken"
    ) as failure:
        await read(ObjectStream(s3, "bucket", "key", "seed"))

    assert not failure.value.permanent
    bounds = enumerate((0.2, 0.4, 0.8, 1.6, 2.0), 1)
    assert pauses == [pytest.approx(stream("seed", "resume", number).uniform(0, bound)) for number, bound in bounds]
    assert len(s3.asked) == 6


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (refusal("PreconditionFailed", 412), False),
        (refusal("412", 412), False),
        (refusal("AccessDenied", 403), True),
        (refusal("InternalError", 500), False),
        (ConnectTimeoutError(endpoint_url="u"), False),
    ],
)
async def test_an_object_that_cannot_be_read_fails_its_message(error, permanent):
    """One that was replaced meanwhile is read again with the next delivery; what S3 forbids stays forbidden."""
    with pytest.raises(MessageFailure) as failure:
        await read(ObjectStream(Bucket(error), "bucket", "key", "seed"))

    assert failure.value.permanent is permanent
    assert ("replaced" in failure.value.reason) is ("412" in str(getattr(error, "response", "")))


async def test_a_key_that_is_gone_is_not_a_failure():
    """Somebody has removed it since."""
    with pytest.raises(ObjectGone):
        await read(ObjectStream(Bucket(refusal("NoSuchKey", 404)), "bucket", "key", "seed"))


async def test_rejected_rows_are_lines_of_json():
    """There is one object; bytes that were not UTF-8 are written as escapes. Without rejected rows there is none."""
    s3 = Bucket()
    rows = RejectedRows(s3, "bucket", "key")
    await rows.complete()
    assert (s3.asked, rows.count) == ([], 0)

    await rows.add(RejectedRow(2, "ü", ("a", "\udce9")))
    await rows.add(RejectedRow(3, "r", ()))
    await rows.complete()

    body = '{"line": 2, "reason": "ü", "row": ["a", "\\udce9"]}\n{"line": 3, "reason": "r", "row": []}\n'.encode()
    assert s3.asked == [("put_object", {"Body": body, "ContentType": "application/x-ndjson"})]
    assert rows.count == 2
    assert [(entry["reason"], entry["count"]) for entry in rows.reasons.most_frequent()] == [("ü", 1), ("r", 1)]


@pytest.mark.parametrize(("count", "sizes"), [(7, []), (8, [8]), (15, [8, 7]), (16, [8, 8]), (17, [8, 8, 1])])
async def test_eight_mebibytes_of_rejected_rows_are_a_part(count, sizes):
    """S3 requires at least five except for the last; each byte is written once, and the upload is completed."""
    s3 = Bucket()
    rows = RejectedRows(s3, "bucket", "key")
    empty = len(json.dumps({"line": 2, "reason": "", "row": []})) + 1
    for number in range(1, count + 1):
        await rows.add(RejectedRow(2, "x" * (MIB - empty), ()))
        parts = [request for operation, request in s3.asked if operation == "upload_part"]
        assert len(parts) == number // 8
    await rows.complete()

    told = [(operation, {**request, "Body": len(request.get("Body", ""))}) for operation, request in s3.asked]
    if not sizes:
        assert told == [("put_object", {"Body": 7 * MIB, "ContentType": "application/x-ndjson"})]
        return
    written = [{"ETag": f"etag-{number + 1}", "PartNumber": number} for number in range(1, len(sizes) + 1)]
    assert told == [
        ("create_multipart_upload", {"ContentType": "application/x-ndjson", "Body": 0}),
        *(
            ("upload_part", {"UploadId": "upload", "PartNumber": number, "Body": size * MIB})
            for number, size in enumerate(sizes, 1)
        ),
        ("complete_multipart_upload", {"UploadId": "upload", "MultipartUpload": {"Parts": written}, "Body": 0}),
    ]


@pytest.mark.parametrize(("error", "permanent"), [(refusal("AccessDenied", 403), True), (refusal("X", 503), False)])
async def test_rejections_that_cannot_be_written_fail_the_message(error, permanent):
    """It holds at the end, and in the middle of many."""
    s3 = Bucket()
    s3.refused = error
    rows = RejectedRows(s3, "bucket", "key")
    await rows.add(RejectedRow(2, "r", ()))
    with pytest.raises(MessageFailure, match="writing the rejected rows") as at_the_end:
        await rows.complete()
    with pytest.raises(MessageFailure, match="writing the rejected rows") as in_the_middle:
        await rows.add(RejectedRow(3, "x" * 8 * MIB, ()))

    assert at_the_end.value.permanent is in_the_middle.value.permanent is permanent
