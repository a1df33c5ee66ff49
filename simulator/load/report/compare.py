"""Two summaries side by side, with a verdict that noise does not affect. Pure: summaries in, findings out.

The printed values are the ones that are judged: a figure of the whole run, and its change. Within the tolerance, it is
the same. Beyond it, a change is real only if both runs have enough samples and if it is visible throughout the runs.
To find out, each run is cut into stretches, and each stretch of one run is compared with the same stretch of the other:
neighbouring seconds of a queue are similar, and the load may change during a run. Every other change is noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from simulator.base.errors import InputError
from simulator.base.words import counted, seconds, significant
from simulator.load.measure.stretches import OBJECTS_MIN, STRETCHES, cut
from simulator.load.report.alike import Summary, busier, notes, numbers, section, unlike
from simulator.run.bounds import number_at

Direction = Literal["higher", "lower"]
Judgement = Literal["same", "better", "worse", "noise", "shown"]
Runs = tuple[Summary, Summary]
"""A and B."""

TOLERANCE = 0.10
STRETCHES_MIN = 8
"""With fewer, chance looks like a change: eight coins fall on the same side once in 128 times."""
SAMPLES_MIN = 10
"""With fewer objects, or fewer beyond a tail's percentile, the figure depends on single objects."""
SAMPLES_TAIL = 60
"""With so many beyond its percentile, a doubled tail is found; with fewer, it may be noise."""
SPREADS = 1.5
"""The typical stretch must change by this many times the spread of the changes."""
RUNS_APART = 1.3
"""Latencies of the same code differ by up to this factor between runs: a machine is not always equally fast."""
_TOO_SHORT = "the run is too short to distinguish change from chance"
LEAST_S = 0.001
"""A smaller change in time does not matter."""


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One compared figure: where it is, its unit, which way is better, and the change too small to matter in that unit.

    `latency` names the distribution in `stretches` that it is a percentile of, and `column` is the column of the series
    that shows the figure over time. Without either, there is one number per run, which is shown but not judged.
    `samples` has the paths to the number of objects; the first one that exists counts. `beyond` is the share of them
    that the figure depends on: of a tail, those above its percentile.
    """

    name: str
    unit: str
    better: Direction
    path: tuple[str, ...]
    latency: str | None = None
    column: str | None = None
    beyond: float = 1.0
    least: float = 0.0
    samples: tuple[tuple[str, ...], ...] = (("stored",), ("planned",))

    @property
    def tail(self) -> str:
        """The percentile of a tail, such as `p99`; empty for any other figure."""
        return self.path[-1] if self.beyond < 1 else ""

    @property
    def needed(self) -> int:
        """How many samples a judgement needs at least: a median needs a few in each stretch."""
        return STRETCHES_MIN * OBJECTS_MIN if self.latency is not None and not self.tail else SAMPLES_MIN


def _percentiles(latency: str, label: str) -> Iterator[ComparedFigure]:
    for name, beyond in (("p50", 1.0), ("p90", 0.1), ("p99", 0.01)):
        path, column = ("latency_s", latency, name), f"{name}_s" if latency == "planned_to_stored" else None
        samples = (("latency_s", latency, "count"), ("stored",), ("planned",))
        yield ComparedFigure(f"{label}, {name}", "s", "lower", path, latency, column, beyond, LEAST_S, samples)


FIGURES = (
    *_percentiles("planned_to_stored", "planned to stored"),
    *_percentiles("object_to_stored", "object to stored"),
    *_percentiles("send", "send"),
    *_percentiles("handler", "handler"),
    ComparedFigure(
        "stored objects per second", "/s", "higher", ("throughput", "objects_per_s_mean"), column="stored_per_s"
    ),
    ComparedFigure("rows per second", "/s", "higher", ("throughput", "rows_per_s_mean"), column="rows_per_s"),
    ComparedFigure("backlog, peak", "object", "lower", ("backlog", "peak"), column="backlog", least=10),
    ComparedFigure("highest rate", "/s", "higher", ("find_max", "rate_per_s")),
    ComparedFigure("drain", "s", "lower", ("backlog", "drain_s")),
    ComparedFigure("share of the raw ceiling", "%", "higher", ("ceiling", "share")),
    ComparedFigure("a million rows on AWS", "USD", "lower", ("cost", "usd_per_million_rows")),
)
LOSSES: tuple[tuple[str, tuple[str, ...], float | None], ...] = (
    ("dropped arrivals", ("dropped",), 0.05),
    ("failed puts", ("failed",), 0.05),
    ("failed invocations", ("consumer", "errors"), 0.001),
    ("dead-lettered messages", ("queue", "dead_lettered"), 0.001),
    ("throttled table requests", ("table", "throttled_requests"), None),
)
"""Counts that should be zero, judged by counting error, and the share of the objects up to which a change is noise.

