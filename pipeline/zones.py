"""Time zones from the `tzdata` package, whatever data the machine has: their names, and local time to UTC."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import cache
from importlib.resources import files

UTC_NAMES = ("UTC", "Etc/UTC")


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def nearest_zone_name(name: str) -> str | None:
    """The zone that a mistyped name most likely means; None if none is near."""
    import difflib  # hardly anybody needs it

    folded = {one.lower(): one for one in sorted(zone_names())}
    near = difflib.get_close_matches(name.strip().lower()[:64], folded, 1)
    return folded[near[0]] if near else None


@cache
def named_zone(name: str | None) -> tzinfo | None:
    """The zone of a name among `zone_names()`; None for UTC and for no name."""
    if name is None or name in UTC_NAMES:
        return None
    from zoneinfo import ZoneInfo  # hardly anybody needs it

    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def utc_of(local: datetime, zone: tzinfo) -> datetime | None:
    """The instant at which clocks in the zone show this time, both without a zone; None if they never do.

    If there are two, the first, under daylight saving time. Raises `OverflowError` outside the years 1 to 9999.
    """
    offset = local.replace(tzinfo=zone).utcoffset()
    assert offset is not None  # noqa: S101 - a zone with rules has one
    utc = local - offset
    shown = zone.fromutc(utc.replace(tzinfo=zone))
    return utc if shown.replace(tzinfo=None) == local else None
