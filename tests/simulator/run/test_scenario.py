"""Scenario files: what is read, what is refused, and when a step is due."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.templates import own_stack
from simulator.base.counters import QueueCounters, TableCounters
from simulator.base.errors import InputError
from simulator.run import scenario
from simulator.stack import template
from simulator.telemetry.snapshot import FunctionView, Maxima, RunOptions, Snapshot

EMPTY = Snapshot(at=0.0, options=RunOptions("simulate", 0, "inline", 0.0))


def parse(text: str) -> scenario.Scenario:
    """Parse with a title in front."""
    return scenario.parse("title: t\n" + text, "mine", "mine.yaml")


@pytest.mark.parametrize("name", scenario.names())
def test_packaged_scenarios_fit_the_packaged_template(name: str) -> None:
    """Each scenario that ships is readable, says what it plans, and its parameters are the template's own."""
    loaded = scenario.load(name)

    assert loaded.title
    assert loaded.bounds
    assert loaded.steps
    assert template.load(None, loaded.parameters).parameters.items() >= dict(loaded.parameters).items()


def test_issue_names_are_there() -> None:
    """The scenarios that the documentation teaches with exist by name."""
    assert {"burst", "outage", "poison"} <= set(scenario.names())


def test_own_file_is_read_by_path(tmp_path: Path) -> None:
    """A path that ends in .yaml is a scenario of the user's own, named after its file."""
    (tmp_path / "my.yaml").write_text("title: Mine\n", encoding="utf-8")

    assert scenario.load(str(tmp_path / "my.yaml")).name == "my"


def test_condition_holds_when_all_terms_do() -> None:
    """Terms are figures of the snapshot against numbers, joined by `and`."""
    step = parse("steps: [{when: queue.visible >= 3 and table.rows < 10}]").steps[0]

    filled = replace(EMPTY, queue=QueueCounters(visible=3), table=TableCounters(rows=9))
    assert step.due(0.0, lambda: filled)
    assert not step.due(0.0, lambda: replace(filled, queue=QueueCounters(visible=2)))
    assert not step.due(0.0, lambda: replace(filled, table=TableCounters(rows=10)))


def test_figure_that_does_not_exist_yet_holds_nothing() -> None:
    """An age of an empty queue is no number, so neither comparison with it is true."""
    for sign in (">=", "<"):
        assert not parse(f"steps: [{{when: queue.oldest_age_s {sign} 0}}]").steps[0].due(0.0, lambda: EMPTY)


