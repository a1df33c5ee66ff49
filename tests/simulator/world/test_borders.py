"""The borders of a world: what is refused, what is said about it, and what is let through."""

from __future__ import annotations

import _thread
import concurrent.futures
import contextlib
import multiprocessing.util
import os
import pty
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.base.errors import ExitCode
from simulator.functions.runtimes import isolation
from simulator.world import borders
from simulator.world.borders import Violation, closed, place, refuse, whereto, world_starts_it

HERE = os.path.relpath(__file__)


@contextmanager
def world() -> Iterator[list[str]]:
    """What was reported meanwhile."""
    reported: list[str] = []
    with closed(lambda violation: reported.append(violation.lines[0])):
        yield reported


def crossed(cross: Callable[[], Any]) -> str:
    """What a world says to it, after the place; the caller gets the same as the report."""
    with world() as reported, pytest.raises(Violation) as raised:
        cross()
    assert reported == [raised.value.lines[0]]
    assert raised.value.exit_code is ExitCode.WRONG_INPUT
    place, _, deed = reported[0].partition(" in <lambda> ")
    assert place.startswith(f"{HERE}:"), reported
    return deed


def target() -> None:
    """What a thread runs."""


class Worker(threading.Thread):
    """A thread with a `run` of its own."""


@pytest.mark.parametrize(
    ("deed", "cross"),
    [
        ("opens a socket", lambda: socket.socket()),
        ("opens a socket", lambda: socket.create_connection(("127.0.0.1", 1))),
        ("looks up example.com", lambda: socket.create_connection(("example.com", 80))),
        ("looks up example.com", lambda: socket.gethostbyname("example.com")),
        ("looks up 192.0.2.1", lambda: socket.gethostbyaddr("192.0.2.1")),
        ("starts ls -l /tmp/a b", lambda: subprocess.run(["ls", b"-l", "/tmp/a b"], check=False)),
        ("starts /bin/true", lambda: subprocess.Popen([], executable="/bin/true")),
        ("starts exit 3", lambda: os.system("exit\n 3")),
        ("starts true", lambda: os.posix_spawn("/bin/true", ["true"], {})),
        ("starts false", lambda: os.execv("/bin/false", ["false"])),
        ("starts true", lambda: multiprocessing.util.spawnv_passfds(b"/bin/true", ["true"], [])),
        ("starts true", lambda: pty.spawn(["true"])),
        ("starts /bin/sh -c " + "a" * 69, lambda: subprocess.Popen("a" * 1000, shell=True)),
        ("sends signal 0 to a process", lambda: os.kill(os.getpid(), 0)),
        ("sends signal 0 to a process", lambda: os.killpg(os.getpgid(0), 0)),
        ("forks the process", lambda: os.fork() or os._exit(1)),
        ("forks the process", lambda: os.forkpty()[0] or os._exit(1)),
        ("starts a thread for target", lambda: threading.Thread(target=target).start()),
        ("starts a thread for Worker", lambda: Worker().start()),
        ("starts a thread for target", lambda: _thread.start_new_thread(target, ())),
        ("starts a thread for _worker", lambda: concurrent.futures.ThreadPoolExecutor().submit(target)),
    ],
)
def test_what_is_beyond_the_world_is_refused(deed: str, cross: Callable[[], Any]) -> None:
    """Sockets, names of hosts, processes, threads: one line says FILE:LINE in FUNCTION, what was done and with what."""
    assert crossed(cross) == deed


