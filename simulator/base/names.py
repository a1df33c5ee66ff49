"""The names that AWS's services take: one home for each pattern. Pure.

Sources: S3 User Guide, bucketnamingrules; SQS API reference, CreateQueue; DynamoDB Developer Guide, "Naming rules";
Lambda API reference, CreateFunction.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Literal

NamedKind = Literal["bucket", "queue", "table", "function"]
LENGTHS: Mapping[NamedKind, tuple[int, int]] = {
    "bucket": (3, 63),
    "queue": (1, 80),
    "table": (3, 255),
    "function": (1, 64),
}
_BUCKET = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_BUCKET_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_BUCKET_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_PATTERNS: Mapping[NamedKind, re.Pattern[str]] = {
    "queue": re.compile(r"[A-Za-z0-9_-]*"),
    "table": re.compile(r"[A-Za-z0-9_.-]*"),
    "function": re.compile(r"[A-Za-z0-9_-]*"),
}


def bucket_name_fault(name: str) -> str | None:
    """What is wrong with a bucket's name, None if S3 takes it."""
    shortest, longest = LENGTHS["bucket"]
    if not shortest <= len(name) <= longest:
        return f"a bucket name has {shortest} to {longest} characters"
    if not _BUCKET.fullmatch(name):
        return "a bucket name has lower-case letters, digits, dots and hyphens, and a letter or a digit at both ends"
    if ".." in name:
        return "a bucket name has no two dots in a row"
    if _ADDRESS.fullmatch(name):
        return "a bucket name is not an IP address"
    if name.startswith(_BUCKET_PREFIXES) or name.endswith(_BUCKET_SUFFIXES):
        return "S3 keeps this prefix or suffix of bucket names to itself"
    return None


def length_fault(kind: NamedKind, name: str) -> str | None:
    """What a name's length must be in the services' words, None if it is."""
    shortest, longest = LENGTHS[kind]
    if len(name) < shortest:
        return f"greater than or equal to {shortest}"
    return f"less than or equal to {longest}" if len(name) > longest else None


def fits_pattern(kind: NamedKind, name: str) -> bool:
    """Whether all characters of a queue's, a table's or a function's name are ones that it may have."""
    return _PATTERNS[kind].fullmatch(name) is not None


def fitted(kind: NamedKind, name: str) -> str:
    """A name that the template leaves to CloudFormation: cut to the longest that there may be, and unlike any other."""
    longest = LENGTHS[kind][1]
    if len(name) <= longest:
        return name
    mark = f"-{zlib.crc32(name.encode(errors='replace')):08x}"
    return name[: longest - len(mark)] + mark
