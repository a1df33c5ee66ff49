"""The files of rejected rows: bytes -> lines -> the rejected row that each records."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from simulator.base import limits
from simulator.proof.content import rejection_content


def line_key(line: int) -> str:
    """The physical line of a rejected row, as part of a key."""
    return f"{line:012d}"


def recorded_rejection(line: bytes) -> tuple[str, str] | None:
    """A recorded rejection as (line, row) of the evidence, None if the line is not such a record."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    match record:
        case {"line": int(number), "reason": str(reason), "row": [*row]} if reason and all(
            isinstance(field, str) for field in row
        ):
            return line_key(number), rejection_content(row)
    return None


async def whole_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The whole lines that each chunk completes; a line of more than `limits.AUDIT_RECORD_BYTES` is cut there."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > limits.AUDIT_RECORD_BYTES:
            lines, rest = [*lines, rest], b""
        if lines:
            yield lines
    if rest:
        yield [rest]
