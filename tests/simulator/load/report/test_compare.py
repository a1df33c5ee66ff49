"""Two summaries side by side: a change is seen, noise is not."""

from __future__ import annotations

import copy
import math
import random
from functools import cache
from typing import Any

import pytest

from simulator.base.errors import InputError
from simulator.load.measure.stretches import SHOWN, cut
from simulator.load.report.compare import Difference, as_json, change_text, compare, markdown, value_text

OBJECTS = 1_200
SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def rank(latencies_s: list[float], share: float) -> float:
    """The percentile, by its nearest rank."""
    return sorted(latencies_s)[max(0, math.ceil(share * len(latencies_s)) - 1)]


@cache
def latencies(seed: int, *, wobble: float = 0.1, stalls: int = 0) -> tuple[float, ...]:
    """A minute of objects whose seconds wobble together, as those of a queue on a shared machine do.

    Each run has a level of its own as well, by which two runs of the same code differ, and here and there the machine
    stands still for a second: all objects of that time wait for its end.
    """
    chance = random.Random(seed)
    level, drift, held = math.exp(chance.gauss(0, wobble / 6)), 0.0, []
    pauses = [(at, at + chance.uniform(0.2, 1.5)) for at in (chance.uniform(0, 60) for _ in range(stalls))]
    for number in range(OBJECTS):
        at = number / 20
        if number % 20 == 0:
            drift = 0.7 * drift + chance.gauss(0, wobble * 0.4)
        waits = [end - at for begin, end in pauses if begin <= at < end]
        held.append(max([0.05 * level * math.exp(drift + chance.gauss(0, 0.35)), *waits]))
    return tuple(held)


def a_run(held: tuple[float, ...], *, slower: float = 1.0, tail: float = 1.0) -> dict[str, Any]:
    """A summary of such latencies; `slower` moves all of them, `tail` only the slowest tenth."""
    edge = rank(list(held), 0.9)
    times = [each * slower * (tail if each > edge else 1.0) for each in held]
    stretches = {
        name: [rank(times[place], share) for place in cut(len(times), SHOWN[name])] for name, share in SHARES.items()
    }
    return {
        "schema": "stockpipe.load/1",
        "command": "load-test",
        "versions": {"python": "3.11.7", "moto": "5.2.5", "aiobotocore": "2.25.1"},
        "options": {"target": "store", "rate": 20.0, "rows": 100},
        "planned": OBJECTS,
        "stored": OBJECTS,
        "dropped": 0,
        "failed": 0,
        "arrivals": {"shape": "constant"},
        "latency_s": {
            "planned_to_stored": {"count": len(times), **{name: rank(times, share) for name, share in SHARES.items()}}
        },
        "stretches": {"planned_to_stored": stretches},
        "throughput": {"objects_per_s_mean": 20.0, "rows_per_s_mean": 2_000.0},
        "consumer": {"errors": 0},
        "audit": {"verdict": "exact"},
        "series": {"planned_per_s": [20.0] * 60, "stored_per_s": [20.0] * 60},
    }


@cache
def slow_mode(seed: int, objects: int, tail: float = 1.0) -> tuple[float, ...]:
    """Objects of which 2 % take ten times as long, each by chance: nothing but their number shows their percentile."""
    chance = random.Random(seed)
    level = math.exp(chance.gauss(0, 0.1 / 6))
    slow = (chance.random() < 0.02 for _ in range(objects))
    return tuple(level * (0.5 * tail if each else 0.05) * math.exp(chance.gauss(0, 0.35)) for each in slow)


def finding(name: str, *runs: dict[str, Any], tolerance: float = 0.1) -> Difference:
    """One figure of two runs."""
    (found,) = (each for each in compare(*runs, tolerance=tolerance).findings if each.name == name)
    return found


def test_a_run_against_itself_is_the_same() -> None:
    """Every figure that has samples is the same, to the last one."""
    comparison = compare(a_run(latencies(1)), a_run(latencies(1)))
    assert {found.judgement for found in comparison.findings} == {"same"}
    assert comparison.verdict == "no difference beyond noise"


