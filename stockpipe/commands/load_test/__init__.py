"""`stockpipe load-test`: how much the pipeline can handle, and what holds it back."""

from __future__ import annotations

import typer

from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.taking import takes

EPILOG = """Examples:

stockpipe load-test --rate 20/s --rows 100 --duration 30s --slo 'p99<5s' --report load.html

stockpipe load-test --backlog 10000 --rows 1

stockpipe load-test --target sink --sink-latency 8ms --ramp 10/s..500/s

stockpipe load-test --find-max

Without --backlog and --find-max, simulate's default bounds apply, too. `stockpipe docs bounds` lists all figures.

You can set your own defaults in STOCKPIPE_... variables or pyproject.toml: `stockpipe docs configuration`.

Exit codes: 0 proven and within its bounds, 1 not proven or a bound missed, 2 wrong input, 3 could not finish, 130
interrupted (1 if rows are not proven)."""


@takes(LoadTestOptions)
def load_test(options: LoadTestOptions) -> None:
    """Send objects by the clock, not by completions, and measure each from its planned instant to the table."""
    from stockpipe.commands.load_test.run import run_load_test  # slow imports, and --help must not wait

    raise typer.Exit(run_load_test(options))
