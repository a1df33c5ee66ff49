"""Runs `stockpipe inspect`: looks at the files, prints the findings, writes the parameters."""

from __future__ import annotations

import json
import sys

from simulator.base import limits
from simulator.base.errors import ExitCode
from simulator.base.files import write_whole
from simulator.base.interrupts import raised
from simulator.files.finding import find
from simulator.files.inspection import inspect
from simulator.files.reading import FILE_SETTINGS
from simulator.stack import template
from simulator.stack.wiring import wiring
from stockpipe.commands.files import bar, parameter_names, refusal, sizes
from stockpipe.commands.inspect import rendering
from stockpipe.commands.inspect.document import document
from stockpipe.commands.inspect.options import InspectOptions
from stockpipe.commands.outputs import require_writable
from stockpipe.commands.parameters import parameters_of
from stockpipe.commands.words import require_sound


def run_inspect(options: InspectOptions) -> ExitCode:
    """Inspect the files and return the exit code. Raises `InputError` with one line per file that cannot be read."""
    parameters = parameters_of(options)
    stack = template.load(None, parameters)
    require_sound(stack, None)
    path = wiring(stack)
    names = parameter_names(stack, path)
    given = {setting: parameters[name] for setting, name in names.items() if name in parameters}
    environ = {setting: path.consumer.environment.get(setting, "") for setting in FILE_SETTINGS}
    found = find(options.paths, path.notification.key_prefix)
    require_writable(options.write, inputs=(file.path for file in found.files))
    # The beginning of each file is read twice: once to guess, once with the whole file.
    total = sum(size + min(size, limits.SOURCE_HEAD_BYTES) for size in sizes(found.files))
    with raised(), bar("inspecting", total) as progress:
        inspection = inspect(found.files, environ, frozenset(given), progress)
    problems = (*found.problems, *inspection.problems)
    shown = document(inspection, problems, names, given, options.paths)
    if options.as_json:
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    elif inspection.files:
        rendering.show(shown)
    if options.write is not None and inspection.files:
        write_whole(options.write, json.dumps(shown["parameters"], indent=2) + "\n")
    if problems:
        raise refusal(problems, len(inspection.files) + len(problems), names, way_out=None)
    return ExitCode.DONE if inspection.readable else ExitCode.WRONG_INPUT
