"""The load test's page: one HTML file, charts included, that opens offline, in light and dark, at any width.

Everything readable without scripts is in the page as text and tables. uPlot, which is embedded with its licence, draws
the charts. Reads only the summary.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from importlib import resources
from typing import Any

from simulator.base import pages
from simulator.base.pages import table
from simulator.base.words import counted, seconds, significant
from simulator.dashboard.figures import size
from simulator.load.plan.slo import FIGURES, PERCENTILES
from simulator.load.report import charts
from simulator.load.report.text import latencies, proof_words, sample_note, shape, worded
from simulator.run.bounds import words


def page(summary: Mapping[str, Any]) -> str:
    """The whole page."""
    assets = resources.files("simulator.load.report") / "assets"
    text = (assets / "report.html").read_text(encoding="utf-8")
    licence = (assets / "uPlot.LICENSE").read_text(encoding="utf-8")
    script = f"/*\nuPlot\n{licence}*/\n{(assets / 'uPlot.iife.min.js').read_text(encoding='utf-8')}"
    parts = {
        "TITLE": escape(f"stockpipe load test {summary['started_at']}"),
        "CSS": pages.css(),
        "UPLOT_CSS": (assets / "uPlot.min.css").read_text(encoding="utf-8"),
        "BODY": "\n".join(_body(summary)),
        "SERIES": json.dumps(_drawn(summary)).replace("</", "<\\/"),
        "UPLOT_JS": script,
    }
    return pages.filled(text, parts)


def _drawn(summary: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The data of the charts: the series, where a search's probes are in it, and what it counts."""
    series = summary["series"]
    names = {"unit": worded("object", summary), "done": worded("stored", summary)}
    return series and {**series, **names, "probes": charts.placed_probes(summary)}


def _body(summary: Mapping[str, Any]) -> Iterable[str]:
    yield from _head(summary)
    yield _bounds_table(summary)
    measured = (_tiles(summary), _verdict(summary), _percentile_table(summary), *charts.sections(summary))
    for part in (*measured, charts.course_table(summary), _search_table(summary)):
        yield worded(part, summary)
    yield _cost_table(summary)
    yield _run_table(summary)
    yield _details(summary)


def _head(summary: Mapping[str, Any]) -> Iterable[str]:
    options, arrivals = summary["options"], summary["arrivals"]
    done = worded(f"{summary['stored']:,} of {counted(summary['planned'], 'object')} stored", summary)
    yield f"<h1>Load test: {done}</h1>"
    kind = "audit " if summary["audit"] else "deliveries " if summary.get("deliveries") else ""
    said = [
        f"target {options.get('target')}",
        shape(summary) + (f", {counted(arrivals['rows'], 'row')} per object" if arrivals["rows"] else ""),
        kind + proof_words(summary),
        f"seed {summary['seed']}",
        summary["started_at"],
        f"stockpipe {summary['versions'].get('stockpipe')}",
    ]
    if summary["interrupted"]:
        said.append("interrupted")
    yield f'<p class="dim">{escape(" · ".join(map(str, said)))}</p>'
    if note := sample_note(summary):
        yield f'<p class="dim">The audit is {escape(note)}.</p>'
    if summary["latency_refused"]:
        yield f'<p class="bad">Percentiles refused: {escape(summary["latency_refused"])}.</p>'


def _tiles(summary: Mapping[str, Any]) -> str:
    throughput, stored = summary["throughput"], summary["latency_s"]["planned_to_stored"]
    ceiling, bill, backlog = summary["ceiling"], summary["cost"], summary["backlog"]
    rate = throughput.get("objects_per_s_mean")
    tiles = [
        ("objects stored per second", f"{rate:,.1f}" if rate else "-"),
        ("rows per second, mean", _count(throughput.get("rows_per_s_mean"))),
        ("planned to stored, p50", seconds(stored["p50"])),
        ("planned to stored, p99", seconds(stored["p99"])),
        ("peak backlog of the spike" if summary["find_max"] else "peak backlog", counted(backlog["peak"], "object")),
        ("drain", seconds(backlog["drain_s"])),
        ("of the raw ceiling", f"{ceiling['share']:.0%}" if ceiling and ceiling["share"] is not None else "-"),
        ("per million rows on AWS", f"{bill['usd_per_million_rows']:.3f} USD" if bill else "-"),
    ]
    if not summary["arrivals"]["rows"]:
        tiles = [tile for tile in tiles if "row" not in tile[0] and "ceiling" not in tile[0]]
    if filtered := summary["queue"]["filtered"]:
        tiles.insert(4, ("deleted by the filter", counted(filtered, "object")))
    if summary["find_max"]:
        found = summary["find_max"]["rate_per_s"]
        tiles.insert(0, ("highest sustained rate", f"{found:,.1f}/s" if found else "none"))
    return pages.tiles(tiles)


