"""The page and the text of a load test."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from rich.console import Console

from simulator.load.measure.recording import SENT, Recording
from simulator.load.measure.series import build
from simulator.load.report.page import page
from simulator.load.report.text import render
from simulator.telemetry.history import percentiles


@cache
def recorded() -> tuple[Any, Any]:
    """The percentiles and the course of ten seconds."""
    recording = Recording()
    numbers = recording.plan(1000 + number / 20 for number in range(200))
    for number in numbers:
        recording.fate(number, recording.planned[number], recording.planned[number] + 0.01, SENT)
        recording.store(number, recording.planned[number] + 0.2)
    return percentiles(recording.latencies(numbers)).as_json(), build(recording, numbers, 100, 1010.5)


def a_summary(**changed: Any) -> dict[str, Any]:
    """A summary with every part, and a hostile name in it."""
    shown, series = deepcopy(recorded())
    summary: dict[str, Any] = {
        "schema": "stockpipe.load/1",
        "seed": 7,
        "started_at": "2026-11-22T09:30:00.000Z",
        "ended_at": "2026-11-22T09:30:20.000Z",
        "command_line": "stockpipe load-test --slo 'p99<5s' --rows 100",
        "machine": {"system": "Linux 6.1", "processor": "A chip", "cores": 1, "memory_bytes": 8_000_000_000},
        "versions": {"stockpipe": "0.1.0"},
        "options": {"target": "store", "template": "</script><b>x"},
        "interrupted": False,
        "arrivals": {
            "shape": "constant",
            "rows": 100,
            "poisson": False,
            "duration_s": 10.0,
            "segments": [{"from_per_s": 20.0, "to_per_s": 20.0, "duration_s": 10.0}],
        },
        "planned": 200,
        "sent": 199,
        "dropped": 1,
        "failed": 0,
        "put_failures": [],
        "queue": {"filtered": 0},
        "failures": [],
        "rejections": [],
        "tick_failures": [],
        "next_steps": [],
        "stored": 199,
        "audit": {"verdict": "exact"},
        "generator_lag_s": shown,
        "generator_cpu": 0.05,
        "latency_s": dict.fromkeys(("planned_to_stored", "object_to_stored", "send", "handler"), shown),
        "latency_refused": None,
        "throughput": {"objects_per_s_mean": 19.9, "rows_per_s_mean": 1809.1, "rows_per_s_max": 2000.0},
        "backlog": {"peak": 5, "drain_s": 0.2, "drained": True},
        "ceiling": {"objects_per_s": 60.0, "rows_per_s": 6000.0, "share": 0.33},
        "bottleneck": {"kind": "none", "text": "nothing holds it back", "evidence": ["planned 20/s"]},
        "find_max": None,
        "cost": {
            "usd_per_million_rows": 0.71,
            "lines": [{"item": "S3 puts", "quantity": 10_000.0, "unit": "request", "usd": 0.05, "source": "aws"}],
            "durations": "this machine, not AWS Lambda",
            "prices": "us-east-1",
        },
        "slo": [{"threshold": "p99<5s", "value": 0.2, "held": True}],
        "bounds": [
            {"bound": "dead_lettered<1", "value": 0, "held": True},
            {"bound": "p99<5s", "value": 0.2, "held": True},
        ],
        "series": series,
    }
    return {**summary, **changed}


class Tags(HTMLParser):
    """Which tags are open, and every attribute that could fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag."""
        self.scripts += tag == "script"
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "data", "action")]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Its end."""
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_nothing() -> None:
    """Every tag is closed, no address is fetched, the series is JSON, text from outside stays text."""
    text = page(a_summary())
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.fetched == []
    assert tags.scripts == 3
    assert "</script><b>x" not in text
    assert "{{" not in text.partition("<script>")[0]
    series = re.search(r'id="series">(.*?)</script>', text, re.DOTALL)
    assert series
    assert json.loads(series[1])["planned_per_s"]


