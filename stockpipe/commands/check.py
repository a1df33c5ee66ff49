"""`stockpipe check`: what AWS would refuse or advise against in a template, and what the twin does not simulate."""

from __future__ import annotations

from typing import Annotated

import typer

from simulator.base.errors import ExitCode
from simulator.base.shown import visible
from stockpipe.commands.options import Options
from stockpipe.commands.outputs import echo
from stockpipe.commands.parameters import ParameterFiles, parameters_of
from stockpipe.commands.taking import takes
from stockpipe.commands.values import Parameters, Template

EPILOG = """Example:

stockpipe check --template template.yaml --parameter VisibilityTimeout=30

Exit codes: 0 AWS would accept the template, 1 with --strict, if it advises against something,
2 the template cannot be read, AWS would refuse it, or a function of the pipeline would fail."""


class CheckOptions(Options):
    """The template and its parameters."""

    template: Template = None
    parameters: Parameters = ()
    parameter_files: ParameterFiles = ()
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if AWS advises against something.")] = False


@takes(CheckOptions)
def check(options: CheckOptions) -> None:
    """Check any SAM template: what AWS refuses, what it advises against, and what is not simulated here."""
    from simulator.stack import rules
    from simulator.stack import template as templates
    from simulator.stack.packaged import shown_template
    from stockpipe.commands.words import finding_lines, not_simulated

    stack = templates.load(options.template, parameters_of(options))
    found = rules.examine(stack)
    left_out = not_simulated(stack, found)
    for line in finding_lines((*found.violations, *found.failures, *found.advice, *left_out), options.template):
        echo(line)
    failing = f", {len(found.failures)} failing" if found.failures else ""
    file = visible(str(shown_template(options.template)))
    counts = f"{len(found.violations)} refused by AWS, {len(found.advice)} advised against{failing}"
    echo(f"{file}: {counts}, {len(left_out)} not simulated")
    if found.violations or found.failures:
        raise typer.Exit(ExitCode.WRONG_INPUT)
    if found.advice and options.strict:
        raise typer.Exit(ExitCode.NOT_PROVEN)
