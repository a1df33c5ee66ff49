"""How durations, rates, instants and NAME=VALUE pairs are written on the command line.

Each `parse_...` is the `parser` of a typer option: it takes the text, or a default that is already the value, and
raises `typer.BadParameter` with one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import typer

from simulator.base import quantities


def parse_duration(text: str | float) -> float:
    """`90s`, `5m`, `1h30m` -> seconds."""
    return _read(quantities.parse_duration, text)


def parse_rate(text: str | float) -> float:
    """`200/s`, `30/m` -> per second."""
    return _read(quantities.parse_rate, text)


def parse_instant(text: str | float) -> float:
    """ISO 8601, UTC unless it names a zone -> seconds since the epoch."""
    if not isinstance(text, str):
        return text
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a time; write 2026-11-22T09:30:00Z") from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def parse_assignment(text: str | tuple[str, str]) -> tuple[str, str]:
    """`NAME=VALUE` -> the pair."""
    if not isinstance(text, str):
        return text
    name, separator, value = text.partition("=")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
        raise typer.BadParameter(f"'{text}' is not NAME=VALUE; write for example FileCount=10")
    return name, value


def one_of(option: str, value: str | None, allowed: tuple[str, ...]) -> Any:
    """The value, which must be one of those allowed; None stays None."""
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"'{value}' is not one of {', '.join(allowed)}", param_hint=f"'{option}'")
    return value


def _read(parse: Callable[[str], float], text: str | float) -> float:
    if not isinstance(text, str):
        return text
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
