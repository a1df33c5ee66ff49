"""The result of inspecting several files: each file, the settings for all, and which files differ from the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from simulator.files import agreement, heads
from simulator.files.agreement import Sample
from simulator.files.columns import find_ticker, find_times
from simulator.files.finding import Problem, SourceFile
from simulator.files.gate import Progress
from simulator.files.guess import Guess, Proposed, Settings, guess, sample_of, values_of
from simulator.files.survey import Survey, survey


class KeyColumn(NamedTuple):
    """A part of the key: its column, and why that one."""

    name: str | None
    why: str


@dataclass(frozen=True, slots=True)
class FileFound:
    """One file: the guess about it, the settings under which it was read, and what is in it."""

    path: Path
    size: int
    found: Guess
    settings: dict[str, str]
    survey: Survey

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in its header."""
        return self.survey.header

    @property
    def ticker(self) -> KeyColumn:
        """The column that was read as the ticker; None for the file's name."""
        column, guessed = self.survey.ticker_column, self.found.key_columns[0]
        if column == guessed and self.found.key_reasons[0]:
            return KeyColumn(column, self.found.key_reasons[0])
        if column is None:
            return KeyColumn(None, "the file's name")
        at = find_ticker(self.columns)
        return KeyColumn(column, "by its name" if at is not None and self.columns[at] == column else "TickerColumn")

    @property
    def timestamp(self) -> KeyColumn:
        """The column that was read as the timestamp, or two with a plus between them; None if there is none."""
        names = self.survey.timestamp_columns
        column = "+".join(name.strip(" \t") for name in names) if names else None
        if column is not None and not column:
            return KeyColumn("", "no name means a time")
        if column == self.found.key_columns[1] and self.found.key_reasons[1]:
            return KeyColumn(column, self.found.key_reasons[1])
        if column is None:
            return KeyColumn(None, "")
        if tuple(self.columns[at] for at in find_times(self.columns)) == names:
            return KeyColumn(column, "by its name" if len(names) == 1 else "by their names")
        return KeyColumn(column, "TimestampColumn")

    @property
    def timestamp_texts(self) -> tuple[str, ...]:
        """A few timestamps as written; none if the guess was another column."""
        return self.found.texts if self.timestamp.name == (self.found.key_columns[1] or "") else ()

    @property
    def encoding(self) -> str:
        """The codec of its text, without any mention of its mark."""
        return self.found.encoding.codec.removesuffix("-sig")

    @property
    def delimiter(self) -> str:
        """What separates its cells."""
        return self.found.layout.delimiter if self.found.layout is not None else ","


