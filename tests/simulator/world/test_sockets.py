"""Sockets in a world: clients that block, unmodified, in virtual time."""

from __future__ import annotations

import asyncio
import http.client
import os
import select
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
import urllib3.util

from fakes.clock import ForwardClock
from fakes.fibers import run
from simulator.store.wire.messages import Request, Response
from simulator.world import sockets
from simulator.world.borders import Violation
from simulator.world.fibers import Fibers, Killed
from simulator.world.loop import VirtualLoop
from simulator.world.sockets import WorldSocket
from simulator.world.wire import Wire

HOST, PORT = "127.0.0.1", 9
URL = f"http://{HOST}:{PORT}/a"


class Store:
    """Answers each request with its body and path after two seconds; `asked` has the requests."""

    def __init__(self) -> None:
        self.asked = list[Request]()

    async def answer(self, request: Request) -> Response:
        """The answer."""
        self.asked.append(request)
        await asyncio.sleep(2)
        return Response(200, request.body or request.path.encode(), [])


def in_a_fiber(call: Callable[[], Any]) -> tuple[Any, float]:
    """What the call returns in a fiber of a world with that store, and the virtual time then."""

    async def main(loop: VirtualLoop, made: Fibers) -> tuple[Any, float]:
        loop.lead_to(Wire(ForwardClock(), (HOST, PORT), Store().answer).connect)
        return await made.worker("theirs").run(call), loop.time()

    return run(main)


def connected(timeout: float | None = None) -> Any:
    """A socket, connected to the store as a client would."""
    sock: Any = socket.create_connection((HOST, PORT), timeout)
    assert isinstance(sock, WorldSocket)
    return sock


def test_the_standard_library_talks_to_the_store() -> None:
    """Over one kept connection and over new ones; each answer takes its virtual time."""

    def call() -> Any:
        connection = http.client.HTTPConnection(HOST, PORT)
        answers = []
        for body in (b"", b"x" * 100_000):
            connection.request("PUT", "/a", body)
            answers.append(connection.getresponse().read())
        connection.close()
        with urllib.request.urlopen(URL) as response:
            return [*answers, response.read()]

    assert in_a_fiber(call) == ([b"/a", b"x" * 100_000, b"/a"], 6)


def test_urllib3_keeps_connections() -> None:
    """It asks before each use, without waiting, whether the other end has closed."""

    def call() -> Any:
        with urllib3.PoolManager() as pool:
            bodies = [pool.request("GET", URL).data for _ in range(3)]
            (kept,) = (pool.connection_from_url(URL) for _ in range(1))
            return bodies, kept.num_connections

    assert in_a_fiber(call) == (([b"/a"] * 3, 1), 6)