def test_a_socket_from_before_leads_nowhere() -> None:
    """An open socket of the process does not help to get out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as old:
        assert crossed(lambda: old.connect(("127.0.0.1", 9))) == "connects to 127.0.0.1:9"
        assert crossed(lambda: old.bind(("127.0.0.1", 0))) == "listens on 127.0.0.1:0"
        assert crossed(lambda: old.sendto(b"", ("127.0.0.1", 9))) == "sends to 127.0.0.1:9"
        assert crossed(lambda: old.sendmsg([b""], [], 0, ("127.0.0.1", 9))) == "sends to 127.0.0.1:9"


def test_this_machine_needs_no_look_up() -> None:
    """Clients ask for the address of what is one already; that says nothing about the world outside."""
    with world() as reported:
        assert socket.getaddrinfo("127.0.0.1", 80)
        assert socket.getaddrinfo(None, 80)
    assert reported == []


def test_a_swallowed_violation_is_reported() -> None:
    """A handler that catches everything does not hide what it did, and each time counts."""
    with world() as reported:
        for _ in range(2):
            with contextlib.suppress(Exception):
                socket.socket()
    assert len(reported) == 2


def test_an_error_has_a_way_out() -> None:
    """The hint names the option with which the code can run."""
    with pytest.raises(Violation) as raised:
        refuse("connects to example.com:80")
    assert raised.value.lines[0].endswith(" in test_an_error_has_a_way_out connects to example.com:80")
    assert "--clock real" in str(raised.value.hint)


def test_a_library_is_named_where_nobody_else_is() -> None:
    """The nearest line that is named is the user's, else a library's, else the simulator's, and never Python's own."""

    def said(deed: str, *files: str) -> str:
        """The place that is named where the first of these files does it, and each other one calls the one before."""
        call: Any = None
        for file in files:
            names = {"call": call, "socket": socket, "refuse": refuse}
            exec(compile(f"def f():\n    {'call()' if call else deed}\n", file, "exec"), names)
            call = names["f"]
        with world() as reported, contextlib.suppress(Violation):
            call()
        return reported[0].partition(" opens")[0]

    simulator = os.path.relpath(Path(borders.__file__).parents[1])
    library, handler, ours, world_s = (
        "/x/site-packages/y.py",
        "/app/handler.py",
        os.path.abspath(f"{simulator}/twin/twin.py"),  # noqa: PTH100
        os.path.abspath(f"{simulator}/world/sockets.py"),  # noqa: PTH100
    )
    deep = "socket.create_connection(('127.0.0.1', 1))"
    assert said(deep, library, handler, ours) == "/app/handler.py:2 in f"
    assert said("refuse('opens')", world_s, library, handler, ours) == "/app/handler.py:2 in f"
    assert said(deep, world_s, "/x/site-packages/asyncio.py", handler, ours) == "/app/handler.py:2 in f"
    assert said(deep, library, ours) == "/x/site-packages/y.py:2 in f"
    assert said(deep, ours, handler) == f"{simulator}/twin/twin.py:2 in f"
    assert said("refuse('opens')", ours, handler) == f"{simulator}/twin/twin.py:2 in f"
    beside = os.path.abspath(f"{simulator}/../handler.py")  # noqa: PTH100
    assert said(deep, library, beside, ours) == f"{os.path.relpath(beside)}:2 in f"
    assert said(deep, isolation.__file__, handler, ours) == "/app/handler.py:2 in f"


def test_the_worlds_own_code_is_named_where_there_is_no_other() -> None:
    """A place always has a name."""
    file = str(Path(borders.__file__).with_name("sockets.py"))
    found: dict[str, Any] = {}
    exec(compile("def f():\n    yield\n", file, "exec"), found)
    assert place(found["f"]().gi_frame) == f"{os.path.relpath(file)}:1 in f"


def test_an_address_is_shown_without_what_only_ipv6_has() -> None:
    """Host and port; a path as it is."""
    assert whereto(("::1", 9, 0, 2)) == "::1:9"
    assert whereto(b"/run/x") == "/run/x"


def test_the_worlds_own_threads_and_pipes_are_let_through() -> None:
    """`world_starts_it` opens the border for this thread alone, and only inside the block."""
    said: list[str] = []

    def handler() -> None:
        with contextlib.suppress(Violation):
            socket.socket()
        said.append("tried")

    with world() as reported:
        with world_starts_it():
            thread = threading.Thread(target=handler)
            thread.start()
            socket.socket().close()
        thread.join()
        assert (said, len(reported)) == (["tried"], 1)
        with pytest.raises(Violation):
            socket.socket()


def test_outside_a_world_nothing_is_refused() -> None:
    """Before, between and after worlds the hook lets everything through; one world ends inside another."""
    for _ in range(2):
        with world() as outer:
            with world() as inner, pytest.raises(Violation):
                socket.socket()
            with pytest.raises(Violation):
                socket.socket()
        assert (len(outer), len(inner)) == (1, 1)
        socket.socket().close()
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
