"""Filter criteria of an event source mapping: does a message's body match one of the patterns? Pure.

AWS: Lambda Developer Guide, "Control which events Lambda sends to your function" (invocation-eventfiltering) and
"Using event filtering with an Amazon SQS event source" (with-sqs-filtering). Only the `body` of a message can be
filtered: anything else that a pattern names is absent. A pattern for a JSON body never matches a plain text one, nor
the reverse; a body counts as JSON here if it is a JSON object, and as plain text if it is anything else. A message that
does not match is deleted from the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.stack.operators import read_json
from simulator.stack.patterns import Branch, Pattern
from simulator.triggers.matching import EventValues

FILTERED = "body"
"""The only property of a message that a pattern can test."""


def matches(filters: Sequence[Pattern], body: str) -> bool:
    """Whether the message goes to the function: there is no filter, or at least one matches."""
    if not filters:
        return True
    parsed = _object_in(body)
    event: dict[str, Any] = {FILTERED: body if parsed is None else parsed}
    return any(_matches(pattern, event, plain=parsed is None) for pattern in filters)


def _object_in(body: str) -> dict[str, Any] | None:
    try:
        parsed = read_json(body)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _matches(pattern: Pattern, event: dict[str, Any], *, plain: bool) -> bool:
    values = EventValues(event, pattern.paths())
    return any(_is_for(branch, plain=plain) and values.hold(branch) for branch in pattern.branches)


def _is_for(branch: Branch, *, plain: bool) -> bool:
    """Whether the branch applies to this kind of body: it tests either the text or the members of an object."""
    if plain:
        return not any(leaf.path.startswith(f"{FILTERED}.") for leaf in branch)
    return all(leaf.path != FILTERED for leaf in branch)
