"""The bare HTTP client against servers that answer in pieces, in chunks, badly or not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.waiting import until
from pipeline import wire
from pipeline.wire import HttpPool, WireError

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


@asynccontextmanager
async def server(converse: Conversation, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The URL of a server that passes each connection, with its number, to `converse`."""
    count = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        try:
            await converse(reader, writer, count)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield f"http{'s' if tls else ''}://localhost:{listening.sockets[0].getsockname()[1]}"


def answering(*answers: list[bytes]) -> Conversation:
    """Each connection answers its n-th request with the n-th list of pieces, then closes."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        for pieces in answers:
            await reader.readexactly(len(REQUEST))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    return converse


async def ask(url: str, timeout_s: float = 5.0) -> wire.Reply:
    """One request, over its own pool."""
    pool = HttpPool(url, 4)
    try:
        return await pool.request(REQUEST, timeout_s)
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([OK], 200, b"ok"),
        ([b"HTTP/1.1 200 OK\r\ncontent-LENGTH:0\r\n\r\n"], 200, b""),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b""),
        ([b"HTTP/1.0 200 OK\r\n\r\nto the ", b"end"], 200, b"to the end"),
        ([b"HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbad"], 400, b"bad"),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nay!\r\n0\r\nT: r\r\n\r\n"],
            200,
            b"okay!",
        ),
    ],
)
async def test_every_form_of_an_answer(pieces, status, body):
    """The body has a content length, none, chunks with extensions and trailers, or the connection's end."""
    async with server(answering(pieces)) as url:
        reply = await ask(url)

    assert (reply.status, reply.body) == (status, body)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"%x\r\n%b\r\n" % (size, b"z" * size) for size in (1, 16, 255, 3))
    + b"0\r\n\r\n"
)


@settings(max_examples=40, deadline=None)
@given(answer=st.sampled_from([OK, CHUNKED]), cuts=st.sets(st.integers(1, len(CHUNKED) - 1), max_size=12))
async def test_an_answer_may_be_cut_anywhere(answer, cuts):
    """However TCP cuts it, the answer is the same."""
    connection = wire._Connection()
    connection._waiter = waiter = asyncio.get_running_loop().create_future()
    places = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]

    for start, end in pairwise(places):
        connection.data_received(answer[start:end])

    assert waiter.result().body == (b"ok" if answer is OK else b"z" * 275)


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], "the answer is not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"], "connection closed"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nlong"], "longer than its content length"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], "chunks are damaged"),
        *(
            ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n" % size], "chunks are damaged")
            for size in (b"-5", b"+5", b"1_0", b"")
        ),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"], "connection closed"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], "unexpected status 100"),
        ([b"x" * 70_000], "head does not end"),
        ([b""], "connection closed"),
    ],
)
async def test_a_bad_answer_is_an_error_that_says_why(pieces, reason):
    """None of them is taken for an answer, and none hangs."""
    async with server(answering(pieces)) as url:
        with pytest.raises(WireError, match=reason):
            await ask(url)


class Transport(asyncio.Transport):
    """Records what is sent, and whether it was aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.aborted = False

    def write(self, data):
        """Record it."""
        self.sent += data

    def abort(self):
        """Record the abort."""
        self.aborted = True


async def exchanging(connection: wire._Connection) -> asyncio.Task[wire.Reply]:
    """An exchange in progress: the request is sent."""
    exchange = asyncio.create_task(connection.exchange(REQUEST, asyncio.get_running_loop().time() + 3600))
    await asyncio.sleep(0)
    exchange.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return exchange


async def sending() -> tuple[wire._Connection, Transport, asyncio.Future[wire.Reply]]:
    """A connection with a request in flight, what it sends, and the answer that its exchange awaits."""
    connection, transport = wire._Connection(), Transport()
    connection.connection_made(transport)
    await exchanging(connection)
    assert connection._waiter is not None
    return connection, transport, connection._waiter


@pytest.mark.parametrize(
    ("head", "body", "usable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2", b"ok", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"2\r\nok\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content", b"", True),
        (b"HTTP/1.1 304 Not Modified", b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2", b"ok", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked", b"2\r\nok\r\n0\r\n\r\n", False),
    ],
)
async def test_a_connection_is_kept_unless_the_answer_says_otherwise(head, body, usable):
    """The head is the answer's, byte by byte; a connection is reusable after its answer unless the server closes it."""
    connection, transport, waiter = await sending()
    connection.data_received(head + b"\r\n\r\n" + body)
    reply = waiter.result()

    assert transport.sent == REQUEST
    assert reply.head == head
    assert reply.body == (b"ok" if body else b"")
    assert connection.usable is usable
    assert not transport.aborted


