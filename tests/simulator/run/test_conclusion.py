"""How a run ended, for the dashboard's last frame."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.load.plan.slo import FIGURES
from simulator.run.conclusion import conclusion
from simulator.run.verdicts import verdict_of

KEPT = {"bound": "stored_rows>0", "value": 5, "held": True}


def summary(verdict: str | None, *bounds: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The keys of a summary that a conclusion reads."""
    return {"audit": verdict and {"verdict": verdict}, "bounds": list(bounds), **more}


@pytest.mark.parametrize(
    ("verdict", "tone", "meaning"),
    [
        ("exact", "moves", "every row is accounted for"),
        ("lossy", "lost", "rows were replaced by later rows of their object with the same key"),
        ("differs", "lost", "the table does not match the objects"),
        ("unproven", "grows", "not shown that every row was stored"),
    ],
)
def test_each_verdict_has_its_words_and_its_tone(verdict: str, tone: str, meaning: str) -> None:
    """The words are those of the summary's text."""
    ended = conclusion(summary(verdict, KEPT))
    assert (ended.verdict, ended.tone, ended.meaning, ended.missed) == (verdict, tone, meaning, ())


def test_a_load_test_without_rows_to_compare_has_no_verdict() -> None:
    """A sink keeps nothing to compare."""
    ended = conclusion(summary(None), FIGURES)
    assert (ended.verdict, ended.tone, ended.meaning) == (
        "no audit",
        "plain",
        "nobody checked whether every row is stored",
    )


def test_the_verdict_on_a_sample_says_so() -> None:
    """It is about no more objects than were read."""
    sampled = summary(None) | {"audit": {"verdict": "exact", "sampled": {"objects": 200, "of": 4_000}}}
    assert conclusion(sampled, FIGURES).meaning == "every row is accounted for, in a sample of 200 of 4,000 objects"


def test_what_was_missed_is_named_with_its_value() -> None:
    """Bounds with the unit of their figure, and what a load test fails by alone."""
    missed = ({"bound": "rejected<1%", "value": 12.5, "held": False}, KEPT)
    assert conclusion(summary("exact", *missed)).missed == ("rejected<1% (12.5 %)",)
    load = summary("exact", backlog={"drained": False}, find_max={"rate_per_s": None})
    assert conclusion(load, FIGURES).missed == (
        "an empty queue at the end",
        "a rate that the pipeline keeps up with",
    )
    kept = summary("exact", KEPT, backlog={"drained": None}, find_max={"rate_per_s": 40.0})
    assert conclusion(kept, FIGURES).missed == ()


@pytest.mark.parametrize(
    ("verdict", "tone", "meaning"),
    [
        ("settled", "moves", "every message and event is accounted for, and each delivery was settled once"),
        ("pending", "grows", "messages or events are still waiting"),
        ("differs", "lost", "a message or an event was lost, or a delivery was not settled exactly once"),
        ("unproven", "grows", "the run was cut off before its end"),
    ],
)
def test_another_application_is_judged_by_its_deliveries(verdict: str, tone: str, meaning: str) -> None:
    """Only `settled` is proven; an invariant that failed is named with what was missed."""
    invariants = [{"name": "m:held", "held": True}, {"name": "m:failed", "held": False}]
    given = summary(None, KEPT, deliveries={"verdict": verdict}, invariants=invariants)
    ended = conclusion(given)
    assert (ended.verdict, ended.tone, ended.meaning) == (verdict, tone, meaning)
    assert ended.missed == ("invariant m:failed",)
    assert verdict_of(given).proven is (verdict == "settled")
