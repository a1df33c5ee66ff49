"""What a load test on a deployed stack will cost."""

from __future__ import annotations

import pytest

from simulator.stack import template
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.run import resolve
from stockpipe.deploy.stack_load import estimate


@pytest.mark.parametrize(("memory_mb", "architecture", "usd"), [(1024, "arm64", 0.0717), (10240, "x86_64", 0.0901)])
def test_the_estimate_is_the_bill_of_what_will_be_sent(memory_mb: int, architecture: str, usd: float) -> None:
    """1,000 objects of 100 rows: 0.0625 USD for the writes, 0.0076 for requests and logs, and 120 s of Lambda."""
    _, plan = resolve(LoadTestOptions(rate_per_s=100.0, duration_s=10.0, rows=100))
    stack = template.load(None, {"ConsumerMemory": str(memory_mb), "Architecture": architecture})
    assert estimate(plan, stack) == pytest.approx(usd, rel=0.005)
