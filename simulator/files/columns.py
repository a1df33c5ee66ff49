"""Which columns of a file make the key, judged by the names in its header and by its cells. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from simulator.files.layout import is_numberlike
from simulator.files.reading import HeaderNames, ObjectUnreadable, bare_name, folded_name
from simulator.files.times import TimeFormat, format_of, is_clock, is_clock_digits, share_read

_INSTRUMENT = frozenset(
    (
        *("ticker", "symbol", "sym", "tic", "tick", "instrument", "security", "asset", "stock", "contract", "pair"),
        *("coin", "isin", "cusip", "sedol", "figi", "ric", "wkn", "valor", "permno", "gvkey", "mnemonic", "code"),
        *("scrip", "stk", "product", "commodity", "market", "fund", "etf", "scripcode", "stockcode", "tradingsymbol"),
        *("currencypair", "ccypair", "instrumentid", "securityid", "secid", "assetid", "stockid"),
    )
)
_INSTRUMENT_ENDS = frozenset(("id", "code", "number", "no", "key", "identifier", "ticker", "symbol"))
_CODES = frozenset(("wkn", "cusip", "sedol", "isin", "figi", "code", "permno", "gvkey", "valor", "scrip"))
_NAMES = frozenset(["name", "names", "company", "companyname", "company_name", "issuer", "title", "description"])
_TIME_WORDS = re.compile(
    "date|time|datum|fecha|data|day|timestamp|stamp|zeit|jour|tag|dia|hora|heure|uhrzeit|period|month|monat|year|dt|ts|"
    "дата|время|日期|时间|日付",
    re.IGNORECASE,
)
_OTHER_TIMES = re.compile(
    "expir|matur|settle|close.?time|end|updat|creat|listing|ipo|modif|last|next|ex.?div|pay|record|birth", re.IGNORECASE
)
_CLOCK_WORDS = re.compile("time|hour|zeit|uhr|hora|heure|clock|время|时间", re.IGNORECASE)
_PARTS = {"month", "mon", "mm", "day", "dd", "dy", "monat", "tag", "mois", "jour", "mes", "dia", "quarter", "week"}
MOST_SEARCHED = 500
"""How many columns are searched for times."""
_SEEN = 300
"""How many cells of a column decide what it is."""
_FEW = 20
_MOST_SHARE, _SOME_SHARE = 0.8, 0.3


class TimeColumns(NamedTuple):
    """Where the timestamp is: `setting` is the value for TIMESTAMP_COLUMN, None if the names suffice."""

    at: tuple[int, ...]
    setting: str | None
    texts: list[str]
    form: TimeFormat | None
    why: str


def find_ticker(names: Sequence[str], wanted: str | None = None) -> int | None:
    """The column that is the ticker, by TICKER_COLUMN if that is `wanted`, else by its usual name; None: none is."""
    return HeaderNames(names).first_of(*(("ticker", "symbol") if wanted is None else (wanted,)))


def find_times(names: Sequence[str], wanted: str | None = None) -> tuple[int, ...]:
    """The columns that are the timestamp, by TIMESTAMP_COLUMN or by their usual names; empty if there are none."""
    try:
        header = HeaderNames(names)
        return () if not names else header.timestamp() if wanted is None else header.named_timestamp(wanted)
    except ObjectUnreadable:
        return ()


def joined(columns: Sequence[Sequence[str]], at: Sequence[int]) -> list[str]:
    """The timestamps' texts, from one column or two."""
    return [" ".join(filter(None, parts)) for parts in zip(*(columns[each] for each in at), strict=True)]


def time_columns(
    names: Sequence[str], columns: Sequence[Sequence[str]], wanted: str | None, known: str | None, taken: int | None
) -> TimeColumns | None:
    """Where the timestamp is; None if no column looks like one.

    `wanted` and `known` are the given TIMESTAMP_COLUMN and TIMESTAMP_FORMAT, if any; `taken` is the ticker's column.
    """
    if named := find_times(names, wanted):
        texts = joined(columns, named)
        form = format_of(texts[:_SEEN], known)
        if wanted:
            return TimeColumns(named, None, texts, form, "TimestampColumn")
        if share_read(texts[:_SEEN], form) >= _SOME_SHARE or (form is not None and form.zones):
            why = "by its name" if len(named) == 1 else "by their names"
            return _with_clock(names, columns, TimeColumns(named, None, texts, form, why), taken, known)
    found = [
        at
        for at in range(min(len(names), MOST_SEARCHED))
        if at != taken and folded_name(names[at]) and _is_time(names[at], columns[at], known)
    ]
    if not found:
        return None
    best = min(found, key=lambda at: _unlikely(names[at], columns[at], at, known))
    form = format_of(columns[best][:_SEEN], known)
    if form is not None and form.text == "%Y" and not _PARTS.isdisjoint(map(folded_name, names)):
        return None  # a date in three columns, of which only two can be joined
    times = TimeColumns((best,), names[best].strip(), list(columns[best]), form, "its cells are times")
    return _with_clock(names, columns, times, taken, known)


