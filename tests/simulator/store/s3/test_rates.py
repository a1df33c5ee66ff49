"""S3's request rates as arithmetic: no clock, no store."""

from __future__ import annotations

import pytest

from simulator.store.s3.rates import S3Rates
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request


def test_s3_slows_down_beyond_3500_writes_and_5500_reads_a_second() -> None:
    """Optimizing performance: 503 SlowDown beyond the rates of one partitioned prefix."""
    rates = S3Rates()
    for method, rate in (("PUT", 3_500), ("GET", 5_500)):
        request = Request(method, "/bucket/key", {}, (), b"")
        for _ in range(rate):
            rates.admit(request, 0.0)
        with pytest.raises(AwsError, match="Please reduce your request rate") as caught:
            rates.admit(request, 0.0)
        assert (caught.value.code, caught.value.status) == ("SlowDown", 503)
        rates.admit(request, 0.001)
