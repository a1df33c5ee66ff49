"""The first part of a file as plain bytes: as much as a guess needs."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from simulator.base import limits
from simulator.files.reading import Inflater, ObjectUnreadable


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file's content, inflated; `whole` if that is everything, else it ends with a whole line."""

    data: bytes
    whole: bool


def read(path: Path) -> Head:
    """At most `limits.SOURCE_HEAD_BYTES` of the file's content, inflated. Raises OSError."""
    inflater, data, most = Inflater(), bytearray(), limits.SOURCE_HEAD_BYTES
    with path.open("rb") as file:
        while len(data) < most:
            chunk = file.read(limits.SOURCE_CHUNK_BYTES)
            try:
                for piece in inflater.feed(chunk, final=not chunk):
                    data += piece
                    if len(data) >= most:
                        break
            except ObjectUnreadable:
                return Head(cut(bytes(data[:most])), whole=False)
            if not chunk:
                return Head(bytes(data[:most]), whole=True)
    return Head(cut(bytes(data[:most])), whole=False)


def cut(data: bytes) -> bytes:
    """The same bytes up to the end of the last line; all of them if no line ends."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return data[: len(data) // 4 * 4]
    zeros_first, zeros_second = data[:2048:2].count(0), data[1:2048:2].count(0)
    if data.startswith(codecs.BOM_UTF16_LE) or zeros_second > len(data[:2048]) // 8:
        end, width = _aligned(data, b"\n\0"), 2
    elif data.startswith(codecs.BOM_UTF16_BE) or zeros_first > len(data[:2048]) // 8:
        end, width = _aligned(data, b"\0\n"), 2
    else:
        end, width = max(data.rfind(b"\n"), -1 if b"\n" in data else data.rfind(b"\r")), 1
    return data[: end + width] if end >= 0 else data


def _aligned(data: bytes, end: bytes) -> int:
    at = data.rfind(end)
    while at > 0 and at % 2:
        at = data.rfind(end, 0, at + 1)
    return at
