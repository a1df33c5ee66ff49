"""The life of a child process: how one is started, heard, ended and reaped. Nothing else starts one for a run.

A child leads a session of its own, so that Ctrl-C in the terminal reaches its owner alone, and a signal reaches
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
"""Where `simulator` and `pipeline` are."""
STOP_TIMEOUT_S = 5.0
"""How long a child may take to end once its input is closed."""
LAST_WORDS_S = 1.0
"""How long the end, and the last words, of a child may take to be known once its connection broke."""
LINE_BYTES = 2**24
_ENTRY = str(Path(__file__).with_name("entry.py"))
_ERROR_LINES = 200
_BEGIN = "\x1e"


class ChildProcess:
    """A running process. Whoever starts it ends it, with `end`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.pid = process.pid
        self.exit = asyncio.create_task(process.wait())
        self.ending = False

    @classmethod
    async def start(cls, *command: str | Path, **how: Any) -> Self:
        """Start it; `how` is `asyncio.create_subprocess_exec`'s."""
        return cls(await asyncio.create_subprocess_exec(*command, start_new_session=True, **how))

    @property
    def alive(self) -> bool:
        """Whether it still runs. Looked at without waiting: asyncio hears of an end only some time later."""
        if self._process.returncode is not None or sys.platform != "linux":
            return self._process.returncode is None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    @property
    def exit_text(self) -> str:
        """How it ended: `exit code 1` or `signal 9`; `still running` while it lives."""
        code = self._process.returncode
        if code is None:
            return "still running"
        return f"exit code {code}" if code >= 0 else f"signal {-code}"

    def signal(self, number: signal.Signals) -> None:
        """Send it to the process and to all that it started; nothing if there is none."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def wait(self) -> int:
        """The return code, once it has ended; cancelling this does nothing to the process."""
        await asyncio.wait((self.exit,))
        return self.exit.result()

    async def end(self, grace_s: float = 0.0) -> None:
        """Close its input, give it `grace_s`, kill what is left, and reap it, also while this task is cancelled."""
        self.ending = True
        if self._process.stdin is not None:
            self._process.stdin.close()
            self.signal(signal.SIGCONT)  # one that was stopped could not heed it
        try:
            if grace_s:
                await asyncio.wait((self.exit,), timeout=grace_s)
        finally:
            self.signal(signal.SIGKILL)
            await self.wait()
            # The transport keeps the pipe ends; closing it here leaves nothing for the collector to complain of.
            transport = getattr(self._process, "_transport", None)
            if transport is not None:
                transport.close()


class ModuleProcess(ChildProcess):
    """A module of ours in a process of its own, which lives on its standard input: when that closes, it ends.

    So it ends with this process however this one ends. It `tell`s its answers on standard output; of what it
    writes to standard error the last lines are kept.
    """

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, module: str, *arguments: str, environ: Mapping[str, str] | None = None) -> AsyncIterator[Self]:
        """Run `python -m module arguments`; the process ends with the block, however that is left.

        `environ`: this process's own, unless given. Our own modules are found before a user's of the same names, and
        what it tells is UTF-8 whatever a user has set for terminals.
        """
        environ = {**(os.environ if environ is None else environ), "PYTHONIOENCODING": "utf-8"}
        command = (sys.executable, "-P", _ENTRY, module, *arguments)
        child = await cls.start(*command, env=environ, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LINE_BYTES)
        try:
            yield child
        finally:
            await child.end(STOP_TIMEOUT_S)

    async def send(self, line: bytes) -> None:
        """Write a line to its input. Raises `BrokenPipeError` or `ConnectionResetError` once it has ended."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it was opened with a pipe
        stdin.write(line + b"\n")
        await stdin.drain()

    async def hear(self, timeout_s: float | None = None) -> bytes:
        """The next thing that it `tell`s; empty once it has ended. Raises `TimeoutError`.

        A machine that slept meanwhile has used up one `limits.SILENCE_LOOK_S` of it.
        """
        hearing = asyncio.create_task(self._told())
        try:
            while not hearing.done():
                if timeout_s is not None and timeout_s <= 0:
                    raise TimeoutError
                look_s = None if timeout_s is None else min(timeout_s, limits.SILENCE_LOOK_S)
                await asyncio.wait((hearing,), timeout=look_s)
                timeout_s = None if timeout_s is None else timeout_s - limits.SILENCE_LOOK_S
            return hearing.result()
        finally:
            hearing.cancel()
            await asyncio.wait((hearing,))

    async def _told(self) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it was opened with a pipe
        while line := await stdout.readline():
            _, begun, message = line.partition(_BEGIN.encode())
            if begun:
                return message.rstrip()
        return b""

    async def wait_lost(self, ask: Callable[[], Awaitable[object]], clock: Clock) -> str:
        """Wait until it ends by itself, or leaves what `ask` asks it without an answer; how, for after its name.

        While its owner ends it this waits on, to be cancelled. What asking raises is raised.
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
        """What is wrong with it, for after its name: it has ended, and with which words, or it does not answer."""
        said = await self.last_words()
        if self.alive:
            return f"does not answer (process {self.pid} is stopped, or the machine has no time for it)"
        return f"ended by itself ({self.exit_text})" + (f"; its last words: {said}" if said else "")

    async def last_words(self) -> str:
        """The last line that it wrote to standard error, once it has ended or `LAST_WORDS_S` has passed."""
        # The connection breaks a moment before the process is reaped.
        await asyncio.wait((self.exit, self._listening), timeout=LAST_WORDS_S)
        return next((line.strip() for line in reversed(self._errors) if line.strip()), "")

    async def end(self, grace_s: float = 0.0) -> None:
        """As of every child; what it still had to say is kept."""
        try:
            await super().end(grace_s)
        finally:
            self._listening.cancel()
            await asyncio.wait((self._listening,))

    async def _listen(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101 - it was opened with a pipe
        while chunk := await stderr.read(65_536):
            self._errors.extend(chunk.decode("utf-8", "replace").splitlines())


def tell(*messages: str) -> None:
    """What such a module says to its owner, each message a line.

    What stands before it, such as what a user's sitecustomize prints, is not taken for a part of it: a record
    separator begins it, as in JSON text sequences (RFC 7464).
    """
    sys.stdout.write("".join(f"{_BEGIN}{message}\n" for message in messages))
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def standard_input() -> AsyncIterator[asyncio.StreamReader]:
    """What such a module hears of its owner: lines, and an end when it shall end, too."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        yield reader
    finally:
        transport.close()
