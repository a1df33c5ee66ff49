"""The run's summary: the public JSON, and the same as a short text for the person who ran it.

`build` only arranges what the last snapshot and the audit say; `render_summary` reads nothing but the JSON, so that
the text of a run can be had again from its file.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from simulator.base.clock import iso
from simulator.dashboard.figures import count, rate, seconds, size
from simulator.dashboard.lines import labelled
from simulator.proof.audit import Audit, ObjectsAtRest
from simulator.telemetry.events import printable
from simulator.telemetry.snapshot import Snapshot

SCHEMA = "stockpipe.run/1"
DIFFERENCES_SHOWN = 10
_VERDICTS = {
    "exact": ("green", "every row is accounted for"),
    "differs": ("red", "the table is not what the objects say"),
    "unproven": ("yellow", "whether every row is stored was not proven"),
}


def versions() -> dict[str, str | None]:
    """Of everything whose version decides what a run does; None for a package that is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in ("stockpipe", "moto", "aiobotocore"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def build(
    snapshot: Snapshot,
    *,
    audit: Audit | None,
    resources: Mapping[str, Any] | None,
    options: Mapping[str, Any],
    ended_at: float,
    interrupted: bool,
    source_rows: int | None = None,
    schema: str = SCHEMA,
) -> dict[str, Any]:
    """The summary as the public contract has it: every key is there, and null where a figure does not exist.

    `snapshot` is the last one, `options` are those of the command as resolved, `audit` None when there was no proof
    (the verdict is then `unproven`). `source_rows` are the rows of the real files that the run itself put; None when
    the objects came from the generator or from others.
    """
    run, latency = snapshot.options, _picked(snapshot.latency, "p50", "p90", "p99", "max")
    return {
        "schema": schema,
        "command": run.command,
        "versions": versions(),
        "options": dict(options),
        "seed": run.seed,
        "started_at": iso(run.started_at),
        "ended_at": iso(ended_at),
        "interrupted": interrupted,
        "endpoint": run.endpoint,
        "duration_s": _duration_s(snapshot, ended_at),
        "resources": {name: (resources or {}).get(name) for name in ("bucket", "queue_url", "dlq_url", "table")},
        "generated": _generated(snapshot, source_rows),
        "queue": _queue(snapshot),
        "consumer": _consumer(snapshot),
        "table": _table(snapshot),
        "latency_s": {"object_to_stored": {name: _rounded(value, 4) for name, value in latency.items()}},
        "throughput": _throughput(snapshot),
        "audit": _audit(audit),
    }


def _picked(thing: object, *names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _duration_s(snapshot: Snapshot, ended_at: float) -> float | None:
    begins = [at for at in (snapshot.first_at, snapshot.bucket.first_put_at) if at is not None]
    if not begins:
        return None
    end_at = snapshot.drained_at if snapshot.drained_at is not None else ended_at
    return round(max(0.0, end_at - min(begins)), 3)


def _generated(snapshot: Snapshot, source_rows: int | None) -> dict[str, int]:
    if source_rows is not None:
        return {"invocations": 0, "files": snapshot.puts, "rows": source_rows, "bytes": snapshot.put_bytes}
    metrics = snapshot.generator.metrics
    return {
        "invocations": snapshot.generator.invocations,
        "files": round(metrics.get("FilesWritten", 0)),
        "rows": round(metrics.get("RowsGenerated", 0)),
        "bytes": round(metrics.get("BytesWritten", 0)),
    }


def _queue(snapshot: Snapshot) -> dict[str, int | float | None]:
    maxima = snapshot.maxima
    figures = {
        **_picked(snapshot.queue, "sent", "received", "deleted", "dead_lettered"),
        "remaining": snapshot.remaining,
        "visible_max": maxima.visible,
        "in_flight_max": maxima.in_flight,
        "oldest_age_s_max": _rounded(maxima.oldest_age_s, 3),
    }
    return figures if snapshot.store is not None else dict.fromkeys(figures)


def _consumer(snapshot: Snapshot) -> dict[str, int]:
    consumer = snapshot.consumer
    return {
        **_picked(consumer, "invocations", "cold_starts", "errors", "timeouts", "throttles"),
        "batch_item_failures": consumer.left,
        "concurrency_max": consumer.busy_max,
    }


def _table(snapshot: Snapshot) -> dict[str, int | float | None]:
    figures = {
        **_picked(snapshot.table, "rows_written", "batch_writes", "unprocessed_items", "throttled_requests"),
        "write_units": round(snapshot.table.write_units, 3),
    }
    return figures if snapshot.store is not None else dict.fromkeys(figures)


def _throughput(snapshot: Snapshot) -> dict[str, float | None]:
    table = snapshot.table
    return {
        "rows_per_s_mean": _rounded(snapshot.rows_per_s_mean, 1),
        "rows_per_s_max": float(table.rows_per_s_max) if table.rows_written else None,
    }


def _audit(audit: Audit | None) -> dict[str, Any]:
    if audit is not None:
        return {**asdict(audit), "differences": list(audit.differences)}
    nothing: dict[str, Any] = dict.fromkeys(field.name for field in fields(Audit))
    held = dict.fromkeys(field.name for field in fields(ObjectsAtRest))
    return {**nothing, "dead_lettered": held, "pending": held, "verdict": "unproven", "differences": []}


# The text.


def render_summary(summary: Mapping[str, Any]) -> RenderableType:
    """What came out, in a dozen lines: the verdict first, then each stage, what differs, and what to do next."""
    parts: list[RenderableType] = [_headline(summary), labelled(_stages(summary))]
    differences = summary["audit"].get("differences") or []
    if differences:
        parts.append(Text("  first differences", Style(bold=True)))
        parts += [_indented(printable(line), Style(color="red")) for line in differences[:DIFFERENCES_SHOWN]]
        if len(differences) > DIFFERENCES_SHOWN:
            parts.append(_indented(f"and {len(differences) - DIFFERENCES_SHOWN:,} more in the summary file"))
    advice = list(_advice(summary))
    if advice:
        parts.append(Text("  what to do next", Style(bold=True)))
        parts += [_indented(line) for line in advice]
    return Group(*parts)


def _indented(text: str, style: Style | str = "") -> RenderableType:
    return Padding(Text(text, style), (0, 0, 0, 4))


def _headline(summary: Mapping[str, Any]) -> Text:
    audit = summary["audit"]
    color, meaning = _VERDICTS[audit["verdict"]]
    line = Text("  ").append(audit["verdict"], Style(color=color, bold=True)).append(f"  {meaning}")
    if audit["expected_rows"] is not None and audit["verdict"] == "exact":
        line.append(f": {audit['expected_rows']:,} expected, {audit['stored_rows']:,} stored")
    if summary["interrupted"]:
        line.append(" (interrupted)", Style(color="yellow"))
    return line


def _stages(summary: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    generated, queue, consumer = summary["generated"], summary["queue"], summary["consumer"]
    table, audit = summary["table"], summary["audit"]
    if summary["duration_s"] is not None:
        yield "took", f"{seconds(summary['duration_s'])} from the first tick or put to the end of the drain"
    made = f"{_n(generated['files'], 'object')}, {_n(generated['rows'], 'row')}, {size(generated['bytes'])}"
    ticks = f"{_n(generated['invocations'], 'tick')} wrote " if generated["invocations"] else ""
    yield "generated", ticks + made
    if queue["sent"] is not None:
        gone = f"{queue['deleted']:,} deleted + {queue['dead_lettered']:,} dead-lettered"
        yield "queue", f"{queue['sent']:,} sent = {gone} + {queue['remaining']:,} remaining"
        deepest = f"{queue['visible_max']:,} visible, {queue['in_flight_max']:,} in flight"
        received = _n(queue["received"], "delivery", "deliveries")
        yield "", f"{received}; at most {deepest}, oldest {seconds(queue['oldest_age_s_max'])}"
    starts = _n(consumer["cold_starts"], "cold start")
    invocations = _n(consumer["invocations"], "invocation")
    yield "consumer", f"{invocations}, at most {consumer['concurrency_max']:,} at once; {starts}"
    errors = f"{_n(consumer['errors'], 'error')} ({_n(consumer['timeouts'], 'timeout')})"
    failures = _n(consumer["batch_item_failures"], "batch item failure")
    yield "", f"{errors}, {_n(consumer['throttles'], 'throttle')}, {failures}"
    if table["rows_written"] is not None:
        units = f"{count(table['write_units'], 12)} write units"
        written = f"{_n(table['rows_written'], 'row')} written"
        yield "table", f"{written} in {_n(table['batch_writes'], 'batch write')}; {units}"
        throttled = _n(table["throttled_requests"], "throttled request")
        yield "", f"{_n(table['unprocessed_items'], 'unprocessed item')}, {throttled}"
    throughput = summary["throughput"]
    if throughput["rows_per_s_mean"] is not None:
        busiest = rate(throughput["rows_per_s_max"])
        yield "throughput", f"mean {rate(throughput['rows_per_s_mean'])} rows/s, busiest second {busiest}"
    latency = summary["latency_s"]["object_to_stored"]
    if latency["p50"] is not None:
        percentiles = "  ".join(f"{name} {seconds(value)}" for name, value in latency.items())
        yield "latency", f"object to stored  {percentiles}"
    if audit["expected_rows"] is not None:
        yield from _proof(audit)


def _proof(audit: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    replaced = f"{audit['duplicates']:,} replaced within their object"
    yield "proof", f"{_n(audit['parsed_rows'], 'row')} read, {audit['rejected']:,} rejected, {replaced}"
    yield "", f"{audit['expected_rows']:,} expected, {audit['stored_rows']:,} stored"
    yield "", ", ".join(f"{audit[name]:,} {name}" for name in ("missing", "extra", "different", "ambiguous"))
    for name, where in (("dead_lettered", "dead-letter queue"), ("pending", "still in the queue")):
        held = audit[name]
        if held["objects"]:
            rows = f"{_n(held['rows'], 'row')}, {held['rows_stored']:,} of them stored"
            yield "", f"{where}: {_n(held['objects'], 'object')} with {rows}"


def _advice(summary: Mapping[str, Any]) -> Iterable[str]:
    audit, queue, resources = summary["audit"], summary["queue"], summary["resources"]
    again = f"run again with --seed {summary['seed']} and --hold"
    if audit["verdict"] == "differs":
        yield f"{again}, and look at the rows named above: the store then stays up."
    if audit["verdict"] == "unproven":
        if summary["interrupted"]:
            yield "press Ctrl-C only once: the run then stops taking in, drains, and proves what it stored."
        if queue["remaining"]:
            yield (
                f"{_n(queue['remaining'], 'message')} not dealt with: give the drain longer (--drain-timeout) or "
                "the consumer more room (--parameter MaximumConcurrency=...)."
            )
    if queue["dead_lettered"]:
        yield (
            f"{_n(queue['dead_lettered'], 'message')} in the dead-letter queue: {again}, then read "
            f"{resources['dlq_url'] or 'it'}."
        )
    if audit["rejected"]:
        yield f"the rejected rows stand with their reasons beside the objects in {resources['bucket']}: {again}."


def _n(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
