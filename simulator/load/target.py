"""The targets of a load test: what a target must offer, and the local one, a twin."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.clients import DUMMY_CREDENTIALS
from simulator.base.errors import CouldNotFinish, InputError, StockpipeError, one_failure
from simulator.base.observations import PhaseChanged
from simulator.base.words import counted, significant
from simulator.functions.runtimes import Code
from simulator.load.measure.bottleneck import Ceiling
from simulator.load.measure.result import Proof, Span
from simulator.load.plan.plan import AuditChoice
from simulator.load.send.processes import GeneratorProcess, SinkProcess
from simulator.load.send.scratch import scratch
from simulator.load.send.signing import Identity
from simulator.load.session import LoadSession
from simulator.proof.sampling import sample_size
from simulator.stack.wiring import wiring
from simulator.twin import resources
from simulator.twin.resources import ResourceRefused, Resources
from simulator.twin.surroundings import Machine
from simulator.twin.twin import Twin

LOCAL = Identity(
    DUMMY_CREDENTIALS["aws_access_key_id"],
    DUMMY_CREDENTIALS["aws_secret_access_key"],
    DUMMY_CREDENTIALS["aws_session_token"],
    limits.REGION,
)

LONG_AUDIT_S = 3.0
"""A full audit that takes longer than this mentions the quicker one."""
_TAKEN = {
    *("BucketAlreadyExists", "BucketAlreadyOwnedByYou", "QueueAlreadyExists", "QueueNameExists"),
    "ResourceInUseException",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where to put objects or, with a queue's URL, to send messages for a target, and with whose credentials."""

    endpoint: str
    bucket_url: str
    identity: Identity
    resources: Resources
    queue_url: str | None = None


class LoadTarget(Protocol):
    """A running pipeline that accepts load. If it or its client fails, the run ends with a one-line error."""

    @property
    def place(self) -> Place:
        """Where to put objects."""

    async def ceiling(self, generator: GeneratorProcess) -> Ceiling | None:
        """Measure the raw ceiling; None if this target must not be measured that way."""

    def consume(self) -> None:
        """Let the consumer receive messages from now on."""

    async def drain(self, span: Span, /) -> str | None:
        """Wait until everything sent is stored. Returns None then, or a text that says that it is not."""

    async def forget(self, span: Span) -> None:
        """Make the target as small and as fast as before a drained span, if possible."""

    async def settle(self) -> None:
        """After the last drain: stop consuming, and finish and count the work in progress."""

    async def prove(self) -> Proof:
        """After `settle`: find out what became of everything."""


@contextlib.asynccontextmanager
async def open_twin(session: LoadSession, code: Mapping[str, Code]) -> AsyncIterator[TwinTarget]:
    """A twin on our own store, a sink or another local endpoint; everything that it starts ends with the block."""
    plan = session.plan
    with one_failure(lambda error: in_one_line(error, plan.endpoint_url)):
        async with contextlib.AsyncExitStack() as owned:
            endpoint = plan.endpoint_url
            group = await owned.enter_async_context(asyncio.TaskGroup())
            if plan.target == "sink":
                sink = await owned.enter_async_context(SinkProcess.open(session.clock, plan.sink_latency_s))
                endpoint = sink.endpoint
                for background in (_sample_often(session, sink), sink.wait_lost()):
                    owned.callback(group.create_task(background).cancel)
            machine = Machine(clock=session.clock, runtime=plan.runtime, store_port=plan.port, endpoint_url=endpoint)
            opening = Twin.open(session.stack, machine, record=session.tap.record, seed=plan.seed, code=code)
            yield TwinTarget(session, await owned.enter_async_context(opening))


async def _sample_often(session: LoadSession, sink: SinkProcess) -> None:
    while True:
        session.tap.sample(await sink.counters())
        await session.clock.sleep(limits.SAMPLE_S)


