"""What keeps a template from running here at all, whatever AWS says of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.base.errors import InputError
from simulator.stack.model import Sentences, Stack
from simulator.stack.settings import written
from simulator.stack.wiring import flow

_TRIGGERS = frozenset(
    {
        "AWS::Events::Rule",
        "AWS::Lambda::EventSourceMapping",
        "AWS::S3::Bucket",
        "AWS::SNS::Subscription",
        "AWS::SQS::Queue",
        "AWS::Scheduler::Schedule",
    }
)
"""Resources that invoke functions, where they are not simulated."""
_MOST_NAMED = 5


def obstacles(stack: Stack, invoked: str | None = None) -> Sentences:
    """Functions on the data's way that cannot run here, no such function at all, or the pipeline's without its table.

    `invoked` is a function that the caller itself invokes.
    """
    try:
        running = {each.logical_id for each in flow(stack).functions}
    except InputError as error:
        logical_id, _, text = str(error).partition(": ")
        yield logical_id, text
        return
    running |= {invoked} if invoked is not None else set()
    yield from ((logical_id, text) for logical_id, text in foreign(stack).items() if logical_id in running)
    if not running:
        first = next(iter(stack.functions), "Resources")
        triggers = [
            f"{each.logical_id}.{each.property}" if each.property.startswith("Events.") else each.logical_id
            for each in stack.ignored
            if each.property in _TRIGGERS or (each.property.startswith("Events.") and each.property.count(".") == 1)
        ]
        more = f" and {len(triggers) - _MOST_NAMED} more" if len(triggers) > _MOST_NAMED else ""
        named = f"; not simulated: {', '.join(triggers[:_MOST_NAMED])}{more}" if triggers else ""
        yield first, f"no queue, bucket or schedule that is simulated here invokes a function{named}"


def foreign(stack: Stack) -> Mapping[str, str]:
    """Why a function's handler cannot run here, by logical id; functions in Python are left out."""
    found = {}
    for name, function in stack.functions.items():
        if any(properties.get("PackageType") == "Image" for properties in written(stack, name)):
            found[name] = "it is a container image; only handlers in Python, from a folder or a zip, run here"
        elif not function.runtime.lower().startswith("python"):
            found[name] = f"its handler is in {function.runtime or 'no known runtime'}; only Python handlers run here"
    return found
