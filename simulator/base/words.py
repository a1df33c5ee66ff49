"""How every room writes figures: `1 row`, `1,200 rows`, `32.4 ms`. Pure."""

from __future__ import annotations


def counted(number: float, noun: str, plural: str | None = None) -> str:
    """A number of things: `1 row`, `1,200 rows`, `2 deliveries`, or `1,402.5 write units` if it is not whole."""
    return f"{significant(number, 4)} {noun if number == 1 else plural or noun + 's'}"


def significant(number: float, digits: int = 3) -> str:
    """A number to this many significant digits, but with all digits before the point and never with an exponent.

    `0.0123`, `12.3`, `1,235`; trailing zeros are left out.
    """
    rounded = float(f"{number:.{digits}g}")
    if abs(rounded) >= 10 ** (digits - 1) or number == int(number):
        return f"{number:,.0f}"
    text = f"{rounded:,.{_places(rounded, digits)}f}"
    return text.rstrip("0").rstrip(".")


def seconds(length_s: float | None, digits: int = 3) -> str:
    """A time to this many significant digits, in the unit that reads best: `12.3 ms`, `5.43 s`; `-` for None."""
    if not length_s:
        return "-" if length_s is None else "0 s"
    rounded_s = float(f"{length_s:.{digits}g}")
    for limit_s, factor, unit in ((1e-3, 1e6, "us"), (1.0, 1e3, "ms")):
        if abs(rounded_s) < limit_s:
            return f"{significant(length_s * factor, digits)} {unit}"
    return f"{significant(length_s, digits)} s" if digits > 3 else f"{length_s:,.2f} s"


def _places(number: float, digits: int) -> int:
    """How many decimals to show of a number that is less than ten to the power of `digits - 1`."""
    exponent = int(f"{number:e}".partition("e")[2])
    return digits - 1 - exponent
