"""A bare HTTP/1.1 client for many small requests to one endpoint: keep-alive connections, one exchange at a time each.

It understands what DynamoDB and its substitutes send: a content length, chunks or the end of the connection. A
connection that has been idle for long is not reused. A request is sent once: only the caller knows what sending it
again would do twice, or late.
"""

from __future__ import annotations

import asyncio
import re
import ssl as tls
import time
from typing import NamedTuple
from urllib.parse import urlsplit

IDLE_MAX_S = 5.0
"""Connections idle for longer are closed: after a freeze of the environment, the other end has probably gone."""
STALE_AFTER_S = 0.5
STALE_ANSWER_S = 1.5
"""How long a connection that was idle for `STALE_AFTER_S` may take to answer before it is considered dead."""
CONNECT_TIMEOUT_S = 3.0
HEAD_MAX_BYTES = 64 * 1024
BODY_MAX_BYTES = 32 * 1024 * 1024
"""16 MB of unprocessed items in JSON is still below this."""

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[^\r]*close", re.IGNORECASE)


class WireError(Exception):
    """The exchange did not complete. If the request was `sent`, whether it is carried out is unknown."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent


class Reply(NamedTuple):
    """An answer: status, head as received (status line and headers), body."""

    status: int
    head: bytes
    body: bytes


class _Connection(asyncio.Protocol):
    """One connection: the parser of the current answer, and the caller that waits for it."""

    idle_since: float
    idle_since_wall: float
    _status: int

    def __init__(self) -> None:
        self.usable = True
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._reset()

    def _reset(self) -> None:
        self._received = b""
        self._head = b""
        self._body_bytes: int | None = None
        self._chunked: _Chunks | None = None
        self._parts: list[bytes] = []
        self._parts_bytes = 0

    async def exchange(self, request: bytes, end_at: float) -> Reply:
        """Send `request`; returns its answer. Raises `WireError` at `end_at`, or when the connection fails."""
        assert self._transport is not None  # noqa: S101 - a connection is used once it is made
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(end_at, self._fail, "no answer in time")
        self._transport.write(request)
        try:
            return await self._waiter
        except BaseException:
            # The answer may still be coming, and would be taken for the next request's.
            self.close()
            raise
        finally:
            timer.cancel()
            self._waiter = None

    def close(self) -> None:
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream socket
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head and self._body_bytes is None and self._chunked is None and exc is None:
            self._complete(b"".join(self._parts))
        else:
            self._fail(f"connection closed: {exc}" if exc else "connection closed")

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            # Nothing was requested; a later answer could not be distinguished from this.
            self.close()
            return
        try:
            if self._head:
                self._continue(data)
            else:
                self._begin(self._received + data if self._received else data)
        except WireError as error:
            self._fail(str(error))

    def _begin(self, data: bytes) -> None:
        """Read what has come of an answer's head, and of its body. Raises `WireError`."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._received = data
            if len(data) > HEAD_MAX_BYTES:
                raise WireError("the answer's head does not end")
            return
        self._read_head(data[:end])
        data = data[end + 4 :]
        if self._body_bytes == len(data):
            self._complete(data)
        else:
            self._continue(data)

    def _read_head(self, head: bytes) -> None:
        """The status, and what says where the body ends. Raises `WireError`."""
        status = head[9:12]
        if not head.startswith(b"HTTP/1.") or not status.isdigit():
            raise WireError("the answer is not HTTP/1.1")
        self._head, self._status = head, int(status)
        if self._status < 200:
            raise WireError(f"unexpected status {self._status}")
        length = _CONTENT_LENGTH.search(head)
        if _CHUNKED.search(head):
            self._chunked = _Chunks()
        elif length:
            self._body_bytes = int(length[1])
        elif self._status in (204, 304):
            self._body_bytes = 0
        if _CLOSE.search(head) or (self._body_bytes is None and self._chunked is None):
            self.usable = False

    def _continue(self, data: bytes) -> None:
        """Read more of an answer's body. Raises `WireError`."""
        self._parts_bytes += len(data)
        if self._parts_bytes > BODY_MAX_BYTES:
            raise WireError(f"the answer has more than {BODY_MAX_BYTES} bytes")
        if self._chunked is not None:
            try:
                done = self._chunked.feed(data)
            except ValueError:
                raise WireError("the answer's chunks are damaged") from None
            if done:
                self._complete(b"".join(self._chunked.parts))
            return
        self._parts.append(data)
        if self._body_bytes is not None and self._parts_bytes >= self._body_bytes:
            if self._parts_bytes > self._body_bytes:
                raise WireError("the answer is longer than its content length")
            self._complete(b"".join(self._parts))

    def _complete(self, body: bytes) -> None:
        reply = Reply(self._status, self._head, body)
        self._reset()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(reply)

    def _fail(self, reason: str) -> None:
        self.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(WireError(reason))


