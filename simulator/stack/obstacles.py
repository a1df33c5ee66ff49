"""What keeps a template from running here at all, whatever AWS says of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.base.errors import InputError
from simulator.stack.model import Sentences, Stack
from simulator.stack.settings import properties_of
from simulator.stack.wiring import flow

_TRIGGERS = re.compile(
    r"Events\.\w+|AWS::(Events::Rule|Lambda::EventSourceMapping|S3::Bucket|SNS::Subscription|SQS::Queue|Scheduler::Schedule)"
)
_MOST_NAMED = 5


def obstacles(stack: Stack, invoked: str | None = None) -> Sentences:
    """Functions on the data's way that cannot run here, no such function, or the pipeline's without its table."""
    try:
        running = {each.logical_id for each in flow(stack).functions}
    except InputError as error:
        logical_id, _, text = str(error).partition(": ")
        yield logical_id, text
        return
    running |= {invoked} if invoked is not None else set()
    yield from ((logical_id, text) for logical_id, text in foreign(stack).items() if logical_id in running)
    if not running:
        ignored = [each for each in stack.ignored if _TRIGGERS.fullmatch(each.property)]
        names = [each.logical_id + f".{each.property}" * (":" not in each.property) for each in ignored]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        named = f"; the template has only {', '.join(names[:_MOST_NAMED])}{more}" if names else ""
        first = next(iter(stack.functions), "Resources")
        yield first, f"no queue, bucket or schedule that is simulated here invokes a function{named}"


def foreign(stack: Stack) -> Mapping[str, str]:
    """Why a function's handler cannot run here, by logical id; functions in Python are left out."""
    found = {}
    for name, function in stack.functions.items():
        if properties_of(stack, name).get("PackageType") == "Image":
            found[name] = "it is a container image; only handlers in Python, from a folder or a zip, run here"
        elif not function.runtime.lower().startswith("python"):
            found[name] = f"its handler is in {function.runtime or 'no known runtime'}; only Python handlers run here"
    return found
