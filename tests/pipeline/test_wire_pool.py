"""The pool of connections: where it connects to, and how long it waits for which, on a clock set by hand."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from pipeline.wire import HttpPool, Reply, WireError

REPLY = Reply(200, b"HTTP/1.1 200 OK", b"")


class Connection:
    """Answers, or fails after this many seconds of `clock`; records its deadline."""

    def __init__(self, clock, idle_since=1000.0, fails_after_s=None):
        self.clock = clock
        self.idle_since = self.idle_since_wall = idle_since
        self.fails_after_s = fails_after_s
        self.usable = True
        self.closed = False
        self.answer_by = []

    async def exchange(self, _request, answer_by):
        """Like the pool's own."""
        self.answer_by.append(answer_by)
        if self.fails_after_s is None:
            return REPLY
        self.clock.now += self.fails_after_s
        raise WireError("as told")

    def close(self):
        """Record the close."""
        self.closed = True


@pytest.fixture
async def clock(monkeypatch):
    """The loop's clock and the wall clock, `now`."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock.now)
    monkeypatch.setattr("pipeline.wire.time.time", lambda: clock.now)
    return clock


def pool_of(*idle, fresh=()):
    """A pool with these connections, the last one used last; `fresh` are those that it opens; and its time limits."""
    pool = HttpPool("http://localhost", 4)
    pool._idle += idle
    waiting = list(fresh)
    pool.waited_s = []

    async def connect(timeout_s):
        pool.waited_s.append(timeout_s)
        return waiting.pop(0)

    pool._connect = connect
    return pool


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://h", "h", 80),
        ("https://h", "h", 443),
        ("http://h:8000", "h", 8000),
        ("http://[::1]:8000", "::1", 8000),
        ("http://", "", 80),
    ],
)
def test_the_port_is_the_schemes_unless_it_is_named(url, host, port):
    """They are 80 and 443, as everywhere. A missing host must not become None, which would mean this machine."""
    pool = HttpPool(url, 1)
    assert (pool._host, pool._port) == (host, port)


@pytest.mark.parametrize(
    ("idle_s", "timeout_s", "waits_s"),
    [(0.0, 5.0, 5.0), (0.5, 5.0, 5.0), (0.5625, 5.0, 1.5), (5.0, 5.0, 1.5), (5.0, 1.0, 1.0)],
)
async def test_a_connection_that_was_idle_for_long_has_less_time_to_answer(clock, idle_s, timeout_s, waits_s):
    """After more than half a second of idleness it may take 1.5 s, so that another attempt has the rest."""
    kept = Connection(clock, 1000.0 - idle_s)
    pool = pool_of(kept)

    assert await pool.request(b"", timeout_s) == REPLY

    assert kept.answer_by == [1000.0 + waits_s]
    assert pool._idle == [kept]
    assert (kept.idle_since, kept.idle_since_wall) == (1000.0, 1000.0)


async def test_with_one_dead_connection_all_idle_ones_are_given_up(clock):
    """They were cut off together. The request is not sent again: it may have arrived."""
    others, dead = [Connection(clock) for _ in range(2)], Connection(clock, fails_after_s=1.0)
    pool = pool_of(*others, dead)

    with pytest.raises(WireError, match="as told") as failed:
        await pool.request(b"", 5.0)

    assert failed.value.sent
    assert [other.closed for other in others] == [True, True]
    assert pool.waited_s == []
    assert pool._idle == []


async def test_a_new_connection_that_fails_says_nothing_of_the_idle_ones(clock):
    """They are kept."""
    idle = Connection(clock)
    pool = pool_of(idle, fresh=[Connection(clock, fails_after_s=1.0)])
    pool._take = lambda _now: (None, 0.0)  # it came back meanwhile

    with pytest.raises(WireError, match="as told"):
        await pool.request(b"", 5.0)

    assert pool.waited_s == [5.0]
    assert (pool._idle, idle.closed) == ([idle], False)


@pytest.mark.parametrize(("timeout_s", "within"), [(60.0, "3.0"), (3.5, "3.0"), (2.5, "2.5")])
async def test_connecting_takes_three_seconds_at_most(monkeypatch, timeout_s, within):
    """It also takes no longer than the request may."""

    async def too_late(*_arguments, **_options):
        raise TimeoutError

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", too_late)
    with pytest.raises(WireError, match=rf"^no connection to h:80 within {within} s$") as failed:
        await HttpPool("http://h", 1).request(b"", timeout_s)
    assert not failed.value.sent


async def test_a_connection_that_does_not_come_is_an_error(monkeypatch):
    """The error comes when the request's time is up."""

    async def never(*_arguments, **_options):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    with pytest.raises(WireError, match=r"no connection to h:80 within 0\.0 s"):
        await HttpPool("http://h", 1).request(b"", 0.0)
