"""Which settings make a file readable as intended, judged from its beginning alone, and why.

A file beside this one guesses each setting. The result is then tried with the consumer's own reader, and whatever makes
no difference is dropped: every proposed setting is needed.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from simulator.files import cells, columns
from simulator.files.encodings import EncodingFound, encoding_of
from simulator.files.heads import cut
from simulator.files.layout import Given, Layout, layout_of
from simulator.files.reading import (
    FILE_SETTINGS,
    HeaderNames,
    HeadReading,
    dialect_of,
    fixed_settings,
    is_settable,
    open_reader,
    read_head,
)

TRIED_LINES = 1_200
"""How many lines of a head a trial reads: more than the consumer uses to judge a file's keys."""
MOST_TICKERS = 12
"""How many columns are tried as the ticker."""
_OTHER_NUMBERS = {
    (".", True): "DecimalSeparator=, without Numbers",
    (",", False): "Numbers=lenient without DecimalSeparator",
    (".", False): "DecimalSeparator=, with Numbers=lenient",
}
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""How DELIMITER, and people, name them."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The value that a setting needs, and why."""

    value: str
    why: str


Settings = Mapping[str, Proposed]


def values_of(settings: Settings) -> dict[str, str]:
    """The settings as the consumer's variables."""
    return {name: proposed.value for name, proposed in settings.items()}


@dataclass(frozen=True, slots=True)
class Guess:
    """What was found. `settings` are needed in addition to those given; `without` are given and should not be.

    `reading` is the consumer's reading of the head under them. `texts` are the timestamps as written.
    """

    settings: dict[str, Proposed]
    without: tuple[str, ...]
    notes: tuple[str, ...]
    encoding: EncodingFound
    layout: Layout | None
    reading: HeadReading
    key_columns: tuple[str | None, str | None] = (None, None)
    key_reasons: tuple[str, str] = ("", "")
    texts: tuple[str, ...] = ()
    examples: tuple[tuple[str, ...], ...] = ()
    """The first cells of each column, as written."""
    other_format: str | None = None
    """TIMESTAMP_FORMAT with day and month swapped, if that reads as many."""

    @property
    def environ(self) -> dict[str, str]:
        """The settings that change: those to drop have their defaults."""
        return {name: FILE_SETTINGS[name] for name in self.without} | values_of(self.settings)


def guess(key: str, head: bytes, environ: Mapping[str, str], fixed: Set[str] = frozenset()) -> Guess:
    """What a file with this name and beginning needs.

    `environ` are the consumer's variables. Those that are set, and those in `fixed`, stay as they are, unless the
    consumer says that it cannot read this file because of one. Raises `InputError` for a malformed one.
    """
    open_reader(key, environ)
    settled = fixed_settings(environ) | fixed
    found = _by_settled(key, head, environ, settled)
    if found.reading.unreadable is None:
        return found
    for name in sorted(settled):
        # A given setting may make the file unreadable without being named as the reason, as a wrong delimiter does.
        other = _by_settled(key, head, {**environ, name: FILE_SETTINGS[name]}, settled - {name}, (name,))
        if other.reading.unreadable is None:
            return other
    return found


def _by_settled(
    key: str, head: bytes, environ: Mapping[str, str], settled: Set[str], without: tuple[str, ...] = ()
) -> Guess:
    """The guess under the given settings, except those that the consumer names as its reason not to read the file."""
    sample = sample_of(head)
    while settled and (named := read_head(key, sample, environ).setting) is not None and named in settled:
        environ = {**environ, named: FILE_SETTINGS[named]}
        settled, without = settled - {named}, (*without, named)
    found = _Guess(key, sample, head, environ, settled).run()
    return _only_needed(found, key, sample, environ, without)


