"""The audit of `simulate` for a deployed bucket and table: its cost, a quiet moment for it, and the proof."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Set
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.base.observations import Record
from simulator.proof.account import Acceptable, Audit
from simulator.proof.audit import audit, nothing
from simulator.proof.notifications import ObjectRef
from simulator.stack import template as templates
from simulator.stack.model import prefix_in_force
from simulator.stack.settings import parameters_behind
from simulator.stack.wiring import wiring
from stockpipe.deploy.artifact import count_objects
from stockpipe.deploy.deployed import Deployed, QueueAddress, address
from stockpipe.deploy.redrive import peek
from stockpipe.deploy.status import queue_status

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws

GET_USD = 0.0004 / 1000
LIST_USD = 0.005 / 1000
READ_UNIT_USD = 0.125 / 1_000_000
"""Prices in us-east-1 (AWS price list, 2026-08)."""
KEYS_A_LIST = 1000
READ_UNIT_BYTES = 4096
"""One read unit is one consistent read of this much (DynamoDB Developer Guide, "Read consistency")."""
POLL_S = 5.0
SETTLE_S = 60.0
"""How long the queue must be seen empty after the schedule was paused: SQS's counts lag by up to a minute (unverified),
and a tick in progress still writes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an audit will read. `usd` excludes traffic that leaves the region."""

    objects: int
    object_bytes: int
    table_bytes: int
    usd: float


@dataclass(frozen=True, slots=True)
class Subject:
    """What is audited. `environ` are the consumer's own variables as set in Lambda."""

    bucket: str
    table: str
    environ: dict[str, str]
    queue: QueueAddress
    dead_letter: QueueAddress

    @property
    def key_prefix(self) -> str:
        """Where the objects are."""
        return prefix_in_force(self.environ, "KEY_PREFIX")

    @property
    def rejected_prefix(self) -> str:
        """Where the rejected rows are."""
        return prefix_in_force(self.environ, "REJECTED_PREFIX")


def cost_usd(objects: int, rejected: int, table_bytes: int) -> float:
    """The cost of listing each object, getting each once, and scanning the table consistently."""
    lists = -(-objects // KEYS_A_LIST) + -(-rejected // KEYS_A_LIST)
    units = -(-table_bytes // READ_UNIT_BYTES)
    return lists * LIST_USD + (objects + rejected) * GET_USD + units * READ_UNIT_USD


async def find_subject(aws: Aws, deployed: Deployed) -> Subject:
    """Bucket, table, queues and the settings that decide how a row is read."""
    functions = await aws.functions()
    configuration = await functions.get_function_configuration(FunctionName=deployed.consumer)
    return Subject(
        deployed.bucket,
        deployed.table,
        {name: str(value) for name, value in configuration.get("Environment", {}).get("Variables", {}).items()},
        await address(aws, deployed.require("StockQueue")),
        await address(aws, deployed.require("StockDLQ")),
    )


def read_otherwise(subject: Subject, deployed: Deployed, parameters: Mapping[str, str]) -> tuple[Subject, list[str]]:
    """The subject with its objects read under these template parameters, and one sentence per change that this makes.

    A parameter that sets none of the consumer's variables changes nothing. Raises `InputError` for one that the
    template does not have or refuses.
    """
    kept = {name: value for name, value in deployed.stack.parameters.items() if name not in parameters}
    stack = templates.load(None, parameters, defaults=kept)
    consumer = wiring(stack).consumer
    behind = parameters_behind(stack, consumer.logical_id)
    wanted = {name: consumer.environment[name] for name, parameter in behind.items() if parameter in parameters}
    held = {name: subject.environ.get(name, "") for name in wanted}
    changed = {name: value for name, value in wanted.items() if value != held[name]}
    changes = [
        f"the audit reads objects with {name}={value!r}; the deployed {deployed.consumer} has {held[name]!r}"
        for name, value in changed.items()
    ]
    return replace(subject, environ={**subject.environ, **changed}), changes


async def estimate(aws: Aws, subject: Subject) -> Estimate:
    """List the keys, at one request per thousand, and ask the table for its size.

    DynamoDB's figure is up to six hours old, so the table is assumed to be at least as large as the objects.
    """
    objects, object_bytes = await count_objects(aws, subject.bucket, subject.key_prefix)
    rejected, _ = await count_objects(aws, subject.bucket, subject.rejected_prefix)
    table = (await (await aws.dynamodb()).describe_table(TableName=subject.table))["Table"]
    table_bytes = max(table.get("TableSizeBytes", 0), object_bytes)
    return Estimate(objects, object_bytes, table_bytes, cost_usd(2 * objects, 2 * rejected, table_bytes))


@asynccontextmanager
async def paused(aws: Aws, rule: str | None) -> AsyncIterator[bool]:
    """Disable the schedule's rule, and enable it again at the end if it was; yields whether it was enabled."""
    events = await aws.events()
    if rule is None or (await events.describe_rule(Name=rule)).get("State") == "DISABLED":
        yield False
        return
    await events.disable_rule(Name=rule)
    try:
        yield True
    finally:
        await events.enable_rule(Name=rule)


async def wait_until_drained(
    aws: Aws, queue: QueueAddress, *, settle_s: float, timeout_s: float, progress: Callable[[int], None]
) -> bool:
    """Whether the queue stayed empty for `settle_s` within `timeout_s`. `progress` gets its depth."""
    clock = aws.clock
    deadline = clock.now() + timeout_s
    empty_since: float | None = None
    while True:
        status = await queue_status(aws, queue)
        now = clock.now()
        progress(status.messages)
        empty_since = None if status.messages else now if empty_since is None else empty_since
        if empty_since is not None and now - empty_since >= settle_s:
            return True
        if now >= deadline:
            return False
        await clock.sleep(min(POLL_S, max(0.1, deadline - now)))


async def verify(aws: Aws, subject: Subject, *, drained: bool, accepted: Set[Acceptable], record: Record) -> Audit:
    """Compare every object with the table. Messages in the dead-letter queue are read and made visible again."""

    async def dead_lettered() -> AsyncIterator[ObjectRef]:
        async with aclosing(peek(aws, subject.dead_letter, None)) as letters:
            async for letter in letters:
                for reference in letter.objects:
                    yield reference

    return await audit(
        s3=await aws.s3(),
        dynamodb=await aws.dynamodb(),
        bucket=subject.bucket,
        prefix=subject.key_prefix,
        table=subject.table,
        environ=subject.environ,
        rejected_prefix=subject.rejected_prefix,
        dead_lettered=dead_lettered(),
        # Receiving from the queue would count as a delivery: without an empty queue the verdict is unproven anyway.
        pending=nothing(),
        # AWS keeps no overwritten content, unless the bucket has versions.
        earlier=nothing(),
        drained=drained,
        accepted=accepted,
        record=record,
        clock=aws.clock,
    )
