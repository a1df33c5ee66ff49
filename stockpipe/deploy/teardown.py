"""The removal of a stack: what will be lost, what prevents it, and the removal itself."""

from __future__ import annotations

from collections.abc import Callable

from simulator.base.errors import CouldNotFinish, InputError
from simulator.base.words import counted
from stockpipe.deploy import artifact, cloudformation
from stockpipe.deploy.aws import Aws, if_present
from stockpipe.deploy.deployed import Deployed, address
from stockpipe.deploy.status import queue_status

COUNTED_OBJECTS = 100_000
"""Objects are counted up to this number before a stack is destroyed: a hundred requests."""
ATTEMPTS = 3
"""A tick in progress may write one more object into an emptied bucket, and the deletion then fails once."""


async def losses(aws: Aws, deployed: Deployed) -> list[str]:
    """Everything that would be lost, one line each.

    Raises `InputError` if the table has deletion protection, and names the table.
    """
    lines = []
    bucket, table = deployed.get("StockBucket"), deployed.get("StockData")
    if bucket and await artifact.bucket_exists(aws, bucket):
        objects, _ = await artifact.count_objects(aws, bucket, most=COUNTED_OBJECTS)
        more = "at least " if objects >= COUNTED_OBJECTS else ""
        lines.append(f"{more}{counted(objects, 'object')} in bucket {bucket}")
    found = await if_present((await aws.dynamodb()).describe_table(TableName=table)) if table else None
    if found:
        if found["Table"].get("DeletionProtectionEnabled"):
            raise InputError(
                f"table '{table}' has deletion protection, so nothing was deleted",
                hint="turn it off: "
                f"`stockpipe deploy --stack {deployed.stack.name} --parameter DeletionProtection=false`",
            )
        rows = found["Table"].get("ItemCount", 0)
        lines.append(f"{counted(rows, 'row')} in table {table}, as DynamoDB counted them up to six hours ago")
    for logical_id, name in (("StockQueue", "queue"), ("StockDLQ", "dead-letter queue")):
        physical_id = deployed.get(logical_id)
        queue = await if_present(address(aws, physical_id)) if physical_id else None
        if queue:
            lines.append(f"{counted((await queue_status(aws, queue)).messages, 'message')} in the {name}")
    return [*lines, "the functions, their logs, the alarms and the dashboard"]


async def destroy(
    aws: Aws,
    deployed: Deployed,
    *,
    on_event: Callable[[cloudformation.StackEvent], None],
    emptied: Callable[[int], None],
) -> None:
    """Empty the bucket, delete the stack and wait until it is gone. `emptied` gets the number of deleted objects.

    Raises `CouldNotFinish` with the first cause and how to continue.
    """
    client = await aws.cloudformation()
    stack_id, name = deployed.stack.id, deployed.stack.name
    cause: cloudformation.StackEvent | None = None
    for _ in range(ATTEMPTS):
        bucket = deployed.get("StockBucket")
        if bucket is not None and await artifact.bucket_exists(aws, bucket):
            await artifact.empty_bucket(await aws.s3(), bucket, emptied)
        after = await cloudformation.last_event(aws, stack_id)
        await client.delete_stack(StackName=stack_id)
        stack, events = await cloudformation.follow(aws, stack_id, after=after, on_event=on_event)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return
        cause = cloudformation.first_cause(events)
        if cause is None or cause.type != "AWS::S3::Bucket":
            break
    said = f"stack '{name}' could not be deleted: {cause.text if cause else 'no reason given'}"
    raise CouldNotFinish(said, hint=f"fix that and run `stockpipe destroy --stack {name}` again")
