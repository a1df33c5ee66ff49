"""The small HTTP server, addressed in bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from fakes.waiting import until
from simulator.base import limits
from simulator.base.http_server import HttpConnection, HttpRequest, HttpServer

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def echo(connection: HttpConnection, request: HttpRequest) -> None:
    """Answer with the parsed request, in one line."""
    shown = f"{request.method} {request.target} {request.header(b'x-name').decode()} {request.body!r}\n"
    connection.answer(shown.encode())


@contextlib.asynccontextmanager
async def connected(handle: Callable[[HttpConnection, HttpRequest], None]) -> AsyncIterator[tuple[HttpServer, Client]]:
    """A server that accepts bodies of eight bytes, and a client."""
    server = HttpServer(handle, body_bytes=8, unreadable=b"unreadable\n")
    host, _, port = (await server.listen()).partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    yield server, (reader, writer)
    writer.close()
    await server.close()


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    """A client of a server that answers at once."""
    async with connected(echo) as (_, opened):
        yield opened


async def test_connections_are_closed_in_the_order_of_their_arrival() -> None:
    """So whoever waits at the other ends hears of it in the same order each time; those that are gone do not matter."""
    server, closed = HttpServer(echo, body_bytes=8, unreadable=b""), list[int]()

    class Numbered(asyncio.Transport):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def abort(self) -> None:
            """Note it."""
            closed.append(self.number)

    connections = [HttpConnection(server) for _ in range(40)]
    for number, connection in enumerate(connections):
        connection.connection_made(Numbered(number))
    connections[3].connection_lost(None)
    await server.close()
    assert closed == [number for number in range(40) if number != 3]


async def test_requests_in_pieces_and_several_in_one(client: Client) -> None:
    """Bytes may arrive one at a time, or two requests in one segment."""
    reader, writer = client
    request = b"POST /a HTTP/1.1\r\nX-Name: Some Thing \r\ncontent-length:2\r\n\r\nhi"
    for byte in request:
        writer.write(bytes([byte]))
        await writer.drain()
    assert await reader.readline() == b"POST /a Some Thing b'hi'\n"
    writer.write(request + b"GET /b HTTP/1.1\r\n\r\n" + request)
    assert await reader.readline() == b"POST /a Some Thing b'hi'\n"
    assert await reader.readline() == b"GET /b  b''\n"
    assert await reader.readline() == b"POST /a Some Thing b'hi'\n"


async def test_any_number_of_requests_may_wait_in_turn(client: Client) -> None:
    """A client that does not wait for answers still gets all of them."""
    reader, writer = client
    writer.write(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(3_000)))
    for number in range(3_000):
        assert await reader.readline() == b"GET /%d  b''\n" % number


async def test_a_client_that_expects_100_continue_gets_it(client: Client) -> None:
    """`Expect: 100-continue` is answered while the body is missing, and not if it is there already."""
    reader, writer = client
    head = b"PUT /a HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
    writer.write(head)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"hi" + head + b"ho")
    assert await reader.readline() == b"PUT /a  b'hi'\n"
    assert await reader.readline() == b"PUT /a  b'ho'\n"


@pytest.mark.parametrize(("size", "body"), [(8, b"b'xxxxxxxx'"), (9, b"None"), (1_000_000, b"None")])
async def test_a_body_over_the_limit_is_read_away(client: Client, size: int, body: bytes) -> None:
    """What is too long is not kept, and the connection continues after it."""
    reader, writer = client
    writer.write(b"PUT /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size + b"GET /b HTTP/1.1\r\n\r\n")
    assert await reader.readline() == b"PUT /a  " + body + b"\n"
    assert await reader.readline() == b"GET /b  b''\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n",
        b"GET /" + b"a" * limits.HTTP_HEAD_BYTES,
    ],
)
async def test_a_request_that_cannot_be_read_ends_the_connection(client: Client, request_bytes: bytes) -> None:
    """For a body without its length, or a head without an end, the server answers and disconnects."""
    reader, writer = client
    writer.write(request_bytes)
    assert await reader.readline() == b"unreadable\n"
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""


async def test_an_answer_may_come_later_and_the_next_request_waits() -> None:
    """A second request is read once the first is answered; closing the server disconnects all who wait."""
    asked: list[tuple[HttpConnection, str]] = []

    def handle(connection: HttpConnection, request: HttpRequest) -> None:
        asked.append((connection, request.target))

    async with connected(handle) as (server, (reader, writer)):
        writer.write(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n")
        await until(lambda: asked)
        assert [target for _, target in asked] == ["/a"]
        asked[0][0].answer(b"one\n")
        assert await reader.readline() == b"one\n"
        assert [target for _, target in asked] == ["/a", "/b"]
        await server.close()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        asked[1][0].answer(b"nobody hears it\n")


@pytest.mark.parametrize(
    "header", [b"Host: evil.example", b"host:evil.example:80", b"Origin: null", b"Sec-Fetch-Site: cross-site"]
)
async def test_a_page_from_elsewhere_is_refused(client: Client, header: bytes) -> None:
    """The answer is a 403 with a reason, nothing is handled, and the connection ends without waiting for the body."""
    reader, writer = client
    writer.write(b"POST /a HTTP/1.1\r\n" + header + b"\r\nContent-Length: 5\r\n\r\n")
    answer = await reader.read()
    head, _, said = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"POST /a" not in answer
    assert said.count(b"\n") == 1
    assert b"http://127.0.0.1" in said


async def test_a_program_of_this_machine_is_let_in(client: Client) -> None:
    """It holds for any name of loopback."""
    reader, writer = client
    writer.write(b"GET /a HTTP/1.1\r\nHost: Localhost:80\r\n\r\nGET /b HTTP/1.1\r\nHost: [::1]:1\r\n\r\n")
    assert await reader.readline() == b"GET /a  b''\n"
    assert await reader.readline() == b"GET /b  b''\n"


class Written(asyncio.Transport):
    """A client's end that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = b"", False

    def write(self, data: object) -> None:
        """Keep it."""
        assert isinstance(data, bytes)
        self.sent += data

    def close(self) -> None:
        """Note it."""
        self.closed = True