def word_list(words: Sequence[str]) -> str:
    """The words as one line of CSV, the form in which list settings take them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(words)
    return text.getvalue()


def sample_of(head: bytes) -> bytes:
    """The first lines of the head, which are enough for a trial."""
    if head.count(b"\n") <= TRIED_LINES:
        return head
    at = -1
    for _ in range(TRIED_LINES):
        at = head.index(b"\n", at + 1)
    return cut(head[: at + 2])


class _Guess:
    """One guess in progress."""

    def __init__(self, key: str, sample: bytes, head: bytes, environ: Mapping[str, str], settled: Set[str]) -> None:
        self._key, self._sample, self._head, self._environ, self._settled = key, sample, head, environ, settled
        self._settings: dict[str, Proposed] = {}
        self._tried: dict[tuple[tuple[str, str], ...], HeadReading] = {}
        self._notes: list[str] = []
        self._names: list[str] = []
        self._columns: list[list[str]] = []
        self._ticker_at: int | None = None
        self._nameless = False
        """Whether there is neither a header nor a name for any column."""
        self._timestamp: str | None = None
        """The timestamp's columns as the header names them."""
        self._other_format: str | None = None
        self._reasons = ["", ""]

    def run(self) -> Guess:
        """Guess setting by setting, in the order in which they take effect."""
        encoding = self._encoding()
        layout = layout_of(self._text(encoding.codec), self._given())
        if layout is None or not layout.records:
            return self._guess(encoding, layout, ())
        self._propose_layout(layout)
        self._columns = self._columns_of(layout)
        times = self._key_columns(layout)
        taken = {*(times.at if times else ()), self._ticker_at}
        others = [cells for at, cells in enumerate(self._columns) if at not in taken]
        self._propose_cells(others, semicolons=layout.delimiter == ";")
        if times is not None:
            self._propose_ticker(times.at)
        return self._guess(encoding, layout, tuple(times.texts[:3]) if times else ())

    def _guess(self, encoding: EncodingFound, layout: Layout | None, texts: tuple[str, ...]) -> Guess:
        reading = self._attempt()
        ticker = None if self._ticker_at is None else self._names[self._ticker_at]
        timestamp = self._settings.get("TIMESTAMP_COLUMN")
        return Guess(
            dict(self._settings),
            (),
            tuple(self._notes),
            encoding,
            layout,
            reading,
            (ticker, timestamp.value if timestamp else self._timestamp),
            (self._reasons[0], self._reasons[1]),
            texts,
            tuple(tuple(dict.fromkeys(column))[:3] for column in self._columns),
            self._other_format,
        )

    def _attempt(self, **more: str) -> HeadReading:
        settings = values_of(self._settings) | more
        tried = tuple(sorted(settings.items()))
        if tried not in self._tried:
            self._tried[tried] = read_head(self._key, self._sample, {**self._environ, **settings})
        return self._tried[tried]

    def _clashes(self, **more: str) -> bool:
        """Whether different rows in the head have the same key, or nothing can be read.

        The consumer judges only the first rows, and none if the ticker is in a column; in a file sorted by instrument,
        the first rows all belong to one.
        """
        reading = self._attempt(**more)
        if reading.unreadable is not None or reading.overwrites or len(self._sample) == len(self._head):
            return reading.unreadable is not None or reading.overwrites
        return read_head(self._key, self._head, {**self._environ, **values_of(self._settings), **more}).overwrites

    def _propose(self, name: str, value: str, why: str) -> None:
        if name not in self._settled:
            self._settings[name] = Proposed(value, why)

    def _set(self, name: str) -> str | None:
        """The value of a given setting; None if it is still open."""
        return self._environ.get(name) or None if name in self._settled else None

    def _encoding(self) -> EncodingFound:
        given = self._set("ENCODING")
        if given is not None:
            return EncodingFound(given, None, "as given")
        found = encoding_of(self._head)
        if found.setting is not None and is_settable(self._key, {**self._environ, "ENCODING": found.setting}):
            self._propose("ENCODING", found.setting, found.why)
        return found

    def _text(self, codec: str) -> str:
        if self._head.startswith(codecs.BOM_UTF8) and codec == "utf-8":
            codec = "utf-8-sig"
        return self._head.decode(codec, "replace").removeprefix("\ufeff")

    def _given(self) -> Given:
        skip, names = self._set("SKIP_LINES"), self._set("COLUMN_NAMES")
        return Given(
            dialect_of({"DELIMITER": self._set("DELIMITER") or ""}).delimiter,
            int(skip) if skip else None,
            self._set("COMMENT"),
            tuple(next(csv.reader([names], skipinitialspace=True))) if names else None,
        )

    def _propose_layout(self, layout: Layout) -> None:
        if layout.comment is not None:
            self._propose("COMMENT", layout.comment, f"lines that begin with {layout.comment} are not rows")
        if layout.skip:
            self._propose("SKIP_LINES", str(layout.skip), f"the table begins on line {layout.skip + 1}")
        if not layout.automatic:
            word = DELIMITER_NAMES.get(layout.delimiter, layout.delimiter)
            self._propose("DELIMITER", word, "only with it do most lines have the same number of cells")

    def _columns_of(self, layout: Layout) -> list[list[str]]:
        """The columns, from records as wide as most; also sets the names."""
        given = self._given().names
        if layout.header is not None:
            self._names = layout.header.cells
        elif given or layout.names:
            self._names = list(given or layout.names or ())
        else:
            self._names = [""] * len(layout.records[0].cells)
        width = len(self._names)
        rows = [record.cells for record in layout.records if len(record.cells) == width]
        return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]

    def _key_columns(self, layout: Layout) -> columns.TimeColumns | None:
        """Find the key's columns, and how its timestamps are read."""
        wanted = self._set("TICKER_COLUMN")
        nameless = self._nameless = layout.header is None and not any(self._names)
        self._ticker_at = columns.find_ticker(self._names, wanted)
        if nameless:
            # Any name will do to look at the cells.
            self._names = [f"column_{at + 1}" for at in range(len(self._names))]
        known = self._set("TIMESTAMP_FORMAT")
        times = columns.time_columns(self._names, self._columns, self._set("TIMESTAMP_COLUMN"), known, self._ticker_at)
        if nameless and times is not None:
            for at, name in zip(times.at, ("date", "time") if len(times.at) > 1 else ("timestamp",), strict=True):
                self._names[at] = name
        if layout.header is None and not self._given().names:
            why = "there is no header" if nameless else "the header lacks a name for some cell, or has one twice"
            self._propose("COLUMN_NAMES", word_list(self._names), why)
            if made_up := [name for name in self._names if self._is_made_up(name)]:
                self._notes.append(
                    "the names in ColumnNames are made up where one was missing or repeated, such as "
                    f"{made_up[0]}: replace them with better ones"
                )
        if times is not None and times.setting is not None and not nameless:
            self._propose("TIMESTAMP_COLUMN", times.setting, times.why)
        by_name = "the file's name" if self._ticker_at is None else "by its name"
        self._reasons[0] = "TickerColumn" if wanted else by_name
        if times is None:
            return None
        self._reasons[1] = "made up" if nameless else times.why
        self._timestamp = "+".join(self._names[at] for at in times.at)
        self._propose_format(times)
        return times

    def _is_made_up(self, name: str) -> bool:
        stem, _, number = name.rpartition("_")
        return number.isdecimal() and (stem == "column" or HeaderNames(self._names).find(stem) is not None)

    def _propose_format(self, times: columns.TimeColumns) -> None:
        form = times.form
        if form is None:
            return
        example = next((text for text in times.texts if text), "")
        if form.text is not None and (form.read or not form.zones):
            self._propose("TIMESTAMP_FORMAT", form.text, f"times are written as {example!r}")
        if form.ambiguous is not None and "TIMESTAMP_FORMAT" not in self._settled:
            self._other_format = form.ambiguous
            self._notes.append(
                f"day and month: no day above 12 is among the first times ({example!r}), so they may be swapped; "
                f"if they are, use TimestampFormat={form.ambiguous}"
            )
        if form.zones:
            names = ", ".join(form.zones[:5])
            note = f"rows with the zone {names} are rejected: UTC, GMT and Z are the only zone names that are read"
            if form.text is not None and not form.read and len(form.zones) == 1:
                literal = form.text.replace("%Z", names)
                note += f"; if all rows have it, TimestampFormat={literal} reads them, with TimeZone for the zone"
            self._notes.append(note)
        if form.clock and not form.zoned and not self._environ.get("TIME_ZONE"):
            self._notes.append(
                "times without a zone are read as UTC; if they are not, name their zone: TimeZone=America/New_York"
            )

    def _propose_cells(self, others: list[list[str]], *, semicolons: bool) -> None:
        """How missing values and numbers are written, judged by all columns outside the key."""
        words: tuple[str, ...] = ()
        if "NULL_VALUES" not in self._settled:
            words = cells.null_words(others)
            if self._ticker_at is not None:
                words = tuple(word for word in words if word not in self._columns[self._ticker_at])
            if words:
                self._propose("NULL_VALUES", word_list(words), "they are in columns of numbers")
        nulls = dialect_of({"NULL_VALUES": self._set("NULL_VALUES") or ""}).null_values.union(words)
        values = [[cell for cell in column if cell not in nulls] for column in others]
        point = self._environ.get("DECIMAL_SEPARATOR") if "DECIMAL_SEPARATOR" in self._settled else None
        lenient = self._environ.get("NUMBERS") == "lenient" if "NUMBERS" in self._settled else None
        point, lenient, ambiguous = cells.number_settings(values, point, lenient, semicolons=semicolons)
        if point == ",":
            self._propose("DECIMAL_SEPARATOR", ",", "numbers have a decimal comma")
        if lenient:
            self._propose("NUMBERS", "lenient", "grouped numbers, a leading plus, or a point at an end")
        if ambiguous:
            read = "thousands" if lenient else "decimals"
            other = _OTHER_NUMBERS[point, lenient]
            self._notes.append(
                "numbers like 1,234 or 1.234 may be thousands or decimals, and the first rows do not show which: they "
                f"are read as {read}; the alternative is {other}"
            )

    def _propose_ticker(self, times: tuple[int, ...]) -> None:
        """Name the ticker's column if the names do not, and one means an instrument or the keys need one."""
        if self._ticker_at is not None or "TICKER_COLUMN" in self._settled:
            return
        clash = self._clashes()
        candidates = [] if self._nameless else columns.instrument_columns(self._names, self._columns, times)
        meant = candidates
        if clash:
            others = columns.other_tickers(self._names, self._columns, times)
            candidates = list(dict.fromkeys([*candidates, *others]))[:MOST_TICKERS]
        for at in candidates:
            names = [*self._names]
            changed = {"TICKER_COLUMN": names[at]}
            if self._nameless:
                names[at] = "ticker"
                changed = {"COLUMN_NAMES": word_list(names)}
            if not self._clashes(**changed):
                self._names, self._ticker_at = names, at
                why = "its name means an instrument" if at in meant else "without it, different rows have the same key"
                self._reasons[0] = why
                for name, value in changed.items():
                    self._propose(name, value, self._settings[name].why if self._nameless else why)
                return


def _only_needed(found: Guess, key: str, sample: bytes, environ: Mapping[str, str], without: tuple[str, ...]) -> Guess:
    """The same guess without settings that make no difference to the consumer's reading of the head."""
    settings = dict(found.settings)
    reading = found.reading
    before = read_head(key, sample, environ) if settings else reading
    if not reading.rows or len(reading.rows) < len(before.rows):
        settings, reading = {}, before
    needless = True
    while needless:
        needless = False
        for name in [name for name in reversed(FILE_SETTINGS) if name in settings]:
            fewer = {other: proposed for other, proposed in settings.items() if other != name}
            other = read_head(key, sample, {**environ, **values_of(fewer)})
            if other.comes_to_the_same(reading):
                settings, reading = fewer, other
                # A setting that was needed together with it may not be needed any more.
                needless = bool(settings)
    ordered = {name: settings[name] for name in FILE_SETTINGS if name in settings}
    return replace(
        found,
        settings=ordered,
        without=tuple(name for name in without if name not in ordered),
        reading=reading,
        other_format=found.other_format if "TIMESTAMP_FORMAT" in ordered else None,
    )
