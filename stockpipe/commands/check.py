"""`stockpipe check`: what AWS would refuse or advise against in a template, and what the twin does not simulate."""

from __future__ import annotations

import typer

from simulator.base.errors import ExitCode
from simulator.base.shown import visible
from simulator.base.words import counted
from stockpipe.commands.options import Options
from stockpipe.commands.outputs import echo
from stockpipe.commands.parameters import ParameterFiles, parameters_of
from stockpipe.commands.taking import takes
from stockpipe.commands.values import Parameters, Template

EPILOG = """Example:

stockpipe check --template template.yaml --parameter VisibilityTimeout=30

Exit codes: 0 AWS would accept the template, 2 it cannot be read, AWS would refuse it, or a
function of the pipeline would fail at init."""


class CheckOptions(Options):
    """The template and its parameters."""

    template: Template = None
    parameters: Parameters = ()
    parameter_files: ParameterFiles = ()


@takes(CheckOptions)
def check(options: CheckOptions) -> None:
    """Check a template against AWS's deployment rules and best practices, and the settings of our functions."""
    from simulator.stack import rules
    from simulator.stack import template as templates
    from simulator.stack.handler_settings import malformed_settings
    from simulator.stack.packaged import shown_template
    from simulator.stack.wiring import wiring
    from stockpipe.commands.words import finding_lines, ignored_lines

    stack = templates.load(options.template, parameters_of(options))
    wiring(stack)
    found = rules.examine(stack)
    failing = malformed_settings(stack)
    for line in (
        *finding_lines(found.violations, options.template, "refused"),
        *finding_lines(failing, options.template, "fails at init"),
        *finding_lines(found.advice, options.template, "advice"),
        *ignored_lines(stack.ignored),
    ):
        echo(line)
    counts = f"{len(found.violations)} refused by AWS, {len(found.advice)} advised against"
    if failing:
        counts += f", {len(failing)} failing at init"
    file = visible(str(shown_template(options.template)))
    echo(f"{file}: {counts}, {counted(len(stack.ignored), 'property', 'properties')} not simulated")
    if found.violations or failing:
        raise typer.Exit(ExitCode.WRONG_INPUT)