@pytest.mark.parametrize(("wobble", "stalls"), [(0.05, 0), (0.1, 1), (0.1, 3), (0.2, 0), (0.2, 2), (0.3, 1)])
def test_two_runs_of_the_same_code_are_rarely_judged(wobble: float, stalls: int) -> None:
    """At most four pairs of a hundred, however they wobble, and wherever the machine stands still."""
    judged = 0
    for seed in range(100):
        pair = [a_run(latencies(each, wobble=wobble, stalls=stalls)) for each in (seed, seed + 10_000)]
        judged += compare(*pair).judgement != "same"
    assert judged <= 4


@pytest.mark.parametrize("stalls", [0, 1])
def test_a_median_that_is_half_slower_is_found(stalls: int) -> None:
    """In nine pairs of ten, whether or not a stall hits the run; and the other way round it is better."""
    pairs = [
        (a_run(latencies(seed, wobble=0.05)), a_run(latencies(seed + 500, wobble=0.05, stalls=stalls), slower=1.5))
        for seed in range(40)
    ]
    assert sum(finding("planned to stored, p50", *pair).judgement == "worse" for pair in pairs) >= 36
    assert sum(finding("planned to stored, p50", *pair[::-1]).judgement == "better" for pair in pairs) >= 36


def test_a_p99_that_doubles_is_found_though_the_median_stays() -> None:
    """In nearly every pair; and it is the same in none."""
    judged = []
    for seed in range(40):
        pair = a_run(latencies(seed)), a_run(latencies(seed + 500), tail=2.1)
        judged.append(finding("planned to stored, p99", *pair).judgement)
        assert finding("planned to stored, p50", *pair).judgement != "worse"
    assert judged.count("worse") >= 38
    assert "same" not in judged


@pytest.mark.parametrize(("objects", "least", "most"), [(600, 0, 0), (6_000, 8, 10)])
def test_a_slow_mode_that_doubles_needs_enough_samples(objects: int, least: int, most: int) -> None:
    """With 60 beyond the p99 it is found in nearly every pair, with 6 in none; it is never the same."""
    pairs = [(a_run(slow_mode(each, objects)), a_run(slow_mode(each + 500, objects, 2.0))) for each in range(10)]
    found = [finding("planned to stored, p99", *pair) for pair in pairs]
    assert least <= [each.judgement for each in found].count("worse") <= most
    assert {each.judgement for each in found} <= {"worse", "noise"}
    assert all("about 60 are needed" in each.why for each in found if each.judgement == "noise") or objects > 600


def test_few_samples_are_noise_and_their_number_is_said() -> None:
    """Nine objects beyond a p99 say more of themselves than of it, however far it moved."""
    runs = a_run(latencies(1)), a_run(latencies(2), tail=3)
    for run in runs:
        run["latency_s"]["planned_to_stored"]["count"] = 949
    found = finding("planned to stored, p99", *runs)
    assert (found.judgement, found.samples) == ("noise", (9, 9))
    assert found.why == "9 samples beyond p99: about 60 are needed"
    runs[0]["latency_s"]["planned_to_stored"]["count"] = runs[1]["latency_s"]["planned_to_stored"]["count"] = 1_000
    assert finding("planned to stored, p99", *runs).judgement == "worse"


def test_a_stall_alone_is_noise() -> None:
    """It moves the printed p99 far, but one stretch of twelve: neither the same nor worse."""
    before, after = latencies(3), list(latencies(3))
    for number in range(300, 330):
        after[number] = 1.5 - (number - 300) / 20
    found = finding("planned to stored, p99", a_run(before), a_run(tuple(after)))
    assert found.ratio is not None
    assert found.ratio > 2
    assert found.judgement == "noise"


@pytest.mark.parametrize(("busier", "judgement"), [((0, 1), "noise"), ((1, 0), "worse"), ((0, 0), "worse")])
def test_what_other_work_explains_is_noise(busier: tuple[int, int], judgement: str) -> None:
    """Where the machine was busier with other work in the slower run, and only then; the loads are named."""
    runs = a_run(latencies(1)), a_run(latencies(2), slower=2)
    for run, more in zip(runs, busier, strict=True):
        run["machine"] = {"cores": 4}
        run["series"] |= {"machine_load": [1.0 + more] * 60, "store_cpu": [0.1] * 60, "handler_cpu": [None] * 60}
    found = finding("planned to stored, p50", *runs)
    assert found.judgement == judgement
    assert ("other work took the machine's time in B" in found.why) is (judgement == "noise")
    said = [note for note in compare(*runs).notes if note.startswith("other work")]
    assert (len(said) == 1) is (busier[0] != busier[1])


