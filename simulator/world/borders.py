"""The borders of a world: a real socket, another process, a thread of somebody's own is an error that names who did it.

Python tells about each of them before it happens (`sys.addaudithook`; the events are in its library's "Audit events
table"). The hook cannot be removed: it comes with this module and does nothing while no world is open.
"""

from __future__ import annotations

import _posixsubprocess
import _thread
import itertools
import os
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

from simulator.base.errors import InputError
from simulator.base.shown import printable
from simulator.functions.runtimes import isolation

_LOOPBACK = {"", "localhost", "127.0.0.1", "::1"}
_WORLD = f"{Path(__file__).parent}{os.sep}"
_SIMULATOR = f"{Path(__file__).parents[1]}{os.sep}"
_STANDARD = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_HAS_NONE = "a world of virtual time has no network, no other process and no thread of yours; use `--clock real`"
_PROCESS, _THREAD = "_posixsubprocess.fork_exec", "_thread.start_new_thread"
_trusted: set[int] = set()
_report: Callable[[Violation], None] | None = None


class Violation(InputError):
    """Code in a world did what no world has. An ordinary error, because `Thread.start` cleans up after no other."""


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return _shown(" ".join(map(_shown, value)))
    return printable(os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else str(value))[:80]


def whereto(address: Any) -> str:
    """An address of a socket as HOST:PORT, or as the path that it is."""
    return _shown(":".join(map(str, address[:2])) if isinstance(address, tuple) else address)


def _look_up(host: Any) -> str | None:
    return None if _shown(host or "") in _LOOPBACK else f"looks up {_shown(host)}"


def _start_thread(function: Any, *_: Any) -> str:
    thread = getattr(function, "__self__", None)
    target = getattr(thread, "_target", None) or (type(thread) if isinstance(thread, threading.Thread) else function)
    return f"starts a thread for {_shown(getattr(target, '__qualname__', target))}"


_DEEDS: dict[str, Callable[..., str | None]] = {
    "socket.__new__": lambda *_: "opens a socket",
    "socket.connect": lambda _, address: f"connects to {whereto(address)}",
    "socket.bind": lambda _, address: f"listens on {whereto(address)}",
    **dict.fromkeys(("socket.sendto", "socket.sendmsg"), lambda _, address: f"sends to {whereto(address)}"),
    "socket.getaddrinfo": lambda host, *_: _look_up(host),
    **dict.fromkeys(("socket.gethostbyname", "socket.gethostbyaddr"), _look_up),
    "subprocess.Popen": lambda executable, args, *_: f"starts {_shown(args or executable)}",
    **dict.fromkeys(("os.posix_spawn", "os.exec"), lambda path, args, _: f"starts {_shown(args or path)}"),
    **dict.fromkeys(("os.system", "pty.spawn", _PROCESS), lambda args, *_: f"starts {_shown(args)}"),
    **dict.fromkeys(("os.fork", "os.forkpty"), lambda: "forks the process"),
    **dict.fromkeys(("os.kill", "os.killpg"), lambda _, signal: f"sends signal {int(signal)} to a process"),
    **dict.fromkeys((_THREAD, "_thread.start_joinable_thread"), _start_thread),  # the second since Python 3.13
}
"""What is said about each event, from its arguments; None: it is harmless."""


@contextmanager
def world_starts_it() -> Iterator[None]:
    """What this thread does in the block is the world's own: a thread for a handler, a loop's pipe. Not nested."""
    _trusted.add(threading.get_ident())
    try:
        yield
    finally:
        _trusted.discard(threading.get_ident())


@contextmanager
def closed(report: Callable[[Violation], None]) -> Iterator[None]:
    """While the block runs, whoever crosses a border gets a `Violation`, and `report` too, in case it is swallowed."""
    global _report
    before, _report = _report, report
    try:
        yield
    finally:
        _report = before


def refuse(deed: str) -> NoReturn:
    """Raise and report a `Violation` of the caller; `deed` is a verb in the third person and its object."""
    violation = Violation(f"{place(sys._getframe())} {deed}", hint=_HAS_NONE)  # noqa: SLF001 - who calls is asked so
    if _report is not None:
        _report(violation)
    raise violation


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _report is None or event not in _DEEDS or threading.get_ident() in _trusted:
        return
    if (deed := _DEEDS[event](*args)) is not None:
        refuse(deed)


def _told(event: str, start: Callable[..., int], tell: Callable[..., Any] = sys.audit) -> Callable[..., int]:
    return lambda *args: tell(event, *args) or start(*args)


# Python tells nothing about the processes of `multiprocessing` that are not forked, and 3.11 nothing about threads.
_SILENT: list[tuple[ModuleType, str, str]] = [(_posixsubprocess, "fork_exec", _PROCESS)]
if sys.version_info < (3, 12):
    _SILENT += [(_thread, "start_new_thread", _THREAD), (threading, "_start_new_thread", _THREAD)]
for _module, _name, _event in _SILENT:
    vars(_module)[_name] = _told(_event, vars(_module)[_name])
sys.addaudithook(_hook)


def place(frame: FrameType) -> str:
    """FILE:LINE in FUNCTION: the nearest code between here and the simulator, no library's if possible; or its own."""
    frames = [each for each, _ in traceback.walk_stack(frame) if each.f_code.co_filename != isolation.__file__]
    inside = [frame for frame in frames if not frame.f_code.co_filename.startswith(_WORLD)]
    theirs = itertools.takewhile(lambda frame: not frame.f_code.co_filename.startswith(_SIMULATOR), inside)
    frame = min([each for each in theirs if _remoteness(each) < 2] or inside or frames, key=_remoteness)
    file, name = frame.f_code.co_filename, frame.f_code.co_name
    return f"{_shown(min(os.path.relpath(file), file, key=len))}:{frame.f_lineno} in {_shown(name)}"


def _remoteness(frame: FrameType) -> int:
    """0: somebody's own code; 1: a library's; 2: Python's."""
    file = frame.f_code.co_filename
    if any(f"{os.sep}{name}{os.sep}" in file for name in ("site-packages", "dist-packages")):
        return 1
    return 2 if file.startswith(("<", *_STANDARD)) else 0
