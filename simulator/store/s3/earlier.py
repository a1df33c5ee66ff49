"""What a bucket's objects held before they were overwritten or deleted, for the proof.

S3 itself keeps that only in versions.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from dataclasses import dataclass

from simulator.base.limits import S3_EARLIER_BYTES


@dataclass(frozen=True, slots=True)
class EarlierContent:
    """One content that was replaced or deleted; `start` is its position in the file."""

    key: str
    start: int
    size_bytes: int


class EarlierContents:
    """The replaced and deleted contents of a bucket, in a nameless file.

    `lost` counts those that were not kept because the file had reached `S3_EARLIER_BYTES`, or the disk was full.
    """

    def __init__(self) -> None:
        self.kept: list[EarlierContent] = []
        self.lost = 0
        self._file: int | None = None
        self._end = 0

    def keep(self, key: str, content: bytes) -> None:
        """Keep what the key held until now."""
        if self._end + len(content) > S3_EARLIER_BYTES:
            self.lost += 1
            return
        try:
            if self._file is None:
                with tempfile.TemporaryFile() as file:
                    self._file = os.dup(file.fileno())
                # It lives as long as the bucket, which moto may drop at any time.
                weakref.finalize(self, os.close, self._file)
            written = os.pwrite(self._file, content, self._end)
        except OSError:
            written = -1
        if written < len(content):
            self.lost += 1
            return
        self.kept.append(EarlierContent(key, self._end, len(content)))
        self._end += len(content)

    def read(self, number: int, offset: int, limit: int) -> bytes:
        """At most `limit` bytes of a kept content from `offset` on; none beyond its end. Raises `ValueError`."""
        if not 0 <= number < len(self.kept) or offset < 0 or self._file is None:
            raise ValueError(f"there is no earlier content {number}")
        content = self.kept[number]
        return os.pread(self._file, max(0, min(limit, content.size_bytes - offset)), content.start + offset)
