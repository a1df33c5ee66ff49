"""The load test's summary as a short text for the person who ran it. It reads only the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.style import Style
from rich.table import Table
from rich.text import Text

from simulator.base.words import counted, seconds, significant
from simulator.dashboard.lines import labelled
from simulator.load.plan.slo import FIGURES
from simulator.run.bounds import sample_words
from simulator.run.causes import render_causes, render_next_steps
from simulator.run.text import bounds_kept

WIDEST = 200
"""No table of percentiles is as wide as this."""
_SHOWN = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "max": "max"}
_FORMS = tuple(
    ({name: label for name, label in _SHOWN.items() if name not in left_out}, gap)
    for left_out, gap in (((), 4), ((), 2), (("p999",), 2), (("p999", "p90"), 2), (("p999", "p90", "max"), 2))
)
"""The columns of the percentiles and the gap between two, from the widest table to the narrowest."""
_LATENCIES = {
    "planned_to_stored": "planned to stored",
    "object_to_stored": "object to stored",
    "send": "send (put)",
    "handler": "handler",
}


def render(summary: Mapping[str, Any]) -> RenderableType:
    """The verdict, the bounds, the percentiles, what held the pipeline back, the cost, and why anything failed."""
    kept = bounds_kept(summary, FIGURES)
    lines = [(worded(label, summary), worded(line, summary)) for label, line in _lines(summary)]
    parts = [_headline(summary), *kept, _Percentiles(summary), labelled(lines)]
    return Group(*parts, *render_causes(summary), *render_next_steps(summary))


def _headline(summary: Mapping[str, Any]) -> Text:
    done, rows = f"{summary['stored']:,} of {counted(summary['planned'], 'object')} stored", summary["arrivals"]["rows"]
    text = Text(worded(done, summary), Style(bold=True))
    text.append((f", {counted(rows, 'row')} each" if rows else "") + f", {shape(summary)}; ", Style(bold=False))
    if proof := summary["audit"] or summary.get("deliveries"):
        style = {"exact": "green", "settled": "green", "differs": "red"}.get(proof["verdict"], "yellow")
        kind = "audit" if summary["audit"] else "deliveries"
        text.append(f"{kind} {proof_words(summary)}", Style.parse(f"bold {style}"))
    else:
        text.append(proof_words(summary), Style(dim=True, bold=False))
    if summary["interrupted"]:
        text.append("; interrupted", Style.parse("yellow"))
    return text


def worded(text: str, summary: Mapping[str, Any]) -> str:
    """A text about stored objects, in the words for this load: another application's are processed, or messages."""
    arrivals = summary["arrivals"]
    words = {} if arrivals["rows"] else {"stored": "processed"}
    if arrivals.get("unit") == "message":
        words |= {"whose messages the filter": "which the filter", "object": "message", "Object": "Message"}
        words |= {" put and": " sent and", "send (put)": "send", " put": " request"}
    for usual, other in words.items():
        text = text.replace(usual, other)
    return text


def proof_words(summary: Mapping[str, Any]) -> str:
    """The verdict, with the size of an audit's sample and what a search left; without any, the reason."""
    audit, target, deliveries = summary["audit"], summary["options"]["target"], summary.get("deliveries")
    if deliveries:
        return str(deliveries["verdict"])
    if audit is not None:
        sample = sample_words(audit)
        return f"{audit['verdict']}{f' in a sample of {sample}' if sample else ''}{_left(summary)}"
    reasons = {"sink": "the sink keeps no rows to audit", "stack": "stockpipe verify audits a deployed stack"}
    return f"no audit: {reasons.get(target, '--audit none was given')}"


def _left(summary: Mapping[str, Any]) -> str:
    """What of a search the audit covers: the store deletes the objects and rows of each probe before the next."""
    found = summary["find_max"]
    if found is None or summary["options"]["target"] != "store":
        return ""
    if summary["interrupted"]:
        return ", for what the search left"
    return ", for what the last probe and the spike left" if found["rate_per_s"] else ", for what the last probe left"


def sample_note(summary: Mapping[str, Any]) -> str | None:
    """What the audit of a sample does not say; None without a sample."""
    sampled = (summary["audit"] or {}).get("sampled")
    return "only of the sample's objects; extra rows were not looked for" if sampled else None


def shape(summary: Mapping[str, Any]) -> str:
    """How the objects arrived, in a few words: `20/s for 30 s`."""
    arrivals = summary["arrivals"]
    match arrivals["shape"]:
        case "backlog":
            return "put before the consumer started"
        case "search":
            return "searching for the highest rate"
    peak = max(max(segment["from_per_s"], segment["to_per_s"]) for segment in arrivals["segments"])
    chance = "Poisson, " if arrivals["poisson"] else ""
    rate = f"{significant(peak, 4)}/s"
    rate = rate if arrivals["shape"] == "constant" else f"{arrivals['shape']} up to {rate}"
    return f"{chance}{rate} for {significant(arrivals['duration_s'], 4)} s"


