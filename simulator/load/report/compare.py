"""Two summaries side by side, with a verdict that noise cannot fool. Pure: summaries in, findings out.

A figure counts as changed only if all of this holds: the change is larger than the tolerance, and than 3.5 times the
spread within the runs, because two runs of the same code differ by more than the chance within each would make them;
it is seen all through both (nearly every stretch of one lies on the same side of nearly every stretch of the other);
and the runs are long enough to tell. Stretches, not seconds, are compared, because neighbouring seconds of a queue
resemble each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median, variance
from typing import Any, Literal

from simulator.base.errors import InputError
from simulator.base.words import seconds
from simulator.run.bounds import number_at

Direction = Literal["higher", "lower"]
Judgement = Literal["same", "better", "worse", "noise", "shown"]

TOLERANCE = 0.10
STRETCHES = 12
"""Each run is cut into this many stretches at most."""
STRETCHES_MIN = 8
"""With fewer there is nothing to tell chance from change by: 8 and 8 that are shuffled come apart once in 3,217."""
SEPARATION = 0.95
"""Cliff's delta from which on two sets of stretches count as apart: 39 pairs of 40 on one side."""
SPREADS = 3.5
"""A change must exceed this many times the spread of the stretches within a run."""


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One compared figure: how to read it, which way is better, and the change too small to matter in its own unit.

    `samples` is the series' column that shows it over time; None where there is none and the figure is only shown.
    """

    name: str
    unit: str
    better: Direction
    path: tuple[str, ...]
    samples: str | None = None
    least: float = 0.0


FIGURES = (
    ComparedFigure("planned to stored, p50", "s", "lower", ("latency_s", "planned_to_stored", "p50"), "p50_s", 0.010),
    ComparedFigure("planned to stored, p99", "s", "lower", ("latency_s", "planned_to_stored", "p99"), "p99_s", 0.025),
    ComparedFigure("stored objects a second", "/s", "higher", ("throughput", "objects_per_s_mean"), "stored_per_s"),
    ComparedFigure("rows a second", "/s", "higher", ("throughput", "rows_per_s_mean"), "rows_per_s"),
    ComparedFigure("backlog, peak", "", "lower", ("backlog", "peak"), "backlog", 10),
    ComparedFigure("highest rate", "/s", "higher", ("find_max", "rate_per_s")),
    ComparedFigure("send, p99", "s", "lower", ("latency_s", "send", "p99")),
    ComparedFigure("handler, p50", "s", "lower", ("latency_s", "handler", "p50")),
    ComparedFigure("drain", "s", "lower", ("backlog", "drain_s")),
    ComparedFigure("share of the raw ceiling", "%", "higher", ("ceiling", "share")),
    ComparedFigure("a million rows on AWS", "USD", "lower", ("cost", "usd_per_million_rows")),
)
LOSSES = (
    ("dropped arrivals", ("dropped",)),
    ("failed puts", ("failed",)),
    ("failed invocations", ("consumer", "errors")),
    ("dead-lettered messages", ("queue", "dead_lettered")),
    ("throttled table requests", ("table", "throttled_requests")),
)
"""Counts that should be nothing; judged against how many objects there were, by counting error."""
MATTERS = (
    *("target", "rows", "rate", "duration", "ramp", "steps", "spike", "poisson", "backlog", "find_max"),
    *("sink_latency", "runtime", "parameters"),
)
"""Options in which two runs must agree for their difference to mean the code."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure in both runs. `ratio` is B to A; `why` says in words how it was judged."""

    name: str
    unit: str
    before: float | None
    after: float | None
    judgement: Judgement
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """B to A, where both exist and A is not zero."""
        if self.before is None or self.after is None or self.before == 0:
            return None
        return self.after / self.before


@dataclass(frozen=True, slots=True)
class RunComparison:
    """All findings, and what makes the runs unlike beyond the code under test."""

    findings: tuple[Difference, ...]
    unlike: tuple[str, ...]

    @property
    def judgement(self) -> Literal["worse", "better", "same"]:
        """Of the code: what got worse beyond noise outweighs what got better."""
        judged = {finding.judgement for finding in self.findings}
        return "worse" if "worse" in judged else "better" if "better" in judged else "same"

    @property
    def verdict(self) -> str:
        """One line."""
        if self.judgement == "same":
            return "no difference beyond noise"
        return f"{self.judgement}: {', '.join(self.judged(self.judgement))}"

    def judged(self, judgement: Judgement) -> list[str]:
        """The names of the figures that were judged so."""
        return [finding.name for finding in self.findings if finding.judgement == judgement]


