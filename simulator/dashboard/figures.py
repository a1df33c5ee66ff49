"""Figures as short texts of limited width, without colour or layout. Pure."""

from __future__ import annotations

NONE = "-"


def count(number: float, width: int = 7) -> str:
    """A whole number with thousands separators, or `12.3k`, `1.23M`, `4.56G` if that is wider than `width`."""
    text = f"{number:,.0f}"
    if len(text) <= width:
        return text
    for divisor, unit in ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")):
        scaled = number / divisor
        for digits in (2, 1, 0):
            text = f"{scaled:.{digits}f}{unit}"
            if len(text) <= width and round(abs(scaled), digits) < 1000:
                return text
    return text


def size(size_bytes: float) -> str:
    """Bytes in decimal units, at most 7 characters: `812 B`, `12.4 MB`, `1.05 GB`."""
    scaled = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if scaled < 999.5 or unit == "TB":
            break
        scaled /= 1000
    if unit == "B":
        return f"{scaled:.0f} B"
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f} {unit}"


def seconds(length_s: float | None) -> str:
    """A length of time, at most 7 characters: `84 ms`, `1.92 s`, `12.4 s`, `3.2 min`, `1.5 h`. Only zero is `0 ms`."""
    if length_s is None:
        return NONE
    if 0 < length_s < 0.001:
        return "<1 ms"
    if length_s < 0.9995:
        return f"{max(0.0, length_s) * 1000:.0f} ms"
    if length_s < 9.995:
        return f"{length_s:.2f} s"
    if length_s < 99.95:
        return f"{length_s:.1f} s"
    if length_s < 3570:
        return f"{length_s / 60:.1f} min"
    return f"{length_s / 3600:.1f} h"


def wait(length_s: float | None) -> str:
    """A remaining time, in tenths of a second so that it counts down evenly: `0.3 s`, `41.0 s`, `3.2 min`."""
    if length_s is None:
        return NONE
    return f"{max(0.0, length_s):.1f} s" if length_s < 99.95 else seconds(length_s)


def clock(length_s: float, *, tenths: bool = False) -> str:
    """Time since the start: `00:42`, `1:02:03`; `00:41.2` with tenths. Always rounded down."""
    length_s = max(0.0, length_s)
    minutes, rest_s = divmod(length_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{int(rest_s * 10) / 10:04.1f}" if tenths else f"{int(rest_s):02d}"
    return f"{hours}:{minutes:02d}:{shown}" if hours else f"{minutes:02d}:{shown}"


def percent(share: float) -> str:
    """A share of one, from `0.0 %` to `100 %`; only zero is shown as zero."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{share * 100:.1f} %" if share < 0.9995 else "100 %"


def rate(per_s: float) -> str:
    """Things per second: whole from ten on, else with one decimal; only zero is shown as zero."""
    if 0 < per_s < 0.05:
        return "<0.1"
    return count(per_s) if per_s >= 9.95 or per_s == 0 else f"{per_s:.1f}"