def test_bounds_are_those_of_the_command_line() -> None:
    """In the same grammar, as many as it needs; a scenario without any has none of its own."""
    planned = parse("bounds: [dead_lettered>=1, dead_lettered<=1, 'rejected<1%']").bounds
    assert [(bound.figure, bound.operator, bound.limit, bound.is_default) for bound in planned] == [
        ("dead_lettered", ">=", 1.0, False),
        ("dead_lettered", "<=", 1.0, False),
        ("rejected", "<", 1.0, False),
    ]
    assert parse("bounds:").bounds == parse("").bounds == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz: []", "'stepz' is not known"),
        ("options: {tick: 3}", "option 'tick' is not known"),
        ("options: {ticks: many}", "option ticks must be of type int"),
        ("options: {capacity: big}", "option capacity must be aws or unlimited"),
        ("options: {runtime: docker}", "option runtime must be inline or process"),
        ("options: {duration: soon}", "'soon' is not a number of seconds"),
        ("steps: [{at: 1s, when: queue.visible > 1}]", "step 1: give at or when, not both"),
        ("steps: [{when: queue.length > 1}]", "step 1: when: there is no figure 'queue.length'"),
        ("steps: [{when: queue.visible}]", "step 1: when: 'queue.visible' is not a figure, an operator and a number"),
        ("steps: [{put: {key: a}}]", "step 1: put needs key and text"),
        ("steps: [{refuse_writes: {share: 2, for: 1s}}]", "step 1: share must be between 0 and 1, not '2'"),
        ("steps: [{refuse_writes: {share: 0.5}}]", "step 1: refuse_writes needs share and for"),
        ("steps: [{faults: {s3-slow: 0.5}}]", "step 1: faults needs kinds with their shares, and for, as in {"),
        ("steps: [{faults: {for: 5s}}]", "step 1: faults needs kinds with their shares, and for, as in {"),
        ("steps: [{faults: [s3-slow]}]", "step 1: faults needs kinds with their shares, and for, as in {"),
        ("steps: [{faults: {s3-slo: 1, for: 5s}}]", "step 1: faults: there is no fault 's3-slo'; did you mean 's3-sl"),
        ("steps: [{faults: {s3-slow: 2, for: 5s}}]", "step 1: faults: s3-slow: '2' is not a share; write 0.1 or 10%"),
        ("steps: [{faults: {s3-slow: 1, for: soon}}]", "step 1: for: 'soon' is not a number of seconds; write 10s"),
        ("bounds: {dead_lettered: 1}", "bounds must be a list, as in [dead_lettered<1, rejected<1%]"),
        ("bounds: dead_lettered<1", "bounds must be a list"),
        ("bounds: [5]", "bounds must be a list"),
        (
            "bounds: [dead_lettered<1s]",
            "bounds: 'dead_lettered<1s' is not a bound of this figure; dead_lettered is a bare number",
        ),
        ("bounds: [gone<1, p99<5s]", "bounds: 'gone<1': there is no figure 'gone'"),
        ("bounds: [dead_leters<1]", "did you mean 'dead_lettered'?"),
        ("steps: {}", "steps must be a list"),
        ("steps: [5]", "step 1: it must be a mapping"),
        ("parameters: []\nsteps: [{caption: [}]", "not YAML"),
    ],
)
def test_bad_scenario_is_one_line(text: str, message: str) -> None:
    """Whatever cannot be used is named with its step, in one line."""
    with pytest.raises(InputError) as refused:
        parse(text)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_faults_of_a_step_strike_for_a_while() -> None:
    """A share is a number or a percentage; what the table refuses is one more, and the scenario names them all."""
    made = parse(
        "steps:\n  - faults: {s3-slow-down: 0.3, dynamodb-slow: 10%, for: 10s}\n"
        "  - {faults: {tick-twice: 1, for: 2m}, refuse_writes: {share: 0.5, for: 5}}\n"
    )
    assert [step.strikes for step in made.steps] == [
        (scenario.Strike({"s3-slow-down": 0.3, "dynamodb-slow": 0.1}, 10.0),),
        (scenario.Strike({scenario.REFUSED: 0.5}, 5.0), scenario.Strike({"tick-twice": 1.0}, 120.0)),
    ]
    assert made.faults == {"s3-slow-down", "dynamodb-slow", "tick-twice", "refuse_writes"}


def test_a_step_that_cannot_be_used_is_named_with_file_and_line() -> None:
    """As compilers write it, so that an editor finds the place."""
    with pytest.raises(InputError, match=r"^mine\.yaml:4: step 2: put needs key and text$"):
        parse("steps:\n  - at: 1s\n  - put: {key: a}\n")


def test_captions_follow_what_is_in_force() -> None:
    """The values of parameters and options; a name that is neither is an error with the caption's file and line."""
    made = parse("steps:\n  - at: 1s\n    caption: >\n      After {VisibilityTimeout second},\n      {ticks tick}.\n")
    (step,) = made.filled({"VisibilityTimeout": "12", "ticks": "1"}).steps
    assert step.caption == "After 12 seconds, 1 tick."
    with pytest.raises(InputError, match=r"^mine\.yaml:4: caption: .* 'VisibilityTimeout'; did you mean") as refused:
        made.filled({"VisibilityTimeOut": "12", "ticks": "1"})
    assert refused.value.hint == "did you mean 'VisibilityTimeOut'?"


@pytest.mark.parametrize("name", scenario.names())
def test_packaged_captions_name_parameters_of_the_template(name: str) -> None:
    """Every placeholder has a value, and what is said fits into the two lines that 80 columns have for it."""
    loaded = scenario.load(name)
    values = {**template.load(None, loaded.parameters).parameters, "ticks": "1"}
    for step in loaded.filled(values).steps:
        assert step.caption is not None
        assert "{" not in step.caption
        assert len(textwrap.wrap(step.caption, 77)) <= 2


