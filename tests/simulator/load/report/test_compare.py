"""Two summaries side by side: a change is seen, noise is not."""

from __future__ import annotations

import copy
import random
from statistics import median
from typing import Any

import pytest

from simulator.base.errors import InputError
from simulator.load.report.compare import (
    as_json,
    change_text,
    cliffs_delta,
    compare,
    markdown,
    stretches,
    value_text,
)


def a_run(seed: int, *, slower: float = 1.0, fewer: float = 1.0, wobble: float = 0.3) -> dict[str, Any]:
    """A summary of a minute whose seconds wobble together, as those of a queue on a shared machine do.

    Each run also has a level of its own, by which two runs of the same code differ.
    """
    chance = random.Random(seed)
    level = chance.gauss(1, wobble / 6)
    drift = 0.0
    p50, p99, stored = [], [], []
    for _ in range(60):
        drift = 0.7 * drift + chance.gauss(0, wobble * 0.4)
        p50.append(max(0.01, 0.3 * level * slower * (1 + drift)))
        p99.append(p50[-1] * max(1.2, chance.gauss(3, 0.5)))
        stored.append(max(1.0, 20 * fewer * (1 - drift * 0.1) * chance.gauss(1, 0.05)))
    return {
        "schema": "stockpipe.load/1",
        "command": "load-test",
        "versions": {"python": "3.11.7", "moto": "5.2.5", "aiobotocore": "2.25.1"},
        "options": {"target": "store", "rate": 20.0, "rows": 100},
        "planned": 1200,
        "dropped": 0,
        "failed": 0,
        "arrivals": {"shape": "constant"},
        "latency_s": {"planned_to_stored": {"p50": median(p50), "p99": max(p99)}, "send": {"p99": 0.02}},
        "throughput": {"objects_per_s_mean": sum(stored) / 60, "rows_per_s_mean": sum(stored) / 60 * 100},
        "backlog": {"peak": 30, "drain_s": 1.0},
        "consumer": {"errors": 0},
        "audit": {"verdict": "exact"},
        "series": {
            "planned_per_s": [20.0] * 60,
            "p50_s": p50,
            "p99_s": p99,
            "stored_per_s": stored,
            "rows_per_s": [value * 100 for value in stored],
            "backlog": [round(value) for value in stored],
        },
    }


def test_a_run_against_itself_is_the_same() -> None:
    """Every figure is the same, to the last one."""
    comparison = compare(a_run(1), a_run(1))
    assert {finding.judgement for finding in comparison.findings} == {"same"}
    assert comparison.verdict == "no difference beyond noise"


def test_a_against_a_gives_no_alarm() -> None:
    """Of 300 pairs of runs of the same thing, none is called worse, however they wobble."""
    alarms = [
        (seed, name)
        for seed in range(300)
        for name in compare(a_run(seed), a_run(seed + 10_000, wobble=0.3 + seed % 3 * 0.1)).judged("worse")
    ]
    assert alarms == []


def test_two_thirds_slower_is_seen() -> None:
    """A latency two thirds up is called worse in nearly every pair, and the other way round better."""
    pairs = [(a_run(seed, wobble=0.2), a_run(seed + 500, slower=1.67, wobble=0.2)) for seed in range(10)]
    noticed = ["planned to stored, p50" in compare(*pair).judged("worse") for pair in pairs]
    assert sum(noticed) >= 9
    praised = ["planned to stored, p50" in compare(*pair[::-1]).judged("better") for pair in pairs]
    assert sum(praised) >= 9


def test_a_quarter_less_throughput_is_seen() -> None:
    """Rows a second 25 % down is called worse."""
    comparison = compare(a_run(1, wobble=0.1), a_run(2, fewer=0.75, wobble=0.1))
    assert {"stored objects a second", "rows a second"} <= set(comparison.judged("worse"))
    assert comparison.verdict.startswith("worse: ")


def test_a_change_within_the_tolerance_is_none() -> None:
    """Half the tolerance is the same; with a smaller tolerance it is a change."""
    before, after = a_run(1, wobble=0.01), a_run(1, wobble=0.01, slower=1.05)
    assert compare(before, after).judged("worse") == []
    assert compare(before, after, tolerance=0.02).judged("worse") == ["planned to stored, p50"]


def test_a_short_run_is_not_judged() -> None:
    """With a handful of seconds nothing is claimed, however large the difference."""
    before, after = a_run(1), a_run(2, slower=10)
    for run in (before, after):
        run["series"] = {name: column[:8] for name, column in run["series"].items()}
    comparison = compare(before, after)
    assert comparison.judged("worse") == []
    assert any("too short" in finding.why for finding in comparison.findings)


