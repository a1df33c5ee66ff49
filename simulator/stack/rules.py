"""Checks a stack against what AWS refuses (`refused.py`) and what it advises against (`advised.py`). Pure.

A violation would fail the deployment; advice may be ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.stack.advised import ADVISED
from simulator.stack.model import Sentences, Stack
from simulator.stack.refused import REFUSED


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one resource; `line` is the resource's line in the template, if known."""

    logical_id: str
    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything found: AWS refuses `violations`, and accepts what draws `advice`."""

    violations: tuple[Finding, ...]
    advice: tuple[Finding, ...]


def examine(stack: Stack) -> Findings:
    """Check the stack against every rule, in the template's order."""
    return Findings(_collect(stack, REFUSED), _collect(stack, ADVISED))


def _collect(stack: Stack, rules: Sequence[Callable[[Stack], Sentences]]) -> tuple[Finding, ...]:
    found = [Finding(logical_id, text, _line(stack, logical_id)) for rule in rules for logical_id, text in rule(stack)]
    return tuple(sorted(found, key=lambda finding: finding.line or 0))


def _line(stack: Stack, logical_id: str) -> int | None:
    """The resource's line; for a function's event (a mapping, a schedule), the function's."""
    event = stack.mappings.get(logical_id) or stack.schedules.get(logical_id)
    return stack.lines.get(logical_id) or (stack.lines.get(event.function) if event else None)
