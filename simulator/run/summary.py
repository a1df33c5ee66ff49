"""The run's summary, `stockpipe.run/1`. `build` only arranges the figures of the last snapshot and the audit."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from simulator.base.clock import iso
from simulator.proof.account import Audit, ObjectsAtRest
from simulator.run.advice import Situation, advice
from simulator.run.bounds import SummaryBound, judge
from simulator.telemetry.functions import together
from simulator.telemetry.snapshot import Cause, Snapshot

SCHEMA = "stockpipe.run/1"
_WORDS = ("differences", "apart", "keys", "unused_settings")
_FATES = ("deleted", "remaining", "dead_lettered")


def versions() -> dict[str, str | None]:
    """The versions of everything that decides what a run does; None for a package that is not installed."""
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
    bounds: Sequence[SummaryBound],
    situation: Situation,
    source_rows: int | None = None,
    schema: str = SCHEMA,
) -> dict[str, Any]:
    """The summary that the public contract describes. Every key is present; a figure that does not exist is null.

    `snapshot` is the last one, and `options` are the command's resolved options. `audit` is None if there was no proof;
    the verdict is then `unproven`. `bounds` are judged on the summary itself, and the advice needs `situation` as well.
    `source_rows` is the number of rows in the real files that the run put; None if the objects came from elsewhere.
    An application that is not the pipeline has `deliveries` in place of an audit.
    """
    run, latency = snapshot.options, _picked(snapshot.latency, "p50", "p90", "p99", "max")
    summary = {
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
        "latency_s": {"object_to_stored": {name: _rounded(value, 6) for name, value in latency.items()}},
        "throughput": _throughput(snapshot),
        "audit": _audit(audit) if snapshot.roles.is_pipeline else None,
        "deliveries": _deliveries(snapshot),
        "failures": [_cause(cause, outcome=cause.outcome, **_picked(cause, *_FATES)) for cause in snapshot.failures],
        "rejections": [_cause(cause, permanent=True) for cause in snapshot.rejections],
        "tick_failures": [_picked(cause, "reason", "outcome", "count") for cause in snapshot.tick_failures],
    }
    return {**summary, "bounds": judge(bounds, summary), "next_steps": next_steps(summary, situation)}


def next_steps(summary: Mapping[str, Any], situation: Situation) -> list[dict[str, Any]]:
    """What to do next, given the rest of the summary: sentences, each with a command or null."""
    return [step.as_json() for step in advice(summary, situation)]


def _cause(cause: Cause, **more: Any) -> dict[str, Any]:
    return {
        **_picked(cause, "reason", "permanent", "count"),
        "examples": [asdict(example) for example in cause.examples],
        "parameter": cause.parameter,
        **more,
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
        files = min(snapshot.puts, snapshot.options.objects or 0)
        return {"invocations": 0, "files": files, "rows": source_rows, "bytes": snapshot.put_bytes}
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
        "filtered": snapshot.filtered,
        "visible_max": maxima.visible,
        "in_flight_max": maxima.in_flight,
        "depth_max": maxima.depth,
        "oldest_age_s_max": _rounded(maxima.oldest_age_s, 3),
    }
    return figures if snapshot.store is not None else dict.fromkeys(figures)


def _consumer(snapshot: Snapshot) -> dict[str, int]:
    consumer = snapshot.consumer if snapshot.roles.is_pipeline else together(snapshot.functions.values())
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
        "rows_per_s_max": float(table.rows_per_s_max) or None,
    }


def _deliveries(snapshot: Snapshot) -> dict[str, Any] | None:
    deliveries = snapshot.deliveries
    if deliveries is None:
        return None
    names = ("sent", "deleted", "dead_lettered", "remaining", "lost", "settled_once", "events_lost", "events_waiting")
    return {**_picked(deliveries, *names, "verdict"), **_picked(snapshot, "events_done", "events_given_up")}


def _audit(audit: Audit | None) -> dict[str, Any]:
    if audit is not None:
        return {**asdict(audit), **{name: list(getattr(audit, name)) for name in _WORDS}}
    nothing: dict[str, Any] = dict.fromkeys(field.name for field in fields(Audit))
    held = dict.fromkeys(field.name for field in fields(ObjectsAtRest))
    unproven = {"dead_lettered": held, "pending": held, "filtered": held, "verdict": "unproven", "notes": {}}
    return {**nothing, **unproven, **{name: [] for name in _WORDS}}
