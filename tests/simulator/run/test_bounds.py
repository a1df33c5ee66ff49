"""Bounds: how they are written, which are in force, when they hold, and what is said of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from simulator.base.errors import InputError
from simulator.run.bounds import (
    DEFAULTS,
    FIGURES,
    SummaryBound,
    in_force,
    judge,
    missed,
    number_at,
    numeric,
    parse,
    parse_all,
    words,
)

SUMMARY: dict[str, Any] = {
    "duration_s": 62.5,
    "queue": {"sent": 200, "dead_lettered": 2, "remaining": 0, "received": 0},
    "consumer": {"invocations": 0, "errors": 0},
    "table": {"rows_written": 950, "unprocessed_items": 50, "throttled_requests": None},
    "latency_s": {"object_to_stored": {"p50": 0.0421, "p99": 4.2}},
    "throughput": {"rows_per_s_mean": 2100.5},
    "audit": {
        "parsed_rows": 1_000,
        "rejected": 10,
        "stored_rows": 990,
        "objects_all_rejected": 1,
        "objects_many_rejected": 0,
        "notes": {"objects_all_rejected": "stocks/a.csv: 10 of 10 rows rejected"},
    },
}


def judged(*texts: str, summary: dict[str, Any] = SUMMARY) -> list[tuple[float | None, bool]]:
    """Value and outcome of each bound that was asked for."""
    return [(each["value"], each["held"]) for each in judge(parse_all(texts), summary)]


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        # A count: the limit itself counts only with an equals sign.
        ("dead_lettered<2", 2, False),
        ("dead_lettered<=2", 2, True),
        ("dead_lettered>2", 2, False),
        ("dead_lettered>=2", 2, True),
        ("dead_lettered<2.5", 2, True),
        # A share of a whole, in per cent, at both ends.
        ("rejected<1%", 1.0, False),
        ("rejected<=1%", 1.0, True),
        ("rejected>=1.0 %", 1.0, True),
        ("rejected < 1.01 %", 1.0, True),
        ("rejected<10", 10, False),
        ("rejected<11", 10, True),
        ("dead_lettered<=1%", 1.0, True),
        ("unprocessed_items<=5%", 5.0, True),
        ("unprocessed_items<5%", 5.0, False),
        # A time, in any unit.
        ("object_to_stored_p99<4200ms", 4.2, False),
        ("object_to_stored_p99 <= 4200 ms", 4.2, True),
        ("object_to_stored_p99<5s", 4.2, True),
        ("duration<1m 3s", 62.5, True),
        ("duration>1m", 62.5, True),
        # A rate.
        ("rows_per_s>2100", 2100.5, True),
        ("rows_per_s>2.2e3", 2100.5, False),
    ],
)
def test_a_bound_is_judged_in_its_unit(text: str, value: float, held: bool) -> None:
    """Counts as they are, shares in per cent of their whole, times in seconds."""
    assert judged(text) == [(value, held)]


def test_what_is_asked_for_and_does_not_exist_is_missed() -> None:
    """A null, a figure of a part that is not there, no number, and a share of nothing: none keeps a promise."""
    asked = ("throttles<1", "missing<1", "errors<1%", "batch_item_failures<1%", "different<=1%")
    assert judged(*asked) == [(None, False)] * 5
    assert judged("unprocessed_items<9%", summary={"table": {"unprocessed_items": 1}}) == [(None, False)]
    assert judged("errors<1") == [(0, True)]
    assert judged("rejected<1%", summary={"audit": None}) == [(None, False)]
    for held in (True, "1", [1], {"of": 1}):
        assert judged("duration<1h", summary={"duration_s": held}) == [(None, False)]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "is not a bound; write for example 'rejected<1%' or 'rows_per_s>500'"),
        ("rejected", "is not a bound"),
        ("rejected<", "is not a bound"),
        ("rejected<few", "is not a bound"),
        ("rejected==0", "is not a bound"),
        ("rejected!=0", "is not a bound"),
        ("rejected=<0", "is not a bound"),
        ("rejected<1,000", "is not a bound"),
        ("1>rejected", "is not a bound"),
        ("rejected<1%<2%", "is not a bound"),
        ("rejected<5s", "rejected is a bare number or a share; write rejected<5 or rejected<5%"),
        ("rejected<1%%", "rejected is a bare number or a share"),
        ("rejected<1e999", "rejected is a bare number or a share"),
        ("rows_per_s>=5%", "rows_per_s is a bare number, not a share; write rows_per_s>=5"),
        ("rows_per_s>5/s", "rows_per_s is a bare number; write rows_per_s>5"),
        ("parsed_rows<5%", "parsed_rows is a bare number, not a share"),
        ("duration<5", "duration is a time and needs a unit, as in duration<5s"),
        ("duration<5%", "duration is a time"),
        ("duration<-5s", "duration is a time"),
        ("rejekted<1", "there is no figure 'rejekted'; did you mean 'rejected'?"),
        ("Rejected<1", "did you mean 'rejected'?"),
        ("dead-lettered<1", "did you mean 'dead_lettered'?"),
        ("queue.dead_lettered<1", "did you mean 'dead_lettered'?"),
        ("audit.rejected.<1", "did you mean 'rejected'?"),
        ("audit.dead_lettered.objects<1", "did you mean 'dead_lettered_objects'?"),
        ("consumer.throttles<1", "did you mean 'consumer_throttles'?"),
        ("throttled_requests<1", "did you mean 'throttles'?"),
        ("rows_per_s_mean>5", "did you mean 'rows_per_s'?"),
        ("reject<1", "did you mean 'rejected'?"),
        ("age<1s", "did you mean 'oldest_age_max'?"),
        ("p99<5s", "did you mean 'object_to_stored_p99'?"),
        ("_private<1", "there is no figure '_private'; `stockpipe docs bounds` lists all figures"),
        ("wonder==1", "there is no figure 'wonder'; `stockpipe docs bounds` lists all figures"),
    ],
)
def test_what_cannot_be_is_one_line_with_the_way_out(text: str, hint: str) -> None:
    """How to write it, or the nearest name, or where all of them are."""
    with pytest.raises(InputError) as refused:
        parse_all([text])
    assert str(refused.value).startswith(f"--slo: '{text}'")
    assert hint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_figure_can_be_bounded_as_what_it_is() -> None:
    """Each name parses with a bound of its kind, as a share only where it has a whole."""
    for name, figure in FIGURES.items():
        assert parse(f"{name}<1{'s' if figure.is_time else ''}").of is figure
        if figure.whole:
            assert parse(f"{name}<1%").is_share
        else:
            with pytest.raises(ValueError, match=f"{name} is a"):
                parse(f"{name}<1%")


def test_a_bound_is_kept_as_it_was_written() -> None:
    """But for blanks at its ends and new lines."""
    assert parse("  duration <\n 1m  30s ").text == "duration < 1m 30s"
    with pytest.raises(ValueError, match="'one two' is not a bound"):
        parse("one\n\ttwo")


def texts(bounds: tuple[SummaryBound, ...]) -> list[str]:
    """As they were written."""
    return [bound.text for bound in bounds]


def test_a_later_bound_on_a_figure_replaces_all_earlier_ones() -> None:
    """What is asked for takes the place of the scenario's, which takes that of the defaults; other figures stay."""
    planned = parse_all(("dead_lettered>=1", "dead_lettered<=1", "throttles<1"))
    assert texts(in_force(DEFAULTS, planned)) == [
        *("events_given_up<1", "objects_all_rejected<1", "objects_many_rejected<1", "stored_rows>0"),
        *("dead_lettered>=1", "dead_lettered<=1", "throttles<1"),
    ]
    asked = parse_all(("dead_lettered<5%", "stored_rows>=0"))
    assert texts(in_force(DEFAULTS, planned, asked)) == [
        *("events_given_up<1", "objects_all_rejected<1", "objects_many_rejected<1", "throttles<1"),
        *("dead_lettered<5%", "stored_rows>=0"),
    ]
    assert in_force((), ()) == ()


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({}, dict.fromkeys([bound.text for bound in DEFAULTS], True)),
        ({"dead_lettered": 1}, {"dead_lettered<1": False}),
        ({"events_given_up": 1}, {"events_given_up<1": False}),
        ({"objects_all_rejected": 1}, {"objects_all_rejected<1": False}),
        ({"objects_many_rejected": 1}, {"objects_many_rejected<1": False}),
        ({"stored_rows": 0}, {"stored_rows>0": False}),
    ],
)  # fmt: skip
def test_each_default_is_missed_by_one_thing(change: dict[str, int], held: dict[str, bool]) -> None:
    """A dead letter, a given-up event, an object of rejected rows, one of many, nothing stored of what was sent."""
    figures = {"dead_lettered": 0, "objects_all_rejected": 0, "objects_many_rejected": 0, "stored_rows": 1}
    figures |= {"events_given_up": 0, **change}
    found = judge(DEFAULTS, {"queue": {"sent": 1, **figures}, "audit": figures, "deliveries": figures})
    assert {each["bound"]: each["held"] for each in found if not each["held"] or not change} == held


