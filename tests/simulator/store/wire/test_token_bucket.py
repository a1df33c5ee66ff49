"""A rate as a token bucket, as arithmetic."""

from __future__ import annotations

import pytest

from simulator.store.wire.token_bucket import TokenBucket


def test_tokens_flow_in_at_the_rate_up_to_the_size() -> None:
    """Ten a second, thirty at most: after a second ten more, after a minute no more than fit."""
    bucket = TokenBucket(rate=10, size=30, tokens=5, at=100.0)
    bucket.refill(101.0)
    assert bucket.tokens == 15
    bucket.refill(101.5)
    assert bucket.tokens == 20
    bucket.refill(160.0)
    assert (bucket.tokens, bucket.at) == (30, 160.0)


def test_a_clock_that_goes_back_takes_nothing() -> None:
    """Two looks at one instant, or one at an earlier, change nothing."""
    bucket = TokenBucket(rate=10, size=30, tokens=5, at=100.0)
    bucket.refill(100.0)
    bucket.refill(90.0)
    assert (bucket.tokens, bucket.at) == (5, 100.0)


def test_what_a_bucket_grows_by_it_holds_at_once() -> None:
    """From ten to forty a second: thirty more tokens now, forty at most and a second later; smaller, it loses them."""
    bucket = TokenBucket(rate=10, size=10, tokens=5, at=100.0)
    bucket.resize(40, 100.1)
    assert bucket.tokens == pytest.approx(36)
    bucket.refill(101.1)
    assert bucket.tokens == 40
    bucket.resize(10, 101.1)
    assert (bucket.tokens, bucket.size, bucket.rate) == (10, 10, 10)


def test_what_is_there_may_be_taken() -> None:
    """The last token counts; what has flowed in by now counts too."""
    bucket = TokenBucket(rate=10, size=30, tokens=5, at=100.0)
    assert bucket.has(5, 100.0)
    assert not bucket.has(6, 100.0)
    assert bucket.has(6, 100.125)


def test_more_than_fits_needs_a_full_bucket() -> None:
    """A request larger than the bucket would never pass otherwise; what it overdraws flows in first."""
    bucket = TokenBucket(rate=10, size=30, tokens=30, at=100.0)
    assert bucket.has(50, 100.0)
    bucket.take(50, 100.0)
    assert bucket.tokens == -20
    assert not bucket.has(1, 102.0)
    assert bucket.has(1, 102.125)
    assert not bucket.has(50, 104.875)
    assert bucket.has(50, 105.0)


def test_what_flowed_in_before_is_there_before_anything_is_taken() -> None:
    """A bucket that has been full for long has no more than it holds, and is emptied from there."""
    bucket = TokenBucket(rate=10, size=30, tokens=30, at=100.0)
    bucket.take(5, 160.0)
    bucket.refill(160.0)
    assert bucket.tokens == 25
