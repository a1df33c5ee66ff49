"""What a load test sends to another application: the file of `--object` or `--message`, and where its copies go."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from simulator.base import limits
from simulator.base.errors import InputError
from simulator.load.plan.plan import Copies
from simulator.stack.model import Stack
from simulator.stack.wiring import flow, own_path
from stockpipe.commands.applications import file_of, hearing, only_told, place, put_notifications
from stockpipe.commands.load_test.options import LoadTestOptions


def copies_of(options: LoadTestOptions, stack: Stack) -> Copies | None:
    """What is sent to another application; None for the pipeline, whose load is generated.

    Raises `InputError` for a file that cannot be sent, a place that the template does not have, and options that do
    not go together.
    """
    file = options.object_file or options.message_file
    option = "--object" if options.object_file else "--message" if file else "--to"
    if own_path(stack) is not None:
        if file is not None or options.to is not None:
            raise InputError(f"{option}: the pipeline's own load is generated", hint=f"leave out {option}")
        return None
    if file is None:
        what = "the template is not the pipeline's, whose load is generated"
        raise InputError(what, hint="add a file of which copies are sent: --object FILE or --message FILE")
    clashes = {
        "--message": bool(options.object_file and options.message_file),
        "--rows": "rows" in options.given,
        "--audit": "audit" in options.given and options.audit != "none",
        "--target sink": options.target == "sink",
    }
    for clash in (other for other, is_given in clashes.items() if is_given):
        raise InputError(f"'{clash}' does not go with '{option}'", hint=f"leave out {clash}")
    return (_objects if options.object_file else _messages)(file, options, stack)


def _objects(file: Path, options: LoadTestOptions, stack: Stack) -> Copies:
    """Keys that a function hears of."""
    reached = {*(queue.logical_id for queue in flow(stack).queues), *stack.functions}
    heard = {key: [each for each in told if each.target in reached] for key, told in put_notifications(stack).items()}
    bucket = place("--object", "bucket", [stack.buckets[each] for each in heard if heard[each]], options.to, stack)
    to = bucket.logical_id
    if (notification := hearing(heard[to], file.name)) is None:
        only = only_told(f"bucket {to}", heard[to])
        raise InputError(f"--object: no function would hear of '{file.name}': {only}", hint="rename the file")
    if options.backlog and notification.target in stack.functions:
        raise InputError(f"'--backlog' needs a queue, and bucket {to} invokes a function")
    content = b64encode(file_of("--object", file, limits.LOAD_FILE_BYTES)).decode()
    return Copies("object", to, bucket.name, content, notification.key_prefix, f"-{file.name}")


def _messages(file: Path, options: LoadTestOptions, stack: Stack) -> Copies:
    queue = place("--message", "queue", flow(stack).queues, options.to, stack)
    content = file_of("--message", file, queue.maximum_message_bytes)
    if not content or content.decode(errors="ignore").encode() != content:
        raise InputError(f"--message: '{file}' is empty or not UTF-8, and SQS takes text only")
    return Copies("message", queue.logical_id, queue.name, b64encode(content).decode())
