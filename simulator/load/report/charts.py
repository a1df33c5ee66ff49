"""The page's charts in words and as a table: for people who cannot see them, and for pages without scripts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from simulator.base.words import counted, seconds, significant

Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: its element, its heading, a sentence on how to read it, and the columns of the series that it draws.

    `columns` has the labels by column; `unit` is the unit of the values: `s`, `share`, or what is counted.
    """

    name: str
    title: str
    note: str
    unit: str
    columns: Mapping[str, str]


CHARTS = (
    Chart(
        "rates",
        "Objects per second",
        "The thin dashed line shows the plan. It is drawn over the objects sent, and those over the objects stored.",
        "objects/s",
        {"planned_per_s": "planned", "sent_per_s": "sent", "stored_per_s": "stored"},
    ),
    Chart(
        "backlog",
        "Backlog",
        "Objects put and not yet stored, except those that the filter deleted; each point is the deepest in its slot.",
        "objects",
        {"backlog": "backlog"},
    ),
    Chart(
        "latency",
        "Planned to stored",
        "The time from an object's planned instant until it was stored, at its planned instant.",
        "s",
        {"p50_s": "p50", "p99_s": "p99"},
    ),
    Chart(
        "heat",
        "Planned to stored, all objects",
        "Each column is a slot of time, each row a band of latencies: the stronger the colour, the more objects.",
        "objects",
        {},
    ),
    Chart(
        "cpu",
        "CPU",
        "CPU use, as shares of one core.",
        "share",
        {"store_cpu": "store", "handler_cpu": "handlers and twin", "generator_cpu": "generator"},
    ),
    Chart(
        "concurrency",
        "Concurrency",
        "Invocations at work, and how many batches the pollers may have in progress.",
        "invocations",
        {"concurrency": "invocations at once", "pollers": "batches allowed"},
    ),
)


def sections(summary: Summary) -> Iterable[str]:
    """One section of the page per chart that has something to show."""
    for chart in CHARTS:
        if said := description(chart, summary):
            yield (
                f'<section class="figure"><h2 id="{chart.name}-title">{escape(chart.title)}</h2>'
                f'<p class="note">{escape(chart.note)}</p>'
                f'<div class="chart" id="{chart.name}" role="img" aria-labelledby="{chart.name}-title"'
                f' aria-describedby="{chart.name}-said"></div>'
                f'<p class="note" id="{chart.name}-said">{escape(said)}</p></section>'
            )


def description(chart: Chart, summary: Summary) -> str:
    """A chart in figures: each line's minimum, mean and maximum; empty if there is nothing to show."""
    series = summary["series"] or {}
    if chart.name == "heat":
        return _heat(series)
    said = []
    for column, label in chart.columns.items():
        if values := [value for value in series.get(column) or () if value is not None]:
            figures = min(values), sum(values) / len(values), max(values)
            least, mean, most = (value_text(each, chart.unit) for each in figures)
            # A mean of percentiles is not a percentile.
            said.append(f"{label}: {least} to {most}" + ("" if chart.unit == "s" else f", mean {mean}"))
    if not said:
        return ""
    return "; ".join(said) + "." + _probes(chart, summary)


def _heat(series: Summary) -> str:
    heat = series.get("heat")
    if not heat or not any(map(any, heat["counts"])):
        return ""
    totals = [sum(column) for column in zip(*heat["counts"], strict=True)]
    bounds = heat["bounds_s"]
    bands = [f"up to {seconds(bound)}" for bound in bounds] + [f"more than {seconds(bounds[-1])}"]
    return "; ".join(f"{band}: {counted(total, 'object')}" for band, total in zip(bands, totals, strict=True) if total)


def _probes(chart: Chart, summary: Summary) -> str:
    probes = placed_probes(summary)
    if not probes or chart.name not in ("rates", "backlog", "latency"):
        return ""
    if chart.name != "rates":
        return " The search's probes are marked."
    rates = [(f"{significant(probe['rate_per_s'], 4)}/s", probe["sustained"]) for probe in probes]
    said = ", ".join(f"{rate} {'held' if sustained else 'too much'}" for rate, sustained in rates)
    return f" The search's probes are marked, each with its rate: {said}."


def placed_probes(summary: Summary) -> list[Mapping[str, Any]]:
    """The probes of a search whose time in the run is known."""
    return [probe for probe in (summary["find_max"] or {}).get("probes") or () if "begin_s" in probe]


def course_table(summary: Summary) -> str:
    """The lines of all charts as one folded table, with one row per slot."""
    series = summary["series"]
    if not series:
        return ""
    shown = [
        (f"{label} ({'%' if chart.unit == 'share' else chart.unit})", series[column], chart.unit)
        for chart in CHARTS
        for column, label in chart.columns.items()
        if any(value is not None for value in series.get(column) or ())
    ]
    slots = enumerate(series["t_s"])
    rows = [[f"{at:g}", *(_cell(values[slot], unit) for _, values, unit in shown)] for slot, at in slots]
    head = _row(["from (s)", *(label for label, _, _ in shown)], "th")
    body = "".join(_row(row, "td") for row in rows)
    title = f"The run as a table, in slots of {seconds(series['slot_s'])}"
    return (
        f"<details><summary>{escape(title)}</summary>"
        f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody></table></div></details>'
    )


def value_text(value: float, unit: str) -> str:
    """A value of a line, with its unit."""
    if unit == "s":
        return seconds(value)
    if unit == "share":
        return f"{significant(100 * value)} %"
    return f"{significant(value)}/s" if unit == "objects/s" else significant(value)


def _cell(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return significant(100 * value if unit == "share" else value, 4)


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
