"""The life of a child process: starting it, talking to it, ending it, reaping it. Every child of a run uses this.

A child leads a session of its own, so that Ctrl-C in the terminal reaches only its owner, and a signal reaches
everything that the child started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.waiting import wait_silent

IMPORT_ROOT = Path(__file__).resolve().parents[2]
"""The directory that contains `simulator` and `pipeline`."""
STOP_TIMEOUT_S = 5.0
"""How long a child may take to exit once its input is closed."""
LAST_WORDS_S = 1.0
"""How long to wait, once a child's connection broke, for its exit and its last line."""
LINE_BYTES = 2**24
_ENTRY = str(Path(__file__).with_name("entry.py"))
_ERROR_LINES = 200
_BEGIN = "\x1e"


class ChildProcess:
    """A running process. Its starter must end it, with `end`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.pid = process.pid
        self.exit = asyncio.create_task(process.wait())
        self.ending = False

    @classmethod
    async def start(cls, *command: str | Path, **how: Any) -> Self:
        """Start it; `how` is passed to `asyncio.create_subprocess_exec`."""
        return cls(await asyncio.create_subprocess_exec(*command, start_new_session=True, **how))

    @property
    def alive(self) -> bool:
        """Whether it still runs. This checks without waiting: asyncio learns of an exit only some time later."""
        if self._process.returncode is not None or sys.platform != "linux":
            return self._process.returncode is None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    @property
    def exit_text(self) -> str:
        """How it exited: `exit code 1` or `signal 9`; `still running` until then."""
        code = self._process.returncode
        if code is None:
            return "still running"
        return f"exit code {code}" if code >= 0 else f"signal {-code}"

    def signal(self, number: signal.Signals) -> None:
        """Send the signal to the process and everything it started; does nothing if none of them is left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def wait(self) -> int:
        """The return code, once it has exited; cancelling this does not affect the process."""
        await asyncio.wait((self.exit,))
        return self.exit.result()

    async def end(self, grace_s: float = 0.0) -> None:
        """Close its input, give it `grace_s`, kill the rest, and reap it, even if this task is cancelled."""
        self.ending = True
        if self._process.stdin is not None:
            self._process.stdin.close()
            self.signal(signal.SIGCONT)  # a stopped process could not react
        try:
            if grace_s:
                await asyncio.wait((self.exit,), timeout=grace_s)
        finally:
            self.signal(signal.SIGKILL)
            await self.wait()
            # The transport keeps the pipe ends; closing it here leaves nothing for the garbage collector to warn about.
            transport = getattr(self._process, "_transport", None)
            if transport is not None:
                transport.close()


class ModuleProcess(ChildProcess):
    """One of our modules as a process of its own, which lives on its standard input: it exits when that closes.

    So it exits with this process, however this one does. It answers on standard output, with `send_to_owner`; the last
    lines that it writes to standard error are kept.
    """

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - they are pipes
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, module: str, *arguments: str, environ: Mapping[str, str] | None = None) -> AsyncIterator[Self]:
        """Run `python -m module arguments`; the process ends with the block, whether or not the block raises.

        `environ` defaults to this process's own. Our modules take precedence over a user's modules of the same names,
        and output is UTF-8 whatever the user has set for terminals.
        """
        environ = {**(os.environ if environ is None else environ), "PYTHONIOENCODING": "utf-8"}
        command = (sys.executable, "-P", _ENTRY, module, *arguments)
        child = await cls.start(*command, env=environ, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LINE_BYTES)
        try:
            yield child
        finally:
            await child.end(STOP_TIMEOUT_S)

    async def send(self, line: bytes) -> None:
        """Write a line to its input. Raises `BrokenPipeError` or `ConnectionResetError` once it has exited."""
        self._stdin.write(line + b"\n")
        await self._stdin.drain()

    async def receive(self, timeout_s: float | None = None) -> bytes:
        """The next message that it sends; empty once it has exited. Raises `TimeoutError`.

        If the machine sleeps meanwhile, that counts as one `limits.SILENCE_LOOK_S`.
        """
        message = asyncio.create_task(self._next_message())
        try:
            while not message.done():
                if timeout_s is not None and timeout_s <= 0:
                    raise TimeoutError
                look_s = None if timeout_s is None else min(timeout_s, limits.SILENCE_LOOK_S)
                await asyncio.wait((message,), timeout=look_s)
                timeout_s = None if timeout_s is None else timeout_s - limits.SILENCE_LOOK_S
            return message.result()
        finally:
            message.cancel()
            await asyncio.wait((message,))

    async def _next_message(self) -> bytes:
        while line := await self._stdout.readline():
            _, begun, message = line.partition(_BEGIN.encode())
            if begun:
                return message.rstrip()
        return b""

    async def wait_lost(self, ask: Callable[[], Awaitable[object]], clock: Clock) -> str:
        """Wait until it exits by itself, or stops answering `ask`; returns what happened, as a predicate for its name.

        If the owner is ending it, this waits on until cancelled. Whatever `ask` raises is raised.
        """
        ended, silent = asyncio.create_task(self.wait()), asyncio.create_task(wait_silent(ask, clock))
        try:
            await asyncio.wait((ended, silent), return_when=asyncio.FIRST_COMPLETED)
            if self.ending:
                await asyncio.Event().wait()
            if not ended.done():
                await silent
        finally:
            for task in (ended, silent):
                task.cancel()
            await asyncio.wait((ended, silent))
        return await self.fate()

    async def fate(self) -> str:
        """What is wrong with it, as a predicate for its name: it exited, with its last line, or it does not answer."""
        last_words = await self.last_words()
        if self.alive:
            return f"does not answer (process {self.pid} is stopped, or the machine has no time for it)"
        return f"ended unexpectedly ({self.exit_text})" + (f"; its last output: {last_words}" if last_words else "")

    async def last_words(self) -> str:
        """The last line that it wrote to standard error, once it has exited or `LAST_WORDS_S` has passed."""
        # The connection breaks a moment before the process is reaped.
        await asyncio.wait((self.exit, self._listening), timeout=LAST_WORDS_S)
        return next((line.strip() for line in reversed(self._errors) if line.strip()), "")

    async def end(self, grace_s: float = 0.0) -> None:
        """Like the end of every child; output that is still unread is kept."""
        try:
            await super().end(grace_s)
        finally:
            self._listening.cancel()
            await asyncio.wait((self._listening,))

    async def _listen(self) -> None:
        while chunk := await self._stderr.read(65_536):
            self._errors.extend(chunk.decode("utf-8", "replace").splitlines())


def send_to_owner(*messages: str) -> None:
    """Send messages from such a module to its owner, one per line.

    A record separator begins each, as in JSON text sequences (RFC 7464), so that other output before it, such as what a
    user's sitecustomize prints, is not mistaken for part of it.
    """
    sys.stdout.write("".join(f"{_BEGIN}{message}\n" for message in messages))
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def standard_input() -> AsyncIterator[asyncio.StreamReader]:
    """What such a module receives from its owner: lines, and end of file when it should exit."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        yield reader
    finally:
        transport.close()
