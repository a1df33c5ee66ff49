"""What several commands say about a template, in the same words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.base.errors import InputError
from simulator.base.nearest import nearest
from simulator.base.shown import visible
from simulator.base.words import counted
from simulator.run.command_line import quoted
from simulator.stack.model import Ignored, Stack
from simulator.stack.obstacles import foreign
from simulator.stack.packaged import shown_template
from simulator.stack.rules import Finding, Findings, examine
from simulator.stack.settings import line_of, parameter_behind
from simulator.stack.variables import withheld

if TYPE_CHECKING:
    from simulator.dashboard.ui import Display
MOST_LISTED = 20
_NEAREST = re.compile(r"the nearest is '([^'…]+)'")
_IN_A_RUN = {"refused": "AWS refuses it", "advice": "AWS advises otherwise"}


def require_sound(stack: Stack, template: Path | None, *, invoked: str | None = None) -> None:
    """Raise `InputError` with a line for each thing that AWS refuses, or that keeps the template from running here.

    `invoked` is the logical id of a function that the caller itself invokes: then nothing else needs to.
    """
    found = examine(stack, invoked=invoked)
    grave = (*found.violations, *found.failures, *found.obstacles)
    if not grave:
        return
    lines = list(finding_lines(grave[:MOST_LISTED], template, _IN_A_RUN))
    if len(grave) > MOST_LISTED:
        lines.append(f"and {len(grave) - MOST_LISTED} more; stockpipe check{_of(template)} lists them")
    hints = filter(None, (_hint(stack, finding) for finding in grave))
    raise InputError(*lines, hint=next(hints, None))


def _hint(stack: Stack, finding: Finding) -> str | None:
    """The parameter that sets what a finding is about, with the nearest value if there is one; or another way."""
    if finding.kind == "not simulated":
        way_out = "`stockpipe simulate --event FILE.json` invokes a function once"
        return way_out if "invokes a function" in finding.text else None
    parameter = parameter_behind(stack, finding.logical_id, *finding.path) if finding.path else None
    if parameter is None:
        return None
    choices = finding.text.partition(" is not one of ")[2].split(", ")
    named = _NEAREST.search(finding.text)
    near = named[1] if named else nearest(stack.parameters.get(parameter, ""), choices)
    return f"write --parameter {quoted((f'{parameter}={near}',))}" if near else f"--parameter {parameter}=... sets it"


def finding_lines(findings: Iterable[Finding], template: Path | None, kinds: Mapping[str, str] = {}) -> Iterator[str]:
    """`FILE:LINE: refused: RESOURCE: text`, as compilers write it; None is the pipeline's own template.

    `kinds` has other words for what kind of finding it is.
    """
    for finding in findings:
        file = shown_template(template)
        where = f"{file}:{finding.line}" if finding.line else str(file)
        yield visible(f"{where}: {kinds.get(finding.kind, finding.kind)}: {finding.logical_id}: {finding.text}")


def not_simulated(stack: Stack, found: Findings) -> list[Finding]:
    """One finding for each resource that is not simulated, or not all of it, and for each obstacle.

    What AWS refuses is not listed again, nor are the properties of what is an obstacle as a whole.
    """
    refused = {(each.logical_id, each.path[-1]) for each in found.violations if each.path}
    whole = foreign(stack)
    others = [each for each in found.obstacles if each.logical_id not in whole]
    reasons = {logical_id: [text] for logical_id, text in whole.items()}
    for entry in [each for each in stack.ignored if each.logical_id not in whole]:
        name, *inner = entry.property.split(".")
        event = inner[0] if name == "Events" and inner else ""
        owners = ("Globals", entry.logical_id, f"{entry.logical_id}{event}")
        if refused.isdisjoint((owner, inner[-1] if inner else name) for owner in owners):
            why = "" if entry.reason == "not simulated" else f" ({entry.reason})"
            reasons.setdefault(entry.logical_id, []).append(entry.property + why)
    named = [Finding(each, ", ".join(texts), line_of(stack, each), "not simulated") for each, texts in reasons.items()]
    return sorted([*others, *named], key=lambda finding: finding.line or 0)


def advice_lines(
    stack: Stack, template: Path | None, scenario: str | None = None, usual: Stack | None = None
) -> Iterator[str]:
    """What AWS advises against in a stack, one line per finding.

    A finding that `usual`, the stack without the scenario's parameters, does not have is the scenario's purpose: one
    line names all of these.
    """
    advice = examine(stack).advice
    before = set(examine(usual).advice) if usual is not None else set(advice)
    yield from finding_lines([finding for finding in advice if finding in before], template, _IN_A_RUN)
    if meant := [finding for finding in advice if finding not in before]:
        names = " and ".join(dict.fromkeys(finding.logical_id for finding in meant))
        lines = ", ".join(dict.fromkeys(str(finding.line) for finding in meant if finding.line))
        where = f"{shown_template(template)}{f':{lines}' if lines else ''}"
        yield visible(f"{where}: on purpose, {scenario} goes against AWS's advice for {names}")


def ignored_line(ignored: Sequence[Ignored], template: Path | None) -> str:
    """How many properties a run does not simulate, and the command that lists them."""
    count = counted(len(ignored), "template property is", "template properties are")
    return visible(f"{count} not simulated; stockpipe check{_of(template)} lists them")


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


def _of(template: Path | None) -> str:
    return f" --template {shlex.quote(str(template))}" if template else ""
