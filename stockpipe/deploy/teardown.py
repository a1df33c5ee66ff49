"""From a stack back to nothing: what will be lost, what forbids it, and the removal itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.deploy import artifact, cloudformation
from stockpipe.deploy.aws import Aws, if_present
from stockpipe.deploy.deployed import Deployed, address
from stockpipe.deploy.status import queue_status

COUNTED_OBJECTS = 100_000
"""Objects are counted up to here before a stack is destroyed: a hundred requests."""
ATTEMPTS = 3
"""A tick that is under way may write one more object into an emptied bucket, and the deletion then fails once."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What a stack holds. None: it has no such resource (any more)."""

    bucket: str | None
    objects: int | None
    table: str | None
    rows: int | None
    table_is_protected: bool
    messages: int | None
    dead_letters: int | None


async def losses(aws: Aws, deployed: Deployed) -> Losses:
    """Look at everything that would go."""
    bucket, table = deployed.get("StockBucket"), deployed.get("StockData")
    objects = await _count_objects(aws, bucket) if bucket else None
    rows, protected = await _table(aws, table) if table else (None, False)
    return Losses(
        bucket=bucket if objects is not None else None,
        objects=objects,
        table=table if rows is not None else None,
        rows=rows,
        table_is_protected=protected,
        messages=await _messages(aws, deployed.get("StockQueue")),
        dead_letters=await _messages(aws, deployed.get("StockDLQ")),
    )


def refuse_protected(stack_name: str, found: Losses) -> None:
    """Raise `InputError` if the table is under deletion protection: it is respected, and named."""
    if found.table_is_protected:
        raise InputError(
            f"table {found.table} is under deletion protection and stays, and so does the stack; to lift it: "
            f"`stockpipe deploy --stack {stack_name} --parameter DeletionProtection=false`"
        )


async def destroy(
    aws: Aws,
    clock: Clock,
    deployed: Deployed,
    *,
    on_event: Callable[[cloudformation.StackEvent], None],
    emptied: Callable[[int], None],
) -> None:
    """Empty the bucket, delete the stack and wait for its end. `emptied` hears how many objects are gone.

    Raises `CouldNotFinish` with the first cause and how to go on.
    """
    client = await aws.cloudformation()
    stack_id, name = deployed.stack.id, deployed.stack.name
    cause: cloudformation.StackEvent | None = None
    for _ in range(ATTEMPTS):
        bucket = deployed.get("StockBucket")
        if bucket is not None and await artifact.bucket_exists(aws, bucket):
            await artifact.empty_bucket(await aws.s3(), bucket, emptied)
        after = await cloudformation.last_event(client, stack_id)
        await client.delete_stack(StackName=stack_id)
        stack, events = await cloudformation.follow(client, clock, stack_id, after=after, on_event=on_event)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return
        cause = cloudformation.first_cause(events)
        if cause is None or cause.type != "AWS::S3::Bucket":
            break
    why = cause.text if cause else "no reason given"
    raise CouldNotFinish(f"stack {name} is not gone: {why}; mend that and run `stockpipe destroy --stack {name}` again")


async def _count_objects(aws: Aws, bucket: str) -> int | None:
    """Objects, up to `COUNTED_OBJECTS`; None if the bucket is gone."""
    if not await artifact.bucket_exists(aws, bucket):
        return None
    count = 0
    async for page in (await aws.s3()).get_paginator("list_objects_v2").paginate(Bucket=bucket):
        count += page.get("KeyCount", 0)
        if count >= COUNTED_OBJECTS:
            break
    return count


async def _table(aws: Aws, name: str) -> tuple[int | None, bool]:
    answer = await if_present((await aws.dynamodb()).describe_table(TableName=name))
    if answer is None:
        return None, False
    return answer["Table"].get("ItemCount", 0), bool(answer["Table"].get("DeletionProtectionEnabled"))


async def _messages(aws: Aws, physical_id: str | None) -> int | None:
    if physical_id is None:
        return None
    queue = await if_present(address(aws, physical_id))
    return (await queue_status(aws, queue)).messages if queue else None
