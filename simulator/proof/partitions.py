"""Many statements about keys, returned a partition at a time: all statements about one key are in the same partition.

Memory is bounded. The rest is in a private, nameless file, of which nothing is left however the process ends.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from zlib import crc32

from simulator.base import limits
from simulator.base.errors import CouldNotFinish

Statement = tuple[Any, ...]
"""The key's two parts, then the statement about it, with a text at the end; only texts and whole numbers."""


class Partitions:
    """An unordered list of statements that may outgrow the memory.

    Every method raises `CouldNotFinish` when the disk is full.
    """

    def __init__(self) -> None:
        with disk_errors():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._in_hand: list[list[Statement]] = [[] for _ in range(limits.AUDIT_PARTITIONS)]
        self._blocks: list[list[tuple[int, int]]] = [[] for _ in range(limits.AUDIT_PARTITIONS)]
        self._bytes_in_hand = self._end = 0
        self.count = 0

    def close(self) -> None:
        """Release the file."""
        with suppress(OSError):  # closing retries what a full disk did not take
            self._file.close()

    def add(self, statements: Iterable[Statement]) -> None:
        """Append these, each to the partition of its key."""
        in_hand, count, characters = self._in_hand, 0, 0
        for statement in statements:
            in_hand[_partition(*statement[:2])].append(statement)
            characters += len(statement[-1])
            count += 1
        self.count += count
        self._bytes_in_hand += characters + count * limits.AUDIT_STATEMENT_BYTES
        if self._bytes_in_hand > limits.AUDIT_MEMORY_BYTES:
            self._write()

    def __iter__(self) -> Iterator[list[Statement]]:
        """The partitions, each once; within one, statements are in the order in which they were added."""
        return map(list, self.streams())

    def streams(self) -> Iterator[Iterator[Statement]]:
        """The same, each a block at a time: one key may have more statements than fit into memory."""
        return map(self._stream, self._blocks, self._in_hand)

    def _stream(self, blocks: list[tuple[int, int]], in_hand: list[Statement]) -> Iterator[Statement]:
        for block in blocks:
            with disk_errors():
                statements = self._read(*block)
            yield from statements
        yield from in_hand

    def _read(self, start: int, length: int) -> list[Statement]:
        self._file.seek(start)
        statements: list[Statement] = marshal.loads(self._file.read(length))  # noqa: S302 - our own, of this process
        return statements

    def _write(self) -> None:
        with disk_errors():
            self._file.seek(self._end)
            for blocks, in_hand in zip(self._blocks, self._in_hand, strict=True):
                if in_hand:
                    block = marshal.dumps(in_hand)
                    self._file.write(block)
                    blocks.append((self._end, len(block)))
                    self._end += len(block)
                    in_hand.clear()
        self._bytes_in_hand = 0


def _partition(first: str, second: str) -> int:
    # Not by Python's own hash, which is another one in every process: progress and order would be, too.
    return crc32(f"{first}\n{second}".encode(errors="surrogatepass")) % limits.AUDIT_PARTITIONS


@contextmanager
def disk_errors(kind: type[Exception] = OSError) -> Iterator[None]:
    """Turn an error of this kind about a temporary file in the block into a `CouldNotFinish`."""
    try:
        yield
    except kind as error:
        raise CouldNotFinish(
            f"the audit cannot use its temporary file ({getattr(error, 'strerror', None) or error})",
            hint="free some space, or set TMPDIR to another directory",
        ) from error
