"""How one figure of two runs is judged: both sides of each bound, and every way in which there is nothing to judge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from simulator.load.report import compare as module
from simulator.load.report.compare import (
    FIGURES,
    ComparedFigure,
    Difference,
    RunComparison,
    as_json,
    change_text,
    compare,
    lines,
    markdown,
    relative,
    samples_text,
    spread,
)

LATENCY = ComparedFigure("latency, p99", "s", "lower", ("latency", "p99"), "latency", beyond=0.01)
STEADY = [10.0] * 12


def judged(
    first: Sequence[float],
    second: Sequence[float],
    *,
    values: tuple[float, float] = (10.0, 20.0),
    samples: tuple[int, int] = (10, 10),
    tolerance: float = 0.1,
    figure: ComparedFigure = LATENCY,
) -> tuple[str, str]:
    """The judgement of two runs by their stretches, and why."""
    return module._judge(figure, values, samples, (first, second), tolerance)


ALL = "10 samples beyond p99: 12 of 12 stretches changed that way"
MORE = "; about 60 are needed to find a doubled one"


def test_a_printed_change_within_the_tolerance_is_the_same() -> None:
    """Whatever the stretches say; and none at all needs no words. One just beyond it never is."""
    assert judged(STEADY, [20.0] * 12, values=(10.0, 11.0)) == ("same", "within 10 %")
    assert judged(STEADY, [20.0] * 12, values=(10.0, 9.0)) == ("same", "within 10 %")
    assert judged(STEADY, STEADY, values=(0.0, 0.0)) == ("same", "")
    for equal in (10.0, 9.997, 10.003):  # which print as 0.0 %
        assert judged(STEADY, [20.0] * 12, values=(10.0, equal)) == ("same", "")
    assert judged(STEADY, STEADY, values=(10.0, 11.001))[0] == "noise"
    assert judged(STEADY, [20.0] * 12, values=(10.0, 11.001)) == ("worse", ALL)


def test_a_change_too_small_to_matter_is_noise() -> None:
    """In the figure's own unit, however large its share."""
    figure = ComparedFigure("latency, p99", "s", "lower", ("latency", "p99"), "latency", beyond=0.01, least=2.0)
    for values in ((1.0, 3.0), (3.0, 1.0)):
        said = "noise", "a change of 2.00 s or less does not matter"
        assert judged(STEADY, [20.0] * 12, values=values, figure=figure) == said
    assert judged(STEADY, [20.0] * 12, values=(1.0, 3.1), figure=figure)[0] == "worse"
    rate = ComparedFigure("rows per second", "/s", "higher", ("rows",), column="rows_per_s")
    assert judged(STEADY, [20.0] * 12, values=(0.1, 0.2), figure=rate)[0] == "better"


@pytest.mark.parametrize("figure", [each for each in FIGURES if each.latency])
def test_a_millisecond_of_latency_does_not_matter(figure: ComparedFigure) -> None:
    """Of all latencies; more than one does, however much less than two it is."""
    assert judged(STEADY, [20.0] * 12, values=(0.001, 0.0019), samples=(99, 99), figure=figure)[0] == "noise"
    assert judged(STEADY, [20.0] * 12, values=(0.001, 0.0021), samples=(99, 99), figure=figure)[0] == "worse"


@pytest.mark.parametrize("samples", [(9, 10), (10, 9), (0, 0)])
def test_a_change_of_few_samples_is_noise(samples: tuple[int, int]) -> None:
    """With ten beyond the percentile in both runs it may be seen; the words say how many will show it."""
    said = f"{min(samples)} samples beyond p99: about 60 are needed"
    assert judged(STEADY, [20.0] * 12, samples=samples) == ("noise", said)
    assert judged(STEADY, [20.0] * 12, samples=(10, 10)) == ("worse", ALL)


@pytest.mark.parametrize(("samples", "more"), [((10, 60), MORE), ((59, 59), MORE), ((60, 60), ""), ((900, 60), "")])
def test_noise_in_a_tail_says_how_many_samples_would_show_a_change(samples: tuple[int, int], more: str) -> None:
    """About sixty beyond the percentile, in both runs; a median and a rate need no such number."""
    said = f"{min(samples)} samples beyond p99: only 0 of 12 stretches changed that way{more}"
    assert judged(STEADY, STEADY, samples=samples) == ("noise", said)
    median = ComparedFigure("latency, p50", "s", "lower", ("latency", "p50"), "latency")
    assert judged(STEADY, STEADY, samples=(32, 59), figure=median)[1].endswith("changed that way")


