"""A load test's summary as text: what it says of the audit."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.load.report.text import proof_words, worded


@pytest.mark.parametrize(
    ("audit", "target", "said"),
    [
        ({"verdict": "exact"}, "store", "exact"),
        ({"verdict": "differs", "sampled": None}, "store", "differs"),
        (
            {"verdict": "exact", "sampled": {"objects": 200, "of": 4_000}},
            "store",
            "exact in a sample of 200 of 4,000 objects",
        ),
        ({"verdict": "exact", "sampled": {"objects": 1, "of": 1}}, "store", "exact in a sample of 1 of 1 object"),
        (None, "store", "no audit: --audit none was given"),
        (None, "sink", "no audit: the sink keeps no rows to audit"),
        (None, "stack", "no audit: stockpipe verify audits a deployed stack"),
    ],
)
def test_the_verdict_says_what_it_is_about(audit: Any, target: str, said: str) -> None:
    """Of a sample only its objects are proven; without an audit there is a reason."""
    assert proof_words({"audit": audit, "options": {"target": target}, "find_max": None}) == said


@pytest.mark.parametrize(
    ("rate", "interrupted", "target", "left"),
    [
        (20.0, False, "store", ", for what the last probe and the spike left"),
        (None, False, "store", ", for what the last probe left"),
        (20.0, True, "store", ", for what the search left"),
        (20.0, False, "endpoint", ""),
    ],
)
def test_the_audit_of_a_search_is_about_what_it_left(
    rate: float | None, interrupted: bool, target: str, left: str
) -> None:
    """The store deletes what a probe stored before the next; another endpoint keeps everything."""
    summary = {"options": {"target": target}, "find_max": {"rate_per_s": rate}, "interrupted": interrupted}
    assert proof_words(summary | {"audit": {"verdict": "exact"}}) == f"exact{left}"
    sample = {"verdict": "exact", "sampled": {"objects": 20, "of": 120}}
    assert proof_words(summary | {"audit": sample}) == f"exact in a sample of 20 of 120 objects{left}"


def test_an_applications_deliveries_stand_in_for_the_audit() -> None:
    """Their verdict is that of the run."""
    summary = {"audit": None, "deliveries": {"verdict": "settled"}, "options": {"target": "store"}, "find_max": None}
    assert proof_words(summary) == "settled"


@pytest.mark.parametrize(
    ("arrivals", "said"),
    [
        ({"rows": 5}, "2 objects stored; Objects put and not yet stored; 1 put failed"),
        ({"rows": None, "unit": "object"}, "2 objects processed; Objects put and not yet processed; 1 put failed"),
        (
            {"rows": None, "unit": "message"},
            "2 messages processed; Messages sent and not yet processed; 1 request failed",
        ),
    ],
)
def test_only_the_pipelines_objects_are_stored(arrivals: Any, said: str) -> None:
    """Another application's objects, or its messages, are processed."""
    text = "2 objects stored; Objects put and not yet stored; 1 put failed"
    assert worded(text, {"arrivals": arrivals}) == said
