"""What several commands say of a template, in the same words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.base.errors import InputError
from simulator.base.nearest import nearest
from simulator.base.shown import visible
from simulator.run.command_line import quoted
from simulator.stack.handler_settings import malformed_settings
from simulator.stack.model import Ignored, Stack
from simulator.stack.rules import Finding, examine
from simulator.stack.settings import parameters_behind
from simulator.stack.template import shown_template
from simulator.stack.variables import withheld

_NEAREST = re.compile(r"the nearest is '([^'…]+)'")


def require_sound(stack: Stack, template: Path | None) -> None:
    """Raises `InputError` with the first thing that AWS refuses, or with which a function would fail at init."""
    for findings, kind in (
        (examine(stack).violations, "AWS refuses it"),
        (malformed_settings(stack), "fails at init"),
    ):
        if findings:
            raise InputError(next(finding_lines(findings, template, kind)), hint=_parameter_hint(stack, findings[0]))


def _parameter_hint(stack: Stack, finding: Finding) -> str | None:
    """Which parameter sets the variable that a finding names, and its nearest value if the finding has one."""
    variable = finding.text.partition("=")[0]
    parameter = parameters_behind(stack, finding.logical_id).get(variable) if variable.isupper() else None
    if parameter is None:
        return None
    choices = finding.text.partition(" is none of ")[2].split(", ")
    named = _NEAREST.search(finding.text)
    near = named[1] if named else nearest(stack.parameters.get(parameter, ""), choices)
    return f"write --parameter {quoted((f'{parameter}={near}',))}" if near else f"--parameter {parameter}=... sets it"


def finding_lines(findings: Sequence[Finding], template: Path | None, kind: str) -> Iterator[str]:
    """`FILE:LINE: refused: RESOURCE: text`, as compilers write it; None is the pipeline's own template."""
    for finding in findings:
        file = shown_template(template)
        where = f"{file}:{finding.line}" if finding.line else str(file)
        yield visible(f"{where}: {kind}: {finding.logical_id}: {finding.text}")


def withheld_lines(stack: Stack) -> Iterator[str]:
    """Which of its own variables each function's handler does not see in a run on this machine."""
    for logical_id, names in withheld(stack).items():
        yield visible(f"{logical_id}: its handler does not see {', '.join(names)}, which would lead it elsewhere")


def ignored_lines(ignored: Sequence[Ignored]) -> Iterator[str]:
    """Not simulated: whole resources by type, then properties by the resources that have them."""
    if not ignored:
        return
    yield "not simulated"
    types = Counter(entry.property for entry in ignored if "::" in entry.property)
    if types:
        yield visible("  " + ", ".join(f"{count} {kind}" for kind, count in types.items()))
    properties: dict[str, list[str]] = {}
    for entry in ignored:
        if "::" not in entry.property:
            properties.setdefault(entry.logical_id, []).append(entry.property)
    owners: dict[str, list[str]] = {}
    for logical_id, names in properties.items():
        owners.setdefault(", ".join(names), []).append(logical_id)
    for listed, resources in owners.items():
        yield visible(f"  {', '.join(resources)}: {listed}")
