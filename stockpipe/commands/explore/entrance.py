"""Where the load of a world enters an application, and what must hold in it."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from simulator.explore.case import STARTS_AT
from simulator.run.invariants import Invariant, find
from simulator.stack.model import Stack
from simulator.stack.schedule import parse
from simulator.stack.wiring import own_path
from stockpipe.commands.applications import hearing, put_notifications


def entrance(stack: Stack) -> tuple[str, str, str]:
    """The bucket (AWS name) that the built-in mix is put into, and prefix and suffix of its keys; empty if none."""
    if (path := own_path(stack)) is not None:
        return path.bucket.name, path.notification.key_prefix, path.notification.key_suffix
    for logical_id, told in put_notifications(stack).items():
        heard = hearing(told, "x.csv") or told[0]
        return stack.buckets[logical_id].name, heard.key_prefix, heard.key_suffix
    return "", "", ""


def ticks_within(stack: Stack, storm_s: float) -> int:
    """How often the schedule that is due most often is due in a world."""
    most = 0
    for schedule in stack.schedules.values():
        if schedule.enabled:
            dues = parse(schedule.expression, schedule.kind, schedule.time_zone)(STARTS_AT)
            most = max(most, sum(1 for _ in takewhile(lambda due: due < STARTS_AT + storm_s, dues)))
    return most


def invariants_of(names: tuple[str, ...], template: Path | None) -> tuple[Invariant, ...]:
    """The functions that these texts name, beside the template or in the working directory. Raises `InputError`."""
    folders = (*([template.resolve().parent] if template else []), Path.cwd())
    return tuple(find(text, folders) for text in names)
