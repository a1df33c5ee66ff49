"""How to write values on the command line, and the options that several commands share."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from simulator.base import quantities
from simulator.base.errors import UnusableValueError
from simulator.base.shown import is_usable
from stockpipe.commands import completion
from stockpipe.commands.options import Written

_CALENDAR_END_AT = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def parse_instant(text: str) -> float:
    """ISO 8601 (UTC unless it names a zone) to seconds since the epoch; the `ValueError` shows how to write it."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UnusableValueError(f"'{text}' is not a time", "write 2026-11-22T09:30:00Z") from None
    at = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    if not 0 <= at < _CALENDAR_END_AT:
        raise UnusableValueError(f"'{text}' is out of range", "a time is between the years 1970 and 8999")
    return at


def instant_text(at: float) -> str:
    """Seconds since the epoch as `parse_instant` reads them."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def is_parameter_name(text: str) -> bool:
    """Whether a template could have a parameter of this name."""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", text) is not None


def parse_assignment(text: str) -> tuple[str, str]:
    """`NAME=VALUE` to the pair; the `ValueError` shows how to write it."""
    name, separator, value = text.partition("=")
    if not separator or not is_parameter_name(name):
        raise UnusableValueError(f"'{text}' is not NAME=VALUE", "write FileCount=10, for example")
    if not is_usable(value):
        raise ValueError(f"the value of {name} has a character that cannot be used: NUL, or one that is not UTF-8")
    return name, value


def parse_fault(text: str) -> tuple[str, float]:
    """`KIND[=SHARE]` to the pair, or `list`; the `ValueError` says what is wrong."""
    from simulator.faults.kinds import find  # --help must not wait for it

    name, separator, share = text.partition("=")
    if text == LIST[0]:
        return LIST
    return find(name).name, quantities.parse_share(share) if separator else USUAL_SHARE


def fault_text(fault: tuple[str, float]) -> str:
    """A fault as `parse_fault` reads it."""
    return fault[0] if fault == LIST else f"{fault[0]}={quantities.share_text(fault[1])}"


LIST, USUAL_SHARE = ("list", 0.0), 0.1
"""In place of a fault: list them; and the share of one that is named without."""
DURATION = Written(quantities.parse_duration, "DURATION", quantities.duration_text)
RATE = Written(quantities.parse_rate, "RATE", quantities.rate_text)
INSTANT = Written(parse_instant, "TIME", instant_text)
FAULT = Written(parse_fault, "KIND[=SHARE]", fault_text)
ASSIGNMENT = Written(parse_assignment, "NAME=VALUE", "=".join)
PROGRAM = Written(Path, "PATH", is_file=lambda text: os.sep in text)
"""A file that is run; a bare name is looked up as a shell does."""


def parse_acceptable(text: str) -> Literal["overwritten"]:
    """Parse the value of `--accept`; the `ValueError` says what is allowed."""
    if text != "overwritten":
        raise UnusableValueError(f"'{text}' is not a loss that can be accepted", "write overwritten")
    return "overwritten"


Accept = Annotated[
    tuple[Literal["overwritten"], ...],
    Written(parse_acceptable, "overwritten", choices=("overwritten",)),
    typer.Option("--accept", help="Accept that a later row of an object replaces an earlier one with the same key."),
]
Template = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A SAM template to use.", show_default="the pipeline's own")
]
Parameters = Annotated[
    tuple[tuple[str, str], ...],
    ASSIGNMENT,
    typer.Option(
        "--parameter",
        help="Set a template parameter, as in FileCount=10; repeatable.",
        autocompletion=completion.template_parameters,
    ),
]
RunClock = Annotated[
    Literal["real", "virtual"],
    typer.Option("--clock", help="Real time, or virtual time, in which nothing waits and a seed repeats every step."),
]
Runtime = Annotated[
    Literal["inline", "process"],
    typer.Option(
        help="Where the handlers run: in this process, or each in its own as on Lambda.",
        show_default="{}; process for another application, where there is Linux",
    ),
]
Code = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="The code to run instead of the template's CodeUri: a folder or a zip.",
        show_default="this installation's, or CodeUri",
    ),
]
NoBuild = Annotated[bool, typer.Option("--no-build", help="Do not install what the code's requirements.txt names.")]
Ui = Annotated[
    Literal["auto", "live", "plain", "quiet"],
    typer.Option(help="A dashboard (live), plain lines, or nothing; with auto, the terminal decides."),
]
Every = Annotated[float, DURATION, typer.Option("--every", help="With --ui plain: the time between two lines.")]
Summary = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the summary as JSON. '-' writes it to standard output and everything else to standard error.",
    ),
]


def parse_screenshot(text: str) -> Path:
    """A file for a picture; raises `ValueError` if its name is that of another format than SVG."""
    file = Path(text)
    if file.suffix and file.suffix.lower() != ".svg":
        hint = f"name it '{file.with_name(file.name.partition('.')[0] + '.svg')}'"
        raise UnusableValueError(f"'{text}' is not the name of an SVG file, and only SVG is written", hint)
    return file


Screenshot = Annotated[
    Path | None,
    Written(parse_screenshot, "FILE.svg", is_file=lambda _: True),
    typer.Option("--screenshot", help="Save the last frame of the dashboard."),
]
