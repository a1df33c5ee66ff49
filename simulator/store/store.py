"""The store as its owner holds it: start, counters, a look into a queue, faults, stop, and the news of a death."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, NoReturn
from urllib.parse import urlencode

import aiohttp

from simulator.base.children import IMPORT_ROOT, python_command
from simulator.base.counters import StoreCounters, from_json
from simulator.store.errors import ControlRefused, PortInUse, StoreDied, StoreStartFailed
from simulator.store.wire.messages import CONTROL_PATH

Capacity = Literal["unlimited", "aws"]

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
CONTROL_TIMEOUT_S = 60.0
_OUTPUT_LINES = 200
_EXIT_PORT_IN_USE = 98


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One message as it lies in its queue; `sent_at` is seconds since the epoch."""

    message_id: str
    body: str
    receive_count: int
    sent_at: float
    in_flight: bool


class Store:
    """A running store. Made by `Store.open`, which also ends it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, session: aiohttp.ClientSession) -> None:
        self._process = process
        self._session = session
        self._output: deque[str] = deque(maxlen=_OUTPUT_LINES)
        self._stopping = False
        self._reader: asyncio.Task[None] | None = None
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int = 0, capacity: Capacity = "unlimited", strict: bool = True) -> AsyncIterator[Store]:
        """Start a store on the loopback interface, wait until it answers, and end it with the block.

        `port` 0 takes any free one. `capacity` "aws" applies DynamoDB's and S3's request rates; `strict` AWS's rules
        where moto lacks them. Raises `PortInUse` or `StoreStartFailed`. The process ends with the block however it
        is left, and with this process however that ends.
        """
        process = await _spawn(port, capacity, strict)
        store: Store | None = None
        try:
            announced = await _first_line(process, port)
            timeout = aiohttp.ClientTimeout(total=CONTROL_TIMEOUT_S)
            async with aiohttp.ClientSession(timeout=timeout) as session:
                store = cls(process, announced["port"], session)
                store._reader = asyncio.create_task(store._collect_output())
                await store._control("GET", "health")
                yield store
        finally:
            if store is not None:
                store._stopping = True
            await _end(process)
            if store is not None and store._reader is not None:
                store._reader.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await store._reader

    @property
    def pid(self) -> int:
        """The process id of the store."""
        return self._process.pid

    async def counters(self) -> StoreCounters:
        """All counters; one request that costs the same at any depth. Raises `StoreDied`."""
        return from_json(await self._control("GET", "counters"))

    async def peek(self, queue_name: str) -> AsyncIterator[QueuedMessage]:
        """Every message of a standard queue in its order, without receiving it. Raises `ControlRefused`, `StoreDied`.

        Messages sent meanwhile may or may not appear; one deleted meanwhile does not appear twice.
        """
        after = -1
        while True:
            page = await self._control("GET", "messages", queue=queue_name, after=str(after))
            if not page:
                return
            for message in page:
                after = message.pop("place")
                yield QueuedMessage(**message)

    async def refuse_writes(self, table_name: str, fraction: float) -> None:
        """Throttle that share (0 to 1) of a table's writes from now on, as an outage would; 0 ends it.

        Raises `ControlRefused` for an unknown table or a share out of range, `StoreDied`.
        """
        await self._control("POST", "refuse-writes", table=table_name, fraction=repr(fraction))

    async def wait_died(self) -> NoReturn:
        """Wait until the process ends by itself, and raise `StoreDied` with what it said last.

        While the owner stops the store this waits on, to be cancelled by its task group.
        """
        await self._process.wait()
        if self._stopping:
            await asyncio.Event().wait()
        raise await self._died()

    async def _control(self, method: str, call: str, **arguments: str) -> Any:
        query = f"?{urlencode(arguments)}" if arguments else ""
        try:
            async with self._session.request(method, f"{self.endpoint}{CONTROL_PATH}{call}{query}") as response:
                text = await response.text()
                if response.status != 200:
                    raise ControlRefused(text.strip())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise await self._died(error) from error
        return json.loads(text)

    async def _died(self, cause: BaseException | None = None) -> StoreDied:
        if self._process.returncode is None:
            # The connection breaks a moment before the process is reaped.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 1.0)
        if self._reader is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._reader), 1.0)
        code = self._process.returncode
        if code is None:
            return StoreDied(f"the store does not answer any more ({cause}); stop the run and start it again")
        return StoreDied(f"the store's process ended by itself ({_exit_text(code)}){_last_words(self._output)}")

    async def _collect_output(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 it was asked for
        while chunk := await stdout.read(4_096):
            self._output.extend(chunk.decode("utf-8", "replace").splitlines())


def _environment() -> dict[str, str]:
    """What the process gets to see: nothing of the user's AWS variables or files."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return environment | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": IMPORT_ROOT,
        "PYTHONUNBUFFERED": "1",
    }


async def _spawn(port: int, capacity: str, strict: bool) -> asyncio.subprocess.Process:
    arguments = ["--port", str(port), "--capacity", capacity, *([] if strict else ["--stock-answers"])]
    return await asyncio.create_subprocess_exec(
        *python_command("simulator.store.front.server", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_environment(),
        start_new_session=True,
    )


async def _first_line(process: asyncio.subprocess.Process, port: int) -> Mapping[str, Any]:
    stdout = process.stdout
    assert stdout is not None  # noqa: S101 it was asked for
    said: deque[str] = deque(maxlen=_OUTPUT_LINES)
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while line := (await stdout.readline()).decode("utf-8", "replace"):
                if line.startswith('{"port"'):
                    announced: Mapping[str, Any] = json.loads(line)
                    return announced
                said.append(line.rstrip())
            code = await process.wait()
    except TimeoutError:
        raise StoreStartFailed(f"the store did not start within {START_TIMEOUT_S:.0f} s{_last_words(said)}") from None
    if code == _EXIT_PORT_IN_USE:
        raise PortInUse(f"port {port} cannot be used: {said[-1] if said else 'taken'}; name another with --port, or 0")
    raise StoreStartFailed(f"the store did not start ({_exit_text(code)}){_last_words(said)}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the process and reap it, also while this task is being cancelled."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(process.wait())), STOP_TIMEOUT_S)
        except (TimeoutError, asyncio.CancelledError) as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(error, asyncio.CancelledError):
                raise
    # The transport keeps the pipe ends; closing it here leaves nothing for the collector to complain of.
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def _exit_text(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _last_words(lines: deque[str]) -> str:
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"; its last words: {last}" if last else ""
