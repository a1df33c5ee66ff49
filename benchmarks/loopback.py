"""A server on loopback that answers like S3 and DynamoDB, immediately or after a fixed delay, and stores nothing.

It serves one CSV object under any key, and accepts every write. It is as thin as asyncio allows, so that a client's own
cost shows. `python benchmarks/loopback.py --delay-ms 8 --rows 1000` prints its port and serves until its standard input
is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Callable

HEADER = "ticker,timestamp,open,high,low,close,volume\n"
DESCRIBED = {
    "Table": {
        "TableName": "StockData",
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        "ItemCount": 0,
    }
}


def csv_object(rows: int) -> bytes:
    """Quotes of fifty tickers, no two with the same key."""
    lines = [HEADER]
    for i in range(rows):
        micros = i * 60
        cents = 10_000 + i * 37 % 5_000
        lines.append(
            f"T{i % 50:03d},2026-11-22T{9 + i // 3_600_000 % 10:02d}:{i // 60_000 % 60:02d}:{i // 1000 % 60:02d}."
            f"{micros % 1_000_000:06d}Z,{cents / 100:.2f},{cents / 100 + 1:.2f},{cents / 100 - 1:.2f},"
            f"{cents / 100 + 0.5:.2f},{1000 + i}\n"
        )
    return "".join(lines).encode()


class Server(asyncio.Protocol):
    """One connection; requests may come in pieces, answers go out in order."""

    def __init__(self, body_of: Callable[[bytes], bytes], delay_s: float) -> None:
        self._body_of = body_of
        self._delay_s = delay_s
        self._pieces = bytearray()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._streaming: asyncio.Task[None] | None = None

    def pause_writing(self) -> None:
        """asyncio: the client reads more slowly than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """asyncio: the client has caught up."""
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: a client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio: a piece of a request."""
        self._pieces += data
        while (head_end := self._pieces.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._pieces[:head_end])
            lower = head.lower()
            if b"expect: 100-continue" in lower and len(self._pieces) == head_end + 4:
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 : (lower.find(b"\r\n", at) + 1 or len(lower) + 1) - 1]) if at >= 0 else 0
            if len(self._pieces) < head_end + 4 + length:
                return
            del self._pieces[: head_end + 4 + length]
            huge = re.search(rb"-mb([0-9]+)\.csv", head)
            if huge:
                self._streaming = asyncio.ensure_future(self._stream(int(huge[1]) * 2**20))
                continue
            answer = self._answer(head)
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._write, answer)
            else:
                self._write(answer)

    async def _stream(self, size: int) -> None:
        """Stream an object of about this size, block by block: the same 10,000 rows again and again."""
        rows = csv_object(10_000).partition(b"\n")[2]
        blocks = size // len(rows)
        length = len(HEADER) + blocks * len(rows)
        self._write(b'HTTP/1.1 200 OK\r\nETag: "0"\r\nContent-Length: %d\r\n\r\n' % length + HEADER.encode())
        for _ in range(blocks):
            for start in range(0, len(rows), 65536):
                await self._writable.wait()
                self._write(rows[start : start + 65536])

    def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"GET"):
            body = self._body_of(head)
            return (
                b'HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nETag: "0"\r\nContent-Length: %d\r\n\r\n' % len(body)
            ) + body
        if head.startswith(b"PUT"):
            return b'HTTP/1.1 200 OK\r\nETag: "0"\r\nContent-Length: 0\r\n\r\n'
        if b"BatchWriteItem" in head:
            body = b'{"UnprocessedItems":{}}'
        elif b"DescribeTable" in head:
            body = json.dumps(DESCRIBED).encode()
        else:
            body = b"{}"
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        ) + body

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(rows: int, delay_s: float) -> None:
    """Print the port, and serve until standard input ends."""
    bodies: dict[int, bytes] = {}

    def body_of(head: bytes) -> bytes:
        # A key that ends in `-<rows>.csv` requests an object of that many rows.
        path = head.split(b" ", 2)[1].split(b"?")[0]
        wanted = path.rpartition(b"-")[2].removesuffix(b".csv")
        count = int(wanted) if wanted.isdigit() else rows
        if count not in bodies:
            bodies[count] = csv_object(count)
        return bodies[count]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(body_of, delay_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000, help="rows of the object (default: %(default)s)")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="before each answer (default: %(default)s)")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.rows, arguments.delay_ms / 1000))