class TwinTarget:
    """A twin under load."""

    def __init__(self, session: LoadSession, twin: Twin) -> None:
        self._session, self._twin = session, twin
        copies, made = session.plan.copies, twin.resources
        queue_url = made.queue_urls[copies.to] if copies is not None and copies.unit == "message" else None
        self.place = Place(twin.endpoint, f"{twin.endpoint}/{session.destination}", LOCAL, made, queue_url)

    async def ceiling(self, generator: GeneratorProcess) -> Ceiling | None:
        """Measure the raw ceiling on separate resources; what another application asks of them is not known."""
        session, twin = self._session, self._twin
        if session.plan.copies is not None:
            return None
        session.note(f"measuring the raw ceiling: {limits.LOAD_CEILING_S:g} s of bare requests")
        async with scratch(twin.clients, twin.endpoint, session.plan.rows) as order:
            shown = await generator.ceiling(order)
        session.note(f"raw ceiling {shown.objects_per_s:,.0f} objects/s, {shown.rows_per_s:,.0f} rows/s")
        return shown

    def consume(self) -> None:
        """Start the event source mappings."""
        self._twin.start_mappings()

    async def drain(self, _span: Span) -> str | None:
        """Wait until no message is left."""
        timeout_s = self._session.plan.drain_timeout_s
        return None if await self._twin.drained(timeout_s) else f"not drained within {significant(timeout_s, 6)} s"

    async def forget(self, span: Span) -> None:
        """Delete what a probe left in our own store, so that the next one finds it as small and as fast.

        First check that all objects sent were stored. If not, keep everything for the audit.
        """
        session, twin = self._session, self._twin
        if session.plan.copies is not None or session.plan.target != "store" or not span.drained:
            return  # another application may need what it has stored
        if session.result.recording.pending(span.numbers):
            return
        path = wiring(twin.stack)
        bucket, table = path.bucket.name, path.table
        for start in range(span.numbers.start, span.numbers.stop, limits.LOAD_DELETES):
            numbers = range(start, min(start + limits.LOAD_DELETES, span.numbers.stop))
            keys: Any = [{"Key": session.objects.key(number)} for number in numbers]
            await twin.clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        session.tap.carry((await twin.counters()).tables.get(table.name))
        await twin.clients.dynamodb.delete_table(TableName=table.name)
        await resources.create_table(table, twin.clients)

    async def settle(self) -> None:
        """Stop the event source mappings."""
        await self._twin.stop_mappings()

    async def prove(self) -> Proof:
        """Run the audit, after announcing how long it will take; a sink has nothing to audit."""
        session, plan = self._session, self._session.plan
        session.tap.record(PhaseChanged(session.clock.now(), "auditing"))
        if not plan.audited:
            return Proof()
        # Objects of probes were deleted during the run; another endpoint does not count what it has.
        there = session.telemetry.snapshot(session.clock.now()).bucket.objects
        objects = there or session.result.recording.stored_count
        session.note(announcement(plan.audit, objects, plan.rows), "progress")
        drained = all(span.drained for span in session.result.spans)
        counted = await self._twin.rows_accepted()
        ledgers = session.telemetry.ledgers(None if counted is None else counted + session.tap.carried.rows_written)
        if session.plan.find_max or session.result.recording.failed:
            # Objects of probes are deleted during the run, and a failed put may or may not exist.
            ledgers = replace(ledgers, producers=())
        sample_seed = plan.seed if plan.audit == "sample" else None
        return Proof(
            await self._twin.prove(drained=drained, accepted=plan.accepted, ledgers=ledgers, sample_seed=sample_seed)
        )


def announcement(choice: AuditChoice, objects: int, rows_per_object: int) -> str:
    """What an audit will read, how long that takes, and, if that is long, what would be quicker. Pure."""
    sampled = sample_size(objects)
    each_s = limits.AUDIT_OBJECT_S + rows_per_object * limits.AUDIT_ROW_S
    sample_takes = f"about {max(1, round(sampled * each_s)):,} s"
    if choice == "sample":
        part = f"{sampled:,} of {counted(objects, 'object')}, {counted(sampled * rows_per_object, 'row')}"
        return f"auditing {part}, {sample_takes}"
    whole = f"auditing {counted(objects * rows_per_object, 'row')}, about {max(1, round(objects * each_s)):,} s"
    is_long = objects * each_s > LONG_AUDIT_S and sampled < objects
    return f"{whole}; --audit sample takes {sample_takes}" if is_long else whole


def in_one_line(error: BaseException, endpoint_url: str | None) -> StockpipeError | None:
    """A failure of the target or its client as a one-line error; None for anything else."""
    where = endpoint_url or "the store"
    if isinstance(error, ResourceRefused):
        cause = error.__cause__
        taken = isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in _TAKEN
        return in_one_line(cause, endpoint_url) if taken and cause is not None else None
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        code, message = said.get("Code", ""), " ".join(str(said.get("Message", "")).split())
        if code in _TAKEN:
            return InputError(
                f"{where} already has resources of these names ({error.operation_name}: {message or code})",
                hint="delete them, or use other names with --parameter TableName=..., BucketName=..., QueueName=...",
            )
        return CouldNotFinish(f"{where} refused {error.operation_name}: {message or 'no reason given'} ({code})")
    if isinstance(error, BotoCoreError):
        return CouldNotFinish(f"{where} does not answer: {' '.join(str(error).split())}", hint="is it still running?")
    return None