def test_a_median_needs_a_few_objects_in_each_stretch() -> None:
    """Eight stretches of four: the number in the words can be followed."""
    median = ComparedFigure("latency, p50", "s", "lower", ("latency", "p50"), "latency")
    few = judged(STEADY[:7], [20.0] * 7, samples=(31, 40), figure=median)
    assert few == ("noise", "31 samples: at least 32 are needed")
    assert judged(STEADY[:8], [20.0] * 8, samples=(32, 40), figure=median)[0] == "worse"


def test_the_words_name_the_samples() -> None:
    """One is singular; those of a median or a rate lie beyond nothing."""
    rate = ComparedFigure("rows per second", "/s", "higher", ("rows",), column="rows_per_s")
    assert judged(STEADY, STEADY, samples=(1, 9))[1].startswith("1 sample beyond p99: ")
    assert judged(STEADY, STEADY, samples=(1, 9), figure=rate)[1].startswith("1 sample: ")


@pytest.mark.parametrize(("first", "second"), [(7, 7), (0, 0), (8, 9)])
def test_eight_stretches_are_enough_and_seven_are_not(first: int, second: int) -> None:
    """Of both runs, and as many of one as of the other."""
    short = "noise", f"10 samples beyond p99: the run is too short to distinguish change from chance{MORE}"
    assert judged([10.0] * first, [20.0] * second) == short
    assert judged([10.0] * 8, [20.0] * 8)[0] == "worse"


def test_all_stretches_but_one_must_change_that_way() -> None:
    """Two that did not, or went the other way, are too many; and it is the printed change's way that counts."""
    assert judged(STEADY, [*[20.0] * 11, 5.0]) == ("worse", ALL.replace("12 of", "11 of", 1))
    assert judged(STEADY, [*[20.0] * 10, 5.0, 10.0]) == (
        "noise",
        f"10 samples beyond p99: only 10 of 12 stretches changed that way{MORE}",
    )
    against = judged(STEADY, [20.0] * 12, values=(20.0, 10.0))
    assert against == ("noise", f"10 samples beyond p99: only 0 of 12 stretches changed that way{MORE}")


def test_the_typical_stretch_must_change_beyond_the_tolerance() -> None:
    """By more than runs of the same code differ in their latencies; in rates, by more than what is tolerated."""
    few = judged(STEADY, [*[12.9] * 9, *[90.0] * 3])
    why = "the typical stretch changed by 30 % or less, as runs of the same code do"
    assert few == ("noise", f"10 samples beyond p99: {why}{MORE}")
    assert judged(STEADY, [13.1] * 12)[0] == "worse"
    assert judged(STEADY, [7.8] * 12, values=(20.0, 10.0))[0] == "noise"
    assert judged(STEADY, [7.6] * 12, values=(20.0, 10.0))[0] == "better"
    assert judged(STEADY, [13.1] * 12, tolerance=0.4)[0] == "noise"
    rate = ComparedFigure("stored", "/s", "higher", ("stored",), column="stored")
    assert [judged(STEADY, [each] * 12, figure=rate)[0] for each in (10.9, 11.1)] == ["noise", "better"]
    just = judged(STEADY, [20.0] * 12, values=(10.0, 21.0), tolerance=1.0, figure=rate)
    assert just == ("noise", "10 samples: the typical stretch changed by 100 % or less, as runs of the same code do")


def test_the_typical_change_must_exceed_the_spread() -> None:
    """By half as much again; the two farthest stretches are not part of the spread."""
    wide = [11.0, 12.0, 13.0, 14.0, 15.0, 20.0, 20.0, 30.0, 40.0, 50.0, 90.0, 90.0]
    assert judged(STEADY, wide) == (
        "noise",
        f"10 samples beyond p99: the stretches differ as much from each other{MORE}",
    )
    assert judged(STEADY, [*[20.0] * 10, 900.0, 900.0]) == ("worse", ALL)
    wide = [0.5625 - 0.25, 0.5625 + 0.25] * 6
    assert module._chance(wide, 12, 1.1) == "the stretches differ as much from each other"
    assert module._chance([each + 0.01 for each in wide], 12, 1.1) == ""
    assert spread([*[0.0] * 9, 3.0, 5.0, 7.0]) == 1.5 * math.sqrt(9 / 10)


