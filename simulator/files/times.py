"""Which texts are times, and which strptime format reads them, judged by the texts of a column. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_ISO = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})"
    r"(?:[Tt ](?:[0-9]{2}|[0-9](?=:))(?::?[0-9]{2}){1,2}(?:[.,][0-9]+)? ?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_HAS_CLOCK = re.compile(r"[0-9]:[0-9]{2}|[0-9]T[0-9]|[0-9]{8} [0-9]{4,6}", re.IGNORECASE)
_HAS_ZONE = re.compile(r"(?:[Zz]|(?<=[0-9]) ?[+-][0-9]{2}(?::?[0-9]{2})?)\Z")
_UNIX = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
_YEARS = range(1900, 2101)
_UNIX_YEARS = range(1971, 2101)
_CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?")
_CLOCK_DIGITS = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9])?")
_ZONE_NAME = re.compile(r"\s+([A-Z]{1,5})\Z")
LONGEST = 60
"""No time is written in more characters."""
UTC_NAMES = ("UTC", "GMT", "Z")
"""The zone names that a format's `%Z` reads."""

# In order of preference, for when several read all texts.
_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%m.%d.%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%y/%m/%d"),
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %b %y", "%d/%b/%Y", "%d/%b/%y", "%d%b%Y", "%d %b, %Y", "%d. %b %Y"),
    *("%b %d, %Y", "%b %d %Y", "%b-%d-%Y", "%b %d, %y", "%Y-%b-%d", "%Y %b %d", "%Y/%b/%d"),
    *("%d %B %Y", "%d-%B-%Y", "%B %d, %Y", "%B %d %Y", "%d. %B %Y", "%d %B, %Y"),
    *("%a, %d %b %Y", "%a %d %b %Y", "%a %b %d %Y", "%a, %b %d, %Y", "%A, %B %d, %Y", "%A, %d %B %Y"),
    *("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    "%Y-%m-%d %I-%p",
    *("%b %Y", "%b-%Y", "%b-%y", "%B %Y", "%Y-%b", "%Y-%m", "%m/%Y", "%m-%Y", "%m.%Y", "%Y/%m", "%Y"),
)
_DIGITS = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 16: "%Y%m%d%H%M%S%f", 17: "%Y%m%d%H%M%S%f"}
"""Date and time of day as digits only, by their number: shorter ones would be read differently."""
_CLOCK_WITHIN = re.compile(
    r"(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,:][0-9]{1,6})?)?(?: ?[AaPp][Mm]\b)?"
    r"|(?<=[ T])[0-9]{1,2}\.[0-9]{2}(?:\.[0-9]{2})?\Z|(?<=[0-9A-Za-z][ T;])(?:[0-9]{9}|[0-9]{6}|[0-9]{4})\Z)"
    r"(?P<zone> ?(?:[+-][0-9]{2}:?[0-9]{2}|(?<=[0-9])Z))?"
)
_CLOCK_SHAPES = {
    "0:0": "%H:%M", "0:0:0": "%H:%M:%S", "0:0:0.0": "%H:%M:%S.%f", "0:0:0,0": "%H:%M:%S,%f", "0:0:0:0": "%H:%M:%S:%f",
    "0.0": "%H.%M", "0.0.0": "%H.%M.%S",
}  # fmt: skip
_DAY_FIRST = {"/": "%m", ".": "%d", "-": "%d"}


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a column's texts are read: `text` is a strptime format, None if none is needed; it reads `read` of them.

    `ambiguous` is the format with day and month swapped, if it reads as many. `zones` are zone names that no format
    reads; `clock` says that there is a time of day, `zoned` that it has a zone.
    """

    text: str | None
    read: int
    clock: bool
    zoned: bool
    ambiguous: str | None = None
    zones: tuple[str, ...] = ()


def reads_without_format(text: str) -> bool:
    """Whether the text is ISO 8601 or a recent Unix time, which are read without a format.

    2024010209 is neither: as a Unix time it would be in 2034, but it means the ninth hour of a day.
    """
    text = text.strip()
    if len(text) > LONGEST or _digits_format(text) is not None:
        return False
    if text.isdecimal() and text.isascii() and len(text) in _UNIX:
        return datetime.fromtimestamp(int(text) // _UNIX[len(text)], UTC).year in _UNIX_YEARS
    match = _ISO.fullmatch(text)
    if match is None or int(match[1]) not in _YEARS:
        return False
    try:
        datetime(int(match[1]), int(match[3]), int(match[4]), tzinfo=UTC)
    except ValueError:
        return False
    return True


def is_clock(text: str) -> bool:
    """Whether the text is only a time of day, with colons."""
    return _CLOCK.fullmatch(text.strip()) is not None


def is_clock_digits(text: str) -> bool:
    """Whether the text may be only a time of day, in four or six digits."""
    return _CLOCK_DIGITS.fullmatch(text.strip()) is not None


def format_of(texts: Sequence[str], known: str | None = None) -> TimeFormat | None:
    """The format that reads most of these texts; None if hardly any is a time. `known` is a given format.

    ISO 8601 and Unix times are read whatever the format is.
    """
    distinct = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if not distinct or len(distinct[0]) > LONGEST:
        return None
    plain = [text for text in distinct if reads_without_format(text)]
    others = [text for text in distinct if len(text) <= LONGEST and not reads_without_format(text)]
    best = _best_format(others, known) if others else None
    if best is None:
        if not plain:
            return None
        clock = any(_HAS_CLOCK.search(text) or (text.isdecimal() and len(text) != 8) for text in plain)
        zoned = all(_HAS_ZONE.search(text) or text.isdecimal() for text in plain if _HAS_CLOCK.search(text))
        return TimeFormat(None, len(plain), clock, zoned)
    return TimeFormat(best.text, best.read + len(plain), best.clock, best.zoned, best.ambiguous, best.zones)


def share_read(texts: Sequence[str], found: TimeFormat | None) -> float:
    """The share of the distinct texts that it reads."""
    distinct = {text.strip() for text in texts if text.strip()}
    return found.read / len(distinct) if found is not None and distinct else 0.0


def _best_format(texts: list[str], known: str | None) -> TimeFormat | None:
    named = [match[1] for text in texts if (match := _ZONE_NAME.search(text)) and not text.endswith(("AM", "PM"))]
    zoned = len(named) * 2 > len(texts)
    bare = [_ZONE_NAME.sub("", text) for text in texts] if zoned else texts
    unread = tuple(dict.fromkeys(name for name in named if name not in UTC_NAMES)) if zoned else ()
    if known is not None:
        read = sum(_reads(text, known) for text in texts)
        return TimeFormat(known, read, has_clock(known), "%z" in known or "%Z" in known) if read else None
    counts: dict[str, int] = {}
    tried: set[str] = set()
    # A few texts from all over the column show which formats are possible at all.
    for sample in bare[:: max(1, len(bare) // 4)]:
        for candidate in _possible(sample):
            if candidate not in tried:
                tried.add(candidate)
                counts[candidate] = sum(_reads(text, candidate) for text in bare)
    if not counts:
        return None
    most = max(counts.values())
    if most * 2 < len(texts):
        return None
    equal = [candidate for candidate, count in counts.items() if count == most]
    chosen, other = _ordered(equal)
    if other is not None and not all(_reads(text, other) for text in bare if _reads(text, chosen)):
        other = None  # as many texts, but different ones: some have their day where these have their month
    readable = sum(not zoned or text.endswith(UTC_NAMES) for text in texts)
    if zoned:
        if not readable:
            return TimeFormat(f"{chosen} %Z", 0, clock=True, zoned=True, zones=unread)
        return TimeFormat(f"{chosen} %Z", most, True, True, f"{other} %Z" if other else None, unread)
    return TimeFormat(chosen, most, has_clock(chosen), "%z" in chosen, other)


def _possible(sample: str) -> list[str]:
    """The formats that read the sample, likeliest first."""
    if (digits := _digits_format(sample)) is not None:
        return [digits]
    days = [form for form in _DATES if _alike(sample, form) and _reads(sample, form)]
    match = _CLOCK_WITHIN.search(sample)
    if days or match is None:
        return days
    clock = _clock_format(match["clock"])
    if zone := match["zone"] or "":
        clock += (" " if zone.startswith(" ") else "") + "%z"
    before, after = sample[: match.start()], sample[match.end() :]
    # What joins the date and the time of day belongs to neither: "T", ", ", a blank.
    gap_before = re.search(r"(?:(?<=[0-9])[T_:;-]|[ ,]*)\Z", before)
    gap_after = re.match(r"[ ,]*", after)
    left = before[: gap_before.start()] if gap_before else before
    right = after[gap_after.end() :] if gap_after else after
    joint = (gap_before[0] if gap_before else "") if left else ""
    if left and not right:
        days = [day for day in _DATES if _alike(left, day) and _reads(left, day)]
        found = [f"{day}{joint}{clock}" for day in days]
    elif right and not left:
        days = [day for day in _DATES if _alike(right, day) and _reads(right, day)]
        found = [f"{clock}{gap_after[0] if gap_after else ''}{day}" for day in days]
    else:
        # As the C library writes it: the year after the time of day.
        found = [form for form in ("%a %b %d %H:%M:%S %Y",) if left and right]
    return [form for form in found if _reads(sample, form)]


def _digits_format(text: str) -> str | None:
    """The format of a date and time of day in digits only; None if the text is not one."""
    form = _DIGITS.get(len(text)) if text.isascii() and text.isdecimal() else None
    return form if form is not None and _reads(text, form) else None


def _clock_format(text: str) -> str:
    half = re.search(r" ?[AaPp][Mm]\Z", text)
    plain = text[: half.start()] if half else text
    if plain.isdecimal():
        return {4: "%H%M", 6: "%H%M%S", 9: "%H%M%S%f"}[len(plain)]
    form = _CLOCK_SHAPES[re.sub("[0-9]+", "0", plain)]
    return form if half is None else form.replace("%H", "%I") + (" %p" if half[0].startswith(" ") else "%p")


def _alike(text: str, form: str) -> bool:
    """A quick check whether the text has the format's marks, and letters where it has names."""
    return re.sub(r"[^\W_]", "", re.sub(" +", " ", text)) == re.sub(r"%[A-Za-z]", "", form) and (
        re.search(r"[^\W\d_]", text) is not None
    ) == (re.search("%[aAbBp]", form) is not None)


def _ordered(equal: list[str]) -> tuple[str, str | None]:
    """The chosen one of formats that read the same texts, and the one with day and month swapped."""
    chosen = equal[0]
    swapped = chosen.replace("%d", "%0").replace("%m", "%d").replace("%0", "%m")
    if swapped == chosen or swapped not in equal:
        return chosen, None
    mark = re.search(r"%[md]([/.-])", chosen)
    first = _DAY_FIRST.get(mark[1], "%d") if mark else "%d"
    if chosen.index(first) > chosen.index("%d" if first == "%m" else "%m"):
        chosen, swapped = swapped, chosen
    return chosen, swapped


def has_clock(form: str) -> bool:
    """Whether the format has a directive for a time of day."""
    return re.search("%[HIMSfpXcT]", form.replace("%%", "")) is not None


def _reads(text: str, form: str) -> bool:
    try:
        return datetime.strptime(text, form).year in _YEARS  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