def test_a_default_is_not_judged_where_its_figure_does_not_exist() -> None:
    """Without an audit there are no rows to judge; and nothing need be stored where nothing was sent."""
    assert judge(DEFAULTS, {"queue": {"sent": 3, "dead_lettered": 0}, "audit": None}) == [
        {"bound": "dead_lettered<1", "value": 0, "held": True}
    ]
    empty = {"objects_all_rejected": 0, "objects_many_rejected": 0, "stored_rows": 0}
    for sent in (0, None):
        found = judge(DEFAULTS, {"queue": {"sent": sent, "dead_lettered": 0}, "audit": empty})
        assert [each["bound"] for each in found] == [
            *("dead_lettered<1", "objects_all_rejected<1", "objects_many_rejected<1"),
        ]
    assert judge(parse_all(["stored_rows>0"]), {"queue": {"sent": 0}, "audit": empty})[0]["held"] is False


def test_the_missed_ones_are_told_in_one_line_with_their_units() -> None:
    """For scripts and `--ui quiet`; nothing where all held."""
    asked = (
        "rejected<0.5%",
        "duration<1m",
        "object_to_stored_p50<1ms",
        "rows_per_s>1e6",
        "dead_lettered<1",
        "missing<1",
    )
    assert missed(judge(parse_all(asked), SUMMARY)) == (
        "rejected<0.5% (1 %), duration<1m (62.5 s), object_to_stored_p50<1ms (42.1 ms), rows_per_s>1e6 (2,100 rows/s), "
        "dead_lettered<1 (2 messages), missing<1 (not measured)"
    )
    assert missed(judge(parse_all(["rejected<=1%"]), SUMMARY)) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (0.0004, "400 us"),
        (0.0123, "12.3 ms"),
        (0.99994, "999.9 ms"),
        (0.99996, "999.96 ms"),
        (1, "1 s"),
        (1.00001, "1 s"),
        (90.25, "90.25 s"),
        (12_345.6, "12,346 s"),
        (None, "not measured"),
    ],
)
def test_a_time_has_the_unit_that_reads_best(value: float | None, text: str) -> None:
    """Below a second milliseconds; and as many digits as show whether it is below the bound of a second."""
    assert parse("duration<1s").value_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), (1_234_567, "1,234,567"), (28.0, "28"), (12.345678, "12.35"), (999.96, "1,000"), (4321.6, "4,322")],
)
def test_a_number_is_written_out(value: float, text: str) -> None:
    """Whole with separators, a fraction with four digits, never with an exponent; and with its unit."""
    assert parse("rows_per_s>1").value_text(value) == f"{text} rows/s"