@pytest.mark.parametrize(("better", "judgement"), [("lower", "better"), ("higher", "worse")])
def test_which_way_is_better_is_the_figures_own(better: Any, judgement: str) -> None:
    """Half the latency is better, half the rows are worse."""
    figure = ComparedFigure("figure", "s", better, ("figure",), column="figure")
    assert judged(STEADY, [5.0] * 12, values=(10.0, 5.0), figure=figure)[0] == judgement
    reverse = {"better": "worse", "worse": "better"}[judgement]
    assert judged([5.0] * 12, STEADY, values=(5.0, 10.0), figure=figure)[0] == reverse


def test_a_relative_change_is_as_large_either_way() -> None:
    """Between none and twice the mean of both."""
    assert (relative(1, 3), relative(3, 1), relative(0, 5), relative(5, 0), relative(0, 0)) == (1, -1, 2, -2, 0)


def test_the_spread_leaves_out_the_two_farthest() -> None:
    """Of a normal dozen it is the standard deviation, more or less."""
    assert spread([1.0] * 10 + [9.0, -9.0]) == 0
    assert spread([0.0, 1.0] * 6) == pytest.approx(0.75)


def test_one_figure_a_run_is_shown() -> None:
    """Without stretches or a series nothing tells chance from change; and a figure of one run has nothing beside it."""
    runs = [summary([100.0] * 30, backlog={"drain_s": each}) for each in (1.0, 2.0, None)]
    assert figure_of("drain", *runs[:2]) == ("shown", "one figure per run: shown, not judged")
    assert figure_of("drain", runs[0], runs[0]) == ("same", "")
    assert figure_of("drain", runs[0], runs[2]) == figure_of("drain", runs[2], runs[0])
    assert figure_of("drain", runs[0], runs[2]) == ("shown", "measured in one run only")


def slots(column: Any, planned: Any, **more: Any) -> list[float]:
    """What is taken of a summary's series."""
    return module._slots({"series": {"rows_per_s": column, "planned_per_s": planned}, **more}, "rows_per_s")


def test_the_slots_are_those_of_the_arrivals() -> None:
    """From the first planned slot to the last, gaps included, without the first tenth and the last slot."""
    column = list(range(24))
    assert slots(column, [0, 0, *[5] * 9, 0, *[5] * 10, 0, 0]) == list(range(4, 21))
    assert slots(column[:9], [5] * 9) == list(range(8))


def test_where_nothing_arrives_all_slots_count() -> None:
    """A backlog has come before; a summary without a plan shows what it has."""
    column = list(range(10))
    assert slots(column, [0] * 10) == list(range(1, 9))
    assert slots(column, [5, *[0] * 9], arrivals={"shape": "backlog"}) == list(range(1, 9))
    assert slots(column, [5, 5, *[0] * 8], arrivals={"shape": "constant"}) == [0]
    assert slots(column, [5, 5, *[0] * 8], arrivals=None) == [0]


def test_a_slot_without_a_value_is_left_out() -> None:
    """No latency was measured, or the file was damaged."""
    assert slots([1, None, 2.5, "x", 3, 4], [1] * 6) == [1, 2.5, 3]


@pytest.mark.parametrize(
    ("column", "planned"), [(None, [1, 1, 1]), ([1, 2, 3], None), ([1, 2, 3], [1, 1]), ({"0": 1}, [1]), ([1], {"0": 1})]
)
def test_a_damaged_series_has_no_slots(column: Any, planned: Any) -> None:
    """Not even those that could be read: they would be of other slots."""
    assert slots(column, planned) == []


