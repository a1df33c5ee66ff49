"""`stockpipe docs`: the documentation of the installed version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.base.errors import InputError
from simulator.base.nearest import nearest
from stockpipe.commands.options import Options
from stockpipe.commands.taking import takes

EPILOG = """Examples:

stockpipe docs

stockpipe docs bounds

Exit codes: 0 shown, 2 there is no such page."""


class DocsOptions(Options):
    """The page to show."""

    page: Annotated[
        str | None, typer.Argument(metavar="PAGE", help="The page to show; without it, list all pages.")
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
    """The folder of the pages: next to this package in an installation, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "docs"
    return shipped if shipped.is_dir() else package.parent / "docs"


def pages() -> dict[str, Path]:
    """The file of each page, by name; only the policy is not Markdown."""
    found = [*folder().glob("*.md"), *folder().glob("*.json")]
    return {file.stem: file for file in sorted(found)}


def read(name: str) -> str:
    """The text of a page, in Markdown. Raises `InputError` for a page that does not exist."""
    found = pages()
    wanted = Path(name).name.removesuffix(".md") if name.endswith(".md") else name
    if wanted not in found:
        near = nearest(wanted, found)
        hint = f"did you mean '{near}'?" if near else "`stockpipe docs` lists the pages"
        raise InputError(f"there is no page '{name}' in the documentation", hint=hint)
    return found[wanted].read_text(encoding="utf-8")


def _title(file: Path) -> str:
    if file.suffix == ".json":
        return "The permissions that deploying needs, as an IAM policy"
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ")


def _page(text: str) -> None:
    import os

    from rich.console import Console
    from rich.markdown import Markdown

    os.environ.setdefault("LESS", "-FRX")  # let colours pass, and do not page what fits the screen
    console = Console(width=min(Console().width, 100))
    with console.pager(styles=True):
        console.print(Markdown(text, hyperlinks=False))
