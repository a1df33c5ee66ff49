"""The store as its owner uses it: start, counters, a look into a queue, faults, stop, and notice of its death.

A refusal that AWS itself would give is not an error of the store; the client gets it as AWS's response.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, NoReturn
from urllib.parse import urlencode

import aiohttp

from simulator.base.chance import Seed
from simulator.base.children import ModuleProcess
from simulator.base.clock import SystemClock
from simulator.base.counters import StoreCounters, from_json
from simulator.base.errors import CouldNotFinish, ExitCode
from simulator.store.wire.messages import CONTROL_PATH, EXIT_PORT_IN_USE

Capacity = Literal["unlimited", "aws"]

START_TIMEOUT_S = 30.0
"""Enough for a machine that reads Python's files for the first time and has other work."""
CONTROL_TIMEOUT_S = 60.0


class PortInUse(CouldNotFinish):
    """Another program is using the requested port."""

    exit_code = ExitCode.WRONG_INPUT


class StoreStartFailed(CouldNotFinish):
    """The store's process exited, or did not answer, before it served its first request."""


class StoreDied(CouldNotFinish):
    """The store's process exited although nobody stopped it, or does not answer; the text has its last output."""


class ControlRefused(CouldNotFinish):
    """The store refused a control call: an unknown queue or table, or a value out of range."""


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One message at rest in its queue; `sent_at` is seconds since the epoch."""

    message_id: str
    body: str
    receive_count: int
    sent_at: float
    in_flight: bool


class Store:
    """A running store. `Store.open` makes it, and also ends it."""

    def __init__(self, process: ModuleProcess, port: int, session: aiohttp.ClientSession) -> None:
        self._process = process
        self._session = session
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    @classmethod
    @asynccontextmanager
    async def open(
        cls, port: int = 0, capacity: Capacity = "unlimited", strict: bool = True, seed: Seed | None = None
    ) -> AsyncIterator[Store]:
        """Start a store on the loopback interface, wait until it answers, and end it with the block.

        `port` 0 takes any free one. `capacity` "aws" applies DynamoDB's and S3's request rates; `strict` AWS's rules
        where moto lacks them. Identifiers are drawn from `seed`; without one they are unpredictable. Raises `PortInUse`
        or `StoreStartFailed`. The process ends with the block, whether or not that raises, or when this process ends.
        """
        arguments = ["--port", str(port), "--capacity", capacity, *([] if strict else ["--stock-answers"])]
        arguments += [] if seed is None else [f"--seed={seed}"]
        async with ModuleProcess.open("simulator.store.front.server", *arguments, environ=environment()) as process:
            announced = await _announced_port(process, port)
            async with aiohttp.ClientSession() as session:
                store = cls(process, announced, session)
                await store._control("GET", "health", timeout_s=START_TIMEOUT_S)
                yield store

    @property
    def pid(self) -> int:
        """The process id of the store."""
        return self._process.pid

    async def counters(self) -> StoreCounters:
        """All counters; one request that costs the same at any depth. Raises `StoreDied`."""
        return from_json(await self._control("GET", "counters"))

    async def changed(self, since: float) -> None:
        """Return once the counters may differ from those whose `at` is `since`; of another process, that is at once."""

    async def end_long_polls(self) -> None:
        """Answer every long poll that waits now, with whatever its queue has. Raises `StoreDied`."""
        await self._control("POST", "end-long-polls")

    async def peek(self, queue_name: str) -> AsyncIterator[QueuedMessage]:
        """Every message of a standard queue in order, without receiving it. Raises `ControlRefused`, `StoreDied`.

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

    async def earlier_contents(self, bucket_name: str) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        """Key and bytes of each replaced content of a bucket, in the order of the replacements.

        Only as many as the store has room for (`limits.S3_EARLIER_BYTES`). Raises `ControlRefused`, `StoreDied`.
        """
        number = 0
        while page := await self._control("GET", "earlier", bucket=bucket_name, after=str(number)):
            for content in page:
                yield content["key"], self._earlier_content(bucket_name, content["number"])
            number += len(page)

    async def _earlier_content(self, bucket_name: str, number: int) -> AsyncIterator[bytes]:
        offset, call = 0, "earlier-content"
        while part := await self._call("GET", call, bucket=bucket_name, number=str(number), offset=str(offset)):
            yield part
            offset += len(part)

    async def refuse_writes(self, table_name: str, fraction: float) -> None:
        """Throttle that share (0 to 1) of a table's writes from now on, as an outage would; 0 ends it.

        Raises `ControlRefused` for an unknown table or a share out of range, `StoreDied`.
        """
        await self._control("POST", "refuse-writes", table=table_name, fraction=repr(fraction))

    async def set_faults(self, shares: Mapping[str, float]) -> None:
        """From now on, let each kind of fault strike this share of the times at which it may; 0 ends it.

        Raises `ControlRefused` for an unknown kind or a share out of range, `StoreDied`.
        """
        for kind, share in shares.items():
            await self._control("POST", "faults", kind=kind, share=repr(share))

    async def wait_died(self) -> NoReturn:
        """Wait until the process exits unexpectedly or stops answering, and raise `StoreDied` with its last output.

        If the owner is stopping the store, this waits on until its task group cancels it.
        """
        raise _lost(await self._process.wait_lost(lambda: self._control("GET", "health"), SystemClock()))

    async def _control(self, method: str, call: str, *, timeout_s: float = CONTROL_TIMEOUT_S, **arguments: str) -> Any:
        return json.loads(await self._call(method, call, timeout_s, **arguments))

    async def _call(self, method: str, call: str, timeout_s: float = CONTROL_TIMEOUT_S, **arguments: str) -> bytes:
        query = f"?{urlencode(arguments)}" if arguments else ""
        status, body = await self._answer(method, f"{CONTROL_PATH}{call}{query}", timeout_s)
        if status != 200:
            raise ControlRefused(" ".join(body.decode().split()))
        return body

    async def _answer(self, method: str, target: str, timeout_s: float) -> tuple[int, bytes]:
        url, timeout = f"{self.endpoint}{target}", aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._session.request(method, url, timeout=timeout) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _lost(await self._process.fate()) from error


def _lost(fate: str) -> StoreDied:
    return StoreDied(f"the store's process {fate}", hint="start the run again")


def environment() -> dict[str, str]:
    """The variables of a store's process: none of the user's AWS variables or files, and no settings for moto."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    return environment | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONUNBUFFERED": "1",
    }


async def _announced_port(process: ModuleProcess, port: int) -> int:
    try:
        if line := await process.receive(START_TIMEOUT_S):
            return int(json.loads(line)["port"])
    except TimeoutError:
        last_words = _quoted(await process.last_words())
        raise StoreStartFailed(f"the store did not start within {START_TIMEOUT_S:.0f} s{last_words}") from None
    last_words = await process.last_words()
    if await process.wait() == EXIT_PORT_IN_USE:
        raise PortInUse(f"port {port} cannot be used: {last_words or 'taken'}", hint="`--port 0` uses a free one")
    raise StoreStartFailed(f"the store did not start ({process.exit_text}){_quoted(last_words)}")


def _quoted(last_words: str) -> str:
    return f"; its last output: {last_words}" if last_words else ""
