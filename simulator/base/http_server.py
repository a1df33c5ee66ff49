"""A small HTTP/1.1 server on loopback, which answers straight from the protocol's callback.

It is for servers whose requests must cost next to nothing: a framework's parser and tasks would cost more than the
answer. It reads what AWS's clients and runtimes write: kept-alive connections, bodies with a length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulator.base import limits
from simulator.base.doors import refusal


class HttpRequest:
    """A request. `body` is None if it was longer than the server accepts."""

    __slots__ = ("_head", "_lowered", "body", "method", "target")

    def __init__(self, head: bytes) -> None:
        self._head, self._lowered = head, head.lower()
        self.method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        self.target = rest.partition(" ")[0]
        self.body: bytes | None = b""

    def header(self, name: bytes) -> bytes:
        """The value of a header, given its lower-case name; empty if missing."""
        at = self._lowered.find(b"\r\n" + name + b":")
        if at < 0:
            return b""
        start = at + len(name) + 3
        return self._head[start : self._head.find(b"\r\n", start)].strip()

    def fields(self) -> list[tuple[bytes, bytes]]:
        """All headers, names as they were sent."""
        pairs = (line.partition(b":") for line in self._head.split(b"\r\n")[1:] if line)
        return [(name, value.strip()) for name, _, value in pairs]


class HttpServer:
    """Passes each request to `handle` with its connection, which `answer`s it at once or later.

    Requests from foreign web pages are refused, as defined in `doors.py`. A body over `body_bytes` is read and
    discarded; a request that cannot be read gets the response `unreadable`.
    """

    def __init__(
        self, handle: Callable[[HttpConnection, HttpRequest], None], *, body_bytes: int, unreadable: bytes
    ) -> None:
        self.handle, self.body_bytes, self.unreadable = handle, body_bytes, unreadable
        self.transports: dict[asyncio.Transport, None] = {}  # in order of arrival
        self._server: asyncio.Server | None = None

    async def listen(self) -> str:
        """Listen on a free port; returns host and port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: HttpConnection(self), "127.0.0.1", 0, backlog=1024)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        for transport in tuple(self.transports):
            transport.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


class ConnectionMark:
    """Stands for a connection, for whoever must tell it from others and not keep it."""


class HttpConnection(asyncio.Protocol):
    """One client's connection: requests in turn, each answered before the next is read."""

    def __init__(self, server: HttpServer) -> None:
        self.mark = ConnectionMark()
        self._server = server
        self._received = bytearray()
        self._request: HttpRequest | None = None
        self._missing = 0  # bytes of its body
        self._busy = self._handling = False
        self._transport: asyncio.Transport | None = None

    def answer(self, response: bytes, *, ends: bool = True) -> None:
        """Send the whole response, or its last part, to the current request, and read the next request.

        Without `ends`, more of the response follows. Does nothing if the client is gone.
        """
        self._busy = not ends
        if self._transport is not None:
            self._transport.write(response)
            if ends and self._received and not self._handling:
                self._advance()

    def hang_up(self) -> None:
        """Close the connection in the middle of whatever it carries."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio's protocol."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server makes no other
        self._transport = transport
        self._server.transports[transport] = None

    def connection_lost(self, _: Exception | None) -> None:
        """Part of asyncio's protocol."""
        if self._transport is not None:
            self._server.transports.pop(self._transport, None)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Part of asyncio's protocol."""
        self._received += data
        self._advance()

    def _advance(self) -> None:
        """Handle what is complete, unless a request is being handled."""
        while not self._busy and self._transport is not None:
            request = self._request = self._request or self._begun(self._transport)
            if request is None:
                return
            if request.body is None:
                read = min(len(self._received), self._missing)
                del self._received[:read]
                self._missing -= read
            if len(self._received) < self._missing:
                return
            if request.body is not None:
                request.body = bytes(self._received[: self._missing])
                del self._received[: self._missing]
            self._request, self._busy, self._handling = None, True, True
            try:
                self._server.handle(self, request)
            finally:
                self._handling = False

    def _begun(self, transport: asyncio.Transport) -> HttpRequest | None:
        """Take a head out of what was received, if it is complete."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0 and len(self._received) <= limits.HTTP_HEAD_BYTES:
            return None
        request = HttpRequest(bytes(self._received[: end + 2]))
        length = request.header(b"content-length") or request.header(b"transfer-encoding") or b"0"
        if end < 0 or not length.isdigit():
            transport.write(self._server.unreadable)
            transport.close()
            return None
        why = refusal(*(request.header(name).decode("latin-1") for name in (b"host", b"origin", b"sec-fetch-site")))
        if why is not None:
            body = f"{why}\n".encode()
            head = f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            transport.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            transport.close()
            return None
        del self._received[: end + 4]
        self._missing = int(length)
        if self._missing > self._server.body_bytes:
            request.body = None
        # Without a body, too: botocore takes another answer for one that a later response belongs to.
        if len(self._received) < max(1, self._missing) and request.header(b"expect").lower() == b"100-continue":
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return request
