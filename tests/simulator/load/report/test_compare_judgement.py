"""How one figure of two runs is judged: both sides of each bound, and every way in which there is nothing to judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from simulator.load.report import compare as module
from simulator.load.report.compare import (
    ComparedFigure,
    Difference,
    RunComparison,
    as_json,
    cells,
    change_text,
    compare,
    markdown,
    stretches,
)

LATENCY = ComparedFigure("latency", "s", "lower", ("latency",), "latency_s")


def twice(*values: float) -> list[float]:
    """A series whose stretches are these values, up to twelve."""
    return [value for value in values for _ in range(2)]


def judged(
    first: Sequence[float], second: Sequence[float], tolerance: float = 0.0, figure: ComparedFigure = LATENCY
) -> tuple[str, str]:
    """The judgement of two series, and why."""
    return module._judge(figure, (1.0, 2.0), (first, second), tolerance)


STEADY = twice(*[10] * 8)
APART = "100% apart"


@pytest.mark.parametrize(
    ("values", "judgement"),
    [
        ((None, 1.0), ("shown", "measured in one run only")),
        ((1.0, None), ("shown", "measured in one run only")),
        ((1.0, 1.0), ("same", "")),
        ((1.0, 2.0), ("worse", APART)),
    ],
)
def test_a_figure_must_have_been_measured_in_both_runs(
    values: tuple[float | None, float | None], judgement: tuple[str, str]
) -> None:
    """And where both say the same there is nothing to look into."""
    assert module._judge(LATENCY, values, (STEADY, twice(*[20] * 8)), 0.1) == judgement


def test_one_figure_a_run_is_shown() -> None:
    """Without a series nothing tells chance from change."""
    figure = ComparedFigure("drain", "s", "lower", ("drain",))
    assert judged(STEADY, twice(*[20] * 8), figure=figure) == ("shown", "one figure a run: shown, not judged")


@pytest.mark.parametrize(("first", "second"), [(7, 8), (8, 7), (7, 7)])
def test_eight_stretches_are_enough_and_seven_are_not(first: int, second: int) -> None:
    """Of either run."""
    short = "shown", "too short to tell change from chance"
    assert judged(twice(*[10] * first), twice(*[20] * second)) == short
    assert judged(STEADY, twice(*[20] * 8)) == ("worse", APART)


@pytest.mark.parametrize(("after", "judgement"), [(15.0, ("same", "within 50%")), (15.5, ("worse", APART))])
def test_a_change_up_to_the_tolerance_is_none(after: float, judgement: tuple[str, str]) -> None:
    """A share of what it was before, of the median stretch."""
    assert judged(STEADY, twice(*[after] * 8), tolerance=0.5) == judgement


@pytest.mark.parametrize(("after", "judgement"), [(12.0, "same"), (12.5, "worse"), (8.0, "same"), (7.5, "better")])
def test_a_change_too_small_to_matter_is_none(after: float, judgement: str) -> None:
    """In the figure's own unit, whatever its share is; one without such a bound is judged by its share."""
    figure = ComparedFigure("latency", "s", "lower", ("latency",), "latency_s", least=2.0)
    assert judged(STEADY, twice(*[after] * 8), figure=figure)[0] == judgement
    assert judged(STEADY, twice(*[after] * 8))[0] in ("worse", "better")


@pytest.mark.parametrize(
    ("change", "judgement"),
    [(3.5, ("noise", "no larger than what the runs do by themselves")), (4.0, ("worse", APART))],
)
def test_a_change_must_exceed_the_spread_within_the_runs(change: float, judgement: tuple[str, str]) -> None:
    """Three and a half standard deviations; here it is 1."""
    wobbling = [8.5, 9, 9.5, 10, 10, 10.5, 11, 11.5]
    assert judged(twice(*wobbling), twice(*(value + change for value in wobbling))) == judgement


def test_runs_that_overlap_are_noise() -> None:
    """One stretch of twelve on the wrong side of all others is too many; six ties of 120 pairs are just enough."""
    overlap = "noise", "the runs overlap: no more than noise"
    assert judged(twice(*[0] * 12), twice(*[10] * 11, -1)) == overlap
    assert judged(twice(*[0] * 6, *[1] * 6), twice(1, *[20] * 9)) == ("worse", "95% apart")
    assert judged(twice(*[0] * 5, *[1] * 8), twice(1, *[20] * 9)) == overlap