A machine that stands still drops arrivals and fails puts in bursts. A table throttles in bursts of any size (None).
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure in both runs. `ratio` is B to A; `why` explains the judgement.

    `samples` is the number of samples behind the figure in each run: objects or, for a `tail` such as `p99`, those
    beyond it. None if there is one number per run.
    """

    name: str
    unit: str
    before: float | None
    after: float | None
    judgement: Judgement
    why: str = ""
    samples: tuple[int, int] | None = None
    tail: str = ""

    @property
    def ratio(self) -> float | None:
        """B to A, if both are numbers and A is not zero."""
        if self.before is None or self.after is None or self.before == 0 or self.unit == "yes or no":
            return None
        return self.after / self.before


@dataclass(frozen=True, slots=True)
class RunComparison:
    """All findings. `unlike`: why the loads differ, so that findings mean nothing; `notes`: what else differs."""

    findings: tuple[Difference, ...]
    unlike: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def judgement(self) -> Literal["worse", "better", "same"]:
        """The judgement of the code: a figure that got worse beyond noise outweighs any that got better."""
        judged = {finding.judgement for finding in self.findings}
        return "worse" if "worse" in judged else "better" if "better" in judged else "same"

    @property
    def verdict(self) -> str:
        """The verdict in one line."""
        if self.judgement == "same":
            return "no difference beyond noise"
        return f"{self.judgement}: {'; '.join(self.judged(self.judgement))}"

    def judged(self, judgement: Judgement) -> list[str]:
        """The names of the figures with this judgement."""
        return [finding.name for finding in self.findings if finding.judgement == judgement]


def compare(before: Summary, after: Summary, tolerance: float = TOLERANCE) -> RunComparison:
    """Compare two summaries of `load-test` or `simulate`. Raises `InputError` for anything else."""
    runs = before, after
    for document in runs:
        require_summary(document)
    findings = [_figure(figure, runs, tolerance) for figure in FIGURES]
    findings += [*(_loss(*loss, runs) for loss in LOSSES), _proof(runs)]
    kept = tuple(finding for finding in findings if finding is not None)
    return RunComparison(kept, unlike(*runs), notes(*runs))


def require_summary(document: Any) -> None:
    """Raise `InputError` unless it is a summary that this version reads."""
    schema = document.get("schema") if isinstance(document, Mapping) else None
    if not isinstance(schema, str) or not schema.startswith(("stockpipe.load/", "stockpipe.run/")):
        raise InputError("it is not a summary of stockpipe load-test or simulate (its 'schema' is missing or wrong)")
    if schema.partition("/")[2] != "1":
        raise InputError(f"its schema is {schema}; this stockpipe reads version 1")


def _figure(figure: ComparedFigure, runs: Runs, tolerance: float) -> Difference | None:
    old, new = (number_at(run, figure.path) for run in runs)
    if old is None and new is None:
        return None
    if old is None or new is None:
        return Difference(figure.name, figure.unit, old, new, "shown", "measured in one run only")
    if (courses := _courses(figure, runs)) is None:
        said = "" if old == new else "one figure per run: shown, not judged"
        return Difference(figure.name, figure.unit, old, new, "same" if old == new else "shown", said)
    samples = _samples(figure, runs[0]), _samples(figure, runs[1])
    judgement, why = _judge(figure, (old, new), samples, courses, tolerance)
    slower = {"better": "A", "worse": "B"}.get(judgement)
    if slower and busier(*runs) == slower:
        judgement, why = "noise", f"{why}, but other work took the machine's time in {slower}"
    return Difference(figure.name, figure.unit, old, new, judgement, why, samples, figure.tail)


def _judge(
    figure: ComparedFigure,
    values: tuple[float, float],
    samples: tuple[int, int],
    courses: tuple[Sequence[float], Sequence[float]],
    tolerance: float,
) -> tuple[Judgement, str]:
    """Apply the rule in docs/load-testing.md, step by step."""
    (old, new), (first, second) = values, courses
    change = new - old
    if abs(change) <= tolerance * abs(old):
        return "same", f"within {significant(tolerance * 100)} %" if old and percent(change / old) != "0.0 %" else ""
    if abs(change) <= figure.least:
        return "noise", f"a change of {value_text(figure.least, figure.unit)} or less does not matter"
    said = counted(min(samples), "sample") + (f" beyond {figure.tail}" if figure.tail else "")
    if min(samples) < figure.needed:
        needed = f"about {SAMPLES_TAIL}" if figure.tail else f"at least {figure.needed}"
        return "noise", f"{said}: {needed} are needed"
    changes = [relative(a, b) for a, b in zip(first, second, strict=False)]
    way = math.copysign(1.0, change)
    along = sum(each * way > 0 for each in changes)
    least = RUNS_APART if figure.latency else 1.0
    if reason := _chance(changes, along, max(1.0 + tolerance, least)) if len(first) == len(second) else _TOO_SHORT:
        more = f"; about {SAMPLES_TAIL} are needed to find a doubled one" if figure.tail else ""
        return "noise", f"{said}: {reason}{more if min(samples) < SAMPLES_TAIL else ''}"
    improved = (change > 0) == (figure.better == "higher")
    return ("better" if improved else "worse"), f"{said}: {along} of {len(changes)} stretches changed that way"


def _chance(changes: Sequence[float], along: int, least: float) -> str:
    """Why the changes, `along` of them the way of the whole, may be chance or are within a factor; or empty."""
    if len(changes) < STRETCHES_MIN:
        return _TOO_SHORT
    if along < len(changes) - 1:
        return f"only {along} of {len(changes)} stretches changed that way"
    if abs(median(changes)) <= relative(1.0, least):
        return f"the typical stretch changed by {(least - 1.0) * 100:.0f} % or less, as runs of the same code do"
    if abs(median(changes)) <= SPREADS * spread(changes):
        return "the stretches differ as much from each other"
    return ""


def relative(before: float, after: float) -> float:
    """A change as a share of the mean of both values: between -2 and 2, and the same size in both directions."""
    return 0.0 if before == after else 2 * (after - before) / (abs(after) + abs(before))


def spread(changes: Sequence[float]) -> float:
    """How far the changes are from the typical one, as a standard deviation.

    The two farthest are left out, because a stall of the machine says nothing about the code. A factor corrects for
    this, as for eight to twelve values of a normal distribution.
    """
    middle = median(changes)
    near = sorted((each - middle) ** 2 for each in changes)[:-2]
    return (1 + 6 / len(changes)) * math.sqrt(math.fsum(near) / len(near))


def _loss(name: str, path: tuple[str, ...], least: float | None, runs: Runs) -> Difference | None:
    old, new = (number_at(run, path) for run in runs)
    if old is None or new is None or (not old and not new):
        return None
    planned, sent = ("planned",), ("queue", "sent")
    first, second = (round(number_at(run, planned) or number_at(run, sent) or 0) for run in runs)
    samples, objects = (first, second), max(first, second)
    if old == new or least is None:
        said = "" if old == new else "it comes in bursts: shown, not judged"
        return Difference(name, "", old, new, "same" if old == new else "shown", said, samples)
    # Two counts differ if the difference exceeds three times its own counting error, and is not just a handful.
    counting = abs(new - old) <= 3 * math.sqrt(max(1.0, new + old))
    if counting or abs(new - old) <= least * objects:
        share = f"no more than {significant(least * 100)} % of them"
        said = f"{counted(objects, 'object')}: {'within the counting error' if counting else share}"
        return Difference(name, "", old, new, "noise", said, samples)
    return Difference(name, "", old, new, "worse" if new > old else "better", "", samples)


def _proof(runs: Runs) -> Difference | None:
    audits = [section(run, "audit") or section(run, "deliveries") for run in runs]
    verdicts = [audit.get("verdict") for audit in audits]
    if not all(isinstance(verdict, str) for verdict in verdicts):
        return None
    old, new = (float(verdict in ("exact", "settled")) for verdict in verdicts)
    said = "" if verdicts[0] == verdicts[1] else f"{verdicts[0]} -> {verdicts[1]}"
    judgement: Judgement = "same" if old == new else "better" if new > old else "worse"
    samples = [section(audit, "sampled") for audit in audits]
    if bool(samples[0]) != bool(samples[1]):
        name, sampled = ("A", samples[0]) if samples[0] else ("B", samples[1])
        extent = f"{name} proved a sample of {sampled.get('objects')} of {sampled.get('of')} objects only"
        said = f"{said}; {extent}" if said else extent
        if verdicts["AB".index(name)] != "differs":  # which a sample shows as well as all
            judgement = "shown"
    name = "audit exact" if section(runs[1], "audit") else "deliveries settled"
    return Difference(name, "yes or no", old, new, judgement, said)


def _samples(figure: ComparedFigure, summary: Summary) -> int:
    """How many samples are behind a run's figure; for a tail, how many are beyond it."""
    counts = (number_at(summary, path) for path in figure.samples)
    return round((next((count for count in counts if count is not None), None) or 0) * figure.beyond)


