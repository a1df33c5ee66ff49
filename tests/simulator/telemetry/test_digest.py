"""All observations as one number."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.base.observations import Noted, Observation
from simulator.telemetry.digest import Digest


def of(*observations: Observation) -> dict[str, int | str]:
    """The digest of these."""
    digest = Digest()
    for observation in observations:
        digest.record(observation)
    return digest.as_json()


def test_the_same_observations_have_the_same_digest() -> None:
    """And any other word, instant, order or kind has another one."""

    @dataclass(frozen=True, slots=True)
    class Other(Noted):
        """Another kind that says the same."""

    one, two = Noted(1.0, "one"), Noted(2.0, "two")
    assert of(one, two) == of(Noted(1.0, "one"), Noted(2.0, "two"))
    assert of(one, two)["count"] == 2
    others = [
        of(Other(1.0, "one"), two),
        of(two, one),
        of(one),
        of(one, Noted(2.0, "too")),
        of(one, Noted(2.0000001, "two")),
        of(),
    ]
    assert len({each["sha256"] for each in (of(one, two), *others)}) == 7


def test_any_text_can_be_taken_in() -> None:
    """A handler may log what is no Unicode."""
    one, other = of(Noted(1.0, "\ud800")), of(Noted(1.0, "\ud801"))
    assert one["count"] == 1
    assert one != other
