"""What `simulate` and `load-test` do about a template of any application: its runtime, its code, where data goes in."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from simulator.base.errors import InputError
from simulator.base.files import UnusableFileError, read_bounded
from simulator.base.nearest import did_you_mean, listed
from simulator.functions.code import prepare
from simulator.functions.runtimes import Code, RuntimeName
from simulator.stack.model import Bucket, Function, Notification, Queue, Stack
from simulator.stack.wiring import flow, own_path
from stockpipe.commands.options import Options
from stockpipe.commands.outputs import echo

_Place = TypeVar("_Place", Bucket, Queue, Function)


def runtime_in_force(options: Options, chosen: RuntimeName, stack: Stack) -> RuntimeName:
    """The runtime that was asked for; without a word, another application's handlers run in processes of their own.

    Their modules and packages may have the names of ours. AWS's runtime client exists only for Linux.
    """
    if "runtime" in options.given or own_path(stack) is not None or not sys.platform.startswith("linux"):
        return chosen
    return "process"


def code_in_force(
    stack: Stack, override: Path | None = None, *, build: bool = True, also: str | None = None
) -> Mapping[str, Code]:
    """The code of each function that does not come from this installation; progress goes to standard error.

    `also` is the logical id of a function that nothing in the template may invoke.
    """
    return prepare(
        stack,
        override=override,
        build=build,
        also=[stack.functions[also]] if also is not None else [],
        progress=lambda line: echo(f"stockpipe: {line}", err=True),
    )


def place(option: str, kind: str, places: Iterable[_Place], asked: str | None, stack: Stack) -> _Place:
    """The one place that an option can mean: the one that was asked for, by logical id or name.

    Raises `InputError` if there is none, or if it is not clear which.
    """
    known = {each.logical_id: each for each in places}
    likely = list(known.values()) if asked else _entrances(list(known.values()), stack)
    for each in likely:
        if asked in (each.logical_id, each.name) or (asked is None and len(likely) == 1):
            return each
    if not known:
        raise InputError(f"{option}: the template has no {kind} for it")
    if asked is None:
        names = listed([each.logical_id for each in likely])
        raise InputError(f"{option}: which {kind}?", hint=f"add --to NAME, one of {names}")
    raise InputError(f"--to: the template has no {kind} '{asked}' for {option}", hint=did_you_mean(asked, known, ""))


def _entrances(places: list[_Place], stack: Stack) -> list[_Place]:
    """Those that data enters by: no dead-letter queue, and no function has their name in its variables."""
    given_up = {each.redrive.dead_letter_queue for each in stack.queues.values() if each.redrive}
    known = [value for each in flow(stack).functions for value in each.environment.values()]
    entered = [each for each in places if each.logical_id not in given_up]
    unknown = [each for each in entered if not any(each.name in value for value in known)]
    return unknown or entered or places


def put_notifications(stack: Stack) -> dict[str, list[Notification]]:
    """The notifications of new objects of each bucket that has any, by the bucket's logical id."""
    told = {key: [each for each in bucket.notifications if each.tells_of_puts] for key, bucket in stack.buckets.items()}
    return {logical_id: notifications for logical_id, notifications in told.items() if notifications}


def hearing(notifications: Sequence[Notification], name: str) -> Notification | None:
    """The first notification whose suffix the name has: an object of this name belongs below its prefix."""
    return next((each for each in notifications if name.endswith(each.key_suffix)), None)


def only_told(bucket: str, notifications: Sequence[Notification]) -> str:
    """Which names these notifications of a bucket are about, in words."""
    return f"{bucket} only tells of {listed(dict.fromkeys(f'*{each.key_suffix}' for each in notifications))}"


def file_of(option: str, file: Path, most_bytes: int) -> bytes:
    """What the option's file holds. Raises `InputError` if it cannot be read or is larger."""
    try:
        return read_bounded(file, most_bytes)
    except FileNotFoundError:
        raise InputError(f"{option}: there is no file '{file}'") from None
    except UnusableFileError as error:
        raise InputError(f"{option}: '{file}' {error}") from None
