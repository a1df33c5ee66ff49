"""Names that AWS refuses when a stack is deployed, in its own words as far as we know them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.base.names import NamedKind, bucket_name_fault, fits_pattern, length_fault
from simulator.stack.constraints import broken
from simulator.stack.model import Sentences, Stack

_FUNCTION_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)"
    r"(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)


def refused_names(stack: Stack) -> Sentences:
    """Each name that its service refuses, and each that is used twice."""
    named: tuple[tuple[NamedKind, Mapping[str, Any]], ...] = (
        ("bucket", stack.buckets), ("queue", stack.queues), ("table", stack.tables), ("function", stack.functions)
    )  # fmt: skip
    for kind, resources in named:
        owners: dict[str, str] = {}
        for logical_id, resource in resources.items():
            name = resource.name
            if not (logical_id.isascii() and logical_id.isalnum()):
                yield logical_id, f"Template format error: Resource name {logical_id} is non alphanumeric."
            elif (fault := name_fault(kind, name)) is not None:
                yield logical_id, fault, f"{kind.capitalize()}Name"
            elif (owner := owners.setdefault(name, logical_id)) != logical_id:
                yield logical_id, f"{name} already exists: {owner} has this name", f"{kind.capitalize()}Name"


def name_fault(kind: NamedKind, name: str, member: str | None = None) -> str | None:
    """What a service says about one name, None if it takes it; `member` is another than the kind's own."""
    length = length_fault(kind, name)
    if kind == "bucket":
        why = bucket_name_fault(name)
        return f"The specified bucket is not valid: '{name}': {why}" if why else None
    if kind == "queue":
        if length is None and fits_pattern(kind, name):
            return None
        return f"Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length: '{name}'"
    pattern = "[a-zA-Z0-9_.-]+" if kind == "table" else _FUNCTION_PATTERN
    wrong = None
    if not fits_pattern(kind, name):
        wrong = f"satisfy regular expression pattern: {pattern}"
    elif length is not None:
        wrong = f"have length {length}"
    return wrong and broken(name, member or f"{kind}Name", wrong)