@pytest.mark.parametrize(("before", "after", "judged"), [(0, 200, "worse"), (200, 0, "better"), (1, 3, "noise")])
def test_losses_are_judged_by_their_number(before: int, after: int, judged: str) -> None:
    """Many dropped arrivals more are worse; a handful on a busy machine is not."""
    runs = a_run(1), a_run(1)
    runs[0]["dropped"], runs[1]["dropped"] = before, after
    (finding,) = (finding for finding in compare(*runs).findings if finding.name == "dropped arrivals")
    assert finding.judgement == judged


def test_a_proof_that_no_longer_holds_is_worse() -> None:
    """An exact audit that became another is an alarm whatever the figures say; none at all is no figure."""
    before, after = a_run(1), a_run(1)
    after["audit"] = {"verdict": "differs"}
    assert compare(before, after).judged("worse") == ["audit exact"]
    after["audit"] = None
    assert compare(before, after).judged("worse") == []


def test_bounds_are_each_runs_own_affair() -> None:
    """A summary with them, one without, as older versions wrote it, and a damaged one: compared by their figures."""
    old, held = a_run(1), a_run(1)
    held["bounds"] = [{"bound": "dead_lettered<1", "value": 0, "held": True}]
    for bounds in ([{"bound": "rejected<1%", "value": None, "held": False}], None, "none", [5]):
        other = {**copy.deepcopy(held), "bounds": bounds, "schema": "stockpipe.run/1"}
        for pair in ((old, other), (other, old), (held, other)):
            assert (compare(*pair).judgement, compare(*pair).unlike) == ("same", ())


def test_runs_that_are_not_alike_are_told() -> None:
    """Another target or Python is named beside the verdict."""
    before, after = a_run(1), a_run(1)
    after["options"] = {**after["options"], "target": "sink"}
    after["versions"] = {**after["versions"], "python": "3.13.0"}
    assert compare(before, after).unlike == ("target: store and sink", "python: 3.11.7 and 3.13.0")


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"schema": 7},
        {"schema": "other/1"},
        {"schema": "stockpipe.load/2"},
        {"schema": "stockpipe.load/1/1"},
    ],
)
def test_what_is_no_summary_is_refused(document: Any) -> None:
    """One sentence says what is wrong with it."""
    with pytest.raises(InputError, match="schema"):
        compare(document, a_run(1))


def test_a_damaged_summary_is_compared_as_far_as_it_goes() -> None:
    """Missing and wrongly typed parts are no figures, and no failure."""
    before, after = a_run(1), copy.deepcopy(a_run(1))
    after["series"] = {"p50_s": "no list"}
    after["latency_s"] = None
    after["throughput"] = {"rows_per_s_mean": "fast"}
    found = {finding.name: finding for finding in compare(before, after).findings}
    assert found["planned to stored, p50"].why == "measured in one run only"
    assert found["rows a second"].after is None


def test_the_markdown_is_a_table_of_its_figures() -> None:
    """A verdict, a row a figure with both values and the change; a name cannot break the table, nor is it HTML."""
    text = markdown(compare(a_run(1, wobble=0.1), a_run(2, slower=2, wobble=0.1)), ("<i>main&", "a|b"))
    lines = text.splitlines()
    assert lines[0].startswith("**stockpipe: worse: ")
    assert "| | &lt;i>main&amp; | a\\|b | change | |" in lines
    (row,) = (line for line in lines if line.startswith("| planned to stored, p50 "))
    assert row.count(" | ") == 4
    assert "**WORSE**" in row
    assert "%" in row


def test_the_json_has_every_figure() -> None:
    """The machine's form says the same as the text."""
    written = as_json(compare(a_run(1), a_run(1)))
    assert (written["schema"], written["verdict"]) == ("stockpipe.compare/1", "same")
    assert all(figure["ratio"] in (1.0, None) for figure in written["figures"])


def test_the_statistics_are_arithmetic() -> None:
    """Apart, mixed and equal sets; the stretches keep the order of time."""
    low, high = [1.0, 2, 3, 4, 5, 6, 7, 8], [11.0, 12, 13, 14, 15, 16, 17, 18]
    assert (cliffs_delta(low, high), cliffs_delta(high, low), cliffs_delta(low, low)) == (1, -1, 0)
    assert stretches([1.0, 1, 5, 5, 9, 9]) == [1, 5, 9]
    assert stretches([1.0]) == []


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "-"),
        (0.0123, "s", "12.3 ms"),
        (0.5, "%", "50%"),
        (1234.5, "/s", "1,234.5/s"),
        (0.7, "USD", "0.700 USD"),
    ],
)
def test_values_are_written_with_their_unit(value: float | None, unit: str, text: str) -> None:
    """As short as it reads well."""
    assert value_text(value, unit) == text


def test_no_change_is_written_where_there_was_nothing() -> None:
    """From zero there is no per cent."""
    before, after = a_run(1), a_run(1)
    after["dropped"] = 5
    (finding,) = (finding for finding in compare(before, after).findings if finding.name == "dropped arrivals")
    assert change_text(finding) == ""
