"""Bounds on the figures of a summary: `rejected<1%`, `object_to_stored_p99<5s`, `rows_per_s>500`. Pure.

`simulate`, its scenarios and `load-test` share one grammar and one list of names; `load-test` adds its own figures.
docs/bounds.md explains them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator.base.errors import InputError, UnusableValueError
from simulator.base.nearest import nearest
from simulator.base.quantities import Bound, parse_bound, parse_duration
from simulator.base.words import counted, seconds, significant

Path = tuple[str, ...]
_NAME = re.compile(r"([A-Za-z_][\w.-]*)\s*[<>=!]")


def number_at(summary: Mapping[str, Any], path: Path) -> float | None:
    """The number at this path of a summary, or None if there is none."""
    held: Any = summary
    for name in path:
        held = held.get(name) if isinstance(held, Mapping) else None
    return held if isinstance(held, int | float) and not isinstance(held, bool) else None


@dataclass(frozen=True, slots=True)
class SummaryFigure:
    """A number in a summary that a bound may name: where it is, and what it means.

    `unit` is what it counts, in the singular (`row`, `delivery`), or a complete unit (`rows/s`, `USD`). `is_time` says
    that it is in seconds. `whole` has the paths of the numbers whose sum it is a part of; if it is empty, a bound
    cannot be a share.
    """

    path: Path
    meaning: str
    unit: str = ""
    is_time: bool = False
    whole: tuple[Path, ...] = ()

    def text(self, value: float, digits: int = 4) -> str:
        """A value with its unit: `32.4 ms`, `1 message`, `1,402 rows/s`."""
        if self.is_time:
            return seconds(value, digits)
        if "/" in self.unit or self.unit == "USD":
            return f"{significant(value, digits)} {self.unit}"
        plural = "deliveries" if self.unit == "delivery" else None
        return counted(value, self.unit, plural)


def numeric(path: str, unit: str, meaning: str, *whole: str) -> SummaryFigure:
    """A count at a dotted path; it is a part of the sum of the numbers at the `whole` paths."""
    return SummaryFigure(tuple(path.split(".")), meaning, unit, whole=tuple(tuple(part.split(".")) for part in whole))


def timed(path: str, meaning: str) -> SummaryFigure:
    """A time at a dotted path."""
    return SummaryFigure(tuple(path.split(".")), meaning, is_time=True)


_SENT, _RECEIVED, _INVOCATIONS, _ROWS = "queue.sent", "queue.received", "consumer.invocations", "audit.parsed_rows"

FIGURES: Mapping[str, SummaryFigure] = {
    "duration": timed("duration_s", "from the first tick or put to the end of the drain"),
    "generated_invocations": numeric("generated.invocations", "tick", "ticks of the generator"),
    "generated_files": numeric("generated.files", "object", "objects of the generator or of --source"),
    "generated_rows": numeric("generated.rows", "row", "rows of the generator or of --source"),
    "generated_bytes": numeric("generated.bytes", "byte", "bytes of the generator or of --source"),
    "sent": numeric(_SENT, "message", "messages about objects"),
    "received": numeric(_RECEIVED, "delivery", "deliveries of messages, repeats included"),
    "deleted": numeric("queue.deleted", "message", "messages that were processed", _SENT),
    "dead_lettered": numeric("queue.dead_lettered", "message", "messages moved to the dead-letter queue", _SENT),
    "filtered": numeric("queue.filtered", "message", "messages that the mapping's filter criteria deleted", _SENT),
    "remaining": numeric("queue.remaining", "message", "messages neither deleted nor dead-lettered", _SENT),
    "visible_max": numeric("queue.visible_max", "message", "messages visible in the queue, at most"),
    "depth_max": numeric("queue.depth_max", "message", "messages visible or in flight at one instant, at most"),
    "in_flight_max": numeric("queue.in_flight_max", "message", "messages in flight, at most"),
    "oldest_age_max": timed("queue.oldest_age_s_max", "age of the oldest message, at most"),
    "invocations": numeric(_INVOCATIONS, "invocation", "invocations of the consumer"),
    "cold_starts": numeric("consumer.cold_starts", "cold start", "cold starts of the consumer", _INVOCATIONS),
    "errors": numeric("consumer.errors", "invocation", "invocations of the consumer that failed", _INVOCATIONS),
    "timeouts": numeric("consumer.timeouts", "invocation", "invocations of the consumer that timed out", _INVOCATIONS),
    "consumer_throttles": numeric(
        "consumer.throttles", "invocation", "invocations of the consumer that Lambda throttled"
    ),
    "batch_item_failures": numeric(
        "consumer.batch_item_failures", "delivery", "deliveries that the consumer reported as failed", _RECEIVED
    ),
    "concurrency_max": numeric("consumer.concurrency_max", "invocation", "consumers at work at once, at most"),
    "rows_written": numeric("table.rows_written", "row", "rows that the table accepted, repeats included"),
    "batch_writes": numeric("table.batch_writes", "batch write", "batch writes"),
    "unprocessed_items": numeric(
        "table.unprocessed_items",
        "row",
        "rows that batch writes returned unprocessed",
        "table.unprocessed_items",
        "table.rows_written",
    ),
    "throttles": numeric("table.throttled_requests", "request", "requests that the table throttled"),
    "write_units": numeric("table.write_units", "write unit", "write units consumed"),
    **{
        f"object_to_stored_{name}": timed(f"latency_s.object_to_stored.{name}", f"from put to stored, {words}")
        for name, words in {
            "p50": "median",
            "p90": "90th percentile",
            "p99": "99th percentile",
            "max": "longest",
        }.items()
    },
    "rows_per_s": numeric("throughput.rows_per_s_mean", "rows/s", "rows per second, mean"),
    "rows_per_s_max": numeric("throughput.rows_per_s_max", "rows/s", "rows in the busiest second"),
    "parsed_rows": numeric(_ROWS, "row", "rows read in all objects"),
    "rejected": numeric("audit.rejected", "row", "rows that cannot be stored", _ROWS),
    "duplicates": numeric("audit.duplicates", "row", "rows replaced by a later one of their object", _ROWS),
    "expected_rows": numeric("audit.expected_rows", "key", "distinct keys that belong in the table"),
    "stored_rows": numeric("audit.stored_rows", "item", "items in the table"),
    "missing": numeric("audit.missing", "row", "rows that should be in the table and are not", _ROWS),
    "extra": numeric("audit.extra", "item", "items that no object explains", _ROWS),
    "different": numeric("audit.different", "item", "items that differ from their row", _ROWS),
    "ambiguous": numeric("audit.ambiguous", "key", "keys on which two objects disagree", _ROWS),
    "overwritten": numeric("audit.overwritten", "row", "rows lost to a later, different one of their object", _ROWS),
    "superseded": numeric("audit.superseded", "row", "rows that only an earlier version of an object explains", _ROWS),
    "objects_all_rejected": numeric("audit.objects_all_rejected", "object", "objects of which every row was rejected"),
    "objects_many_rejected": numeric(
        "audit.objects_many_rejected", "object", "objects of which more than 10 rows, and more than 10 %, were rejected"
    ),
    "dead_lettered_objects": numeric(
        "audit.dead_lettered.objects", "object", "objects with a message in the dead-letter queue"
    ),
    "dead_lettered_rows": numeric("audit.dead_lettered.rows", "row", "rows of dead-lettered objects", _ROWS),
    "dead_lettered_rows_stored": numeric(
        "audit.dead_lettered.rows_stored", "row", "rows of dead-lettered objects that are stored", _ROWS
    ),
    "pending_objects": numeric("audit.pending.objects", "object", "objects with a message in the queue"),
    "pending_rows": numeric("audit.pending.rows", "row", "rows of pending objects", _ROWS),
    "pending_rows_stored": numeric(
        "audit.pending.rows_stored", "row", "rows of pending objects that are stored", _ROWS
    ),
    "filtered_objects": numeric(
        "audit.filtered.objects", "object", "objects whose message the filter criteria deleted"
    ),
    "filtered_rows": numeric("audit.filtered.rows", "row", "rows of filtered objects", _ROWS),
    "filtered_rows_stored": numeric(
        "audit.filtered.rows_stored", "row", "rows of filtered objects that are stored", _ROWS
    ),
    "lost": numeric(
        "deliveries.lost", "message", "messages of another application that nobody deleted and that are gone"
    ),
    **{
        f"events_{fate}": numeric(f"deliveries.events_{fate}", "event", f"another application's events that {words}")
        for fate, words in {
            "done": "succeeded",
            "given_up": "were given up",
            "lost": "were given up to no queue",
            "waiting": "had no outcome when the drain ended",
        }.items()
    },
}
"""Every figure of a run's summary that a bound may name."""