def compare(before: Mapping[str, Any], after: Mapping[str, Any], tolerance: float = TOLERANCE) -> RunComparison:
    """Compare two summaries of `load-test` or `simulate`. Raises `InputError` for anything else."""
    for document in (before, after):
        require_summary(document)
    findings = [_figure(figure, before, after, tolerance) for figure in FIGURES]
    findings += [_loss(name, path, before, after) for name, path in LOSSES]
    findings.append(_proof(before, after))
    return RunComparison(tuple(finding for finding in findings if finding is not None), _unlike(before, after))


def require_summary(document: Any) -> None:
    """Raise `InputError` unless it is a summary that this version reads."""
    schema = document.get("schema") if isinstance(document, Mapping) else None
    if not isinstance(schema, str) or not schema.startswith(("stockpipe.load/", "stockpipe.run/")):
        raise InputError("it is not a summary of stockpipe load-test or simulate (its 'schema' is missing or another)")
    if schema.partition("/")[2] != "1":
        raise InputError(f"its schema is {schema}; this stockpipe reads version 1")


def _figure(
    figure: ComparedFigure, before: Mapping[str, Any], after: Mapping[str, Any], tolerance: float
) -> Difference | None:
    values = number_at(before, figure.path), number_at(after, figure.path)
    if values == (None, None):
        return None
    series = [_samples(summary, figure) for summary in (before, after)]
    return Difference(figure.name, figure.unit, *values, *_judge(figure, values, series, tolerance))


def _judge(
    figure: ComparedFigure,
    values: tuple[float | None, float | None],
    series: Sequence[Sequence[float]],
    tolerance: float,
) -> tuple[Judgement, str]:
    (old, new), (first, second) = values, map(stretches, series)
    if old is None or new is None:
        return "shown", "measured in one run only"
    if old == new:
        return "same", ""
    if figure.samples is None:
        return "shown", "one figure a run: shown, not judged"
    if min(len(first), len(second)) < STRETCHES_MIN:
        return "shown", "too short to tell change from chance"
    change = median(second) - median(first)
    if abs(change) <= max(figure.least, tolerance * abs(median(first))):
        return "same", f"within {tolerance:.0%}"
    delta = cliffs_delta(first, second)
    if abs(change) <= SPREADS * spread(first, second):
        return "noise", "no larger than what the runs do by themselves"
    if abs(delta) < SEPARATION:
        return "noise", "the runs overlap: no more than noise"
    improved = (change > 0) == (figure.better == "higher")
    return ("better" if improved else "worse"), f"{abs(delta):.0%} apart"


