"""What `socket.socket` and `select.poll` are in a world: connections in memory, for code that blocks.

A socket blocks the fiber that it is used in, in virtual time. Asynchronous clients make sockets only to have them
connected by the loop.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EAGAIN, EPIPE
from typing import Any

from simulator.world.borders import refuse, whereto
from simulator.world.fibers import Fiber, Resume, current_fiber
from simulator.world.pins import replaced

_poll = select.poll


class WorldSocket(socket.socket, asyncio.Protocol):
    """A TCP client's socket without a file descriptor. It leads where the world's loop does."""

    def __init__(self, *_: Any, **__: Any) -> None:
        # The base class would open a socket; what it defines in Python works on top of what is here.
        self._io_refs, self._closed = 0, False
        self._received, self._ended = bytearray(), False
        self._timeout = socket.getdefaulttimeout()
        self._transport: asyncio.Transport | None = None
        self.wake: Resume = bool

    def connect(self, address: Any) -> None:
        """Connect at once. Raises `Violation` for any other address than the store's."""
        self._loop = _fiber("connects").loop
        self._transport, _ = self._loop.connect(address, lambda: self, self._loop)

    def connect_ex(self, address: Any) -> int:
        """Like `connect`."""
        self.connect(address)
        return 0

    def send(self, data: Any, flags: int = 0) -> int:
        """Send everything, without waiting."""
        del flags
        _fiber("sends")
        if self._transport is None or self._transport.is_closing():
            raise BrokenPipeError(EPIPE, "the other end has closed")
        self._transport.write(data)
        return len(data)

    sendall = send  # type: ignore[assignment]

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What has arrived, at most `size` bytes; waits for the first. Nothing: the other end has closed."""
        if not wait([self], self._timeout):
            raise BlockingIOError(EAGAIN, "nothing has arrived") if self._timeout == 0 else TimeoutError("timed out")
        data = bytes(self._received[:size])
        if not flags & socket.MSG_PEEK:
            del self._received[:size]
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """Like `recv`, into a buffer; returns how many bytes."""
        view = memoryview(buffer).cast("B")
        data = self.recv(size or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        """Whether reading would not wait."""
        return bool(self._received) or self._ended

    def shutdown(self, how: int = 0) -> None:
        """Close the connection."""
        del how
        self._ended = True
        if self._transport is not None and not self._loop.is_closed():
            self._transport.close()

    _real_close = shutdown

    def settimeout(self, value: float | None) -> None:
        """How long reading waits, in virtual time."""
        self._timeout = value

    def gettimeout(self) -> float | None:
        """How long reading waits."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """Whether reading waits."""
        self._timeout = None if flag else 0.0

    def setsockopt(self, *_: Any) -> None:
        """Nothing is to set."""

    def bind(self, address: Any) -> None:
        """A world has no servers."""
        refuse(f"listens on {whereto(address)}")

    def sendto(self, *given: Any) -> int:
        """A world has no datagrams."""
        return refuse(f"sends to {whereto(given[-1])}")

    def data_received(self, data: bytes) -> None:
        """Part of asyncio's protocol."""
        self._received += data
        self.wake()

    def connection_lost(self, _: Exception | None) -> None:
        """Part of asyncio's protocol."""
        self._ended = True
        self.wake()


def wait(sockets: Sequence[WorldSocket], seconds: float | None) -> list[WorldSocket]:
    """Those that can be read, once one can; none after so much virtual time (None: never)."""
    fiber = _fiber("waits")

    def register(resume: Resume) -> None:
        for each in sockets:
            each.wake = resume

    until = None if seconds is None else fiber.loop.time() + seconds
    while not (found := [each for each in sockets if each.readable()]) and (until is None or fiber.loop.time() < until):
        fiber.block(register, until)
    return found


@contextmanager
def installed() -> Iterator[None]:
    """In the block, whoever looks for these names in their modules finds the world's."""
    with replaced((socket, "socket", WorldSocket), (socket, "socketpair", _pair), (select, "poll", _Poll)):
        yield


def _pair(*_: Any, **__: Any) -> None:
    refuse("opens a pair of sockets")


def _fiber(deed: str) -> Fiber:
    fiber = current_fiber()
    if fiber is None:
        return refuse(f"{deed} on a socket in asynchronous code, which must never block")
    fiber.check()
    return fiber


class _Poll:
    def __init__(self) -> None:
        self._real, self._masks = _poll(), dict[WorldSocket, int]()

    def register(self, which: Any, mask: int = select.POLLIN | select.POLLOUT) -> None:
        if isinstance(which, WorldSocket):
            self._masks[which] = mask
        else:
            self._real.register(which, mask)

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        if not self._masks:
            return self._real.poll(timeout)
        readers, writers = (
            [s for s, mask in self._masks.items() if mask & each] for each in (select.POLLIN, select.POLLOUT)
        )
        seconds = None if timeout is None or timeout < 0 else timeout / 1000
        ready = wait(readers, 0 if writers else seconds)
        return [*((-1, select.POLLIN) for _ in ready), *((-1, select.POLLOUT) for _ in writers)]