@dataclass(frozen=True, slots=True)
class SummaryBound(Bound):
    """A bound, and how the user wrote it. A time has its limit in seconds, a share in per cent.

    A default is judged only if its figure exists.
    """

    text: str
    of: SummaryFigure
    is_share: bool
    is_default: bool = False

    def value(self, summary: Mapping[str, Any]) -> float | None:
        """The figure in the limit's unit; None if it does not exist, or if it is a share of zero."""
        part = number_at(summary, self.of.path)
        if part is None or not self.is_share:
            return part
        whole = self.whole(summary)
        return 100 * part / whole if whole else None

    def whole(self, summary: Mapping[str, Any]) -> float | None:
        """The total that the figure is a part of, or None."""
        parts = [part for path in self.of.whole if (part := number_at(summary, path)) is not None]
        return sum(parts) if len(parts) == len(self.of.whole) else None

    def value_text(self, value: float | None) -> str:
        """A value with its unit, and with enough digits to show on which side of the limit it is."""
        if value is None:
            return "not measured"
        held = self.holds(value)
        digits = next((few for few in range(4, 17) if self.holds(float(f"{value:.{few}g}")) == held), 17)
        return f"{significant(value, digits)} %" if self.is_share else self.of.text(value, digits)


def parse(text: str, figures: Mapping[str, SummaryFigure] = FIGURES) -> SummaryBound:
    """Parse `rejected<1%` or `duration<=90s`. The `ValueError` says what is wrong and how to write it."""
    text = " ".join(text.split())
    named = _NAME.match(text)
    if named and named[1] not in figures:
        raise UnusableValueError(f"'{text}': there is no figure '{named[1]}'", _instead(named[1], figures))
    try:
        bound = parse_bound(text, lambda figure, limit: _limit(figures[figure], limit))
    except ValueError:
        bound = None
    if bound is None or bound.operator in ("==", "!="):
        raise UnusableValueError(f"'{text}' is not a bound", "write for example 'rejected<1%' or 'rows_per_s>500'")
    of, is_share = figures[bound.figure], text.endswith("%")
    if not math.isfinite(bound.limit):
        raise UnusableValueError(f"'{text}' is not a bound of this figure", _how(bound, of, is_share=is_share))
    return SummaryBound(bound.figure, bound.operator, bound.limit, text, of, is_share)