def stretches(samples: Sequence[float]) -> list[float]:
    """Medians of up to `STRETCHES` equal stretches of a series, each of at least two samples."""
    count = min(STRETCHES, len(samples) // 2)
    if count < 1:
        return []
    edges = [round(index * len(samples) / count) for index in range(count + 1)]
    return [median(samples[start:end]) for start, end in pairwise(edges)]


def spread(first: Sequence[float], second: Sequence[float]) -> float:
    """The standard deviation of the stretches within a run, pooled over both runs."""
    return math.sqrt((variance(first) + variance(second)) / 2)


def cliffs_delta(first: Sequence[float], second: Sequence[float]) -> float:
    """How far apart two sets are: 1 when all of the second lie above all of the first, -1 below, 0 when mixed."""
    above = sum((b > a) - (b < a) for a in first for b in second)
    return above / (len(first) * len(second))


def _loss(name: str, path: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference | None:
    old, new = number_at(before, path), number_at(after, path)
    if old is None or new is None or (not old and not new):
        return None
    planned, sent = ("planned",), ("queue", "sent")
    objects = max(number_at(summary, planned) or number_at(summary, sent) or 0.0 for summary in (before, after))
    # Two counts differ when their difference exceeds three times its own counting error, and is no handful.
    apart = abs(new - old) > 3 * math.sqrt(max(1.0, new + old)) and abs(new - old) > 0.001 * objects
    judgement: Judgement = "noise" if not apart else "worse" if new > old else "better"
    return Difference(name, "", old, new, "same" if old == new else judgement)


def _proof(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference | None:
    verdicts = [_section(summary, "audit").get("verdict") for summary in (before, after)]
    if not all(isinstance(verdict, str) for verdict in verdicts):
        return None
    old, new = (float(verdict == "exact") for verdict in verdicts)
    judgement: Judgement = "same" if old == new else "better" if new > old else "worse"
    return Difference("audit exact", "", old, new, judgement, f"{verdicts[0]} -> {verdicts[1]}")


def _samples(summary: Mapping[str, Any], figure: ComparedFigure) -> list[float]:
    """A column of the series while objects arrived; for a backlog, which arrives beforehand, while it drained."""
    series = _section(summary, "series")
    if figure.samples is None:
        return []
    column, planned = series.get(figure.samples), series.get("planned_per_s")
    if not isinstance(column, list) or not isinstance(planned, list) or len(column) != len(planned):
        return []
    arrivals = [index for index, rate in enumerate(planned) if rate]
    drained = _section(summary, "arrivals").get("shape") == "backlog"
    chosen = range(len(column)) if drained or not arrivals else range(arrivals[0], arrivals[-1] + 1)
    values = [column[index] for index in chosen if isinstance(column[index], int | float)]
    # The first slots hold cold starts and the last one may be cut short.
    return values[len(values) // 10 : -1]


def _section(summary: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a summary; empty if there is none, as in a file that only looks like one."""
    found = summary.get(name)
    return found if isinstance(found, Mapping) else {}


def _unlike(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs besides the code: options that shape the run, and versions."""
    said = []
    if before.get("command") != after.get("command"):
        said.append(f"command: {before.get('command')} and {after.get('command')}")
    for source, names in (("options", MATTERS), ("versions", ("python", "moto", "aiobotocore"))):
        old, new = _section(before, source), _section(after, source)
        said += [
            f"{name.replace('_', '-')}: {old.get(name)} and {new.get(name)}"
            for name in names
            if old.get(name) != new.get(name)
        ]
    return tuple(said)


# Words.


def markdown(comparison: RunComparison, names: tuple[str, str]) -> str:
    """For a pull request: the verdict, then a table."""
    lines = [f"**stockpipe: {comparison.verdict}**", ""]
    if comparison.unlike:
        lines += [f"> The runs are not alike in {_cell('; '.join(comparison.unlike))}.", ""]
    lines += [f"| | {_cell(names[0])} | {_cell(names[1])} | change | |", "| --- | ---: | ---: | ---: | --- |"]
    marks = {"worse": "**WORSE**", "better": "**better**"}
    lines += [f"| {' | '.join(map(_cell, cells(finding, marks)))} |" for finding in comparison.findings]
    return "\n".join(lines) + "\n"


def cells(finding: Difference, marks: Mapping[str, str] = {}) -> tuple[str, ...]:
    """A row of a table: the name, both values, the change, and the judgement, by `marks` where that has it."""
    judgement = "" if finding.judgement == "shown" else marks.get(finding.judgement, finding.judgement)
    said = " ".join(filter(None, (judgement, finding.why and f"({finding.why})")))
    values = (value_text(value, finding.unit) for value in (finding.before, finding.after))
    return finding.name, *values, change_text(finding), said


def as_json(comparison: RunComparison) -> dict[str, Any]:
    """For programs: `stockpipe.compare/1`."""
    return {
        "schema": "stockpipe.compare/1",
        "verdict": comparison.judgement,
        "text": comparison.verdict,
        "unlike": list(comparison.unlike),
        "figures": [
            {**asdict(finding), "ratio": None if finding.ratio is None else round(finding.ratio, 4)}
            for finding in comparison.findings
        ],
    }


def value_text(value: float | None, unit: str) -> str:
    """A figure with its unit, as short as it reads well."""
    if value is None:
        return "-"
    match unit:
        case "s":
            return seconds(value)
        case "%":
            return f"{value:.0%}"
        case "USD":
            return f"{value:.3f} USD"
        case "/s":
            return f"{value:,.1f}/s"
    return f"{value:,.6g}"


def change_text(finding: Difference) -> str:
    """`+12.3 %`, or nothing where there is no ratio."""
    return "" if finding.ratio is None else f"{(finding.ratio - 1) * 100:+.1f} %"


def _cell(text: str) -> str:
    """Text that stays text: neither a cell's end nor HTML, which a reader of Markdown may take as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