def shown(**figures: float) -> Snapshot:
    """A snapshot with these figures: `queue_sent=5` is `queue.sent`."""
    parts: dict[str, Any] = {
        "queue": QueueCounters(),
        "table": TableCounters(),
        "maxima": Maxima(),
        "consumer": FunctionView(),
        "dead_letter_queue": QueueCounters(),
    }
    for name, figure in figures.items():
        part = next(each for each in parts if name.startswith(f"{each}_"))
        parts[part] = replace(parts[part], **{name.removeprefix(f"{part}_"): figure})
    return Snapshot(at=0.0, options=RunOptions("simulate", 0, "inline", 0.0), **parts)


@pytest.mark.parametrize(
    ("name", "claim", "true", "false"),
    [
        ("burst", "not an overload", {"maxima_visible": 490}, {"maxima_visible": 20}),
        ("burst", "not an overload", {"maxima_visible": 490}, {"maxima_visible": 490, "table_throttled_requests": 1}),
        (
            "double-work",
            "received again",
            {"queue_received": 30, "queue_sent": 24},
            {"queue_received": 30, "queue_sent": 48},
        ),
        (
            "double-work",
            "More rows were written",
            {"table_rows_written": 4900, "table_rows": 4700},
            {"table_rows_written": 4900, "table_rows": 4900},
        ),
        (
            "double-work-cure",
            "As many rows were written",
            {"table_rows_written": 4800, "table_rows": 4800, "queue_deleted": 24, "queue_received": 24},
            {"table_rows_written": 5100, "table_rows": 4800, "queue_deleted": 24, "queue_received": 26},
        ),
        (
            "outage",
            "is stored",
            {"table_throttled_requests": 9},
            {"table_throttled_requests": 9, "queue_dead_lettered": 2},
        ),
        ("poison", "Every good row", {"queue_dead_lettered": 1}, {"queue_dead_lettered": 3}),
        ("poison", "Every good row", {"queue_dead_lettered": 1}, {}),
        ("throttle-cure", "no batch had been", {"table_rows": 3000}, {"table_rows": 3000, "consumer_throttles": 1}),
        ("throttle-cure", "is empty", {}, {"queue_dead_lettered": 1}),
        (
            "throttle-trap",
            "no handler has failed",
            {"dead_letter_queue_visible": 1},
            {"dead_letter_queue_visible": 1, "consumer_errors": 1},
        ),
    ],
)
def test_an_outcome_is_stated_only_if_the_figures_show_it(
    name: str, claim: str, true: dict[str, float], false: dict[str, float]
) -> None:
    """Other parameters may lead to another outcome: then the caption does not come."""
    (step,) = [step for step in scenario.load(name).steps if claim in (step.caption or "")]
    assert step.due(99.0, lambda: shown(**true))
    assert not step.due(99.0, lambda: shown(**false))


def test_a_step_may_put_several_objects() -> None:
    """In their order; one object needs no list."""
    one, two = "{key: a, text: x}", "{key: b, text: y}"
    assert parse(f"steps: [{{put: {one}}}]").steps[0].puts == (scenario.Put("a", "x"),)
    assert [put.key for put in parse(f"steps: [{{put: [{two}, {one}]}}]").steps[0].puts] == ["b", "a"]


def test_the_broken_object_of_poison_comes_between_good_ones() -> None:
    """One step puts it between two that can be read, behind a backlog: whoever receives it receives a neighbour."""
    (step,) = [step for step in scenario.load("poison").steps if step.puts]
    first, broken, last = (put.text.splitlines()[0] for put in step.puts)
    assert first == last == "ticker,timestamp,price"
    assert "timestamp" not in broken
    assert [(term.figure, term.operator) for term in step.when] == [("queue.visible", ">=")]
    assert step.when[0].limit >= 2 * int(own_stack().parameters["BatchSize"])


def test_unknown_name_says_the_nearest() -> None:
    """A wrong name is answered with the right one."""
    with pytest.raises(InputError, match=r"there is no scenario 'brust'; did you mean 'burst'\?$"):
        scenario.load("brust")