@pytest.mark.parametrize("status", [200, 203, 205, 303, 305])
async def test_an_answer_without_a_length_ends_with_its_connection(status):
    """The connection is not reused, and an abort is distinguished from a normal end."""
    connection, _, waiter = await sending()
    connection.data_received(b"HTTP/1.1 %d OK\r\n\r\nto the " % status)
    assert not connection.usable
    connection.data_received(b"end")
    connection.connection_lost(None)
    assert waiter.result().body == b"to the end"

    connection, _, waiter = await sending()
    connection.data_received(b"HTTP/1.1 %d OK\r\n\r\nto the " % status)
    connection.connection_lost(ConnectionResetError("reset"))
    with pytest.raises(WireError, match="connection closed: reset"):
        waiter.result()


async def test_unrequested_data_closes_the_connection():
    """It comes before a request, or after its answer at once or later: it could not be told apart from an answer."""
    for stage in ("new", "at once", "later"):
        connection, transport = wire._Connection(), Transport()
        connection.connection_made(transport)
        if stage != "new":
            exchange = await exchanging(connection)
            connection.data_received(OK)
            if stage == "later":
                await exchange
            assert not transport.aborted
        connection.data_received(b"x")
        assert transport.aborted
        assert not connection.usable
        if stage != "new":
            assert (await exchange).body == b"ok"


async def test_a_connection_may_be_lost_at_any_time():
    """Before its first request, after its answer, or once it was abandoned: it is not reused, and there is no error."""
    for stage in ("new", "answered", "failed", "cancelled"):
        connection, transport = wire._Connection(), Transport()
        connection.connection_made(transport)
        if stage != "new":
            exchange = await exchanging(connection)
        if stage == "answered":
            connection.data_received(OK)
            await exchange
        elif stage == "failed":
            connection.data_received(b"SSH-2.0-OpenSSH\r\n\r\n")
            with pytest.raises(WireError, match="the answer is not HTTP"):
                await exchange
            assert transport.aborted
        elif stage == "cancelled":
            connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nto the ")
            exchange.cancel()
            with pytest.raises(asyncio.CancelledError):
                await exchange
            assert transport.aborted
        connection.connection_lost(None)
        assert not connection.usable


@pytest.mark.parametrize("lost", [None, ConnectionResetError("reset")])
async def test_a_connection_may_be_lost_while_its_request_is_being_cancelled(lost):
    """The request has failed already, and does not know yet."""
    connection, transport = wire._Connection(), Transport()
    connection.connection_made(transport)
    exchange = await exchanging(connection)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nto the ")

    exchange.cancel()
    connection.connection_lost(lost)

    with pytest.raises(asyncio.CancelledError):
        await exchange
    assert not connection.usable


