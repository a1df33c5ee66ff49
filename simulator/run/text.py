"""The run's summary as a short text for the person who ran it.

It reads only the JSON, so the text can be printed again from a summary file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from simulator.base.shown import printable
from simulator.base.words import counted
from simulator.dashboard.figures import rate, seconds, size
from simulator.dashboard.lines import TONES, Labelled, labelled
from simulator.run import bounds
from simulator.run.bounds import SummaryFigure
from simulator.run.causes import render_causes, render_next_steps
from simulator.run.verdicts import verdict_of

DIFFERENCES_SHOWN = 10
_HELD, _MISSED = Style(color="green"), Style(color="red", bold=True)


def render_summary(summary: Mapping[str, Any]) -> RenderableType:
    """The result in a dozen lines: the verdict and the bounds, each stage, the differences and the next steps."""
    parts: list[RenderableType] = [_headline(summary), *bounds_kept(summary), labelled(_stages(summary))]
    parts += _invariants(summary)
    differences = (summary["audit"] or {}).get("differences") or []
    if differences:
        parts.append(Text("  first differences", Style(bold=True)))
        parts += [_indented(printable(line), Style(color="red")) for line in differences[:DIFFERENCES_SHOWN]]
        if len(differences) > DIFFERENCES_SHOWN:
            parts.append(_indented(f"and {len(differences) - DIFFERENCES_SHOWN:,} more in the summary file"))
    return Group(*parts, *_skipped(summary), *render_causes(summary), *render_next_steps(summary))


def _invariants(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    """One line per invariant; what a failed one says is on the next."""
    for each in summary.get("invariants") or ():
        state = Text("held  ", _HELD) if each["held"] else Text("failed", _MISSED)
        yield Text.assemble("  ", state, f"  invariant {printable(each['name'])}")
        if not each["held"]:
            yield _indented(printable(": ".join(filter(None, (each["where"], each["message"])))), Style(color="red"))


def _skipped(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The steps of a scenario whose trigger never came, and why."""
    skipped = summary.get("skipped_steps") or []
    if skipped:
        yield Text("  what the scenario skipped", Style(bold=True))
    for step in skipped:
        caption = f": {printable(step['caption'])}" if step["caption"] else ""
        yield _indented(f"step {step['step']}, because {printable(step['reason'])}{caption}")


def bounds_kept(
    summary: Mapping[str, Any], figures: Mapping[str, SummaryFigure] = bounds.FIGURES
) -> Iterator[RenderableType]:
    """One line per bound that was missed or that the user set, and one for all defaults that held."""
    defaults = {bound.text for bound in bounds.DEFAULTS}
    held = Text("held".ljust(len("missed")), _HELD)
    lines: list[tuple[Text, Text]] = []
    for judged in sorted(summary["bounds"], key=lambda judged: bool(judged["held"])):
        value, meaning = bounds.words(judged, summary, figures)
        if not judged["held"]:
            said = Text.assemble(judged["bound"], "  ", (value, _MISSED), f": {printable(meaning)}")
            lines.append((Text("missed", _MISSED), said))
        elif judged["bound"] not in defaults:
            whole = bounds.extent(bounds.parse(judged["bound"], figures), summary)
            lines.append((held, Text(f"{judged['bound']}  {value}{whole}")))
    if by_default := sum(judged["held"] and judged["bound"] in defaults for judged in summary["bounds"]):
        lines.append((held, Text(counted(by_default, "default bound"))))
    if lines:
        yield Labelled(lines, Style())


def _indented(text: str, style: Style | str = "") -> RenderableType:
    return Padding(Text(text, style), (0, 0, 0, 4))


def _headline(summary: Mapping[str, Any]) -> Text:
    audit, verdict = summary["audit"], verdict_of(summary)
    line = Text("  ").append(verdict.word, TONES[verdict.tone] + Style(bold=True)).append(f"  {verdict.meaning}")
    if audit is not None and audit["expected_rows"] is not None and audit["verdict"] == "exact":
        line.append(f": {audit['expected_rows']:,} expected, {audit['stored_rows']:,} stored")
    if summary["interrupted"]:
        line.append(" (interrupted)", Style(color="yellow"))
    return line