def test_a_sample_says_what_it_is_not_about() -> None:
    """In the text and on the page: of its objects alone, and without a search for extra rows."""
    sampled, said = {"verdict": "exact", "sampled": {"objects": 20, "of": 200}}, "extra rows were not looked for"
    bounds = [{"bound": "rejected<1%", "value": 0.0, "held": True}]
    assert said in written(a_summary(audit=sampled))
    assert "held    rejected<1%  0 % (in the sample of 20 of 200 objects)" in written(
        a_summary(audit=sampled | {"rejected": 0, "parsed_rows": 9}, bounds=bounds)
    )
    assert f"The audit is only of the sample&#x27;s objects; {said}." in page(a_summary(audit=sampled))
    assert said not in written(a_summary()) + page(a_summary())


def test_a_placeholder_in_a_text_stays_text() -> None:
    """A command line that contains one shows it, and nothing is filled in there."""
    plain, odd = page(a_summary()), page(a_summary(command_line="stockpipe {{UPLOT_JS}} {{SERIES}} {{OTHER}}"))
    assert '<td class="wrap">stockpipe {{UPLOT_JS}} {{SERIES}} {{OTHER}}</td>' in odd
    assert len(odd) < len(plain) + 1_000


def test_the_page_can_be_read_without_scripts() -> None:
    """Verdict, percentiles, thresholds and cost stand in it as text; it knows dark mode and small screens."""
    text = page(a_summary())
    for part in (
        "199 of 200 objects stored",
        "Nothing holds it back.",
        "p99&lt;5s",
        "Cost per million rows on AWS",
        "0.7100",
    ):
        assert part in text
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "uPlot" in text
    assert "Permission is hereby granted" in text


def test_what_a_filter_deleted_is_said() -> None:
    """Else most objects would be missing from the headline without a reason; without a filter there is no word."""
    for filtered, said in ((119, True), (0, False), (None, False)):
        summary = a_summary(queue={"filtered": filtered}, stored=80)
        assert ("119 objects, whose messages the filter deleted" in written(summary)) is said
        assert ("deleted by the filter</span>" in page(summary)) is said


@pytest.mark.parametrize(("unit", "head"), [("object", "199 of 200 objects"), ("message", "199 of 200 messages")])
def test_another_applications_page_and_text_know_no_rows(unit: str, head: str) -> None:
    """Nor a ceiling nor a cost per row, and nothing is called stored but in the JSON."""
    parts = {"rows": None, "unit": unit}
    backlog = {"peak": 5, "drain_s": 0.2, "drained": True, "drain_objects_per_s": 9.0, "drain_rows_per_s": None}
    summary = a_summary(
        arrivals=a_summary()["arrivals"] | parts,
        audit=None,
        deliveries={"verdict": "settled"},
        command_line="stockpipe load-test",
        ceiling=None,
        cost=None,
        backlog=backlog | {"last_tenth_to_first": None},
    )
    shown = page(summary).partition("<h1>")[2].partition("<details><summary>Everything")[0]
    for text in (shown, written(summary)):
        assert f"{head} processed" in text
        assert "deliveries settled" in text
        assert not re.search(r"\brows\b|stored|ceiling", text)
        assert ("object" in text) is (unit == "object")


def test_a_run_that_measured_nothing_still_has_a_page_and_a_text() -> None:
    """Null figures are dashes, missing parts are left out."""
    nothing = percentiles([]).as_json()
    empty = a_summary(
        audit=None,
        generator_lag_s=nothing,
        generator_cpu=None,
        latency_s=dict.fromkeys(("planned_to_stored", "object_to_stored", "send", "handler"), nothing),
        latency_refused="the generator sent 500 ms late",
        throughput={"objects_per_s_mean": None, "rows_per_s_mean": None},
        backlog={"peak": 0, "drain_s": None, "drained": None},
        ceiling=None,
        bottleneck=None,
        cost=None,
        bounds=[{"bound": "p99<5s", "value": None, "held": False}],
        series=None,
        stored=0,
        interrupted=True,
    )
    text = page(empty)
    assert "Percentiles refused" in text
    assert "not measured" in text
    shown = written(empty)
    assert "refused: the generator sent 500 ms late" in shown
    assert "missed" in shown
    assert "interrupted" in shown


