"""Connections in memory: the bytes of the handlers' clients, to the store and back, in the time that the model says.

The clients are unmodified, with their retries, pools and parsers; they see HTTP/1.1. Each call spends processor time of
its execution environment, one call after the other, then half of the service's latency on its way, and the rest on the
way back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from copy import copy
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from random import Random
from typing import Any

from simulator.base.chance import Seed, stream
from simulator.base.clock import Clock
from simulator.base.http_server import ConnectionMark, HttpConnection, HttpRequest, HttpServer
from simulator.store.wire.messages import Request, Response, sent_headers
from simulator.store.wire.routing import called
from simulator.world import model
from simulator.world.borders import refuse, whereto
from simulator.world.loop import Connected
from simulator.world.pins import CALLER
from simulator.world.watching import Fuse

Answer = Callable[[Request], Awaitable[Response]]
SLICE_BYTES = 256 * 1024
"""Longer bodies take time of their own; those of answers come in parts of this size, as the network brings them."""
_UNREADABLE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(eq=False)
class Caller:
    """Who calls: an execution environment, whose one processor does its work one thing after the other.

    Its latencies and its chance come from its own streams of `seed`: one for each service, two for what it draws.
    Once it is `dead`, nothing that its code still sends has an effect. `fuse`, if it has one, counts what its code
    waits for; if it is `halted`, its code goes no further. Its clock is `apart_s` from everybody else's.
    """

    name: str
    seed: Seed
    memory_mb: int
    is_own: bool
    free_at: float = 0.0
    dead: bool = False
    halted: bool = False
    fuse: Fuse | None = None
    apart_s: float = 0.0
    _streams: dict[str, Random] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers, self.system = (stream(self.seed, f"{kind} of {self.name}") for kind in ("numbers", "bytes"))

    def reborn(self) -> Caller:
        """Who calls after a new start, with the same chance, which goes on."""
        again = copy(self)
        again.dead = again.halted = False
        again.fuse, again.apart_s = None, 0.0
        return again

    def light(self, waits: int) -> Fuse:
        """A new fuse, which burns down with so many waits."""
        self.fuse = Fuse(waits)
        return self.fuse

    def put_out(self) -> None:
        """Nobody counts its waits any more."""
        self.fuse = None

    def halt(self) -> None:
        """Its code goes no further; what it has sent and has not arrived yet has no effect."""
        self.halted = self.dead = True

    def die(self) -> None:
        """Nothing that its code still sends has an effect."""
        self.dead = True

    def set_clock(self, apart_s: float) -> None:
        """Its clock is so far apart."""
        self.apart_s = apart_s

    @property
    def is_watched(self) -> bool:
        """Whether somebody must see each step of its code."""
        return self.fuse is not None or self.apart_s != 0.0

    def latency_s(self, service: str, operation: str) -> float:
        """How long the service takes for this call."""
        chance = self._streams.get(service)
        if chance is None:
            chance = self._streams[service] = stream(self.seed, f"latency of {service} for {self.name}")
        return model.latency_of(service, operation).draw(chance)

    def worked_at(self, now: float, work_s: float) -> float:
        """When `work_s` more of its processor's time is over."""
        self.free_at = max(self.free_at, now) + work_s
        return self.free_at


