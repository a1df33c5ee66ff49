"""The first part of a file as plain bytes: as much as a guess needs."""

from __future__ import annotations

import codecs
from pathlib import Path

from simulator.base import limits
from simulator.files.reading import Inflater, ObjectUnreadable


def read(path: Path) -> bytes:
    """At most `limits.SOURCE_HEAD_BYTES` of the file's content, inflated; if there is more, only whole lines.

    Raises OSError.
    """
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
                break
            if not chunk:
                return bytes(data[:most])
    return cut(bytes(data[:most]))


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