@pytest.mark.parametrize(("before", "after", "judged"), [(0, 200, "worse"), (200, 0, "better"), (1, 3, "noise")])
def test_losses_are_judged_by_their_number(before: int, after: int, judged: str) -> None:
    """Many dropped arrivals more are worse; a handful on a busy machine is not."""
    runs = a_run(latencies(1)), a_run(latencies(1))
    runs[0]["dropped"], runs[1]["dropped"] = before, after
    assert finding("dropped arrivals", *runs).judgement == judged


def test_a_proof_that_no_longer_holds_is_worse() -> None:
    """An exact audit that became another is an alarm whatever the figures say; none at all is no figure."""
    before, after = a_run(latencies(1)), a_run(latencies(1))
    after["audit"] = {"verdict": "differs"}
    assert compare(before, after).judged("worse") == ["audit exact"]
    after["audit"] = None
    assert compare(before, after).judged("worse") == []


def test_bounds_are_each_runs_own_affair() -> None:
    """A summary with them, one without, as older versions wrote it, and a damaged one: compared by their figures."""
    old, held = a_run(latencies(1)), a_run(latencies(1))
    held["bounds"] = [{"bound": "dead_lettered<1", "value": 0, "held": True}]
    for bounds in ([{"bound": "rejected<1%", "value": None, "held": False}], None, "none", [5]):
        other = {**copy.deepcopy(held), "bounds": bounds, "schema": "stockpipe.run/1"}
        for pair in ((old, other), (other, old), (held, other)):
            assert (compare(*pair).judgement, compare(*pair).unlike) == ("same", ())


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
        compare(document, a_run(latencies(1)))


def test_a_damaged_summary_is_compared_as_far_as_it_goes() -> None:
    """Missing and wrongly typed parts are no figures, and no failure."""
    before, after = a_run(latencies(1)), a_run(latencies(1))
    after |= {"series": {"p50_s": "no list"}, "latency_s": None, "stretches": [], "machine": 5, "options": "none"}
    after["throughput"] = {"rows_per_s_mean": "fast"}
    assert finding("planned to stored, p50", before, after).why == "measured in one run only"
    assert finding("rows per second", before, after).after is None


def test_the_markdown_is_a_table_of_its_figures() -> None:
    """A verdict, and a row per figure with its samples; a name cannot break the table, nor is it HTML."""
    text = markdown(compare(a_run(latencies(1)), a_run(latencies(2), slower=2)), ("<i>main&", "a|b"))
    lines = text.splitlines()
    assert lines[0].startswith("**stockpipe: worse: ")
    assert "| | &lt;i>main&amp; | a\\|b | change | samples | |" in lines
    (row,) = (line for line in lines if line.startswith("| planned to stored, p50 "))
    assert row.count(" | ") == 5
    assert "**WORSE** (1,200 samples: 12 of 12 stretches changed that way)" in row


def test_the_json_has_every_figure() -> None:
    """The machine's form says the same as the text."""
    written = as_json(compare(a_run(latencies(1)), a_run(latencies(1))))
    assert (written["schema"], written["verdict"], written["unlike"]) == ("stockpipe.compare/1", "same", [])
    assert all(figure["ratio"] in (1.0, None) for figure in written["figures"])
    (p99,) = (figure for figure in written["figures"] if figure["name"] == "planned to stored, p99")
    assert p99["samples"] == (12, 12)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "-"),
        (0.0123, "s", "12.3 ms"),
        (0.9996, "s", "1.00 s"),
        (0.5, "%", "50 %"),
        (1234.5, "/s", "1,234.5/s"),
        (0.7, "USD", "0.700 USD"),
        (1_234_567.0, "", "1,234,567"),
        (0.1234567, "", "0.123457"),
        (1.0, "yes or no", "yes"),
        (0.0, "yes or no", "no"),
    ],
)
def test_values_are_written_with_their_unit(value: float | None, unit: str, text: str) -> None:
    """As short as it reads well."""
    assert value_text(value, unit) == text


def test_no_change_is_written_where_there_was_nothing() -> None:
    """From zero there is no per cent."""
    before, after = a_run(latencies(1)), a_run(latencies(1))
    after["dropped"] = 5
    assert change_text(finding("dropped arrivals", before, after)) == ""
