"""A load test's summary as text: what it says of the audit."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.load.report.text import audit_words


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
        (None, "store", "no audit: --audit none, so only the bounds count"),
        (None, "sink", "no audit: the sink keeps no rows to audit"),
        (None, "stack", "no audit: stockpipe verify audits a deployed stack"),
    ],
)
def test_the_verdict_says_what_it_is_about(audit: Any, target: str, said: str) -> None:
    """Of a sample only its objects are proven; without an audit there is a reason."""
    assert audit_words({"audit": audit, "options": {"target": target}}) == said