@pytest.mark.parametrize(
    ("before", "after", "objects", "judgement"),
    [
        (0, 9, 0, "noise"),
        (0, 10, 0, "worse"),
        (9, 0, 0, "noise"),
        (10, 0, 0, "better"),
        (100, 144, 0, "noise"),
        (100, 151, 0, "worse"),
        (5, 5, 0, "same"),
        (0, 20, 20_000, "noise"),
        (0, 21, 20_000, "worse"),
        (100, 151, 100_000, "noise"),
        (-5, 1, 0, "worse"),
    ],
)
def test_losses_are_judged_by_counting_error(before: int, after: int, objects: int, judgement: str) -> None:
    """More than three times the root of both together, and more than one in a thousand of the objects."""
    runs = {"lost": before, "planned": objects}, {"lost": after, "planned": objects}
    found = module._loss("lost", ("lost",), 0.001, runs)
    assert found is not None
    assert (found.name, found.before, found.after, found.judgement) == ("lost", before, after, judgement)
    assert found.samples == (objects, objects)
    few = "no more than 0.1 % of them" if objects and after - before != 5 and before != -5 else ""
    said = f"{objects:,} objects: {few or 'within the counting error'}"
    assert found.why == (said if judgement == "noise" else "")


def test_a_machine_that_stands_still_drops_a_burst() -> None:
    """Arrivals and puts lost in it are noise, up to a twentieth of the objects; a failed invocation is not."""
    shares = {name: least for name, _, least in module.LOSSES}
    assert shares["dropped arrivals"] == shares["failed puts"] == 0.05
    assert shares["failed invocations"] == shares["dead-lettered messages"] == 0.001
    for after, judgement in ((60, "noise"), (61, "worse")):
        found = module._loss(
            "lost", ("lost",), 0.05, ({"lost": 0, "planned": 1_200}, {"lost": after, "planned": 1_200})
        )
        assert found is not None
        assert found.judgement == judgement
        assert found.why == ("1,200 objects: no more than 5 % of them" if judgement == "noise" else "")


@pytest.mark.parametrize(
    ("before", "after", "judgement"), [(33, 0, "shown"), (0, 3_300, "shown"), (16, 17, "shown"), (5, 5, "same")]
)
def test_throttles_are_shown(before: int, after: int, judgement: str) -> None:
    """Five equal runs had 33, 15, 16, 0 and 17 of them: they come in bursts, and counting error says nothing."""
    runs = [summary([100.0] * 30, table={"throttled_requests": count}) for count in (before, after)]
    said = "it comes in bursts: shown, not judged" if judgement == "shown" else ""
    assert figure_of("throttled table requests", *runs) == (judgement, said)
    assert compare(*runs).judgement == "same"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"planned": 20_000}, {"planned": 10}),
        ({"planned": 10}, {"planned": 20_000}),
        ({"planned": 0, "queue": {"sent": 20_000}}, {}),
        ({"planned": 20_000, "queue": {"sent": 1}}, {}),
    ],
)
def test_the_objects_of_the_larger_run_count(first: dict[str, Any], second: dict[str, Any]) -> None:
    """The planned ones, or the messages sent where nothing was planned: 20 of 20,000 are no more than noise."""
    found = module._loss("lost", ("lost",), 0.001, ({"lost": 0, **first}, {"lost": 20, **second}))
    assert found is not None
    assert found.judgement == "noise"


@pytest.mark.parametrize(("before", "after"), [(None, 5), (5, None), (0, 0), (None, None)])
def test_no_loss_is_no_finding(before: Any, after: Any) -> None:
    """Nothing lost in both runs, or not counted in one."""
    assert module._loss("lost", ("lost",), 0.001, ({"lost": before}, {"lost": after})) is None


def test_small_losses_need_no_plan() -> None:
    """A summary that says nothing of its objects is judged by counting error alone."""
    found = module._loss("lost", ("lost",), 0.001, ({"lost": 0}, {"lost": 10}))
    assert found is not None
    assert found.judgement == "worse"


@pytest.mark.parametrize(
    ("verdicts", "judgement"),
    [(("exact", "lossy"), "worse"), (("lossy", "exact"), "better"), (("a", "b"), "same"), (("a", "a"), "same")],
)
def test_a_proof_says_both_verdicts(verdicts: tuple[str, str], judgement: str) -> None:
    """In the order of the runs."""
    found = module._proof(tuple({"audit": {"verdict": verdict}} for verdict in verdicts))
    assert found is not None
    said = "" if verdicts[0] == verdicts[1] else f"{verdicts[0]} -> {verdicts[1]}"
    assert (found.judgement, found.why) == (judgement, said)


