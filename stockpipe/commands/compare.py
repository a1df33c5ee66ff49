"""`stockpipe compare`: two summaries, with a verdict that noise does not affect."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from simulator.base import limits
from simulator.base.errors import ExitCode, InputError
from simulator.base.files import UnusableFileError, read_bounded
from simulator.base.shown import visible_lines
from stockpipe.commands.options import TYPED, Options
from stockpipe.commands.taking import takes

if TYPE_CHECKING:
    from simulator.load.report.compare import RunComparison

EPILOG = """Examples:

stockpipe compare main.json branch.json

stockpipe compare main.json branch.json --format markdown >> "$GITHUB_STEP_SUMMARY"

Runs with different rates, sizes, durations or parameters are refused: their loads differ, not only the code.

Exit codes: 0 nothing got worse beyond noise, 1 something did, 2 wrong input or unlike runs."""


class CompareOptions(Options):
    """Two summaries, and how to judge and print their differences."""

    before: Annotated[Path, typer.Argument(metavar="A.json", help="The summary to compare with.")]
    after: Annotated[Path, typer.Argument(metavar="B.json", help="The candidate, which is judged.")]
    form: Annotated[Literal["text", "markdown", "json"], typer.Option("--format", help="The format of the output.")] = (
        "text"
    )
    tolerance: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="Ignore changes up to this share (0.1 is 10 %).")
    ] = 0.1
    force: Annotated[
        bool,
        TYPED,
        typer.Option("--force", help="Also compare runs with different rates, sizes, durations or parameters."),
    ] = False


@takes(CompareOptions)
def compare(options: CompareOptions) -> None:
    """Show what got better or worse between two runs, and what is only noise."""
    from simulator.load.report import compare as comparing

    before, after = options.before, options.after
    found = comparing.compare(_read(before), _read(after), options.tolerance)
    if found.unlike and not options.force:
        raise InputError(
            f"'{before}' and '{after}' are runs of unlike loads: {'; '.join(found.unlike)}",
            hint="compare two runs of the same load, or add --force",
        )
    if options.form == "markdown":
        sys.stdout.write(visible_lines(comparing.markdown(found, (before.name, after.name))))
    elif options.form == "json":
        sys.stdout.write(json.dumps(comparing.as_json(found), indent=2) + "\n")
    else:
        _print(found, before, after)
    raise typer.Exit(ExitCode.NOT_PROVEN if found.judgement == "worse" else ExitCode.DONE)


def _read(path: Path) -> Any:
    from simulator.base.documents import DocumentError, from_json
    from simulator.load.report.compare import require_summary

    try:
        document = from_json(read_bounded(path, limits.SUMMARY_BYTES))
        require_summary(document)
    except FileNotFoundError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}") from None
    except (UnusableFileError, DocumentError) as error:
        raise InputError(f"'{path}' {error}", hint="use a file that --summary wrote") from None
    except InputError as error:
        raise InputError.about(f"'{path}': ", error) from None
    return document


def _print(found: RunComparison, before: Path, after: Path) -> None:
    from rich.text import Text

    from simulator.base.terminal import visible_console
    from simulator.load.report.compare import lines

    tones = {"worse": "red", "better": "green", "shown": "dim"}
    shown = visible_console(highlight=False)
    shown.print(Text(found.verdict, style=f"bold {tones.get(found.judgement, '')}"))
    for name, path in (("A", before), ("B", after)):
        shown.print(Text(f"{name} is {path}"), soft_wrap=True)
    for difference in found.unlike:
        shown.print(Text(f"unlike loads: {difference}", style="yellow"))
    for difference in found.notes:
        shown.print(Text(f"difference: {difference}"))
    for line, judgement in lines(found, shown.width):
        shown.print(Text(line, style=tones.get(judgement, "")), soft_wrap=True)