def _limit(of: SummaryFigure, limit: str) -> float:
    """The limit in seconds, in per cent or as a plain number; NaN if it is not written that way."""
    try:
        return parse_duration(limit) if of.is_time else float(limit.removesuffix("%") if of.whole else limit)
    except ValueError:
        return math.nan


def _how(bound: Bound, of: SummaryFigure, *, is_share: bool) -> str:
    name, example = bound.figure, f"{bound.figure}{bound.operator}5"
    if of.is_time:
        return f"{name} is a time and needs a unit, as in {example}s"
    if of.whole:
        return f"{name} is a bare number or a share; write {example} or {example}%"
    return f"{name} is a bare number{', not a share' if is_share else ''}; write {example}"


def _instead(name: str, figures: Mapping[str, SummaryFigure]) -> str:
    """The nearest name: at the same path of the summary, else one that contains this one, else the most similar."""
    *_, plain = place = tuple(name.lower().replace("-", "_").strip(".").split("."))
    near = (
        [known for known, figure in figures.items() if figure.path[-len(place) :] == place]
        or sorted((known for known in figures if plain in known), key=len)
        or [name for name in [nearest(plain, figures)] if name]
    )
    return f"did you mean '{near[0]}'?" if near else "`stockpipe docs bounds` lists all figures"