@pytest.mark.parametrize(("better", "judgement"), [("lower", "better"), ("higher", "worse")])
def test_which_way_is_better_is_the_figures_own(better: Any, judgement: str) -> None:
    """Half the latency is better, half the rows are worse."""
    figure = ComparedFigure("figure", "s", better, ("figure",), "figure")
    assert judged(STEADY, twice(*[5] * 8), figure=figure)[0] == judgement
    assert judged(twice(*[5] * 8), STEADY, figure=figure)[0] == {"better": "worse", "worse": "better"}[judgement]


@pytest.mark.parametrize(
    ("samples", "medians"),
    [([], []), ([1], []), ([1, 2], [1.5]), ([1, 2, 3], [2]), ([1, 2, 3, 9, 8], [1.5, 8])],
)
def test_stretches_have_two_samples_at_least(samples: list[float], medians: list[float]) -> None:
    """What is left over makes one longer."""
    assert stretches(samples) == medians


def test_there_are_twelve_stretches_at_most() -> None:
    """However long the run is."""
    assert [len(stretches(range(length))) for length in (22, 24, 26, 600)] == [11, 12, 12, 12]


def samples(column: Any, planned: Any, **summary: Any) -> list[float]:
    """What is taken of a summary's series."""
    return module._samples({"series": {"latency_s": column, "planned_per_s": planned}, **summary}, LATENCY)


def test_the_samples_are_those_of_the_arrivals() -> None:
    """From the first planned slot to the last, gaps included, without the first tenth and the last slot."""
    column = list(range(24))
    assert samples(column, [0, 0, *[5] * 9, 0, *[5] * 10, 0, 0]) == list(range(4, 21))
    assert samples(column[:9], [5] * 9) == list(range(8))


def test_where_nothing_arrives_all_slots_count() -> None:
    """A backlog has come before; a summary without a plan shows what it has."""
    column = list(range(10))
    assert samples(column, [0] * 10) == list(range(1, 9))
    assert samples(column, [5, *[0] * 9], arrivals={"shape": "backlog"}) == list(range(1, 9))
    assert samples(column, [5, 5, *[0] * 8], arrivals={"shape": "constant"}) == [0]
    assert samples(column, [5, 5, *[0] * 8], arrivals=None) == [0]


def test_a_slot_without_a_value_is_left_out() -> None:
    """No latency was measured, or the file was damaged."""
    assert samples([1, None, 2.5, "x", 3, 4], [1] * 6) == [1, 2.5, 3]


@pytest.mark.parametrize(
    ("column", "planned"), [(None, [1, 1, 1]), ([1, 2, 3], None), ([1, 2, 3], [1, 1]), ({"0": 1}, [1]), ([1], {"0": 1})]
)
def test_a_damaged_series_has_no_samples(column: Any, planned: Any) -> None:
    """Not even those that could be read: they would be of other slots."""
    assert samples(column, planned) == []


def test_a_summary_without_a_series_has_no_samples() -> None:
    """Nor has a figure that is one number a run."""
    once = ComparedFigure("drain", "s", "lower", ("drain",))
    assert module._samples({"series": [1, 2]}, LATENCY) == module._samples({}, LATENCY) == []
    assert module._samples({"series": {None: [1, 2, 3], "planned_per_s": [1, 1, 1]}}, once) == []


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
    runs = [{"lost": count, "planned": objects} for count in (before, after)]
    found = module._loss("lost", ("lost",), *runs)
    assert found == Difference("lost", "", before, after, judgement)  # type: ignore[arg-type]


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
    found = module._loss("lost", ("lost",), {"lost": 0, **first}, {"lost": 20, **second})
    assert found is not None
    assert found.judgement == "noise"


@pytest.mark.parametrize(("before", "after"), [(None, 5), (5, None), (0, 0), (None, None)])
def test_no_loss_is_no_finding(before: Any, after: Any) -> None:
    """Nothing lost in both runs, or not counted in one."""
    assert module._loss("lost", ("lost",), {"lost": before}, {"lost": after}) is None


def test_small_losses_need_no_plan() -> None:
    """A summary that says nothing of its objects is judged by counting error alone."""
    found = module._loss("lost", ("lost",), {"lost": 0}, {"lost": 10})
    assert found is not None
    assert found.judgement == "worse"


@pytest.mark.parametrize(
    ("verdicts", "judgement"), [(("exact", "lossy"), "worse"), (("lossy", "exact"), "better"), (("a", "b"), "same")]
)
def test_a_proof_says_both_verdicts(verdicts: tuple[str, str], judgement: str) -> None:
    """In the order of the runs."""
    found = module._proof(*({"audit": {"verdict": verdict}} for verdict in verdicts))
    assert found is not None
    assert (found.judgement, found.why) == (judgement, f"{verdicts[0]} -> {verdicts[1]}")