def _with_clock(
    names: Sequence[str], columns: Sequence[Sequence[str]], times: TimeColumns, taken: int | None, known: str | None
) -> TimeColumns:
    """The column of dates, joined with a column of times of day if there is one beside it."""
    day = times.at[0]
    if len(times.at) == 1 and times.form is not None and not times.form.clock:
        for other in range(min(len(names), MOST_SEARCHED)):
            if other in (day, taken) or not _is_clock_column(names[other], columns[other], abs(other - day) == 1):
                continue
            texts = joined(columns, (day, other))
            form = format_of(texts[:_SEEN], known)
            if share_read(texts[:_SEEN], form) >= _MOST_SHARE:
                setting = f"{names[day].strip()}+{names[other].strip()}"
                return TimeColumns((day, other), setting, texts, form, "their cells are dates and times of day")
    return times


def _is_time(name: str, cells: Sequence[str], known: str | None) -> bool:
    texts = [cell for cell in cells[:_SEEN] if cell]
    form = format_of(texts, known)
    needed = _SOME_SHARE if _TIME_WORDS.search(name) and not _OTHER_TIMES.search(name) else _MOST_SHARE
    if form is None or (share_read(texts, form) < needed and not form.zones):
        return False
    if form.text is None and not all(text.isdecimal() for text in texts):
        return True
    vague = form.text is not None and (
        form.text in ("%Y", "%Y%m", "%d%m%Y", "%m%d%Y") or form.text.count("%") < len(("%Y", "%m", "%d"))
    )
    digits = all(map(is_numberlike, texts))
    long = all(len(text) >= len("1704153600000000") for text in texts)
    named = _TIME_WORDS.search(name) is not None or name.startswith("column_")
    return named or long if digits and not vague else named or not vague


def _unlikely(name: str, cells: Sequence[str], at: int, known: str | None) -> tuple[bool, bool, bool, int]:
    form = format_of(cells[:_SEEN], known)
    no_clock = form is None or not form.clock
    return _OTHER_TIMES.search(name) is not None, _TIME_WORDS.search(name) is None, no_clock, at


def _is_clock_column(name: str, cells: Sequence[str], beside: bool) -> bool:
    texts = [cell for cell in cells[:_SEEN] if cell]
    if not texts or len(texts) * 2 < len(cells[:_SEEN]):
        return False
    named = _CLOCK_WORDS.search(name) is not None and not _OTHER_TIMES.search(name)
    if all(map(is_clock, texts)):
        return named or beside
    return named and all(map(is_clock_digits, texts))


def instrument_columns(names: Sequence[str], columns: Sequence[Sequence[str]], taken: Sequence[int]) -> list[int]:
    """The columns whose names mean an instrument and that have a cell in every row."""
    return [
        at
        for at, name in enumerate(names)
        if at not in taken and _means_instrument(name, columns[at]) and all(columns[at])
    ]


def other_tickers(names: Sequence[str], columns: Sequence[Sequence[str]], taken: Sequence[int]) -> list[int]:
    """Columns that may distinguish instruments if no other does: those with a fitting name first, then few values.

    Prices and notes would distinguish rows as well; but an instrument has more than one row.
    """
    free = [at for at in range(len(names)) if at not in taken and folded_name(names[at]) and all(columns[at])]
    texts = [at for at in free if not all(map(is_numberlike, columns[at]))]
    whole = [at for at in free if all(map(str.isdecimal, columns[at]))]
    possible = [at for at in texts or whole if _repeats(columns[at], few=at in texts)]
    return sorted(possible, key=lambda at: (bare_name(names[at]) not in _NAMES, len(set(columns[at]))))


def _repeats(cells: Sequence[str], *, few: bool) -> bool:
    """Whether the values recur; with only a `few` rows that cannot be judged."""
    return len(set(cells)) * 2 <= len(cells) or (few and len(cells) < _FEW)


def _means_instrument(name: str, cells: Sequence[str]) -> bool:
    words = [word for word in re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()) if word]
    if _INSTRUMENT.isdisjoint(words) or not _INSTRUMENT.union(_INSTRUMENT_ENDS).issuperset(words):
        return False
    numeric = all(map(is_numberlike, cells))
    return not numeric or bool(_CODES & set(words)) or words[-1] in _INSTRUMENT_ENDS