def opened(handle: Callable[[HttpConnection, HttpRequest], None]) -> tuple[HttpConnection, Written]:
    """A connection of a server that nobody listens for."""
    connection, transport = HttpConnection(HttpServer(handle, body_bytes=8, unreadable=b"unreadable\n")), Written()
    connection.connection_made(transport)
    return connection, transport


def test_a_request_says_what_was_sent() -> None:
    """Names as they were written; a value may have colons, and a target none of its parts missing."""
    request = HttpRequest(b"GET /a b HTTP/1.1\r\nX-One: http://x:1 \r\nTwo:2\r\n")
    assert (request.method, request.target) == ("GET", "/a")
    assert request.fields() == [(b"X-One", b"http://x:1"), (b"Two", b"2")]
    assert (request.header(b"x-one"), request.header(b"two"), request.header(b"three")) == (b"http://x:1", b"2", b"")


def test_an_answer_in_parts_ends_with_the_last() -> None:
    """Only then is the next request handled; once the client is gone, none is, and nothing is sent."""
    asked: list[str] = []
    connection, transport = opened(lambda _, request: asked.append(request.target))
    connection.data_received(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(3)))
    connection.answer(b"a", ends=False)
    connection.answer(b"b", ends=False)
    assert (asked, transport.sent) == (["/0"], b"ab")
    connection.answer(b"c")
    assert (asked, transport.sent) == (["/0", "/1"], b"abc")
    connection.connection_lost(None)
    connection.answer(b"d")
    connection.data_received(b"GET /3 HTTP/1.1\r\n\r\n")
    assert (asked, transport.sent) == (["/0", "/1"], b"abc")


def test_a_head_ends_with_an_empty_line_or_at_its_limit() -> None:
    """One of just that length may still end."""
    connection, transport = opened(echo)
    connection.data_received(b"x" * limits.HTTP_HEAD_BYTES)
    assert (transport.sent, transport.closed) == (b"", False)
    connection.data_received(b"x")
    assert (transport.sent, transport.closed) == (b"unreadable\n", True)


@pytest.mark.parametrize(
    ("length", "followed_by", "told"), [(0, b"", True), (0, b"G", False), (2, b"b", True), (2, b"bo", False)]
)
def test_a_client_is_told_to_continue_unless_it_has(length: int, followed_by: bytes, told: bool) -> None:
    """Also one that expects it for no body at all, if nothing follows its head."""
    connection, transport = opened(lambda *_: None)
    head = b"PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % length
    connection.data_received(head + followed_by)
    assert transport.sent == (b"HTTP/1.1 100 Continue\r\n\r\n" if told else b"")
