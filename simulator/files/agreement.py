"""One set of settings for many files: those that most files need, and others where they harm no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulator.files import heads
from simulator.files.cells import NULL_WORDS
from simulator.files.finding import SourceFile
from simulator.files.guess import Guess, Proposed, Settings, sample_of, values_of, word_list
from simulator.files.reading import FILE_SETTINGS, HeadReading, read_head

MOST_KINDS = 64
"""How many kinds of files are compared; a file of any further kind is tried on its own."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of one file of a kind, and how many files are of that kind."""

    key: str
    data: bytes
    found: Guess
    files: int = 1


def kind_of(found: Guess) -> object:
    """A value that is equal for files that need the same settings and have the same columns."""
    header = found.layout.header.cells if found.layout is not None and found.layout.header is not None else []
    return tuple(header), tuple(sorted(found.environ.items())), found.encoding.codec


def agree(samples: Sequence[Sample], environ: Mapping[str, str]) -> dict[str, Proposed]:
    """The settings for all of these: the commonest ones, and those of other files that make no file read worse."""
    samples = _decided(samples)
    weights: Counter[tuple[tuple[str, str], ...]] = Counter()
    for sample in samples:
        weights[_values(sample.found)] += sample.files
    if not weights:
        return {}
    most = max(weights, key=lambda values: (weights[values], len(values)))
    agreed = dict(next(sample.found.settings for sample in samples if _values(sample.found) == most))
    if len(weights) > 1:
        for name, proposed in _others(samples, agreed):
            value = _united(agreed, name, proposed)
            if value is None or agreed.get(name) == value:
                continue
            more = {**agreed, name: value}
            if _helps(samples, agreed, more, environ):
                agreed = more
    return {name: agreed[name] for name in FILE_SETTINGS if name in agreed}


def fits(source: SourceFile, found: Guess, agreed: Settings, environ: Mapping[str, str]) -> bool:
    """Whether the consumer reads the file under `agreed` as under its own settings, or better.

    Raises OSError.
    """
    common, own = values_of(agreed), values_of(found.settings)
    if common == own:
        return True
    data = sample_of(heads.read(source.path))
    if found.other_format is not None and common.get("TIMESTAMP_FORMAT") == found.other_format:
        own["TIMESTAMP_FORMAT"] = found.other_format
    before = read_head(source.key, data, {**environ, **own})
    after = read_head(source.key, data, {**environ, **common})
    return _no_worse(before, after)


def _decided(samples: Sequence[Sample]) -> list[Sample]:
    """The same samples; where day and month could be swapped, the order follows the files in which it is certain."""
    certain = {
        sample.found.settings["TIMESTAMP_FORMAT"].value
        for sample in samples
        if "TIMESTAMP_FORMAT" in sample.found.settings and sample.found.other_format is None
    }
    return [
        replace(sample, found=_turned(sample.found))
        if sample.found.other_format in certain and sample.found.settings["TIMESTAMP_FORMAT"].value not in certain
        else sample
        for sample in samples
    ]


def _turned(found: Guess) -> Guess:
    """The same guess with day and month swapped."""
    proposed = found.settings["TIMESTAMP_FORMAT"]
    other = Proposed(found.other_format or proposed.value, f"{proposed.why}, day and month as in other files")
    return replace(found, settings={**found.settings, "TIMESTAMP_FORMAT": other})


def _values(found: Guess) -> tuple[tuple[str, str], ...]:
    return tuple(values_of(found.settings).items())


def _others(samples: Sequence[Sample], agreed: Settings) -> list[tuple[str, Proposed]]:
    """What other files need, the commonest first."""
    counts: Counter[tuple[str, str]] = Counter()
    reasons: dict[tuple[str, str], Proposed] = {}
    for sample in samples:
        for name, proposed in sample.found.settings.items():
            if agreed.get(name) is None or agreed[name].value != proposed.value:
                counts[name, proposed.value] += sample.files
                reasons.setdefault((name, proposed.value), proposed)
    return [(name, reasons[name, value]) for (name, value), _ in counts.most_common()]


def _united(agreed: Settings, name: str, proposed: Proposed) -> Proposed | None:
    """The setting with the new value merged in; None if the two values exclude each other."""
    if name not in agreed:
        return proposed
    if name != "NULL_VALUES":
        return None
    words = {*agreed[name].value.split(","), *proposed.value.split(",")}
    return Proposed(word_list([word for word in NULL_WORDS if word in words]), proposed.why)


def _helps(samples: Sequence[Sample], agreed: Settings, more: Settings, environ: Mapping[str, str]) -> bool:
    """Whether the additional settings make some file read better, and none worse."""
    better = False
    for sample in samples:
        before = read_head(sample.key, sample.data, {**environ, **values_of(agreed)})
        after = read_head(sample.key, sample.data, {**environ, **values_of(more)})
        if not _no_worse(before, after):
            return False
        better = better or _quality(after) > _quality(before)
    return better


def _no_worse(before: HeadReading, after: HeadReading) -> bool:
    """Whether nothing is lost: the same, or more rows, or more numbers, or fewer texts."""
    return after.comes_to_the_same(before) or _quality(after) > _quality(before)


def _quality(reading: HeadReading) -> tuple[bool, int, int, int]:
    return reading.unreadable is None, len(reading.rows), reading.numbers, -reading.cells