async def test_an_answered_request_leaves_nothing_behind(monkeypatch):
    """The connection no longer holds the answer, and the end of the request's time does not end the next one's."""
    loop = asyncio.get_running_loop()
    set_for, cancelled = [], []

    def call_at(when, _callback, *_arguments):
        set_for.append(when)
        return SimpleNamespace(cancel=lambda: cancelled.append(when))

    monkeypatch.setattr(loop, "call_at", call_at)
    connection = wire._Connection()
    connection.connection_made(Transport())
    exchange = asyncio.create_task(connection.exchange(REQUEST, 1234.0))
    await asyncio.sleep(0)
    assert (set_for, cancelled) == ([1234.0], [])

    connection.data_received(OK)
    await exchange

    assert cancelled == [1234.0]
    assert connection._waiter is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 x00 OK\r\nContent-Length: 0\r\n\r\n", "not HTTP"),
        (b"HTTQ/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 199 Early\r\nContent-Length: 0\r\n\r\n", "status 199"),
        (b"\r\n\r\n", "not HTTP"),
        (b"x" * 65_537, "head does not end"),
    ],
)
async def test_what_is_not_an_answer_fails_at_once(answer, reason):
    """Nothing more is expected from such a connection, and it is closed."""
    connection, transport, waiter = await sending()
    connection.data_received(answer)
    assert waiter.done()
    assert transport.aborted
    with pytest.raises(WireError, match=reason):
        waiter.result()


async def test_a_head_and_a_body_have_bounds():
    """A head may have 64 KiB, and a body 32 MiB; one byte more is too much."""
    connection, _, waiter = await sending()
    connection.data_received(b"x" * 65_536)
    assert not waiter.done()

    connection, _, waiter = await sending()
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(33_554_432))
    assert not waiter.done()
    connection.data_received(b"x")
    with pytest.raises(WireError, match="the answer has more than 33554432 bytes"):
        waiter.result()


@pytest.mark.parametrize(("rest", "body"), [(b"k", b"ok"), (b"kk", None)])
async def test_a_body_in_pieces_is_as_long_as_was_said(rest, body):
    """The last piece completes it, or is too much."""
    connection, _, waiter = await sending()
    connection.data_received(OK[:-1])
    assert not waiter.done()
    connection.data_received(rest)
    assert waiter.done()
    if body is None:
        with pytest.raises(WireError, match="longer than its content length"):
            waiter.result()
    else:
        assert waiter.result().body == body