@pytest.mark.parametrize(
    ("verdicts", "judgement"), [(("settled", "differs"), "worse"), (("pending", "settled"), "better")]
)
def test_deliveries_are_the_proof_of_another_application(verdicts: tuple[str, str], judgement: str) -> None:
    """It has no audit."""
    found = module._proof(tuple({"audit": None, "deliveries": {"verdict": verdict}} for verdict in verdicts))
    assert found is not None
    assert (found.name, found.judgement) == ("deliveries settled", judgement)
    assert found.why == " -> ".join(verdicts)


@pytest.mark.parametrize("verdicts", [("exact", "differs"), ("differs", "exact"), ("exact", "exact")])
@pytest.mark.parametrize("sampled", [0, 1])
def test_a_proof_of_a_sample_is_not_one_of_everything(verdicts: tuple[str, str], sampled: int) -> None:
    """One is shown beside the other, unless the sample differs; two samples are judged like two whole proofs."""
    audits: list[dict[str, Any]] = [{"verdict": verdict, "sampled": None} for verdict in verdicts]
    audits[sampled]["sampled"] = {"objects": 20, "of": 200}
    found = module._proof(tuple({"audit": audit} for audit in audits))
    assert found is not None
    change = "" if verdicts[0] == verdicts[1] else f"{verdicts[0]} -> {verdicts[1]}; "
    assert found.why == f"{change}{'AB'[sampled]} proved a sample of 20 of 200 objects only"
    both = module._proof(tuple({"audit": {**audit, "sampled": {"objects": 20, "of": 200}}} for audit in audits))
    whole = module._proof(tuple({"audit": {**audit, "sampled": None}} for audit in audits))
    assert both == whole
    assert whole is not None
    assert (
        whole.judgement == {"exactdiffers": "worse", "differsexact": "better", "exactexact": "same"}["".join(verdicts)]
    )
    assert found.judgement == (whole.judgement if verdicts[sampled] == "differs" else "shown")


def summary(values: Sequence[float], column: str = "rows_per_s", **more: Any) -> dict[str, Any]:
    """A run of one figure over time."""
    figures = {"rows_per_s_mean": sum(values), "objects_per_s_mean": sum(values)}
    series = {"planned_per_s": [1.0] * 30, column: list(values)}
    return {"schema": "stockpipe.load/1", "stored": 600, "throughput": figures, "series": series, **more}


def figure_of(name: str, *runs: dict[str, Any], tolerance: float = 0.1) -> tuple[str, str]:
    """The judgement of one figure, and why."""
    (found,) = (each for each in compare(*runs, tolerance=tolerance).findings if each.name == name)
    return found.judgement, found.why


@pytest.mark.parametrize(("after", "verdict"), [(109, "same"), (115, "better"), (85, "worse")])
def test_a_tenth_is_the_tolerance_unless_another_is_given(after: float, verdict: str) -> None:
    """Of the rows per second."""
    runs = summary([100.0] * 30), summary([float(after)] * 30)
    assert compare(*runs).judgement == verdict
    assert compare(*runs, tolerance=0.01).judgement == ("worse" if after < 100 else "better")


def a_latency(value: float, *, stretches: bool = True, series: bool = True) -> dict[str, Any]:
    """A run of 1,000 objects that took so long, with the stretches or the series that say so."""
    shown = dict.fromkeys(("p50", "p90", "p99"), value)
    parts = ("planned_to_stored", "object_to_stored", "send", "handler")
    run: dict[str, Any] = {
        "schema": "stockpipe.load/1",
        "latency_s": {part: {"count": 1_000, **shown} for part in parts},
    }
    if stretches:
        run["stretches"] = {part: {name: [value] * 12 for name in shown} for part in parts}
    if series:
        run["series"] = {"planned_per_s": [1.0] * 60, "p50_s": [value] * 60, "p99_s": [value] * 60}
    return run


