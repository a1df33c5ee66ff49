"""Checks a stack against what AWS refuses, what it advises against, and what cannot run here. Pure.

`refused.py` and `advised.py` have the rules for any template, `handler_settings.py` those of the pipeline's own
handlers, `obstacles.py` those of the simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from simulator.stack.advised import ADVISED
from simulator.stack.constraints import is_known
from simulator.stack.handler_settings import malformed_settings, unusable_keys
from simulator.stack.model import Sentences, Stack
from simulator.stack.obstacles import obstacles
from simulator.stack.refused import REFUSED
from simulator.stack.settings import line_of, parameter_behind, section

Kind = Literal["refused", "fails at init", "fails", "advice", "not simulated"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one resource, or about the property at `path` in it; `line` is where, if that is known."""

    logical_id: str
    text: str
    line: int | None = None
    kind: Kind = "refused"
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything found, each part in the template's order.

    AWS refuses `violations`, and accepts what draws `advice`. With `failures` a function of the pipeline works nowhere,
    with `obstacles` the template cannot be run here.
    """

    violations: tuple[Finding, ...]
    advice: tuple[Finding, ...]
    failures: tuple[Finding, ...] = ()
    obstacles: tuple[Finding, ...] = ()


def examine(stack: Stack, *, invoked: str | None = None) -> Findings:
    """Check the stack against every rule; `invoked` is a function (logical id) that the caller itself invokes."""
    return Findings(
        violations=_collect(stack, "refused", *REFUSED),
        advice=_collect(stack, "advice", *ADVISED),
        failures=_collect(stack, "fails at init", malformed_settings) + _collect(stack, "fails", unusable_keys),
        obstacles=_collect(stack, "not simulated", partial(obstacles, invoked=invoked)),
    )


def _collect(stack: Stack, kind: Kind, *rules: Callable[[Stack], Sentences]) -> tuple[Finding, ...]:
    found = []
    for rule in rules:
        for logical_id, text, *dotted in rule(stack):
            path = tuple(dotted[0].split(".")) if dotted else ()
            if kind != "refused" or _is_known(stack, logical_id, text, path):
                found.append(Finding(logical_id, text, line_of(stack, logical_id, *path), kind, path))
    return tuple(sorted(found, key=lambda finding: finding.line or 0))


def _is_known(stack: Stack, logical_id: str, text: str, path: tuple[str, ...]) -> bool:
    """Whether what is refused is a value that the template decides, and not one that only AWS looks up."""
    parameter = parameter_behind(stack, logical_id, *path) if path else None
    kind = section(stack.document, "Parameters", parameter or "").get("Type")
    return is_known(text) and not str(kind).startswith("AWS::SSM::Parameter::Value")