def _stages(summary: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    generated, queue, consumer = summary["generated"], summary["queue"], summary["consumer"]
    table, audit, deliveries = summary["table"], summary["audit"], summary["deliveries"]
    row, latency_of = "item", "sent to deleted" if queue["sent"] else "event to done"
    if audit is not None:
        row, latency_of = "row", "object to stored"
    if summary["duration_s"] is not None:
        yield from _length(summary)
    made = f"{counted(generated['files'], 'object')}, {counted(generated['rows'], 'row')}, {size(generated['bytes'])}"
    ticks = f"{counted(generated['invocations'], 'tick')} wrote " if generated["invocations"] else ""
    if audit is not None:
        yield "generated", ticks + made
    elif generated["files"]:
        yield "sent", f"{counted(generated['files'], 'file')}, {size(generated['bytes'])}"
    if queue["sent"] is not None and (audit is not None or queue["received"] or queue["sent"]):
        filtered = f" ({queue['filtered']:,} by the filter)" if queue["filtered"] else ""
        gone = f"{queue['deleted']:,} deleted{filtered} + {queue['dead_lettered']:,} dead-lettered"
        yield "queue", f"{queue['sent']:,} sent = {gone} + {queue['remaining']:,} remaining"
        received = counted(queue["received"], "delivery", "deliveries")
        deepest = f"peak {queue['depth_max']:,}"
        each = f"{queue['visible_max']:,} visible, {queue['in_flight_max']:,} in flight"
        yield "", f"{received}; {deepest} ({each}), oldest {seconds(queue['oldest_age_s_max'])}"
    starts = counted(consumer["cold_starts"], "cold start")
    invocations = counted(consumer["invocations"], "invocation")
    work = f"{invocations}, at most {consumer['concurrency_max']:,} at once; {starts}"
    yield "consumer" if audit is not None else "functions", work
    errors = f"{counted(consumer['errors'], 'error')} ({counted(consumer['timeouts'], 'timeout')})"
    failures = counted(consumer["batch_item_failures"], "batch item failure")
    yield "", f"{errors}, {counted(consumer['throttles'], 'throttle')}, {failures}"
    if deliveries is not None and (deliveries["events_done"] or deliveries["events_given_up"]):
        given_up = f"{deliveries['events_given_up']:,} given up, {deliveries['events_lost']:,} of them lost"
        yield "events", f"{deliveries['events_done']:,} done, {given_up}"
    if table["rows_written"] is not None and (audit is not None or table["rows_written"]):
        units = counted(table["write_units"], "write unit")
        written = f"{counted(table['rows_written'], row)} written"
        if audit is not None or table["batch_writes"]:
            written += f" in {counted(table['batch_writes'], 'batch write')}"
        yield "table", f"{written}; {units}"
        throttled = counted(table["throttled_requests"], "throttled request")
        yield "", f"{counted(table['unprocessed_items'], 'unprocessed item')}, {throttled}"
    yield from _faults(summary)
    throughput = summary["throughput"]
    if throughput["rows_per_s_mean"] is not None:
        busiest = counted(throughput["rows_per_s_max"] or 0, row)
        yield "throughput", f"mean {rate(throughput['rows_per_s_mean'])} {row}s/s, busiest second {busiest}"
    latency = summary["latency_s"]["object_to_stored"]
    if latency["p50"] is not None:
        percentiles = "  ".join(f"{name} {seconds(value)}" for name, value in latency.items())
        yield "latency", f"{latency_of}  {percentiles}"
    if audit is not None and audit["expected_rows"] is not None:
        yield from _proof(audit)


def _length(summary: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    took, first = seconds(summary["duration_s"]), "first input" if summary["audit"] is None else "first tick or put"
    yield "took", f"{took} from the {first} to the end of the drain"
    if summary.get("observations"):
        yield "virtual", f"{took} in {seconds(summary['machine']['wall_s'])} of real time"


def _faults(summary: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if struck := summary.get("faults"):
        yield "faults", ", ".join(f"{printable(kind)} {counted(times, 'time')}" for kind, times in struck.items())


def _proof(audit: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    replaced = f"{counted(audit['duplicates'], 'duplicate')} within an object"
    if audit["overwritten"]:
        replaced += f" ({audit['overwritten']:,} overwritten)"
    yield "proof", f"{counted(audit['parsed_rows'], 'row')} read, {audit['rejected']:,} rejected, {replaced}"
    yield "", f"{audit['expected_rows']:,} expected, {audit['stored_rows']:,} stored"
    yield "", ", ".join(f"{audit[name]:,} {name}" for name in ("missing", "extra", "different", "ambiguous"))
    for line in audit["apart"]:
        yield "", line
    for number, name in enumerate(audit["unused_settings"]):
        yield "" if number else "unused", printable(audit["notes"][name])
    places = {
        "dead_lettered": "dead-letter queue",
        "pending": "still in the queue",
        "filtered": "deleted by the filter",
    }
    for name, where in places.items():
        held = audit[name]
        if held["objects"]:
            rows = f"{counted(held['rows'], 'row')}, {held['rows_stored']:,} of them stored"
            yield "", f"{where}: {counted(held['objects'], 'object')} with {rows}"
