"""Random sequences of S3 calls get the same answers from stock moto and from the store without AWS's rules."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_numbers = itertools.count()
_keys = st.sampled_from(["a.csv", "stocks/a b.csv", "stocks/a+b=c.csv", "stocks/deep/\u00e9.csv", "z"])
_bodies = st.binary(max_size=12)
STEPS = st.one_of(
    st.tuples(st.just("put"), _keys, _bodies, st.sampled_from(["", "type", "meta", "once", "crc", "tags", "class"])),
    st.tuples(st.just("get"), _keys, st.sampled_from(["", "range", "match", "checksum"])),
    st.tuples(st.just("head"), _keys),
    st.tuples(st.just("delete"), _keys),
    st.tuples(st.just("copy"), _keys, _keys),
    st.tuples(st.just("delete_many"), st.lists(_keys, min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("list"), st.sampled_from(["", "stocks/", "zz"]), st.sampled_from(["", "/"]), st.booleans()),
    st.tuples(st.just("pages"), st.integers(1, 3)),
    st.tuples(st.just("versioning")),
    st.tuples(st.just("mistake"), st.sampled_from(["bucket", "subresource"])),
)
_MADE_UP = re.compile(
    rb"<(LastModified|RequestId|RequestID|HostId|NextContinuationToken|ContinuationToken|VersionId|UploadId"
    rb"|DeleteMarkerVersionId)>[^<]*</"
)
_HEADERS = {"etag", "content-type", "content-range", "x-amz-meta-note", "x-amz-checksum-crc32", "x-amz-tagging-count"}


class _Side:
    """One of the two servers with its own bucket."""

    def __init__(self, server: Any, name: str) -> None:
        self._s3, self._bucket = server.s3, f"/{name}"
        assert self._s3("PUT", self._bucket).status == 200

    def step(self, step: Any) -> Any:
        kind, *arguments = step if isinstance(step, tuple) else (step,)
        return getattr(self, f"_{kind}")(*arguments)

    def _send(self, method: str, target: str, body: bytes = b"", **headers: str) -> Any:
        response = self._s3(method, self._bucket + target, body, **headers)
        kept = {name.lower(): value for name, value in response.headers if name.lower() in _HEADERS}
        if method != "GET" or "?" in target:
            # moto leaves the type of its own documents to Flask.
            kept.pop("content-type", None)
        return response.status, kept, _document(_MADE_UP.sub(rb"<\1>...</", response.body))

    def _target(self, key: str) -> str:
        return "/" + quote(key, safe="/")

    def _put(self, key: str, body: bytes, how: str) -> Any:
        digest = base64.b64encode(hashlib.sha256(body).digest()[:4]).decode()
        headers = {
            "type": {"Content_Type": "text/csv"},
            "meta": {"x_amz_meta_note": "n"},
            "once": {"If_None_Match": "*"},
            "crc": {"x_amz_sdk_checksum_algorithm": "CRC32", "x_amz_checksum_crc32": digest},
            "tags": {"x_amz_tagging": "colour=red"},
            "class": {"x_amz_storage_class": "STANDARD_IA"},
        }.get(how, {})
        return self._send("PUT", self._target(key), body, **headers)

    def _get(self, key: str, how: str) -> Any:
        headers = {
            "range": {"Range": "bytes=1-2"},
            "match": {"If_None_Match": "*"},
            "checksum": {"x_amz_checksum_mode": "ENABLED"},
        }.get(how, {})
        return self._send("GET", self._target(key), **headers)

    def _head(self, key: str) -> Any:
        return self._send("HEAD", self._target(key))

    def _delete(self, key: str) -> Any:
        return self._send("DELETE", self._target(key))

    def _copy(self, source: str, target: str) -> Any:
        return self._send("PUT", self._target(target), x_amz_copy_source=self._bucket + self._target(source))

    def _delete_many(self, keys: list[str]) -> Any:
        inner = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
        return self._send("POST", "?delete", f"<Delete>{inner}</Delete>".encode())

    def _list(self, prefix: str, delimiter: str, encoded: bool) -> Any:
        query = f"?list-type=2&prefix={quote(prefix, safe='')}"
        query += f"&delimiter={quote(delimiter, safe='')}" if delimiter else ""
        return self._send("GET", query + ("&encoding-type=url" if encoded else ""))

    def _pages(self, size: int) -> Any:
        answers, token = [], ""
        while True:
            query = f"?list-type=2&max-keys={size}" + (f"&continuation-token={token}" if token else "")
            response = self._s3("GET", self._bucket + query)
            answers.append((response.status, re.findall(rb"<Key>([^<]*)</Key>", response.body)))
            found = re.search(rb"<NextContinuationToken>([^<]*)<", response.body)
            if found is None:
                return answers
            token = found[1].decode()

    def _versioning(self) -> Any:
        body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        return self._send("PUT", "?versioning", body)

    def _mistake(self, kind: str) -> Any:
        if kind == "bucket":
            response = self._s3("GET", "/no-such-bucket-here/key")
            return response.status, _MADE_UP.sub(b"", response.body)
        return self._send("GET", "?notification")


def _document(body: bytes) -> Any:
    """An XML answer as nested tuples, members in the order of their names; anything else unchanged."""
    try:
        root = ET.fromstring(body.decode())
    except (ET.ParseError, UnicodeDecodeError):
        return body
    return _members(root)


def _members(element: Any) -> Any:
    children = sorted(element, key=lambda child: child.tag)
    return element.tag, (element.text or "").strip(), [_members(child) for child in children]


@given(steps=st.lists(STEPS, min_size=4, max_size=20))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_of_object_calls_is_answered_as_by_stock_moto(twins: Any, steps: list[Any]) -> None:
    """Puts, gets, copies, deletes, versions, listings and mistakes have moto's status, headers and content."""
    name = f"differential-{next(_numbers)}"
    stock, store = _Side(twins.stock, name), _Side(twins.store, name)
    for step in steps:
        assert store.step(step) == stock.step(step), step


def test_a_put_is_announced_as_by_stock_moto(twins: Any) -> None:
    """Without AWS's rules the events of a put are moto's, including one for its tags, although it has none."""
    name = f"events-{next(_numbers)}"
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    events = "".join(f"<Event>s3:{event}:*</Event>" for event in ("ObjectCreated", "ObjectTagging"))
    configured = f"<QueueConfiguration><Queue>{arn}</Queue>{events}</QueueConfiguration>"
    told = []
    for server in (twins.stock, twins.store):
        queue = server.json("sqs", "CreateQueue", {"QueueName": name})[1]["QueueUrl"]
        document = f"<NotificationConfiguration>{configured}</NotificationConfiguration>"
        assert server.s3("PUT", f"/{name}").status == 200
        assert server.s3("PUT", f"/{name}?notification", document.encode()).status == 200
        assert server.s3("PUT", f"/{name}/key", b"x").status == 200
        received = server.json("sqs", "ReceiveMessage", {"QueueUrl": queue, "MaxNumberOfMessages": 10})[1]["Messages"]
        told.append([_event(json.loads(message["Body"])) for message in received])
    assert told[0] == told[1] == ["s3:TestEvent", "ObjectCreated:Put", "ObjectTagging:Put"]


def _event(body: Any) -> str:
    return str(body["Event"] if "Event" in body else body["Records"][0]["eventName"])