def _verdict(summary: Mapping[str, Any]) -> str:
    verdict = summary["bottleneck"]
    if not verdict:
        return ""
    kind = "verdict none" if verdict["kind"] == "none" else "verdict"
    text, evidence = verdict["text"], escape("; ".join(verdict["evidence"]))
    return f'<div class="{kind}"><b>{escape(text[:1].upper() + text[1:])}.</b><p class="note">{evidence}</p></div>'


def _percentile_table(summary: Mapping[str, Any]) -> str:
    rows = [
        [label, _count(shown["count"]), *(seconds(shown[name]) for name in PERCENTILES)]
        for label, shown in latencies(summary)
    ]
    head = ["", "count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"]
    note = (
        "From HDR histograms with three digits. Planned to stored starts at the planned instant, object to stored at "
        "the answer to the put."
    )
    if summary["bottleneck"] and summary["options"].get("target") != "stack":
        note += " Handler times are those of this machine, not of AWS Lambda."
    return table("Percentiles", head, rows, note)


def _bounds_table(summary: Mapping[str, Any]) -> str:
    if not summary["bounds"]:
        return ""
    rows = [
        [judged["bound"], value, "held" if judged["held"] else "missed", worded(meaning, summary)]
        for judged in sorted(summary["bounds"], key=lambda judged: bool(judged["held"]))
        for value, meaning in (words(judged, summary, FIGURES),)
    ]
    return table("Bounds", ["bound", "measured", "", "what it is"], rows)


def _search_table(summary: Mapping[str, Any]) -> str:
    found = summary["find_max"]
    if not found:
        return ""
    rows = [
        [
            f"{number}",
            f"{probe['rate_per_s']:,.1f}/s",
            f"{probe['stored_per_s']:,.1f}/s",
            f"{probe['backlog_growth_per_s']:+,.1f}/s",
            "yes" if probe["latency_held"] else "no",
            "held" if probe["sustained"] else "too much",
        ]
        for number, probe in enumerate(found["probes"], 1)
    ]
    head = ["probe", "objects", "stored", "backlog grew by", "latency held", ""]
    return table("The search for the highest rate", head, rows, found["reason"])


def _cost_table(summary: Mapping[str, Any]) -> str:
    bill = summary["cost"]
    if not bill:
        return ""
    rows = [
        [line["item"], significant(line["quantity"]), line["unit"], f"{line['usd']:.4f}", line["source"]]
        for line in bill["lines"]
    ]
    rows.append(["total", "", "", f"{bill['usd_per_million_rows']:.4f}", ""])
    note = f"{bill['prices']}. Durations are those of {bill['durations']}."
    return table("Cost per million rows on AWS", ["item", "quantity", "unit", "USD", "price from"], rows, note)


def _run_table(summary: Mapping[str, Any]) -> str:
    machine, versions = summary["machine"], summary["versions"]
    memory = machine["memory_bytes"]
    held = [f"{machine['system']}", f"{machine['processor']}", counted(machine["cores"] or 1, "core")]
    rows = [
        ["command", summary["command_line"]],
        ["machine", ", ".join([*held, *([f"{size(memory)} of memory"] if memory else [])])],
        ["versions", ", ".join(f"{name} {version or 'not installed'}" for name, version in versions.items())],
        ["template", summary["options"].get("template") or "the pipeline's own"],
        ["seed", str(summary["seed"])],
        ["from", summary["started_at"]],
        ["to", summary["ended_at"]],
    ]
    return table("This run", ["", ""], rows)


def _details(summary: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in summary.items() if name != "series"}
    text = escape(json.dumps(kept, indent=2))
    return f"<details><summary>Everything else, as JSON</summary><pre>{text}</pre></details>"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
