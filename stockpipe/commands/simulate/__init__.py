"""`stockpipe simulate`: runs the whole pipeline offline, shows it live, and proves the result."""

from __future__ import annotations

import typer

from simulator.base.collector import kept_for_good
from simulator.base.errors import InputError
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.taking import takes
from stockpipe.commands.values import LIST

EPILOG = """Examples:

stockpipe simulate --ticks 3

stockpipe simulate --scenario burst

stockpipe simulate --clock virtual --fault s3-slow-down --fault lambda-crash=30%

stockpipe simulate --source quotes/ --parameter TimestampFormat='%d.%m.%Y' --slo 'rejected<1%'

Default bounds: no message is dead-lettered, no event given up, no object has all or many of its rows rejected, and
something is stored if something was sent. An --slo on one of these figures replaces its default. `stockpipe docs
bounds` lists all figures.

You can set your own defaults in STOCKPIPE_... variables or pyproject.toml: `stockpipe docs configuration`.

Exit codes: 0 proven and within its bounds, 1 not proven or a bound missed, 2 wrong input, 3 could not finish, 130
interrupted (1 if rows are not proven)."""


@takes(SimulateOptions)
def simulate(options: SimulateOptions) -> None:
    """Run the whole pipeline offline, with a live dashboard, and prove that no row was lost or invented."""
    with kept_for_good():
        from stockpipe.commands.simulate import run  # slow imports, and --help must not wait

    if options.scenario == "list":
        run.list_scenarios()
        return
    if LIST in options.faults:
        run.list_faults()
        return
    if options.paths and not options.sources:
        raise InputError(f"'{options.paths[0]}' is given without --source", hint=f"write --source {options.paths[0]}")
    raise typer.Exit(run.run_simulate(options))