def written(summary: dict[str, Any], width: int = 100) -> str:
    """The text as a terminal of so many columns shows it."""
    console = Console(record=True, width=width, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(render(summary))
    return captured.get()


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (100, "p50 p90 p99 p99.9 max"),
        (60, "p50 p90 p99 p99.9 max"),
        (52, "p50 p90 p99 max"),
        (45, "p50 p99 max"),
        (40, "p50 p99"),
    ],
)
def test_the_percentiles_fit_a_narrow_screen(width: int, head: str) -> None:
    """Each distribution is on one line: the gaps become smaller, then p99.9 is left out, then p90."""
    lines = written(a_summary(), width).splitlines()
    start = next(number for number, line in enumerate(lines) if line.split()[:1] == ["p50"])
    assert lines[start].split() == head.split()
    labels = ("planned to stored", "object to stored", "send (put)", "handler", "generator lag")
    for label, line in zip(labels, lines[start + 1 : start + 6], strict=True):
        assert line.strip().startswith(label)
        assert len(line.rstrip()) <= width
        assert line.count(" ms") == len(head.split())


@pytest.mark.parametrize(("stored", "said"), [(0, "nothing"), (1, "1 object, too few for a rate")])
def test_an_object_without_a_rate_is_stored_all_the_same(stored: int, said: str) -> None:
    """One object has no rate; only where none was stored, nothing was."""
    rates = {"objects_per_s_mean": None, "rows_per_s_mean": 1.0, "rows_per_s_max": 1.0}
    lines = [" ".join(line.split()) for line in written(a_summary(stored=stored, throughput=rates)).splitlines()]
    place = lines.index(f"stored {said}")
    assert lines[place + 1] == "mean 1 rows/s, busiest second 1 row"


def test_the_text_says_what_came_out() -> None:
    """The dozen lines a person reads first."""
    shown = written(a_summary())
    for part in ("199 of 200 objects stored", "audit exact", "planned to stored", "200 ms", "1 dropped", "0.710 USD"):
        assert part in shown


def test_bounds_come_right_after_the_verdict() -> None:
    """Missed ones first, with unit and meaning, then those that were asked for; the defaults are one line."""
    missed = [
        {"bound": "p50<1ms", "value": 0.0123, "held": False},
        {"bound": "dropped<0.1%", "value": 0.5, "held": False},
    ]
    summary = a_summary()
    summary["bounds"] = [*summary["bounds"], *missed]
    assert [line.rstrip() for line in written(summary).splitlines()[1:5]] == [
        "  missed  p50<1ms  12.3 ms: from planned to stored, median",
        "  missed  dropped<0.1%  0.5 %: arrivals that found no sender free (1 of 200)",
        "  held    p99<5s  200 ms",
        "  held    1 default bound",
    ]
    shown = page(summary)
    for part in ("p50&lt;1ms", "12.3 ms", "arrivals that found no sender free (1 of 200)", "dead_lettered&lt;1"):
        assert part in shown
    assert "Bounds" not in page(a_summary(bounds=[]))


def test_a_search_and_a_backlog_are_told() -> None:
    """Their own lines, in the text and on the page."""
    probe = {
        "rate_per_s": 50.0, "stored_per_s": 49.0, "backlog_growth_per_s": 0.1, "latency_held": True, "refused": 0,
        "sustained": True,
    }  # fmt: skip
    found = {"rate_per_s": 50.0, "confirmed": True, "reason": "50/s held, 52/s did not", "probes": [probe]}
    search = a_summary(find_max=found, arrivals={"shape": "search", "rows": 100})
    assert "50/s held, 52/s did not" in written(search)
    assert "highest sustained rate" in page(search)
    drain = {
        "peak": 10_000, "drain_s": 20.0, "drained": True, "drain_objects_per_s": 500.0, "drain_rows_per_s": 500.0,
        "last_tenth_to_first": 0.97,
    }  # fmt: skip
    shown = written(a_summary(backlog=drain, arrivals={"shape": "backlog", "rows": 1}))
    assert "10,000 objects drained in 20.00 s" in shown
    assert "0.97 of the first" in " ".join(shown.split())


