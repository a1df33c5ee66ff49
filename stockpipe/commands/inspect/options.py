"""The options of `stockpipe inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockpipe.commands.options import Options
from stockpipe.commands.parameters import ParameterFiles
from stockpipe.commands.values import Parameters


class InspectOptions(Options):
    """The files, and what the user knows about them."""

    paths: Annotated[tuple[Path, ...], typer.Argument(metavar="PATH", help="CSV files, or folders of them.")] = ()
    parameters: Parameters = ()
    parameter_files: ParameterFiles = ()
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE.json", help="Write the parameters to a file for --parameters."),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
