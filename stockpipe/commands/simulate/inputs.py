"""What `simulate` sends: files (with the gate that says what the consumer would not read), messages and an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.base import limits
from simulator.base.documents import DocumentError, from_json
from simulator.base.errors import InputError
from simulator.base.nearest import listed
from simulator.base.words import counted
from simulator.files.finding import SourceFile, find
from simulator.files.gate import examine
from simulator.run.sources import Inputs
from simulator.stack.model import Stack
from simulator.stack.wiring import Wiring, flow, own_path
from simulator.store.sqs.rules import FORBIDDEN
from stockpipe.commands.applications import file_of, hearing, only_told, place, put_notifications
from stockpipe.commands.files import MOST_LISTED, bar, parameter_names, problem_line, refusal, sizes
from stockpipe.commands.simulate.options import SimulateOptions

WAY_OUT = "add --skip-unreadable to continue without them"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files to send, and one line per path that is left out, or is put without effect (at most a screenful)."""

    files: tuple[SourceFile, ...]
    left_out: tuple[str, ...]


def chosen_inputs(options: SimulateOptions, stack: Stack) -> tuple[Inputs, tuple[str, ...]]:
    """What the options send instead of the schedule's data, and one line per file that is left out.

    Raises `InputError` for a file that cannot be used, and for a place that the template does not have.
    """
    paths, path = (*options.sources, *options.paths), own_path(stack)
    bucket, files, queue, function, event = "", Chosen((), ()), None, None, None
    if options.to is not None and not (options.messages or options.event or (paths and path is None)):
        raise InputError("'--to' only goes with --send and --event, and with --source for another application")
    if paths and path is not None:
        bucket, files = path.bucket.name, choose(paths, stack, path, skip_unreadable=options.skip_unreadable)
    elif paths:
        bucket, files = as_they_are(paths, stack, options.to)
    if options.messages:
        queue = place("--send", "queue", flow(stack).queues, options.to, stack).logical_id
    if options.event is not None:
        invoked = (() if options.to else flow(stack).functions) or tuple(stack.functions.values())
        function = place("--event", "function", invoked, options.to, stack).logical_id
        event = _json(file_of("--event", options.event, limits.ASYNC_PAYLOAD_BYTES), f"--event: '{options.event}'")
    messages = tuple(text for file in options.messages for text in _messages(file))
    if queue is not None and not messages:
        raise InputError(f"--send: there is no message in {listed(map(str, options.messages))}")
    return Inputs(files.files, bucket, messages, queue, function, event), files.left_out


def choose(paths: Sequence[Path], stack: Stack, path: Wiring, *, skip_unreadable: bool) -> Chosen:
    """The files under these paths that the consumer can read with its current settings.

    Raises `InputError` with one line per unreadable file, unless those are skipped and something remains. If the
    consumer is not ours, we do not know what it reads, and refuse only files that cannot be sent.
    """
    found = find(paths, path.notification.key_prefix)
    names = parameter_names(stack, path)
    problems = list(found.problems)
    files = found.files
    if path.consumer.is_own:
        with bar("looking at the files", sum(sizes(files))) as progress:
            refused = examine(files, path.consumer.environment, progress=progress)
        problems += refused
        unreadable = {problem.path for problem in refused}
        files = tuple(source for source in files if source.path not in unreadable)
    if problems and not (skip_unreadable and files):
        # A path in the list of problems is one of the files that the user meant.
        raise refusal(problems, len(files) + len(problems), names, WAY_OUT)
    lines = [f"left out: {problem_line(problem, names)}" for problem in problems[:MOST_LISTED]]
    if len(problems) > MOST_LISTED:
        lines.append(f"left out: {counted(len(problems) - MOST_LISTED, 'more file')}")
    return Chosen(files, tuple(lines))


def as_they_are(paths: Sequence[Path], stack: Stack, to: str | None) -> tuple[str, Chosen]:
    """The name of the bucket that data enters by, and every file under these paths, each where it is heard of.

    If no notification has its suffix, it is put below the prefix of the first. Raises `InputError` if no bucket of the
    template notifies anything of a put, or for files that cannot be sent.
    """
    heard = put_notifications(stack)
    bucket = place("--source", "notifying bucket", [stack.buckets[each] for each in heard], to, stack)
    told = heard[bucket.logical_id]
    found = find(paths, lambda name: (hearing(told, name) or told[0]).key_prefix, as_it_is=True)
    if found.problems:
        raise refusal(found.problems, len(found.files) + len(found.problems), {}, None)
    unmatched = [file for file in found.files if hearing(told, file.key) is None]
    said = f"{counted(len(unmatched), 'file')} put without effect: {only_told(bucket.logical_id, told)}"
    return bucket.name, Chosen(found.files, (said,) if unmatched else ())


def _messages(file: Path) -> Iterable[str]:
    """The message in each line of a file, blank lines aside."""
    for number, line in enumerate(file_of("--send", file, limits.SENT_FILE_BYTES).splitlines(), start=1):
        if not line.strip():
            continue
        content = _json(line, f"--send: line {number} of '{file}'")
        body = content if isinstance(content, str) else line.decode().strip()
        said, most = f"--send: line {number} of '{file}' is no message: SQS takes", limits.SQS_MESSAGE_BYTES[1]
        if found := FORBIDDEN.search(body):
            raise InputError(f"{said} no character U+{ord(found[0]):04X}")
        if not 1 <= len(body.encode()) <= most:
            raise InputError(f"{said} 1 to {most:,} bytes")
        yield body


def _json(content: bytes, what: str) -> Any:
    try:
        return from_json(content)
    except DocumentError as error:
        raise InputError(f"{what} {error}", hint='write JSON, and a text as "text"') from None