def summary(values: Sequence[float], column: str = "rows_per_s", **more: Any) -> dict[str, Any]:
    """A run of one figure over time."""
    figures = {"rows_per_s_mean": sum(values), "objects_per_s_mean": sum(values)}
    series = {"planned_per_s": [1.0] * 30, column: list(values)}
    return {"schema": "stockpipe.load/1", "throughput": figures, "series": series, **more}


@pytest.mark.parametrize(("after", "verdict"), [(109, "same"), (115, "better"), (85, "worse")])
def test_a_tenth_is_the_tolerance_unless_another_is_given(after: float, verdict: str) -> None:
    """Of the rows a second."""
    runs = summary([100.0] * 30), summary([float(after)] * 30)
    assert compare(*runs).judgement == verdict
    assert compare(*runs, tolerance=0.01).judgement == ("worse" if after < 100 else "better")


@pytest.mark.parametrize(
    ("column", "path", "small", "large"),
    [
        ("p50_s", "p50", 0.010, 0.011),
        ("p99_s", "p99", 0.025, 0.026),
        ("stored_per_s", "objects_per_s_mean", 0.0, 0.5),
        ("backlog", "peak", 10, 11),
    ],
)
def test_each_figure_has_a_change_too_small_to_matter(column: str, path: str, small: float, large: float) -> None:
    """10 ms of the median, 25 ms of the p99, ten messages of the backlog; any of a rate."""
    for change, judgement in ((small, "same"), (large, "judged")):
        runs = []
        for value in (0.0, change):
            of_run = {"latency_s": {"planned_to_stored": {path: value + 1}}, "backlog": {"peak": value + 1}}
            runs.append(summary([value] * 30, column, **of_run))
        found = compare(*runs, tolerance=0.0).findings
        assert [each.judgement for each in found if each.judgement in ("better", "worse")] == (
            [] if judgement == "same" else ["better" if path == "objects_per_s_mean" else "worse"]
        )


def test_what_makes_runs_unlike_is_named() -> None:
    """The command, options and versions; what neither summary says is no difference."""
    one = summary([1.0] * 30, command="load-test", options={"rate": 20, "find_max": False}, versions=None)
    two = summary([1.0] * 30, command="simulate", options=None, versions={"python": "3.13.0"})
    assert compare(one, two).unlike == (
        "command: load-test and simulate",
        "rate: 20 and None",
        "find-max: False and None",
        "python: None and 3.13.0",
    )
    assert compare(one, one).unlike == compare(two, two).unlike == ()


def test_the_markdown_says_what_is_unlike() -> None:
    """On a line of its own between the verdict and the table, and only if there is anything."""
    lines = markdown(RunComparison((), ("rate: 1 and 2", "a|b")), ("A", "B")).splitlines()
    assert lines == [
        "**stockpipe: no difference beyond noise**",
        "",
        "> The runs are not alike in rate: 1 and 2; a\\|b.",
        "",
        "| | A | B | change | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    assert len(markdown(RunComparison((), ()), ("A", "B")).splitlines()) == 4


@pytest.mark.parametrize(
    ("judgement", "why", "said"),
    [
        ("same", "", "same"),
        ("worse", "far apart", "WORSE (far apart)"),
        ("shown", "one run", "(one run)"),
        ("shown", "", ""),
    ],
)
def test_a_row_says_the_judgement_and_why(judgement: Any, why: str, said: str) -> None:
    """What is only shown has no judgement; no brackets stand around nothing."""
    row = cells(Difference("rows", "/s", 1.0, 1.1234, judgement, why), {"worse": "WORSE"})
    assert row == ("rows", "1.0/s", "1.1/s", "+12.3 %", said)


@pytest.mark.parametrize(
    ("before", "after", "ratio", "text"),
    [
        (3.0, 1.0, 0.3333, "-66.7 %"),
        (2.0, 2.0, 1.0, "+0.0 %"),
        (None, 1.0, None, ""),
        (1.0, None, None, ""),
        (0.0, 1.0, None, ""),
    ],
)
def test_a_ratio_is_of_two_figures(before: float | None, after: float | None, ratio: float | None, text: str) -> None:
    """B to A to four digits for a program, the change in per cent for a person; none of nothing."""
    finding = Difference("rows", "/s", before, after, "shown")
    assert as_json(RunComparison((finding,), ()))["figures"][0]["ratio"] == ratio
    assert change_text(finding) == text
