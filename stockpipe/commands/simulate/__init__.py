"""`stockpipe simulate`: the whole loop offline, live, and proven at the end."""

from __future__ import annotations

import typer

from simulator.base.collector import kept_for_good
from simulator.base.errors import InputError
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.taking import takes

EPILOG = """Examples:

stockpipe simulate --ticks 3

stockpipe simulate --scenario burst

stockpipe simulate --source quotes/ --parameter TimestampFormat='%d.%m.%Y' --slo 'rejected<1%'

Bounds by default: no message dead-lettered, no object with all or many of its rows rejected, and something stored if
something was sent; --slo on one of these figures replaces it. `stockpipe docs bounds` lists all figures.

Defaults of your own go into STOCKPIPE_... variables or pyproject.toml: `stockpipe docs configuration`.

Exit codes: 0 proven and within its bounds, 1 not proven or a bound missed, 2 wrong input, 3 could not finish, 130
interrupted (1 if rows are not proven)."""


@takes(SimulateOptions)
def simulate(options: SimulateOptions) -> None:
    """Run the whole pipeline offline, with a live dashboard, and prove that no row was lost or invented."""
    with kept_for_good():
        from stockpipe.commands.simulate import run  # imports what a run needs; --help must not wait for it

    if options.scenario == "list":
        run.list_scenarios()
        return
    if options.paths and not options.sources:
        raise InputError(f"'{options.paths[0]}' is given without --source", hint=f"write --source {options.paths[0]}")
    raise typer.Exit(run.run_simulate(options))