@pytest.mark.parametrize(
    ("bound", "value", "text"),
    [
        ("dead_lettered<1", 1, "1 message"),
        ("dead_lettered<1", 1_200, "1,200 messages"),
        ("received<1", 1, "1 delivery"),
        ("received<1", 2, "2 deliveries"),
        ("batch_writes<1", 2, "2 batch writes"),
        ("write_units<1", 1.5, "1.5 write units"),
        ("rejected<1%", 12_345.6, "12,346 %"),
        ("rejected<=1%", 1.00004, "1.00004 %"),
    ],
)
def test_every_value_has_its_unit(bound: str, value: float, text: str) -> None:
    """In the singular for one."""
    assert parse(bound).value_text(value) == text


def test_every_figure_has_a_unit() -> None:
    """A time has one by itself; what a number counts is named."""
    from simulator.load.plan.slo import FIGURES as ALL

    assert [name for name, figure in ALL.items() if not figure.is_time and not figure.unit] == []


def test_what_a_value_means_is_said_with_its_parts() -> None:
    """A share has its parts, and an object of rejected rows its name."""
    share, count, first, none = judge(
        parse_all(("rejected<1%", "rejected<1", "objects_all_rejected<1", "errors<1%")), SUMMARY
    )
    assert words(share, SUMMARY) == ("1 %", "rows that cannot be stored (10 of 1,000)")
    assert words(count, SUMMARY) == ("10 rows", "rows that cannot be stored")
    assert words(first, SUMMARY) == (
        "1 object",
        "objects of which every row was rejected (stocks/a.csv: 10 of 10 rows rejected)",
    )
    assert words(none, SUMMARY) == ("not measured", "invocations of the consumer that failed")
    for audit in (None, {}, {"notes": None}, {"notes": {}}):
        assert words(first, {"audit": audit}) == ("1 object", "objects of which every row was rejected")


