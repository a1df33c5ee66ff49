"""How durations, rates, instants and NAME=VALUE pairs are written on the command line.

Each `parse_...` is the `parser` of a typer option: it takes the text, or a default that is already the value, and
raises `typer.BadParameter` with one line.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import typer

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h)")


def parse_duration(text: str | float) -> float:
    """`90s`, `5m`, `1h30m` -> seconds."""
    if not isinstance(text, str):
        return text
    parts = _DURATION.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise typer.BadParameter(f"'{text}' is not a duration; write 90s, 5m or 1h")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def parse_rate(text: str | float) -> float:
    """`200/s`, `30/m` -> per second."""
    if not isinstance(text, str):
        return text
    found = _RATE.fullmatch(text.strip())
    if not found or float(found[1]) <= 0:
        raise typer.BadParameter(f"'{text}' is not a rate; write 200/s or 30/m")
    return float(found[1]) / _UNITS_S[found[2]]


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


def duration_text(seconds: float) -> str:
    """Seconds as the shortest text that `parse_duration` reads back: `90s`, `5m`, `1h`."""
    for unit in ("h", "m"):
        if seconds >= _UNITS_S[unit] and seconds % _UNITS_S[unit] == 0:
            return f"{seconds / _UNITS_S[unit]:.0f}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
