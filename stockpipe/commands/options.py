"""Options that mean the same in several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stockpipe.commands.types import parse_assignment

Template = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A SAM template.  [default: the pipeline's own]", show_default=False)
]
Parameters = Annotated[
    list[Any] | None,
    typer.Option(
        "--parameter", parser=parse_assignment, metavar="NAME=VALUE", help="A template parameter; repeatable."
    ),
]
Runtime = Annotated[
    str | None,
    typer.Option(metavar="inline|process", help="Where the handlers run.  [default: inline]", show_default=False),
]
Ui = Annotated[str, typer.Option(metavar="auto|live|plain|quiet", help="Dashboard, a line a second, or nothing.")]
Summary = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the summary as JSON; -: to standard output, all else to standard error."),
]
Screenshot = Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Save the dashboard's last frame.")]