@pytest.mark.parametrize(
    ("bound", "is_of_the_sample"),
    [
        ("rejected<1%", True),
        ("stored_rows>0", True),
        ("objects_all_rejected<1", True),
        ("pending_rows<1", True),
        ("pending_objects<1", False),
        ("dead_lettered<1", False),
        ("rows_per_s>1", False),
    ],
)
def test_a_figure_of_a_sample_says_so(bound: str, is_of_the_sample: bool) -> None:
    """All figures of the audit, except for the objects at rest, which are known without reading them."""
    whole: dict[str, Any] = {**SUMMARY, "audit": {**SUMMARY["audit"], "sampled": None}}
    sample = {**whole, "audit": {**whole["audit"], "sampled": {"objects": 20, "of": 1_200}}}
    (judged,) = judge(parse_all((bound,)), whole)
    said = " (in the sample of 20 of 1,200 objects)" if is_of_the_sample else ""
    assert words(judged, sample)[1] == words(judged, whole)[1] + said


def test_a_number_is_looked_up_by_its_path() -> None:
    """Whatever is no mapping on the way, or no number at its end, is no figure."""
    assert number_at({"a": {"b": 1.5}}, ("a", "b")) == 1.5
    for summary in ({}, {"a": None}, {"a": [1]}, {"a": {"b": None}}, {"a": {"b": {}}}, {"a": {"b": False}}):
        assert number_at(summary, ("a", "b")) is None


def test_the_guide_lists_every_figure() -> None:
    """docs/bounds.md has a row for each name, with its place in the summary, its unit and its whole."""
    from simulator.load.plan.slo import FIGURES as ALL

    guide = (Path(__file__).parents[3] / "docs" / "bounds.md").read_text(encoding="utf-8")
    rows = {row[1]: row for row in re.finditer(r"(?m)^\| `(\w+)` \| `([\w.]+)` \| (.*?) \| (.*?) \|$", guide)}
    assert list(rows) == list(ALL)
    for name, figure in ALL.items():
        whole = " + ".join(f"`{'.'.join(path)}`" for path in figure.whole)
        kind = "time" if figure.is_time else whole
        assert rows[name].groups() == (name, ".".join(figure.path), figure.meaning, kind)


def test_dollars_and_rates_have_no_plural() -> None:
    """What is counted has one; a unit of measure does not."""
    units = {unit: numeric("x.y", unit, "meaning").text(2.5) for unit in ("USD", "rows/s", "row")}
    assert units == {"USD": "2.5 USD", "rows/s": "2.5 rows/s", "row": "2.5 rows"}