class Wire:
    """The store's end of every connection. `answer` is the store's, and `address` the only one."""

    def __init__(self, clock: Clock, address: tuple[str, int], answer: Answer) -> None:
        self._clock, self._address, self._answer = clock, address, answer
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, address: tuple[Any, ...], factory: Callable[[], asyncio.Protocol], loop: Any) -> Connected:
        """A new connection; raises `Violation` for another address than the store's."""
        if tuple(address[:2]) != self._address:
            refuse(f"connects to {whereto(address)}")
        handle = partial(self._handle, CALLER.get())
        client, server = factory(), HttpConnection(HttpServer(handle, body_bytes=1 << 30, unreadable=_UNREADABLE))
        near, far = MemoryTransport(loop), MemoryTransport(self._loop, prompt=True)
        near.join(client, far, server)
        return near, client

    def _handle(self, caller: Caller | None, connection: HttpConnection, request: HttpRequest) -> None:
        if caller is not None and caller.dead:
            return
        ask = _request(request, connection.mark)
        work = self._carry_out(caller, connection, ask)
        task = self._loop.create_task(work, name=f"{ask.method} {ask.path}", context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, caller: Caller | None, connection: HttpConnection, request: Request) -> None:
        """Answer a request of `caller`; None is the twin itself, whose calls take no time."""
        back_s = 0.0
        if caller is not None:
            service, operation = called(request)
            items = request.body.count(b'"PutRequest"') + request.body.count(b'"DeleteRequest"') or 1
            size = len(request.body)
            work_s = model.work_s(operation, items, size, caller.memory_mb, own=caller.is_own)
            now = self._loop.time()
            back_s = caller.latency_s(service, operation) / 2
            sent_s = model.transfer_s(size, caller.memory_mb) if size > SLICE_BYTES else 0.0
            await asyncio.sleep(caller.worked_at(now, work_s) - now + sent_s + back_s)
        response = await self._answer(request)
        if back_s:
            await asyncio.sleep(back_s)
        if response.breaks_after is not None and response.breaks_after < 0:
            connection.hang_up()
            return
        head, body = _written(request, response, self._clock.now())
        if response.breaks_after is not None:
            connection.answer(head + body[: response.breaks_after], ends=False)
            connection.hang_up()
            return
        if caller is None or len(body) <= SLICE_BYTES:
            connection.answer(head + body)
            return
        connection.answer(head, ends=False)
        for start in range(0, len(body), SLICE_BYTES):
            part = body[start : start + SLICE_BYTES]
            await asyncio.sleep(model.transfer_s(len(part), caller.memory_mb))
            connection.answer(part, ends=start + SLICE_BYTES >= len(body))


class MemoryTransport(asyncio.Transport):
    """One end of a connection: it reads what the other wrote in the next turn of its loop, or, if `prompt`, at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, prompt: bool = False) -> None:
        super().__init__()
        self._loop, self._prompt = loop, prompt
        self._closing = self._paused = False
        self._arrived: deque[bytes | None] = deque()
        self._protocol: asyncio.Protocol
        self._peer: MemoryTransport

    def join(self, protocol: asyncio.Protocol, peer: MemoryTransport, peers: asyncio.Protocol) -> None:
        """Connect both ends."""
        self._protocol, self._peer = protocol, peer
        peer._protocol, peer._peer = peers, self
        peers.connection_made(peer)
        protocol.connection_made(self)

    def write(self, data: Any) -> None:
        """Send to the other end."""
        if not self._closing and data:
            self._peer.receive(bytes(data))

    def receive(self, data: bytes | None) -> None:
        """Take what the other end has sent, None when it has closed."""
        self._arrived.append(data)
        if self._prompt:
            self._deliver()
        else:
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        while self._arrived and not self._paused and not self._closing:
            data = self._arrived.popleft()
            if data is None:
                self._protocol.eof_received()
                self.close()
            else:
                self._protocol.data_received(data)

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self._paused = True

    def resume_reading(self) -> None:
        """Pass on what has arrived."""
        self._paused = False
        self._loop.call_soon(self._deliver)

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closing

    def close(self) -> None:
        """Close both ends."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)
            self._peer.receive(None)
            del self._protocol, self._peer  # which lead back here: nobody collects cycles in a world

    abort = close

    def get_write_buffer_size(self) -> int:
        """Nothing is ever kept."""
        return 0


def _request(request: HttpRequest, mark: ConnectionMark) -> Request:
    raw = tuple(request.fields())
    headers = {name.decode("latin-1").lower(): value.decode("utf-8", "surrogateescape") for name, value in raw}
    return Request(request.method, request.target, headers, raw, request.body or b"", mark)


def _written(request: Request, response: Response, now: float) -> tuple[bytes, bytes]:
    status = response.status
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    fields = dict(sent_headers(response, is_head=request.method == "HEAD"))
    fields.setdefault("Content-Length", str(len(response.body)))
    fields.setdefault("Date", formatdate(now, usegmt=True))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("utf-8", "surrogateescape"), response.body
