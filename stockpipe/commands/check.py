"""`stockpipe check`: what AWS would refuse or advise against in a template, and what the twin does not act on."""

from __future__ import annotations

import typer

from simulator.base.errors import ExitCode
from stockpipe.commands.options import Parameters, Template

EPILOG = """Example:

stockpipe check --template template.yaml --parameter VisibilityTimeout=30

Exit codes: 0 nothing is refused, 2 the template cannot be read or AWS would refuse it."""


def check(*, template: Template = None, parameter: Parameters = None) -> None:
    """Check a template by the rules that AWS enforces when it deploys one, and by those that it advises."""
    from simulator.stack import rules
    from simulator.stack import template as templates
    from simulator.twin import resources
    from stockpipe.commands.words import finding_lines, ignored_lines

    stack = templates.load(template, dict(parameter or ()))
    resources.wiring(stack)
    found = rules.examine(stack)
    shown = str(template or "pipeline/template.yaml")
    for line in finding_lines(found.violations, shown, "refused"):
        typer.echo(line)
    for line in finding_lines(found.advice, shown, "advice"):
        typer.echo(line)
    for line in ignored_lines(stack.ignored):
        typer.echo(line)
    counts = f"{len(found.violations)} refused by AWS, {len(found.advice)} advised against"
    typer.echo(f"{shown}: {counts}, {len(stack.ignored)} properties not simulated")
    if found.violations:
        raise typer.Exit(ExitCode.WRONG_INPUT)
