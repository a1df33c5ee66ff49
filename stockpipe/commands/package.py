"""`stockpipe package`: builds the zip that Lambda runs, with the same bytes every time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from stockpipe.commands.options import Options
from stockpipe.commands.outputs import echo
from stockpipe.commands.taking import takes
from stockpipe.commands.values import PROGRAM

EPILOG = """Example:

stockpipe package --output build/stockpipe.zip --python 3.13 --arch arm64

Exit codes: 0 built, 2 wrong options or over Lambda's limits, 3 pip or the disk failed, 130 interrupted."""


class PackageOptions(Options):
    """The zip to write, and its target."""

    output: Annotated[Path, typer.Option(metavar="FILE", help="The zip to write; an existing one is replaced.")] = Path(
        "build/stockpipe.zip"
    )
    python: Annotated[
        str | None,
        typer.Option(metavar="MINOR", help="Lambda's Python, 3.11 to 3.14.", show_default="this one's"),
    ] = None
    arch: Annotated[Literal["arm64", "x86_64"], typer.Option(help="Lambda's processor.")] = "arm64"
    interpreter: Annotated[
        Path | None,
        PROGRAM,
        typer.Option(help="A Python of that minor version, to precompile the code.", show_default="auto-detected"),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False


@takes(PackageOptions)
def package(options: PackageOptions) -> None:
    """Build the Lambda zip: the handlers and their wheels for the target, trimmed and precompiled."""
    from simulator.base.interrupts import raised
    from stockpipe.deploy.package import build_package
    from stockpipe.deploy.targets import Target, default_python

    target = Target(options.python or default_python(), options.arch)
    with raised():
        built = build_package(
            options.output, target, interpreter=options.interpreter, report=lambda step: echo(step, err=True)
        )
    if options.as_json:
        described = asdict(built)
        typer.echo(json.dumps({"schema": "stockpipe.package/1", **described.pop("target"), **described}, default=str))
        return
    for part in sorted(built.parts, key=lambda part: (-part.size_bytes, part.name)):
        typer.echo(f"{part.size_bytes:>12,}  {part.files:>5}  {part.name}")
    typer.echo(f"{built.unzipped_bytes:>12,}  {sum(part.files for part in built.parts):>5}  unpacked, bytes and files")
    echo(f"{built.zip_bytes:>12,}         {built.file}, Python {target.python}, {target.architecture}")
    typer.echo(f"sha256 {built.sha256}")