def test_the_thresholds_come_first_and_have_units() -> None:
    """Before the tiles and the charts, the missed ones before the others."""
    summary = a_summary()
    summary["bounds"] = [*summary["bounds"], {"bound": "rows_per_s>2000", "value": 1809.1, "held": False}]
    text = page(summary)
    places = [text.index(part) for part in ("rows_per_s&gt;2000", "1,809 rows/s", "dead_lettered&lt;1", "0 messages")]
    assert places == sorted(places)
    assert places[-1] < text.index('class="tiles"') < text.index('id="rates"')


def test_the_command_and_the_machine_are_on_the_page() -> None:
    """The command whole and quoted as it was typed; a hostile word of it stays text."""
    text = page(a_summary(command_line="stockpipe load-test --slo 'p99<5s' --template '<b>x'"))
    assert "stockpipe load-test --slo &#x27;p99&lt;5s&#x27; --template &#x27;&lt;b&gt;x&#x27;" in text
    assert "Linux 6.1, A chip, 1 core, 8.00 GB of memory" in text
    unknown = {"system": "Linux 6.1", "processor": "A chip", "cores": 2, "memory_bytes": None}
    assert "Linux 6.1, A chip, 2 cores</td>" in page(a_summary(machine=unknown))


def test_every_chart_has_an_alternative_in_figures() -> None:
    """An image with its title and a sentence that says what its lines show, and all lines as one table."""
    text = page(a_summary())
    for name in ("rates", "backlog", "latency", "heat"):
        chart = f'id="{name}" role="img" aria-labelledby="{name}-title" aria-describedby="{name}-said"'
        assert text.count(chart) == text.count(f'id="{name}-title"') == text.count(f'id="{name}-said"') == 1
    assert "planned: 0/s to 20/s, mean 19/s" in text
    assert "p50: 200 ms to 200 ms; p99: 200 ms to 200 ms." in text
    assert "up to 200 ms: 200 objects" in text or "up to 500 ms: 200 objects" in text
    assert "The run as a table, in slots of 250 ms" in text
    assert "<th>planned (objects/s)</th>" in text
    assert text.count("<tr><td>0.25</td>") == 1


def test_a_chart_without_figures_is_left_out() -> None:
    """No gauge was sampled: there is no CPU to draw."""
    text = page(a_summary())
    assert 'id="cpu"' not in text
    series = a_summary()["series"]
    series["store_cpu"] = [None, 0.123, 0.5, *[None] * (len(series["t_s"]) - 3)]
    assert "store: 12.3 % to 50 %, mean 31.1 %." in page(a_summary(series=series))


def test_the_words_of_the_page_are_those_of_the_guide() -> None:
    """Planned to stored is never called object to stored; the colour of the heat map has a meaning on any ground."""
    text = page(a_summary())
    assert '<h2 id="latency-title">Planned to stored</h2>' in text
    assert "the stronger the colour, the more objects" in text
    assert "darker" not in text


def test_the_page_prints_light_and_whole() -> None:
    """Dark colours are for screens alone, no chart is cut, and what is folded stays away."""
    text = page(a_summary())
    assert "@media screen and (prefers-color-scheme: dark)" in text
    assert "break-inside: avoid" in text
    assert 'addEventListener("beforeprint"' in text


def test_the_probes_of_a_search_are_marked_where_they_were() -> None:
    """Those whose place is known, which a summary of an older version does not say."""
    probe = {
        "rate_per_s": 50.0, "stored_per_s": 49.0, "backlog_growth_per_s": 0.1, "latency_held": True, "refused": 0,
        "sustained": True,
    }  # fmt: skip
    placed = {**probe, "begin_s": 1.5, "end_s": 6.0}
    found = {"rate_per_s": 50.0, "confirmed": True, "reason": "50/s held", "probes": [probe, placed]}
    text = page(a_summary(find_max=found, arrivals={"shape": "search", "rows": 100}))
    series = re.search(r'id="series">(.*?)</script>', text, re.DOTALL)
    assert series
    assert json.loads(series[1])["probes"] == [placed]
    assert text.count("The search&#x27;s probes are marked.") == 2
    assert "The search&#x27;s probes are marked, each with its rate: 50/s held." in text
