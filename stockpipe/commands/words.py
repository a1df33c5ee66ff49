"""What several commands say about a template, in the same words."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.base.errors import InputError
from simulator.base.nearest import nearest
from simulator.base.shown import visible
from simulator.base.words import counted
from simulator.run.command_line import quoted
from simulator.stack.handler_settings import malformed_settings
from simulator.stack.model import Ignored, Stack
from simulator.stack.packaged import shown_template
from simulator.stack.rules import Finding, examine
from simulator.stack.settings import parameters_behind
from simulator.stack.variables import withheld

if TYPE_CHECKING:
    from simulator.dashboard.ui import Display
_NEAREST = re.compile(r"the nearest is '([^'…]+)'")


def require_sound(stack: Stack, template: Path | None) -> None:
    """Raise `InputError` for the first thing that AWS refuses or that makes a function fail at init."""
    for findings, kind in (
        (examine(stack).violations, "AWS refuses it"),
        (malformed_settings(stack), "fails at init"),
    ):
        if findings:
            raise InputError(next(finding_lines(findings, template, kind)), hint=_parameter_hint(stack, findings[0]))


def _parameter_hint(stack: Stack, finding: Finding) -> str | None:
    """The hint with the parameter for a finding's variable, and with the nearest value if the finding has one."""
    variable = finding.text.partition("=")[0]
    parameter = parameters_behind(stack, finding.logical_id).get(variable) if variable.isupper() else None
    if parameter is None:
        return None
    choices = finding.text.partition(" is not one of ")[2].split(", ")
    named = _NEAREST.search(finding.text)
    near = named[1] if named else nearest(stack.parameters.get(parameter, ""), choices)
    return f"write --parameter {quoted((f'{parameter}={near}',))}" if near else f"--parameter {parameter}=... sets it"


def finding_lines(findings: Sequence[Finding], template: Path | None, kind: str) -> Iterator[str]:
    """`FILE:LINE: refused: RESOURCE: text`, as compilers write it; None is the pipeline's own template."""
    for finding in findings:
        file = shown_template(template)
        where = f"{file}:{finding.line}" if finding.line else str(file)
        yield visible(f"{where}: {kind}: {finding.logical_id}: {finding.text}")


def advice_lines(
    stack: Stack, template: Path | None, scenario: str | None = None, usual: Stack | None = None
) -> Iterator[str]:
    """What AWS advises against in a stack, one line per finding.

    A finding that `usual`, the stack without the scenario's parameters, does not have is the scenario's purpose: one
    line names all of these.
    """
    advice = examine(stack).advice
    before = set(examine(usual).advice) if usual is not None else set(advice)
    yield from finding_lines([finding for finding in advice if finding in before], template, "AWS advises otherwise")
    if meant := [finding for finding in advice if finding not in before]:
        names = " and ".join(dict.fromkeys(finding.logical_id for finding in meant))
        lines = ", ".join(dict.fromkeys(str(finding.line) for finding in meant if finding.line))
        where = f"{shown_template(template)}{f':{lines}' if lines else ''}"
        yield visible(f"{where}: on purpose, {scenario} goes against AWS's advice for {names}")


def ignored_line(ignored: Sequence[Ignored], template: Path | None) -> str:
    """How many properties a run does not simulate, and the command that lists them."""
    of = f" --template {shlex.quote(str(template))}" if template else ""
    count = counted(len(ignored), "template property is", "template properties are")
    return visible(f"{count} not simulated; stockpipe check{of} lists them")


def announce_ignored(display: Display, stack: Stack, template: Path | None, note: Callable[[str], None]) -> None:
    """Say in one line that a run does not simulate all of a template: as an event, or as the first plain line."""
    if not stack.ignored or display.mode == "quiet":
        return
    line = ignored_line(stack.ignored, template)
    if display.mode == "live":
        note(line)
    else:
        display.console.print(line, style="dim", soft_wrap=True, markup=False)


def withheld_lines(stack: Stack) -> Iterator[str]:
    """One line per function with the variables that its handler does not see in a local run."""
    for logical_id, names in withheld(stack).items():
        yield visible(f"{logical_id}: its handler does not see {', '.join(names)}, which would redirect it")


def ignored_lines(ignored: Sequence[Ignored]) -> Iterator[str]:
    """The list of what is not simulated: whole resources by type, then properties by resource."""
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
