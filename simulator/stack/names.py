"""Names that AWS refuses when a stack is deployed, in its own words as far as we know them. Pure."""

from __future__ import annotations

import re

from simulator.base.names import NamedKind, bucket_name_fault, fits_pattern, length_fault
from simulator.stack.constraints import broken
from simulator.stack.model import Sentences, Stack

_FUNCTION_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)"
    r"(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def refused_names(stack: Stack) -> Sentences:
    """Logical id and sentence for each name that its service refuses, and for each that is used twice."""
    named: tuple[tuple[NamedKind, dict[str, str]], ...] = (
        ("bucket", {each.logical_id: each.name for each in stack.buckets.values()}),
        ("queue", {each.logical_id: each.name for each in stack.queues.values()}),
        ("table", {each.logical_id: each.name for each in stack.tables.values()}),
        ("function", {each.logical_id: each.name for each in stack.functions.values()}),
    )
    for kind, names in named:
        owners: dict[str, str] = {}
        for logical_id, name in names.items():
            if not (logical_id.isascii() and logical_id.isalnum()):
                yield logical_id, f"Template format error: Resource name {logical_id} is non alphanumeric."
            elif (fault := name_fault(kind, name)) is not None:
                yield logical_id, fault, f"{kind.capitalize()}Name"
            elif (owner := owners.setdefault(name, logical_id)) != logical_id:
                yield logical_id, f"{name} already exists: {owner} has this name", f"{kind.capitalize()}Name"


def refused_key_filters(stack: Stack) -> Sentences:
    """Prefixes and suffixes of notifications that XML, the language of S3's API, cannot express."""
    for bucket in stack.buckets.values():
        for each in bucket.notifications:
            if _NOT_IN_XML.search(each.prefix + each.suffix):
                yield (
                    bucket.logical_id,
                    "The XML you provided was not well-formed or did not validate against our published schema: a "
                    "filter rule has a control character",
                    "NotificationConfiguration",
                )


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