def test_every_percentile_is_judged_where_its_stretches_exist() -> None:
    """Of all four distributions, tails as well as medians, each with the samples beyond it."""
    found = [each for each in compare(a_latency(0.1), a_latency(0.2)).findings if each.judgement == "worse"]
    labels = ("planned to stored", "object to stored", "send", "handler")
    assert [each.name for each in found] == [f"{label}, {name}" for label in labels for name in ("p50", "p90", "p99")]
    assert [each.samples for each in found] == [(1_000, 1_000), (100, 100), (10, 10)] * 4


def test_a_summary_of_an_older_version_is_judged_by_its_series() -> None:
    """Both are, then: the p50 and p99 of planned to stored have one, and all other percentiles are shown."""
    for pair in (
        (a_latency(0.1, stretches=False), a_latency(0.2)),
        (a_latency(0.1), a_latency(0.2, stretches=False)),
    ):
        assert compare(*pair).judged("worse") == ["planned to stored, p50", "planned to stored, p99"]
        assert figure_of("planned to stored, p90", *pair)[0] == "shown"
    pair = a_latency(0.1, stretches=False, series=False), a_latency(0.2)
    assert figure_of("planned to stored, p50", *pair) == ("shown", "one figure per run: shown, not judged")


def test_two_searches_are_shown() -> None:
    """The rates of their probes are their own."""
    runs = [a_latency(value) | {"arrivals": {"shape": "search"}} for value in (0.1, 0.2)]
    for pair in (runs, [runs[0], a_latency(0.2)]):
        assert figure_of("planned to stored, p50", *pair) == ("shown", "one figure per run: shown, not judged")


@pytest.mark.parametrize(
    ("first", "second", "count"), [(60, 60, 12), (29, 60, 12), (28, 60, 12), (16, 60, 7), (60, 16, 7), (2, 60, 0)]
)
def test_a_stretch_has_two_slots_at_least(first: int, second: int, count: int) -> None:
    """As many stretches of both series as the shorter one has, twelve at most."""
    figure = next(each for each in FIGURES if each.column == "rows_per_s")
    runs = [{"series": {"planned_per_s": [1] * size, "rows_per_s": [5.0] * size}} for size in (first, second)]
    assert module._courses(figure, (runs[0], runs[1])) == ([5.0] * count, [5.0] * count)


def test_the_samples_are_counted_where_the_summary_says() -> None:
    """The latency's own count, else the objects stored, else those planned; none of nothing."""
    runs = [a_latency(value) for value in (0.1, 0.2)]
    for counts, samples in (({}, 0), ({"planned": 1_200}, 12), ({"planned": 1_200, "stored": 900}, 9)):
        for run in runs:
            run["latency_s"]["send"] = {"p99": run["latency_s"]["send"]["p99"]}
            run |= counts
        (found,) = (each for each in compare(*runs).findings if each.name == "send, p99")
        assert found.samples == (samples, samples)
        assert found.judgement == ("worse" if samples >= 10 else "noise")
    runs[1]["latency_s"]["send"]["count"] = 1_500
    (found,) = (each for each in compare(*runs).findings if each.name == "send, p99")
    assert found.samples == (9, 15)
    rate = next(each for each in FIGURES if each.column == "rows_per_s")
    assert [module._samples(rate, summary) for summary in ({}, {"stored": 600})] == [0, 600]


@pytest.mark.parametrize(("change", "judgement"), [(10, "noise"), (11, "worse")])
def test_a_backlog_is_judged_by_its_peaks(change: float, judgement: str) -> None:
    """Ten messages more do not matter; and the peak of each stretch counts, not what is usual in it."""
    runs = [summary([0.0, peak] * 30, "backlog", backlog={"peak": peak}) for peak in (5.0, 5.0 + change)]
    for run in runs:
        run["series"]["planned_per_s"] = [1.0] * 60
        run["stored"] = 60
    assert figure_of("backlog, peak", *runs)[0] == judgement


