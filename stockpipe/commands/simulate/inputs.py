"""What `simulate` sends: files (with the gate that says what the consumer would not read), messages and an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
from stockpipe.commands.applications import file_of, place
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
    if options.to is not None and (path is not None or not (paths or options.messages or options.event)):
        raise InputError("'--to' only goes with what is sent to another application", hint="add --send or --event")
    if paths and path is not None:
        bucket, files = path.bucket.name, choose(paths, stack, path, skip_unreadable=options.skip_unreadable)
    elif paths:
        bucket, files = as_they_are(paths, stack, options.to)
    if options.messages:
        polled = {each.logical_id: each.name for each in flow(stack).queues}
        queue = place("--send", "queue", polled, options.to, stack)
    if options.event is not None:
        invoked = stack.functions if options.to else {each.logical_id: each for each in flow(stack).functions}
        names = {key: each.name for key, each in (invoked or stack.functions).items()}
        function = place("--event", "function", names, options.to, stack)
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
    """The name of the bucket that data enters by, and every file under these paths, with its key.

    That is below the prefix of the first notification whose suffix it has. Raises `InputError` if no bucket of the
    template tells of new objects, or for files that cannot be sent.
    """
    heard = {name: [each for each in its.notifications if each.tells_of_puts] for name, its in stack.buckets.items()}
    notifying = {each: stack.buckets[each].name for each, found in heard.items() if found}
    to = place("--source", "notifying bucket", notifying, to, stack)
    found = find(paths, "", as_it_is=True)
    if found.problems:
        raise refusal(found.problems, len(found.files) + len(found.problems), {}, None)
    matching = [[each for each in heard[to] if file.key.endswith(each.key_suffix)] for file in found.files]
    files = tuple(
        replace(file, key=(its or heard[to])[0].key_prefix + file.key)
        for file, its in zip(found.files, matching, strict=True)
    )
    only = listed(dict.fromkeys(f"*{each.key_suffix}" for each in heard[to]))
    said = f"{counted(matching.count([]), 'file')} put without effect: {to} only tells of {only}"
    return notifying[to], Chosen(files, (said,) if [] in matching else ())


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
