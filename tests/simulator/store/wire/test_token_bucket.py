"""A rate as a token bucket, as arithmetic."""

from __future__ import annotations

import pytest

from simulator.store.wire.token_bucket import TokenBucket


def test_tokens_flow_in_at_the_rate_up_to_the_size() -> None:
    """At ten per second and thirty at most, a second adds ten, and a minute no more than fit."""
    bucket = TokenBucket(rate=10, size=30, tokens=5, at=100.0)
    bucket.refill(101.0)
    assert bucket.tokens == 15
    bucket.refill(101.5)
    assert bucket.tokens == 20
    bucket.refill(160.0)
    assert (bucket.tokens, bucket.at) == (30, 160.0)


def test_a_clock_that_goes_back_takes_nothing() -> None:
    """Two calls at one instant, or one at an earlier one, change nothing."""
    bucket = TokenBucket(rate=10, size=30, tokens=5, at=100.0)
    bucket.refill(100.0)
    bucket.refill(90.0)
    assert (bucket.tokens, bucket.at) == (5, 100.0)


def test_what_a_bucket_grows_by_it_holds_at_once() -> None:
    """From ten to forty per second there are thirty more tokens now, and forty at most; made smaller, it loses them."""
    bucket = TokenBucket(rate=10, size=10, tokens=5, at=100.0)
    bucket.resize(40, 100.1)
    assert bucket.tokens == pytest.approx(36)
    bucket.refill(101.1)
    assert bucket.tokens == 40
    bucket.resize(10, 101.1)
    assert (bucket.tokens, bucket.size, bucket.rate) == (10, 10, 10)


def test_what_is_there_may_be_taken() -> None:
    """The last token counts, and so does what has flowed in by now."""
    bucket = TokenBucket(rate=10, size=30, tokens=5, at=100.0)
    assert bucket.has(5, 100.0)
    assert not bucket.has(6, 100.0)
    assert bucket.has(6, 100.125)


def test_more_than_fits_needs_a_full_bucket() -> None:
    """A request larger than the bucket would otherwise never pass; its deficit must flow in first."""
    bucket = TokenBucket(rate=10, size=30, tokens=30, at=100.0)
    assert bucket.has(50, 100.0)
    bucket.take(50, 100.0)
    assert bucket.tokens == -20
    assert not bucket.has(1, 102.0)
    assert bucket.has(1, 102.125)
    assert not bucket.has(50, 104.875)
    assert bucket.has(50, 105.0)


def test_what_flowed_in_before_is_there_before_anything_is_taken() -> None:
    """A bucket that has long been full has only what it holds, and is emptied from there."""
    bucket = TokenBucket(rate=10, size=30, tokens=30, at=100.0)
    bucket.take(5, 160.0)
    bucket.refill(160.0)
    assert bucket.tokens == 25