def parse_all(texts: Iterable[str], figures: Mapping[str, SummaryFigure] = FIGURES) -> tuple[SummaryBound, ...]:
    """Parse the values of `--slo`. The `InputError` is about the first that is not a bound."""
    try:
        return tuple(parse(text, figures) for text in texts)
    except ValueError as error:
        raise InputError.about("--slo: ", error) from None


DEFAULTS = tuple(
    replace(parse(text), is_default=True)
    for text in (
        *("dead_lettered<1", "events_given_up<1"),
        *("objects_all_rejected<1", "objects_many_rejected<1", "stored_rows>0"),
    )
)
"""The bounds of every run that does not override them; `stored_rows>0` applies only if a message was sent."""


def in_force(*layers: Sequence[SummaryBound]) -> tuple[SummaryBound, ...]:
    """Merge the layers: if a later layer bounds a figure, the earlier bounds on that figure are dropped."""
    held: list[SummaryBound] = []
    for layer in layers:
        named = {bound.figure for bound in layer}
        held = [*(bound for bound in held if bound.figure not in named), *layer]
    return tuple(held)


def judge(bounds: Iterable[SummaryBound], summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The summary's `bounds`: each bound, its figure's value in the unit of the bound, and whether it held.

    If the figure does not exist, the value is None and the bound is missed. A default bound is then left out instead;
    so is the default `stored_rows>0` if no message was sent.
    """
    judged = [(bound, bound.value(summary)) for bound in bounds]
    sent = number_at(summary, FIGURES["sent"].path)
    return [
        {"bound": bound.text, "value": value, "held": bound.holds(value)}
        for bound, value in judged
        if not bound.is_default or (value is not None and (sent or bound.figure != "stored_rows"))
    ]


def missed(judged: Iterable[Mapping[str, Any]], figures: Mapping[str, SummaryFigure] = FIGURES) -> str:
    """The missed bounds of a summary with their values, on one line; empty if all held."""
    return ", ".join(each_missed(judged, figures))


def each_missed(judged: Iterable[Mapping[str, Any]], figures: Mapping[str, SummaryFigure] = FIGURES) -> Iterator[str]:
    """Each missed bound of a summary with its value: `rejected<1% (2 %)`."""
    for each in judged:
        if not each["held"]:
            yield f"{each['bound']} ({parse(each['bound'], figures).value_text(each['value'])})"


def words(
    judged: Mapping[str, Any], summary: Mapping[str, Any], figures: Mapping[str, SummaryFigure] = FIGURES
) -> tuple[str, str]:
    """A bound's value with its unit, and its meaning with the numbers of a share and the audit's note, if any.

    If the audit read only a sample, every figure of the audit says so; only the objects at rest are counted in full.
    """
    bound = parse(judged["bound"], figures)
    details = []
    if bound.is_share and judged["value"] is not None:
        details.append(f"{number_at(summary, bound.of.path):,.0f} of {bound.whole(summary):,.0f}")
    if note := ((summary["audit"] or {}).get("notes") or {}).get(bound.figure):
        details.append(note)
    meaning = " ".join([bound.of.meaning, *(f"({detail})" for detail in details)])
    return bound.value_text(judged["value"]), meaning + extent(bound, summary)


def extent(bound: SummaryBound, summary: Mapping[str, Any]) -> str:
    """` (in the sample of 20 of 200 objects)` for a figure of a sample's audit; else nothing."""
    sample = sample_words(summary["audit"] or {})
    if not sample or bound.of.path[0] != "audit" or bound.of.path[-1] == "objects":
        return ""
    return f" (in the sample of {sample})"


def sample_words(audit: Mapping[str, Any]) -> str:
    """How large the sample of a summary's audit is: `20 of 200 objects`; empty if the audit read everything."""
    sampled = audit.get("sampled")
    return f"{sampled['objects']:,} of {counted(sampled['of'], 'object')}" if sampled else ""
