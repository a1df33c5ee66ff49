"""Which functions and resources of a stack the figures of a run are about. Pure."""

from __future__ import annotations

from simulator.stack.model import Stack
from simulator.stack.wiring import Flow, own_path
from simulator.telemetry.snapshot import Roles


def consumers(stack: Stack, parts: Flow, invoked: str | None = None) -> tuple[str, ...]:
    """The functions that process data, as logical ids: those behind a queue or a bucket; without any, all others.

    `invoked` is one that the run itself invokes.
    """
    if (path := own_path(stack)) is not None:
        return (path.consumer.logical_id,)
    fed = {mapping.function for mapping in stack.mappings.values()}
    fed |= {each.target for bucket in parts.buckets for each in bucket.notifications} | {invoked or ""}
    names = [name for name, each in stack.functions.items() if each in parts.functions or name == invoked]
    return tuple(name for name in names if name in fed) or tuple(names) or tuple(stack.functions)


def generators(stack: Stack, parts: Flow, invoked: str | None = None) -> tuple[str, ...]:
    """The functions that only schedules invoke, as logical ids."""
    scheduled = {each.function for each in stack.schedules.values() if each.enabled}
    return tuple(sorted(scheduled.difference(consumers(stack, parts, invoked))))


def roles(stack: Stack, parts: Flow, invoked: str | None = None) -> Roles:
    """The names of the parts, and the lowest limit on the batches in progress."""
    polled = {queue.logical_id for queue in parts.queues}
    mappings = [mapping for mapping in stack.mappings.values() if mapping.queue in polled]
    bounds = [mapping.maximum_concurrency for mapping in mappings]
    bounds += [stack.functions[mapping.function].reserved_concurrency for mapping in mappings]
    return Roles(
        buckets=tuple(each.name for each in parts.buckets),
        queues=tuple(each.name for each in parts.queues),
        dead_letter_queues=tuple(each.name for each in parts.dead_letter_queues),
        consumers=tuple(stack.functions[name].name for name in consumers(stack, parts, invoked)),
        tables=tuple(each.name for each in parts.tables),
        schedules=tuple(
            (each.expression, stack.functions[each.function].name) for each in stack.schedules.values() if each.enabled
        ),
        concurrency_limit=min((bound for bound in bounds if bound is not None), default=None),
        is_pipeline=own_path(stack) is not None,
        joined=_joined(stack, parts, invoked),
    )


def _joined(stack: Stack, parts: Flow, invoked: str | None) -> frozenset[tuple[str, str]]:
    """The pairs of kinds between which the template leads data; scheduled functions have variables for it."""
    notified = {each.target for bucket in parts.buckets for each in bucket.notifications}
    scheduled = {each.function for each in stack.schedules.values() if each.enabled}
    variables = [stack.functions[name].environment.values() for name in generators(stack, parts, invoked)]
    named = " ".join(value for values in variables for value in values)
    steps = (
        ("schedule", "bucket", any(bucket.name in named for bucket in parts.buckets)),
        ("schedule", "queue", any(queue.name in named for queue in parts.queues)),
        ("schedule", "function", scheduled.intersection(consumers(stack, parts, invoked))),
        ("bucket", "queue", notified & stack.queues.keys()),
        ("bucket", "function", notified & stack.functions.keys()),
    )
    return frozenset((giver, taker) for giver, taker, leads in steps if leads)
