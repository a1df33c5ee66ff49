"""`stockpipe package`: the zip that Lambda runs, the same bytes every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

EPILOG = """Example:

stockpipe package --output build/stockpipe.zip --python 3.13 --arch arm64

Exit codes: 0 built, 2 wrong options or over Lambda's limits, 3 pip or the disk failed."""

Output = Annotated[Path, typer.Option(metavar="FILE", help="The zip; replaced when it exists.")]
Python = Annotated[
    str | None,
    typer.Option(metavar="MINOR", help="Lambda's Python, 3.11 to 3.14.  [default: this one's minor]"),
]
Arch = Annotated[str, typer.Option(metavar="arm64|x86_64", help="Lambda's processor.")]
Interpreter = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="A Python of that minor, for compiled files.  [default: searched for]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print what was built as JSON.")]


def package(
    *,
    output: Output = Path("build/stockpipe.zip"),
    python: Python = None,
    arch: Arch = "arm64",
    interpreter: Interpreter = None,
    as_json: Json = False,
) -> None:
    """Build the Lambda zip: the handlers, their wheels for the target, trimmed, with compiled files."""
    from stockpipe.deploy.package import build_package
    from stockpipe.deploy.targets import Target, default_python

    target = Target(python or default_python(), arch)
    built = build_package(output, target, interpreter=interpreter, report=lambda step: typer.echo(step, err=True))
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "schema": "stockpipe.package/1",
                    "file": str(built.file),
                    "python": target.python,
                    "architecture": target.architecture,
                    "sha256": built.sha256,
                    "zip_bytes": built.zip_bytes,
                    "unzipped_bytes": built.unzipped_bytes,
                    "compiled": built.compiled,
                    "parts": [
                        {"name": part.name, "files": part.files, "size_bytes": part.size_bytes} for part in built.parts
                    ],
                }
            )
        )
        return
    for part in sorted(built.parts, key=lambda part: (-part.size_bytes, part.name)):
        typer.echo(f"{part.size_bytes:>12,}  {part.files:>5}  {part.name}")
    typer.echo(f"{built.unzipped_bytes:>12,}  {sum(part.files for part in built.parts):>5}  unpacked, bytes and files")
    typer.echo(f"{built.zip_bytes:>12,}         {built.file}, Python {target.python}, {target.architecture}")
    typer.echo(f"sha256 {built.sha256}")