def _courses(figure: ComparedFigure, runs: Runs) -> tuple[list[float], list[float]] | None:
    """The figure in each stretch of both runs; None if there is one number per run.

    If either summary has no `stretches` (older versions), both series are used instead. Each probe of a search has its
    own rate, so the figures of two searches do not describe the same load.
    """
    if any(section(run, "arrivals").get("shape") == "search" for run in runs):
        return None
    if figure.latency is not None:
        name = figure.path[-1]
        held = [numbers(section(section(run, "stretches"), figure.latency).get(name)) for run in runs]
        if all(held):
            return held[0], held[1]
    if figure.column is None or not all(isinstance(section(run, "series").get(figure.column), list) for run in runs):
        return None
    slots = [_slots(run, figure.column) for run in runs]
    count = min(STRETCHES, *(len(each) // 2 for each in slots))
    shown = max if figure.column == "backlog" else median
    first, second = ([shown(each[place]) for place in cut(len(each), count)] if count else [] for each in slots)
    return first, second


def _slots(summary: Summary, column: str) -> list[float]:
    """A column of the series while objects arrived; for a backlog, which arrives first, while it drained."""
    series = section(summary, "series")
    values, planned = series.get(column), series.get("planned_per_s")
    if not isinstance(values, list) or not isinstance(planned, list) or len(values) != len(planned):
        return []
    arrivals = [index for index, rate in enumerate(planned) if rate]
    drained = section(summary, "arrivals").get("shape") == "backlog"
    chosen = slice(None) if drained or not arrivals else slice(arrivals[0], arrivals[-1] + 1)
    held = numbers(values[chosen])
    # The first slots contain cold starts, and the last one may be incomplete.
    return held[len(held) // 10 : -1]


# Texts.


def markdown(comparison: RunComparison, names: tuple[str, str]) -> str:
    """The comparison for a pull request: the verdict, then a table."""
    lines = [f"**stockpipe: {comparison.verdict}**", ""]
    found = {"The runs are of unlike loads": comparison.unlike, "Differences": comparison.notes}
    for meaning, differences in found.items():
        if differences:
            lines += [f"> {meaning}: {_cell('; '.join(differences))}.", ""]
    lines += [f"| | {_cell(names[0])} | {_cell(names[1])} | change | samples | |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | --- |"]
    marks = {"worse": "**WORSE**", "better": "**better**"}
    for finding in comparison.findings:
        *row, judgement = cells(finding, marks)
        said = " ".join(filter(None, (judgement, finding.why and f"({finding.why})")))
        lines.append(f"| {' | '.join(map(_cell, (*row, said)))} |")
    return "\n".join(lines) + "\n"


def cells(finding: Difference, marks: Mapping[str, str] = {}) -> tuple[str, ...]:
    """A row of a table: the name, both values, the change, the samples, and the judgement's text in `marks`."""
    judgement = "" if finding.judgement == "shown" else marks.get(finding.judgement, finding.judgement)
    values = (value_text(value, finding.unit) for value in (finding.before, finding.after))
    return finding.name, *values, change_text(finding), samples_text(finding), judgement


def lines(comparison: RunComparison, width: int) -> Iterator[tuple[str, Judgement]]:
    """The findings as aligned lines, with judgements. A reason that does not fit in `width` gets its own line."""
    rows = [("", "A", "B", "change", "samples", ""), *map(cells, comparison.findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    reasons = ["", *(finding.why for finding in comparison.findings)]
    judgements: list[Judgement] = ["shown", *(finding.judgement for finding in comparison.findings)]
    for row, why, judgement in zip(rows, reasons, judgements, strict=True):
        aligned = [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]
        line = "  ".join((*aligned, row[5])).rstrip()
        said = f" ({why})" if why and row[5] else f"  ({why})" if why else ""
        if len(line) + len(said) <= width or not why:
            yield line + said, judgement
        else:
            yield line, judgement
            yield f"    {why}", judgement


def as_json(comparison: RunComparison) -> dict[str, Any]:
    """The comparison for programs: `stockpipe.compare/1`."""
    return {
        "schema": "stockpipe.compare/1",
        "verdict": comparison.judgement,
        "text": comparison.verdict,
        "unlike": list(comparison.unlike),
        "notes": list(comparison.notes),
        "figures": [
            {**asdict(finding), "ratio": None if finding.ratio is None else round(finding.ratio, 4)}
            for finding in comparison.findings
        ],
    }


def value_text(value: float | None, unit: str) -> str:
    """A figure with its unit, in a short, readable form."""
    if value is None:
        return "-"
    match unit:
        case "s":
            return seconds(value)
        case "%":
            return f"{significant(value * 100)} %"
        case "USD":
            return f"{value:.3f} USD"
        case "/s":
            return f"{value:,.1f}/s"
        case "yes or no":
            return "yes" if value else "no"
    return counted(value, unit) if unit else significant(value, 6)


def change_text(finding: Difference) -> str:
    """`+12.3 %`, or nothing if there is no ratio."""
    return "" if finding.ratio is None else percent(finding.ratio - 1)


def percent(change: float) -> str:
    """A change with its sign, as in `-3.2 %`; one that rounds to zero has none."""
    return f"{change * 100:+,.1f} %".replace("+0.0 %", "0.0 %").replace("-0.0 %", "0.0 %")


def samples_text(finding: Difference) -> str:
    """How many samples are behind the figure: `600`, `600 and 580`, of a tail `6 beyond`; nothing if there are none."""
    counts = " and ".join(dict.fromkeys(f"{count:,}" for count in finding.samples or ()))
    return counts + (" beyond" if counts and finding.tail else "")


def _cell(text: str) -> str:
    """Escape text, so that it neither ends a cell nor is HTML to a Markdown reader."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
