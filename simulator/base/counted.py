"""Numbers of things in words. Pure."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things: `1 row`, `1,200 rows`, `2 deliveries`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
