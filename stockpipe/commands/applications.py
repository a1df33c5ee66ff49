"""What `simulate` and `load-test` do about a template's code: which runtime runs it, and what is built first."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from simulator.functions.code import prepare
from simulator.functions.runtimes import Code, RuntimeName
from simulator.stack.model import Stack
from simulator.stack.wiring import own_path
from stockpipe.commands.options import Options
from stockpipe.commands.outputs import echo


def runtime_in_force(options: Options, chosen: RuntimeName, stack: Stack) -> RuntimeName:
    """The runtime that was asked for; without a word, another application's handlers run in processes of their own.

    Their modules and packages may have the names of ours. AWS's runtime client exists only for Linux.
    """
    if "runtime" in options.given or own_path(stack) is not None or not sys.platform.startswith("linux"):
        return chosen
    return "process"


def code_in_force(
    stack: Stack, override: Path | None = None, *, build: bool = True, also: str | None = None
) -> Mapping[str, Code]:
    """The code of each function that does not come from this installation; progress goes to standard error.

    `also` is the logical id of a function that nothing in the template may invoke.
    """
    more = [stack.functions[also]] if also is not None else []
    return prepare(
        stack,
        override=override,
        build=build,
        also=more,
        progress=lambda line: echo(f"stockpipe: {line}", err=True),
    )
