"""`stockpipe explore`: runs many worlds with faults, and tells what goes wrong in them."""

from __future__ import annotations

import typer

from simulator.base.collector import kept_for_good
from simulator.base.errors import InputError
from stockpipe.commands.explore.options import ExploreOptions
from stockpipe.commands.taking import takes

EPILOG = """Examples:

stockpipe explore --worlds 1000

stockpipe explore --for 2m --report explore.html

stockpipe explore --template app.yaml --source data/ --invariant checks:nothing_lost

stockpipe explore --replay world-17.json

Exit codes: 0 nothing was found, 1 something is wrong, 2 wrong input, 3 could not finish, 130 interrupted before
anything was found."""


@takes(ExploreOptions)
def explore(options: ExploreOptions) -> None:
    """Run many small worlds in virtual time, each with other faults, and shrink what goes wrong to a short story."""
    with kept_for_good():
        from stockpipe.commands.explore.run import run_explore  # slow imports, and --help must not wait

    if options.paths and not options.sources:
        raise InputError(f"'{options.paths[0]}' is given without --source", hint=f"write --source {options.paths[0]}")
    raise typer.Exit(run_explore(options))