def test_the_markdown_says_what_is_unlike() -> None:
    """On lines of their own between the verdict and the table, and only if there is anything."""
    lines = markdown(RunComparison((), ("rate 1/s and 2/s", "a|b"), ("moto 5 and 6",)), ("A", "B")).splitlines()
    assert lines == [
        "**stockpipe: no difference beyond noise**",
        "",
        "> The runs are of unlike loads: rate 1/s and 2/s; a\\|b.",
        "",
        "> Differences: moto 5 and 6.",
        "",
        "| | A | B | change | samples | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    assert len(markdown(RunComparison(()), ("A", "B")).splitlines()) == 4


@pytest.mark.parametrize(
    ("judgement", "why", "said"),
    [
        ("same", "", "same"),
        ("worse", "far apart", "**WORSE** (far apart)"),
        ("shown", "one run", "(one run)"),
        ("shown", "", ""),
    ],
)
def test_a_row_says_the_judgement_and_why(judgement: Any, why: str, said: str) -> None:
    """What is only shown has no judgement; no brackets stand around nothing."""
    finding = Difference("rows", "/s", 1.0, 1.1234, judgement, why, (600, 580))
    row = markdown(RunComparison((finding,)), ("A", "B")).splitlines()[-1]
    assert row == f"| rows | 1.0/s | 1.1/s | +12.3 % | 600 and 580 | {said} |"


def test_the_text_has_a_line_per_figure_and_a_reason_where_it_fits() -> None:
    """Aligned under each other; a reason that would be cut has the next line to itself."""
    findings = (
        Difference("p99", "s", 0.1, 0.2, "worse", "12 samples beyond p99", (12, 12)),
        Difference("drain", "s", None, 2.0, "shown", "one run"),
        Difference("rows", "/s", 1.0, 1.0, "same"),
    )
    assert list(lines(RunComparison(findings), 50)) == [
        ("            A       B    change  samples", "shown"),
        ("p99    100 ms  200 ms  +100.0 %       12  worse", "worse"),
        ("    12 samples beyond p99", "worse"),
        ("drain       -  2.00 s  (one run)", "shown"),
        ("rows    1.0/s   1.0/s     0.0 %           same", "same"),
    ]
    line = "p99    100 ms  200 ms  +100.0 %       12  worse (12 samples beyond p99)"
    assert list(lines(RunComparison(findings), 80))[1] == (line, "worse")
    assert list(lines(RunComparison(findings), len(line)))[1] == (line, "worse")
    assert list(lines(RunComparison(findings), len(line) - 1))[1] == (line.partition(" (")[0], "worse")
    assert list(lines(RunComparison(findings), 9))[-1] == ("rows    1.0/s   1.0/s     0.0 %           same", "same")


@pytest.mark.parametrize(
    ("samples", "text"), [(None, ""), ((600, 600), "600"), ((1_200, 1), "1,200 and 1"), ((0, 0), "0")]
)
def test_samples_are_written_once_where_they_are_equal(samples: tuple[int, int] | None, text: str) -> None:
    """And not at all where there is one number per run."""
    assert samples_text(Difference("rows", "/s", 1.0, 2.0, "noise", samples=samples)) == text
    tail = Difference("latency, p99", "s", 1.0, 2.0, "noise", samples=samples, tail="p99")
    assert samples_text(tail) == (f"{text} beyond" if text else "")


@pytest.mark.parametrize(
    ("before", "after", "ratio", "text"),
    [
        (3.0, 1.0, 0.3333, "-66.7 %"),
        (2.0, 2.0, 1.0, "0.0 %"),
        (100.0, 99.96, 0.9996, "0.0 %"),
        (100.0, 100.04, 1.0004, "0.0 %"),
        (100.0, 99.94, 0.9994, "-0.1 %"),
        (1.0, 14.1, 14.1, "+1,310.0 %"),
        (None, 1.0, None, ""),
        (1.0, None, None, ""),
        (0.0, 1.0, None, ""),
    ],
)
def test_a_ratio_is_of_two_figures(before: float | None, after: float | None, ratio: float | None, text: str) -> None:
    """B to A to four digits for a program, the change in per cent for a person; none of nothing."""
    finding = Difference("rows", "/s", before, after, "shown")
    assert as_json(RunComparison((finding,)))["figures"][0]["ratio"] == ratio
    assert change_text(finding) == text
    assert Difference("audit exact", "yes or no", before, after, "shown").ratio is None