@dataclass(frozen=True)
class _Percentiles:
    """The percentiles as a table: the widest that fits, and else the narrowest."""

    summary: Mapping[str, Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        tables = [self._table(*form) for form in _FORMS]
        widths = (Measurement.get(console, options.update_width(WIDEST), table).maximum for table in tables)
        fitting = (table for table, width in zip(tables, widths, strict=True) if width <= options.max_width)
        yield next(fitting, tables[-1])

    def _table(self, names: Mapping[str, str], gap: int) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
        table.add_column("", no_wrap=True)
        for label in names.values():
            table.add_column(label, justify="right", no_wrap=True)
        for label, shown in latencies(self.summary):
            cells = (seconds(shown[name]) for name in names)
            table.add_row(f"  {label}", *cells, style="dim" if shown is self.summary["generator_lag_s"] else None)
        return table


def latencies(summary: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every distribution in the summary with its name, the generator's lag last."""
    for key, label in _LATENCIES.items():
        yield worded(label, summary), summary["latency_s"][key]
    yield "generator lag", summary["generator_lag_s"]


def _lines(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if summary["latency_refused"]:
        yield "percentiles", f"refused: {summary['latency_refused']}"
    yield "sent", _sent(summary)
    for reason in summary["put_failures"]:
        yield "", f"failed put: {reason}"
    throughput = summary["throughput"]
    objects, rows = throughput.get("objects_per_s_mean"), throughput.get("rows_per_s_mean")
    few = f"{counted(summary['stored'], 'object')}, too few for a rate" if summary["stored"] else "nothing"
    yield "stored", f"{objects:,.1f} objects/s, from the first arrival to the last stored" if objects else few
    if rows and summary["arrivals"]["rows"]:
        busiest = throughput.get("rows_per_s_max")
        most = f", busiest second {counted(round(busiest), 'row')}" if busiest else ""
        yield "", f"mean {significant(rows)} rows/s{most}"
    if filtered := summary["queue"]["filtered"]:
        deleted = f"{counted(filtered, 'object')}, whose messages the filter deleted"
        yield "filtered", f"{deleted}: neither stored nor in the backlog"
    yield "backlog", ("of the spike: " if summary["find_max"] else "") + _backlog(summary["backlog"])
    if note := sample_note(summary):
        yield "audit", note
    if ceiling := summary["ceiling"]:
        share = "" if ceiling["share"] is None else f"; this run reached {ceiling['share']:.0%} of it"
        rates = f"{ceiling['objects_per_s']:,.1f} objects/s, {ceiling['rows_per_s']:,.0f} rows/s"
        yield "raw ceiling", f"{rates} by bare requests{share}"
    if summary["find_max"]:
        yield "highest rate", summary["find_max"]["reason"]
    if verdict := summary["bottleneck"]:
        yield "bottleneck", verdict["text"]
        yield "", "; ".join(verdict["evidence"])
    if bill := summary["cost"]:
        yield "on AWS", f"{bill['usd_per_million_rows']:.3f} USD per million rows (durations of {bill['durations']})"


def _sent(summary: Mapping[str, Any]) -> str:
    said = f"{summary['sent']:,} of {summary['planned']:,} planned"
    if summary["dropped"]:
        said += f", {summary['dropped']:,} dropped (no sender free)"
    if summary["failed"]:
        said += f", {summary['failed']:,} failed"
    if summary["generator_cpu"] is not None:
        said += f"; generator {summary['generator_cpu']:.0%} of a core"
    return said


def _backlog(held: Mapping[str, Any]) -> str:
    said = f"peak {counted(held['peak'], 'object')}"
    if held["drain_s"] is not None:
        said += f", drained {seconds(held['drain_s'])} after the last arrival"
    elif held["drained"] is False:
        said += ", not drained"
    if held.get("drain_objects_per_s"):
        said = f"{counted(held['peak'], 'object')} drained in {seconds(held['drain_s'] or 0.0)}"
        said += f": {held['drain_objects_per_s']:,.1f} objects/s"
        said += f", {held['drain_rows_per_s']:,.0f} rows/s" if held["drain_rows_per_s"] else ""
        if held["last_tenth_to_first"] is not None:
            said += f"; last tenth at {held['last_tenth_to_first']:.2f} of the first tenth's rate"
    return said