async def test_no_more_connections_are_kept_than_the_pool_may():
    """Of two at once one is kept, the other closed; one that the server closes is never kept."""
    both, ended = asyncio.Barrier(2), asyncio.Event()

    async def converse(reader, writer, number):
        await reader.readexactly(len(REQUEST))
        if number <= 2:
            await both.wait()
        writer.write(OK if number <= 2 else b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        await reader.read()
        ended.set()

    async with server(converse) as url:
        pool = HttpPool(url, 1)
        await asyncio.gather(*(pool.request(REQUEST, 5) for _ in range(2)))
        assert len(pool._idle) == 1
        async with asyncio.timeout(10):
            await ended.wait()
        pool.close()
        assert pool._idle == []
        assert (await pool.request(REQUEST, 5)).body == b"ok"
        assert pool._idle == []


@pytest.mark.parametrize(("idle_s", "taken"), [(0.0, True), (5.0, True), (5.125, False)])
async def test_a_connection_is_taken_up_to_its_idle_time(idle_s, taken, monkeypatch):
    """It is reused for up to five seconds; afterwards it is closed, as is one that was lost meanwhile."""
    monkeypatch.setattr("pipeline.wire.time.time", lambda: 1000.0)
    pool = HttpPool("http://localhost", 4)
    kept, lost = wire._Connection(), wire._Connection()
    for connection in (kept, lost):
        connection.connection_made(Transport())
        connection.idle_since, connection.idle_since_wall = 100.0, 1000.0
        pool._idle.append(connection)
    lost.connection_lost(None)

    assert pool._take(100.0 + idle_s) == ((kept, idle_s) if taken else (None, 0.0))
    assert kept._transport.aborted is not taken
    assert pool._idle == []


async def test_connections_are_kept_and_reused():
    """Ten requests use one connection."""
    numbers = []

    async def converse(reader, writer, number):
        while True:
            await reader.readexactly(len(REQUEST))
            numbers.append(number)
            writer.write(OK)

    async with server(converse) as url:
        pool = HttpPool(url, 4)
        for _ in range(10):
            await pool.request(REQUEST, 5)
        pool.close()

    assert numbers == [1] * 10


async def test_a_connection_that_was_closed_while_idle_is_replaced():
    """The server closed it between two requests: the second one uses a new connection."""
    async with server(answering([OK])) as url:
        pool = HttpPool(url, 4)
        replies = []
        for _ in range(3):
            replies.append(await pool.request(REQUEST, 5))
            await until(lambda: not pool._idle[0].usable)
        pool.close()

    assert [reply.body for reply in replies] == [b"ok"] * 3


async def test_a_connection_that_fell_silent_while_frozen_is_given_up(monkeypatch):
    """After a freeze the old connection swallows the request: this is detected well within the time."""
    monkeypatch.setattr(wire, "STALE_ANSWER_S", 0.05)
    monkeypatch.setattr(wire, "STALE_AFTER_S", -1.0)

    async def converse(reader, writer, number):
        await reader.readexactly(len(REQUEST))
        writer.write(OK)
        if number == 1:
            await reader.read()

    async with server(converse) as url:
        pool = HttpPool(url, 4)
        assert (await pool.request(REQUEST, 5)).body == b"ok"
        with pytest.raises(WireError, match="no answer in time") as failed:
            await pool.request(REQUEST, 5)
        assert failed.value.sent
        assert (await pool.request(REQUEST, 5)).body == b"ok"
        pool.close()


async def test_a_connection_idle_for_long_by_the_wall_clock_is_not_used(monkeypatch):
    """The monotonic clock may stop in a freeze; the wall clock shows the time that passed."""
    numbers = []

    async def converse(reader, writer, number):
        while True:
            await reader.readexactly(len(REQUEST))
            numbers.append(number)
            writer.write(OK)

    wall = 1000.0
    monkeypatch.setattr("pipeline.wire.time.time", lambda: wall)
    async with server(converse) as url:
        pool = HttpPool(url, 4)
        await pool.request(REQUEST, 5)
        wall += 3600
        await pool.request(REQUEST, 5)
        pool.close()

    assert numbers == [1, 2]


async def test_a_fresh_connection_that_never_answers_is_an_error():
    """The caller decides whether to try again."""

    async def converse(reader, writer, number):
        await reader.read()

    async with server(converse) as url:
        with pytest.raises(WireError, match="no answer in time") as failed:
            await ask(url, timeout_s=0.5)
    assert failed.value.sent


async def test_a_port_without_a_listener_is_an_error():
    """It is a port without a listener."""
    async with server(answering([OK])) as url:
        pass
    with pytest.raises(WireError, match="no connection to localhost") as failed:
        await ask(url)
    assert not failed.value.sent


async def test_a_cancelled_request_takes_its_connection_with_it():
    """Its late answer would have no reader; the next request must not see it."""
    arrived, gone = asyncio.Event(), asyncio.Event()
    numbers = []

    async def converse(reader, writer, number):
        await reader.readexactly(len(REQUEST))
        numbers.append(number)
        arrived.set()
        if number == 1:
            await reader.read()
            gone.set()
        writer.write(OK)

    async with server(converse) as url:
        pool = HttpPool(url, 4)
        request = asyncio.ensure_future(pool.request(REQUEST, 5))
        await arrived.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        async with asyncio.timeout(10):
            await gone.wait()
        assert (await pool.request(REQUEST, 5)).body == b"ok"
        pool.close()

    assert numbers == [1, 2]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Certificate and key files for `localhost`, self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


async def test_tls_with_a_trusted_authority_and_without(certificate):
    """The answer comes over TLS if the certificate is trusted, and not at all if it is not."""
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=certificate[0])

    async with server(answering([OK]), identity) as url:
        pool = HttpPool(url, 4, trusting)
        assert (await pool.request(REQUEST, 5)).body == b"ok"
        pool.close()
        with pytest.raises(WireError, match="CERTIFICATE_VERIFY_FAILED"):
            await ask(url)
