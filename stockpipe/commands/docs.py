"""`stockpipe docs`: the documentation of the installed version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.base.errors import CouldNotFinish, InputError
from simulator.base.nearest import did_you_mean
from simulator.base.stand_ins import REPLACE
from stockpipe.commands.options import Options
from stockpipe.commands.taking import takes

EPILOG = """Examples:

stockpipe docs

stockpipe docs bounds

Exit codes: 0 shown, 2 there is no such page."""


class DocsOptions(Options):
    """The page to show."""

    page: Annotated[
        str | None,
        typer.Argument(
            metavar="PAGE", help="A page by its name; none: list the pages.", autocompletion=lambda: pages()
        ),
    ] = None


@takes(DocsOptions)
def docs(options: DocsOptions) -> None:
    """List the pages of the documentation, or show one: in a pager on a terminal, as Markdown in a pipe."""
    if options.page is None:
        found = pages()
        width = max(map(len, found))
        for name, file in found.items():
            sys.stdout.write(f"{name:<{width}}  {_title(file)}\n")
        sys.stdout.write("\nShow one: stockpipe docs bounds\n")
        return
    text = read(options.page)
    if sys.stdout.isatty() and not text.startswith("{"):
        _page(text)
    else:
        sys.stdout.write(text)


def folder() -> Path:
    """Where the pages are: beside this package in an installation, at the top of a checkout.

    Raises `CouldNotFinish` for an installation without them.
    """
    package = Path(__file__).resolve().parents[1]
    if (shipped := package / "docs").is_dir():
        return shipped
    if (package.parent / "pyproject.toml").is_file():
        return package.parent / "docs"
    raise CouldNotFinish("this installation has no documentation", hint="install stockpipe again")


def pages() -> dict[str, Path]:
    """The file of each page, by name; only the policy is not Markdown."""
    found = [*folder().glob("*.md"), *folder().glob("*.json")]
    return {file.stem: file for file in sorted(found)}


def read(name: str) -> str:
    """The text of a page, in Markdown. Raises `InputError` for a page that does not exist."""
    found = pages()
    wanted = Path(name).name.removesuffix(".md") if name.endswith(".md") else name
    if wanted not in found:
        hint = did_you_mean(wanted, found, "`stockpipe docs` lists the pages")
        raise InputError(f"there is no page '{name}' in the documentation", hint=hint)
    return found[wanted].read_text(encoding="utf-8")


def _title(file: Path) -> str:
    if file.suffix == ".json":
        return "The permissions that deploying needs, as an IAM policy"
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ")


def _page(text: str) -> None:
    import os
    import pydoc
    import shutil

    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=min(Console().width, 100))
    with console.capture() as rendered:
        console.print(Markdown(text, hyperlinks=False))
    shown = rendered.get().encode(console.encoding, REPLACE).decode(console.encoding)
    named = os.environ.get("PAGER", "").split()
    if named and shutil.which(named[0]) is None:  # pydoc would show nothing
        sys.stdout.write(shown)
        return
    os.environ.setdefault("LESS", "-FRX")  # colours pass, and what fits the screen stays on it
    pydoc.pager(shown)
