"""What makes two runs unlike, and what is only noted."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.load.report.alike import busier, notes, other_work, unlike


def a_run(**options: Any) -> dict[str, Any]:
    """A load test with these options."""
    return {"command": "load-test", "options": {"target": "store", "rate": 20.0, "rows": 100, **options}}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"rate": 40.0}, "rate 20/s and 40/s"),
        ({}, {"rate": 0.5}, "rate 20/s and 0.5/s"),
        ({}, {"rows": 10}, "rows 100 and 10"),
        ({}, {"target": "sink"}, "target store and sink"),
        ({"duration": 30.0}, {"duration": 300.0}, "duration 30s and 5m"),
        ({"ramp": [10.0, 500.0]}, {"ramp": None}, "ramp 10/s,500/s and none"),
        ({"steps": [1.0, 2.0]}, {"steps": [1.0, 3.0]}, "steps 1/s,2/s and 1/s,3/s"),
        ({"poisson": False}, {"poisson": True}, "poisson no and yes"),
        ({"find_max": False}, {"find_max": True}, "find-max no and yes"),
        ({"backlog": None}, {"backlog": 500}, "backlog none and 500"),
        ({"sink_latency": 0.0}, {"sink_latency": 0.008}, "sink-latency 0s and 8ms"),
        ({"runtime": "inline"}, {"runtime": "process"}, "runtime inline and process"),
        ({"scenario": None}, {"scenario": "burst"}, "scenario none and burst"),
        ({"source": ["a"]}, {"source": ["b", "c"]}, "source a and b,c"),
        ({"ticks": 3}, {"ticks": 4}, "ticks 3 and 4"),
        ({"speed": 12.0}, {"speed": 1.0}, "speed 12 and 1"),
        ({"parameters": {"BatchSize": "10"}}, {"parameters": {}}, "parameter BatchSize 10 and default"),
        ({"parameters": {}}, {"parameters": {"BatchSize": "5"}}, "parameter BatchSize default and 5"),
    ],
)
def test_another_load_is_named_with_both_values(before: Any, after: Any, said: str) -> None:
    """As they are written on the command line, and nothing else with them."""
    assert unlike(a_run(**before), a_run(**after)) == (said,)
    assert notes(a_run(**before), a_run(**after)) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"rate": 20}),
        ({"ramp": None}, {"ramp": []}),
        ({"poisson": None}, {"poisson": False}),
        ({"new_option": 1}, {"new_option": 2}),
        ({"capacity": "aws"}, {}),
        ({"seed": 1}, {"seed": 2}),
        ({"port": 0}, {"port": 5000}),
        ({"drain_timeout": 60.0}, {"drain_timeout": 90.0}),
        ({"parameters": None}, {"parameters": {}}),
    ],
)
def test_what_does_not_shape_the_load_is_no_difference(before: Any, after: Any) -> None:
    """An option that says nothing in both runs, that one version had not yet, or that no load depends on."""
    assert unlike(a_run(**before), a_run(**after)) == ()


def test_another_command_and_an_early_end_are_named() -> None:
    """A run of simulate is not a load test; one that was interrupted had not the length that was asked for."""
    assert unlike(a_run(), a_run() | {"command": "simulate"}) == ("command load-test and simulate",)
    assert unlike(a_run(), a_run() | {"interrupted": True}) == ("A ran to its end and B interrupted",)
    assert unlike(a_run() | {"interrupted": True}, a_run() | {"interrupted": True}) == ()


def test_several_differences_are_all_named() -> None:
    """In the order of the options."""
    assert unlike(a_run(), a_run(rate=40.0, rows=5)) == ("rows 100 and 5", "rate 20/s and 40/s")


def test_versions_machines_and_templates_are_noted() -> None:
    """They may be what one compares; what only one summary knows is not noted."""
    before = a_run(template="a.yaml") | {"versions": {"python": "3.11.7", "moto": "5"}, "machine": {"cores": 2}}
    after = a_run(template=None) | {"versions": {"python": "3.13.0"}, "machine": {"cores": 4, "system": "Linux"}}
    assert notes(before, after) == ("template a.yaml and none", "Python 3.11.7 and 3.13.0", "cores 2 and 4")
    assert unlike(before, after) == ()


def test_damaged_summaries_have_no_differences() -> None:
    """Parts that are not what they should be are passed over."""
    broken = {"command": "load-test", "options": [], "versions": "none", "machine": None, "series": 5}
    assert unlike(broken, a_run()) == notes(broken, a_run()) == ()


@pytest.mark.parametrize(
    ("cores", "series", "load"),
    [
        (2, {"machine_load": [3.0, None, 5.0]}, 2.0),
        (2, {"machine_load": [3.0], "store_cpu": [0.5], "handler_cpu": [0.5, None]}, 1.0),
        (2, {"machine_load": [0.5], "store_cpu": [0.9]}, 0.0),
        (None, {"machine_load": [3.0]}, None),
        (0, {"machine_load": [3.0]}, None),
        (2, {"machine_load": []}, None),
        (2, {}, None),
    ],
)
def test_other_work_is_the_load_without_the_runs_own(cores: int | None, series: Any, load: float | None) -> None:
    """Per core, never below none; not known of a machine or a course that no summary describes."""
    assert other_work({"machine": {"cores": cores}, "series": series}) == load


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [(0.5, 0.7, None), (0.5, 0.71, "B"), (0.71, 0.5, "A"), (2.0, 2.5, None), (2.0, 2.51, "B"), (None, 5.0, None)],
)
def test_a_busier_machine_is_clearly_busier(before: float | None, after: float, found: str | None) -> None:
    """By more than 0.2 per core and by a quarter: to a machine that is busy anyway, little more is nothing."""
    runs = [{"machine": {"cores": 1}, "series": {"machine_load": [load]}} for load in (before, after)]
    assert busier(*runs) == found
    assert len(notes(*runs)) == (found is not None)
