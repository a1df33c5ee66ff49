"""What several commands say of a template, in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from simulator.stack.model import Ignored
from simulator.stack.rules import Finding


def finding_lines(findings: Sequence[Finding], file: str, kind: str) -> Iterator[str]:
    """`FILE:LINE: refused: RESOURCE: text`, as compilers write it."""
    for one in findings:
        where = f"{file}:{one.line}" if one.line else file
        yield f"{where}: {kind}: {one.logical_id}: {one.text}"


def ignored_lines(ignored: Sequence[Ignored]) -> Iterator[str]:
    """Not simulated: whole resources by type, then properties by the resources that have them."""
    if not ignored:
        return
    yield "not simulated"
    types = Counter(one.property for one in ignored if "::" in one.property)
    if types:
        yield "  " + ", ".join(f"{count} {kind}" for kind, count in types.items())
    properties: dict[str, list[str]] = {}
    for one in ignored:
        if "::" not in one.property:
            properties.setdefault(one.logical_id, []).append(one.property)
    owners: dict[str, list[str]] = {}
    for logical_id, names in properties.items():
        owners.setdefault(", ".join(names), []).append(logical_id)
    for listed, resources in owners.items():
        yield f"  {', '.join(resources)}: {listed}"