class _Chunks:
    """The chunked transfer coding (RFC 9112, section 7.1), fed in pieces. Trailers are skipped."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._rest = b""
        self._missing = 0
        self._last = False

    def feed(self, data: bytes) -> bool:
        """Whether the last chunk is complete. Raises `ValueError`."""
        data = self._rest + data
        at = 0
        while True:
            if self._missing:
                part = data[at : at + self._missing]
                # The line end after a chunk is counted as its last two bytes.
                self.parts.append(part[: max(0, self._missing - 2)])
                self._missing -= len(part)
                at += len(part)
                if self._missing:
                    self._rest = b""
                    return False
            end = data.find(b"\r\n", at)
            if end < 0:
                self._rest = data[at:]
                return False
            line = data[at:end]
            at = end + 2
            if self._last:
                if not line:
                    return True
                continue
            digits = line.partition(b";")[0].strip()
            if not digits.isalnum():
                raise ValueError(digits)  # a sign, or underscores, both of which `int` accepts
            size = int(digits, 16)
            if size:
                self._missing = size + 2
            else:
                self._last = True


class HttpPool:
    """Exchanges with one endpoint. `url` gives scheme, host and port; at most `connections` are kept idle.

    It opens a connection whenever none is idle: the caller limits how many requests are in flight.
    """

    def __init__(self, url: str, connections: int, ssl: tls.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if secure else 80)
        self._ssl = (ssl or tls.create_default_context()) if secure else None
        self._keep = connections
        self._idle: list[_Connection] = []

    async def request(self, request: bytes, timeout_s: float) -> Reply:
        """The answer to `request`, a whole HTTP/1.1 request. Raises `WireError`."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        kept, idle_s = self._take(now)
        connection = kept or await self._connect(timeout_s)
        may_take_s = min(timeout_s, STALE_ANSWER_S) if idle_s > STALE_AFTER_S else timeout_s
        try:
            reply = await connection.exchange(request, now + may_take_s)
        except WireError:
            if kept is not None:
                # Closed by the server while idle, or dead: the other connections are no better.
                self.close()
            raise
        if connection.usable and len(self._idle) < self._keep:
            connection.idle_since, connection.idle_since_wall = loop.time(), time.time()
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take(self, now: float) -> tuple[_Connection | None, float]:
        """The most recently used connection, if it is still usable, and how long it has been idle."""
        while self._idle:
            connection = self._idle.pop()
            # The monotonic clock may stop while the environment is frozen; the wall clock does not.
            idle_s = max(now - connection.idle_since, time.time() - connection.idle_since_wall)
            if connection.usable and idle_s <= IDLE_MAX_S:
                return connection, idle_s
            connection.close()
        return None, 0.0

    async def _connect(self, timeout_s: float) -> _Connection:
        loop = asyncio.get_running_loop()
        limit_s = min(CONNECT_TIMEOUT_S, timeout_s)
        try:
            async with asyncio.timeout(limit_s):
                _, connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._ssl)
        except TimeoutError:
            reason = f"no connection to {self._host}:{self._port} within {limit_s:.1f} s"
            raise WireError(reason, sent=False) from None
        except OSError as error:
            raise WireError(f"no connection to {self._host}:{self._port}: {error}", sent=False) from error
        return connection