@dataclass(frozen=True, slots=True)
class Differing:
    """A file that differs from most others, and how."""

    path: Path
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. `settings` are those for all files, `problems` the paths that no settings make readable."""

    files: tuple[FileFound, ...]
    settings: dict[str, Proposed]
    without: tuple[str, ...]
    differing: tuple[Differing, ...]
    problems: tuple[Problem, ...]

    @property
    def readable(self) -> bool:
        """Whether these settings make all files readable, and at least one row of each file that has rows is stored."""
        all_alike = all(file.settings == values_of(self.settings) for file in self.files)
        return all_alike and not self.problems and not any(file.survey.all_rejected for file in self.files)


def inspect(
    files: Sequence[SourceFile],
    environ: Mapping[str, str],
    fixed: Set[str] = frozenset(),
    progress: Progress = lambda _: None,
) -> Inspection:
    """Examine these files: the beginning of each, then all of each.

    `environ` are the consumer's variables; `fixed` are those that must stay even if they have their defaults.
    `progress` also counts bytes that a guess read. Raises `InputError` for a malformed setting, and `CouldNotFinish`
    when the disk is full.
    """
    guesses: list[tuple[SourceFile, Guess]] = []
    samples: dict[object, Sample] = {}
    problems: list[Problem] = []
    for source in files:
        try:
            head = heads.read(source.path)
        except OSError as error:
            problems.append(Problem(source.path, f"it cannot be read: {error.strerror or error}"))
            continue
        found = guess(source.key, head, environ, fixed)
        progress(len(head))
        guesses.append((source, slim(found)))
        if found.reading.unreadable is None:
            kind = agreement.kind_of(found)
            known = samples.get(kind)
            if known is not None:
                samples[kind] = replace(known, files=known.files + 1)
            elif len(samples) < agreement.MOST_KINDS:
                samples[kind] = Sample(source.key, sample_of(head), found)
    left_out = dict.fromkeys((name for _, found in guesses for name in found.without), "")
    base = {**environ, **left_out}
    agreed = agreement.agree(list(samples.values()), base)
    surveyed: list[FileFound] = []
    for source, found in guesses:
        try:
            file = _survey(source, found, agreed, base, progress)
        except OSError as error:
            problems.append(Problem(source.path, f"it cannot be read: {error.strerror or error}"))
            continue
        if file.survey.unreadable is None:
            surveyed.append(file)
        else:
            problems.append(Problem(source.path, file.survey.unreadable))
    surveyed = _with_namesakes(surveyed)
    without = tuple(name for name in left_out if name not in agreed)
    return Inspection(tuple(surveyed), agreed, without, _differing(surveyed, agreed), tuple(problems))


def _with_namesakes(files: Sequence[FileFound]) -> list[FileFound]:
    """The same, with a note for files whose names give the same ticker: nothing else distinguishes their rows."""
    names = [None if file.survey.ticker_column is not None else next(iter(file.survey.tickers), None) for file in files]
    counts = Counter(names)
    noted: list[FileFound] = []
    for file, name in zip(files, names, strict=True):
        if name is not None and counts[name] > 1:
            note = f"{counts[name]} files have the ticker {name}: rows with the same time replace each other"
            file = replace(file, found=replace(file.found, notes=(*file.found.notes, note)))
        noted.append(file)
    return noted


def slim(found: Guess) -> Guess:
    """The same without the records, of which there may be many."""
    layout = None if found.layout is None else replace(found.layout, records=[])
    return replace(found, layout=layout, reading=replace(found.reading, rows=(), rejected=()))


def _survey(
    source: SourceFile, found: Guess, agreed: Settings, environ: Mapping[str, str], progress: Progress
) -> FileFound:
    """Survey the file under the settings for all, or under its own if those make it unreadable."""
    size = source.path.stat().st_size
    common, own = values_of(agreed), values_of(found.settings)
    fits = agreement.fits(source, found, agreed, environ)
    settings = common if fits else own
    result = survey(source.path, source.key, {**environ, **settings}, progress)
    if result.unreadable is not None and fits and own != common:
        other = survey(source.path, source.key, {**environ, **own})
        if other.unreadable is None:
            settings, result = own, other
    if result.keys.replaced and result.ticker_column is None:
        texts = [column.name for column in result.columns if column is not None and column.kind == "text"]
        which = f", such as {_listed(texts)}," if texts else ""
        note = f"different rows have the same key: if a column{which} names the instrument, set TickerColumn to it"
        found = replace(found, notes=(*found.notes, note))
    return FileFound(source.path, size, found, settings, result)


def _differing(files: Sequence[FileFound], agreed: Settings) -> tuple[Differing, ...]:
    if len(files) < 2:
        return ()
    delimiter = Counter(file.delimiter for file in files).most_common(1)[0][0]
    encoding = Counter(file.encoding for file in files).most_common(1)[0][0]
    columns = Counter(file.columns for file in files).most_common(1)[0][0]
    common = values_of(agreed)
    found = ((file.path, tuple(_differences(file, delimiter, encoding, columns, common))) for file in files)
    return tuple(Differing(path, differences) for path, differences in found if differences)


def _differences(
    file: FileFound, delimiter: str, encoding: str, columns: tuple[str, ...], common: Mapping[str, str]
) -> Iterator[str]:
    if file.delimiter != delimiter:
        yield f"its delimiter is {file.delimiter!r}, not {delimiter!r}"
    if file.encoding != encoding:
        yield f"its encoding is {file.encoding}, not {encoding}"
    if file.columns != columns:
        lost = [name for name in columns if name not in file.columns]
        more = [name for name in file.columns if name not in columns]
        parts = [f"without {_listed(lost)}"] if lost else []
        parts += [f"with {_listed(more)}"] if more else []
        yield "its columns are in another order" if not parts else f"its columns are {' and '.join(parts)}"
    if file.settings != common:
        yield "it needs other parameters"


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
