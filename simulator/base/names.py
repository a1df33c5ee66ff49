"""The names that AWS's services accept: the one place for these patterns. Pure.

Sources: S3 User Guide, bucketnamingrules; SQS API reference, CreateQueue; DynamoDB Developer Guide, "Naming rules";
Lambda API reference, CreateFunction.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Literal

NamedKind = Literal["bucket", "queue", "table", "function"]
LENGTHS = {"bucket": (3, 63), "queue": (1, 80), "table": (3, 255), "function": (1, 64)}
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
    """What is wrong with a bucket's name; None if S3 accepts it."""
    shortest, longest = LENGTHS["bucket"]
    if not shortest <= len(name) <= longest:
        return f"a bucket name has {shortest} to {longest} characters"
    if not _BUCKET.fullmatch(name):
        return "a bucket name has lower-case letters, digits, dots and hyphens, with a letter or digit at both ends"
    if ".." in name:
        return "a bucket name must not have two dots in a row"
    if _ADDRESS.fullmatch(name):
        return "a bucket name must not be an IP address"
    if name.startswith(_BUCKET_PREFIXES) or name.endswith(_BUCKET_SUFFIXES):
        return "S3 reserves this prefix or suffix of bucket names"
    return None


def length_fault(kind: NamedKind, name: str) -> str | None:
    """The rule that a name's length breaks, in the services' words; None if it breaks none."""
    shortest, longest = LENGTHS[kind]
    if len(name) < shortest:
        return f"greater than or equal to {shortest}"
    return f"less than or equal to {longest}" if len(name) > longest else None


def fits_pattern(kind: NamedKind, name: str) -> bool:
    """Whether a queue's, a table's or a function's name has only characters that are allowed in it."""
    return _PATTERNS[kind].fullmatch(name) is not None


def fitted(kind: NamedKind, name: str) -> str:
    """A name for a resource that the template does not name, cut to the maximum length and kept unique."""
    longest = LENGTHS[kind][1]
    if len(name) <= longest:
        return name
    mark = f"-{zlib.crc32(name.encode(errors='replace')):08x}"
    return name[: longest - len(mark)] + mark
