"""One process, many environments: each handler's thread has its own `os.environ`, standard output, error and log.

This is for plain synchronous handlers in the simulator's process. While `installed()` is active, code inside
`seen_as(environ, write)` reads and writes that mapping through `os.environ` and prints to `write`; all other code uses
the process's own. It follows the context: threads started inside are included. Code that bypasses Python (the C
library's `getenv`, a subprocess without an explicit environment) sees the process; use the process runtime for that.
Loggers and their levels are the process's.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TextIO

from simulator.base import limits
from simulator.functions.runtimes import Write

_environ: contextvars.ContextVar[MutableMapping[str, str] | None] = contextvars.ContextVar("environ", default=None)
_output: contextvars.ContextVar[LineCutter | None] = contextvars.ContextVar("output", default=None)
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""Of the event that the handler is working on, for its log."""
_lock = threading.Lock()
_users = 0
_undo = contextlib.ExitStack()


class _Environ(os._Environ):  # type: ignore[type-arg]  # noqa: SLF001 - only a subclass can replace it
    """The class of `os.environ` meanwhile: code that imported the object earlier uses it, too."""

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key) if (own := _environ.get()) is None else own[_text(key)]

    def __setitem__(self, key: str, value: str) -> None:
        if (own := _environ.get()) is None:
            super().__setitem__(key, value)
        else:
            own[_text(key)] = _text(value)

    def __delitem__(self, key: str) -> None:
        if (own := _environ.get()) is None:
            super().__delitem__(key)
        else:
            del own[_text(key)]

    def __iter__(self) -> Iterator[str]:
        return super().__iter__() if (own := _environ.get()) is None else iter(list(own))

    def __len__(self) -> int:
        return super().__len__() if (own := _environ.get()) is None else len(own)


class LineCutter:
    """Cuts output into lines; an unfinished line that grows too long is cut."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._rest = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Pass on every complete line."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            if len(self._rest) > limits.LOG_LINE_CHARACTERS:
                lines, self._rest = [*lines, self._rest], ""
            for line in lines:
                self._write(line)
        return len(text)

    def end(self) -> None:
        """Pass on a last line that has no newline yet."""
        with self._lock:
            rest, self._rest = self._rest, ""
            if rest:
                self._write(rest)


class _Log(logging.Handler):
    """What AWS's runtime client adds to the root logger (awslambdaric, `_setup_logging` and `JsonFormatter`).

    Other code's records go where they would go without it.
    """

    def __init__(self) -> None:
        super().__init__()
        tabs = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(request_id)s\t%(message)s"
        self._text = logging.Formatter(tabs, "%Y-%m-%dT%H:%M:%S")
        self._text.converter = time.gmtime

    def emit(self, record: logging.LogRecord) -> None:
        lines, environ = _output.get(), _environ.get() or {}
        if lines is None:
            if logging.root.handlers == [self] and logging.lastResort is not None:
                logging.lastResort.handle(record)
            return
        record.request_id = request_id.get()
        as_json = environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
        lines.write(f"{self._json(record) if as_json else self._text.format(record)}\n")

    def _json(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "timestamp": f"{self._text.formatTime(record, self._text.datefmt)}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, _ = record.exc_info
            told |= {"errorType": kind.__name__, "errorMessage": str(error)}
            told["stackTrace"] = self._text.formatException(record.exc_info).splitlines()[1:-1]
        return json.dumps(told | {"requestId": request_id.get()}, ensure_ascii=False, default=str)


class _Stream:
    """Replaces stdout or stderr; each write goes to the current handler's log, if there is one."""

    def __init__(self, real: TextIO) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, text: str) -> int:
        lines = _output.get()
        return self._real.write(text) if lines is None else lines.write(text)

    def writelines(self, texts: list[str]) -> None:
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        if _output.get() is None:
            self._real.flush()


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Provide separate views while the block runs; blocks may overlap, and the last to end restores everything."""
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _install()
        # Every time, since code that captures output (a test, a live display) may have installed a stream of its own.
        _install_streams()
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _undo.close()


@contextlib.contextmanager
def seen_as(environ: MutableMapping[str, str], write: Write) -> Iterator[Callable[[], None]]:
    """Run the block with `environ` as `os.environ` and `write` as standard output and error.

    Calling the yielded function passes on a last line that has no newline yet.
    """
    lines = LineCutter(write)
    environ_token, output_token = _environ.set(environ), _output.set(lines)
    if level := environ.get("AWS_LAMBDA_LOG_LEVEL"):
        logging.root.setLevel(min(logging.root.level, logging.getLevelNamesMapping().get(level, logging.WARNING)))
    try:
        yield lines.end
    finally:
        lines.end()
        _environ.reset(environ_token)
        _output.reset(output_token)


def _install() -> None:
    _undo.callback(setattr, os.environ, "__class__", os.environ.__class__)
    os.environ.__class__ = _Environ
    start = threading.Thread.start
    _undo.callback(setattr, threading.Thread, "start", start)

    def start_in_context(thread: threading.Thread) -> None:
        if _environ.get() is not None:
            context, run = contextvars.copy_context(), thread.run
            thread.run = lambda: context.run(run)  # type: ignore[method-assign]
        start(thread)

    threading.Thread.start = start_in_context  # type: ignore[method-assign, assignment]
    log = _Log()
    _undo.callback(logging.root.setLevel, logging.root.level)
    _undo.callback(logging.root.removeHandler, log)
    logging.root.addHandler(log)


def _install_streams() -> None:
    for name in ("stdout", "stderr"):
        real = getattr(sys, name)
        if real is None or isinstance(real, _Stream):
            continue
        stream = _Stream(real)
        setattr(sys, name, stream)
        _undo.callback(_restore_stream, name, real, stream)


def _restore_stream(name: str, real: TextIO, stream: _Stream) -> None:
    # Other code (a test's capture) may have replaced it since, and then owns it.
    if getattr(sys, name) is stream:
        setattr(sys, name, real)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"str expected, not {type(value).__name__}")
    return value
