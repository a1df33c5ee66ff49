"""Durations, rates and bounds as people write them: `90s`, `200/s`, `p99 < 5s`. Pure.

Each `parse_...` raises `ValueError`, whose message says what is wrong and how to write it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.base.errors import UnusableValueError

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 10_000 * 86_400.0
"""The longest duration, 27 years: nobody waits longer, and calendars end."""
RATES_PER_S = (1e-6, 1e9)
SHARES = (1e-9, 1.0)
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PART = rf"({_NUMBER})\s*(us|ms|s|m|h|d)\s*"
_DURATION = re.compile(rf"\s*(?:{_PART})+")
_SHARE = re.compile(rf"({_NUMBER})(%?)")
_RATE = re.compile(rf"({_NUMBER})/(s|m|h)")
_BOUND = re.compile(rf"([a-z_][a-z0-9_.]*)\s*(<=|>=|==|!=|<|>)\s*(-?{_NUMBER}[a-z0-9%/.\s]*)")
_LONGEST_TEXT = 1_000
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Bound:
    """A named figure and its limit."""

    figure: str
    operator: str
    limit: float

    def holds(self, value: float | None) -> bool:
        """Whether the bound holds for this value of the figure; a figure that does not exist never meets it."""
        return value is not None and _OPERATORS[self.operator](value, self.limit)


def parse_duration(text: str) -> float:
    """`90s`, `5m`, `1h 30m`, `8 ms` -> seconds."""
    if len(text) > _LONGEST_TEXT or not _DURATION.fullmatch(text):
        raise UnusableValueError(f"'{text}' is not a duration", "write 90s, 5m or 1h")
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in re.findall(_PART, text))
    if seconds > LONGEST_S:
        raise UnusableValueError(f"'{text}' is too long", f"a duration is at most {LONGEST_S / _UNITS_S['d']:.0f}d")
    return seconds


def duration_text(seconds: float) -> str:
    """Seconds as people write them, in a form that `parse_duration` reads: `60s`, `5m`, `1h`, `8ms`."""
    for unit, least_s in (("h", 3600), ("m", 120)):
        if seconds >= least_s and seconds % _UNITS_S[unit] == 0:
            return f"{seconds / _UNITS_S[unit]:.0f}{unit}"
    if 0 < seconds < 1:
        return f"{seconds * 1000:.3f}".rstrip("0").rstrip(".") + "ms"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def parse_rate(text: str) -> float:
    """`200/s`, `30/m` -> per second."""
    found = _RATE.fullmatch(text.strip())
    if not found or float(found[1]) <= 0:
        raise UnusableValueError(f"'{text}' is not a rate", "write 200/s or 30/m")
    per_s, (least, most) = float(found[1]) / _UNITS_S[found[2]], RATES_PER_S
    if not least <= per_s <= most:
        raise UnusableValueError(f"'{text}' is out of range", f"a rate is between {least:.6f}/s and {most:.0f}/s")
    return per_s


def rate_text(per_s: float) -> str:
    """A rate per second in the form that `parse_rate` reads: `200/s`."""
    return f"{per_s:.6f}".rstrip("0").rstrip(".") + "/s"


def parse_share(text: str) -> float:
    """`0.1`, `10%` -> a share above 0, at most 1."""
    found = _SHARE.fullmatch(text.strip())
    share = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    if not SHARES[0] <= share <= SHARES[1]:
        raise UnusableValueError(f"'{text}' is not a share", "write 0.1 or 10%; the most is 1")
    return share


def share_text(share: float) -> str:
    """A share in the form that `parse_share` reads: `0.1`."""
    return f"{share:.15f}".rstrip("0").rstrip(".")


def parse_bound(text: str, limit_of: Callable[[str, str], float]) -> Bound:
    """`p99 < 5s`, `queue.visible >= 3`: `limit_of` reads the limit of a figure, or raises `ValueError`."""
    found = _BOUND.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
    if not found:
        raise ValueError(f"'{text}' is not a figure, an operator and a number")
    figure, sign, limit = found.groups()
    return Bound(figure, sign, limit_of(figure, re.sub(r"\s+(?=[a-z%/])", "", limit)))
