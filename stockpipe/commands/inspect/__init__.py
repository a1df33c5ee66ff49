"""`stockpipe inspect`: what files contain, how the consumer would read them, and the parameters to use."""

from __future__ import annotations

import typer

from simulator.base.errors import InputError
from stockpipe.commands.inspect.options import InspectOptions
from stockpipe.commands.taking import takes

EPILOG = """Examples:

stockpipe inspect quotes/

stockpipe inspect quotes/ --write quotes.json

stockpipe simulate --source quotes/ --parameters quotes.json

inspect keeps the parameters that you give and guesses the rest to fit them. It changes, sends and starts nothing.

Exit codes: 0 all files can be read with the parameters shown, 2 wrong input, no files, or files that cannot be read
with them, 3 could not finish, 130 interrupted."""


@takes(InspectOptions)
def inspect(options: InspectOptions) -> None:
    """Look at CSV files before anything runs: columns, key, rows that would be rejected, and the parameters to use."""
    if not options.paths:
        raise InputError("no file or folder is named", hint="write, for example: stockpipe inspect quotes/")
    from stockpipe.commands.inspect import run  # slow imports, and --help must not wait

    raise typer.Exit(run.run_inspect(options))