def test_a_client_can_wait_to_be_told_to_continue() -> None:
    """As botocore does: it is told at once; nothing else comes, for a second, before the body is sent."""

    def call() -> Any:
        sock = connected()
        sock.sendall(b"PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert urllib3.util.wait_for_read(sock, 1)
        assert sock.recv(100, socket.MSG_PEEK) == sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert not urllib3.util.wait_for_read(sock, 1)
        sock.sendall(b"x")
        assert urllib3.util.wait_for_read(sock)
        return sock.recv(15)

    assert in_a_fiber(call) == (b"HTTP/1.1 200 OK", 3)


def test_a_timeout_strikes_in_virtual_time() -> None:
    """And the answer can still be read later; without waiting there is nothing yet."""

    def call() -> Any:
        sock = connected(0.5)
        sock.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(TimeoutError):
            sock.recv(10)
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(10)
        sock.settimeout(2)
        return bytes(sock.recv(8))

    assert in_a_fiber(call) == (b"HTTP/1.1", 2)


def test_a_closed_connection_is_an_end() -> None:
    """Nothing more arrives, and nothing can be sent; a file of the socket keeps it open."""

    def call() -> Any:
        sock = connected()
        with sock, sock.makefile("rb") as file:
            sock.sendall(b"nonsense\r\nContent-Length: x\r\n\r\n")
            sock.close()
            assert file.readline().startswith(b"HTTP/1.1 400 ")
            assert file.read().endswith(b"\r\n\r\n")
        assert sock.recv(1) == b""
        with pytest.raises(BrokenPipeError):
            sock.sendall(b"x")
        return sock.fileno()

    assert in_a_fiber(call) == (-1, 0)


def test_polling_says_what_would_not_wait() -> None:
    """Sending never waits; what is not a world's is the system's."""

    def call() -> Any:
        sock, poll = connected(), select.poll()
        poll.register(sock)
        assert poll.poll() == [(-1, select.POLLOUT)]
        poll.register(sock, select.POLLIN)
        assert poll.poll(500) == []
        sock.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert poll.poll(-1) == [(-1, select.POLLIN)]
        reader, writer = os.pipe()
        try:
            systems = select.poll()
            assert systems.poll(0) == []
            systems.register(writer, select.POLLOUT)
            return [writer, *systems.poll(0)]
        finally:
            os.close(reader)
            os.close(writer)

    (writer, told), took_s = in_a_fiber(call)
    assert (told, took_s) == ((writer, select.POLLOUT), 2.5)


def test_a_socket_answers_as_the_systems_does() -> None:
    """What is connected, sent, read into a buffer, and set as its limit; none is sent without a connection."""

    def call() -> list[Any]:
        sock: Any = socket.socket()
        with pytest.raises(BrokenPipeError):
            sock.send(b"x")
        assert sock.connect_ex((HOST, PORT)) == 0
        assert sock.send(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n") == 36
        sock.settimeout(5)
        two, eight = bytearray(8), bytearray(6)
        assert (sock.recv_into(two, 2), sock.recv_into(eight)) == (2, 6)
        return [two, eight, sock.gettimeout()]

    assert in_a_fiber(call) == ([b"HT\0\0\0\0\0\0", b"TP/1.1", 5], 2)


def test_closing_ends_the_connection_at_once() -> None:
    """Nothing is waited for; closing what was never connected, or after the world, is no error."""

    def call() -> Any:
        closed, ended, kept = connected(), connected(), connected()
        closed.close()
        ended.setblocking(False)
        ended.shutdown(socket.SHUT_RDWR)
        assert ended.recv(1) == b""
        assert [each._transport.is_closing() for each in (closed, ended, kept)] == [True, True, False]
        socket.socket().close()
        return kept

    kept, took_s = in_a_fiber(call)
    kept.close()
    assert took_s == 0


def test_there_is_nothing_but_the_store() -> None:
    """Another address is a violation, as are servers, datagrams and pairs."""

    def call() -> None:
        address = ("10.0.0.1", 80)
        deeds: dict[str, Callable[[], object]] = {
            "connects to 10.0.0.1:80": lambda: socket.create_connection(address),
            "connects to 10.0.0.2:80": lambda: socket.socket().connect_ex(("10.0.0.2", 80)),
            "connects to /run/x": lambda: socket.socket(socket.AF_UNIX).connect("/run/x"),
            "listens on 10.0.0.1:80": lambda: socket.socket().bind(address),
            "sends to 10.0.0.1:80": lambda: socket.socket().sendto(b"x", address),
            "opens a pair of sockets": lambda: socket.socketpair(),
        }
        for said, do in deeds.items():
            with pytest.raises(Violation, match=rf"test_sockets\.py:\d+ in <lambda> {said}"):
                do()

    in_a_fiber(call)


def test_asynchronous_code_must_not_block() -> None:
    """The loop's thread cannot wait for what only the loop brings, nor send with what a fiber has connected."""

    async def main(loop: VirtualLoop, made: Fibers) -> None:
        loop.lead_to(Wire(ForwardClock(), (HOST, PORT), Store().answer).connect)
        theirs = await made.worker("theirs").run(connected)
        with pytest.raises(Violation, match="sends on a socket in asynchronous code"):
            theirs.send(b"x")
        with pytest.raises(Violation, match="connects on a socket in asynchronous code"):
            socket.create_connection((HOST, PORT))

    run(main)


def test_a_killed_fiber_sends_nothing_more() -> None:
    """What it would send as it cleans up does not reach the store."""
    store, ended = Store(), list[str]()

    async def main(loop: VirtualLoop, made: Fibers) -> None:
        loop.lead_to(Wire(ForwardClock(), (HOST, PORT), store.answer).connect)
        fiber = made.worker("theirs")

        def call() -> None:
            connection = http.client.HTTPConnection(HOST, PORT)
            try:
                connection.request("GET", "/first")
                connection.getresponse()
            except Killed:
                connection.close()
                with pytest.raises(Killed):
                    connection.request("GET", "/second")
                ended.append("cleaned up")
                raise

        running = asyncio.ensure_future(fiber.run(call))
        await asyncio.sleep(1)
        running.cancel()
        fiber.close()
        await asyncio.sleep(10)

    run(main)
    assert (ended, [each.path for each in store.asked]) == (["cleaned up"], ["/first"])


def test_afterwards_sockets_are_the_systems() -> None:
    """Also for what is asked for by name."""
    before = socket.socket, select.poll
    with sockets.installed():
        assert vars(socket)["socket"] is WorldSocket
    assert before == (socket.socket, select.poll)
