"""Chance: the same seed gives the same numbers and identifiers, stream by stream."""

from __future__ import annotations

import uuid

from simulator.base.chance import Identifiers, stream, unforeseen_seed


def test_streams_do_not_disturb_each_other() -> None:
    """A stream's numbers do not depend on what was drawn from another one meanwhile."""
    alone = [stream(7, "a").random() for _ in range(1)] + [stream(7, "a", 1).random()]
    first, second, other = stream(7, "a"), stream(7, "a", 1), stream(7, "b")
    other.random()
    drawn = [first.random()]
    other.random()
    drawn.append(second.random())
    assert drawn == alone


def test_each_part_of_the_name_makes_another_stream() -> None:
    """Seed, name and number each make a different stream; the first one's number is 0."""
    assert stream(0, "a").random() == stream(0, "a", 0).random()
    given = {stream(seed, name, n).random() for seed in (0, 1) for name in ("a", "b") for n in (0, 1)}
    assert len(given) == 8


def test_identifiers_come_from_their_stream() -> None:
    """The same stream gives the same identifiers, in AWS's forms, and none of them twice."""
    one, same = Identifiers(stream(3, "ids")), Identifiers(stream(3, "ids"))
    made = [one.uuid() for _ in range(100)]
    assert made == [same.uuid() for _ in range(100)]
    assert len(set(made)) == 100
    assert {uuid.UUID(text).version for text in made} == {4}
    assert len(one.token_bytes(16)) == 16
    assert len(one.token_hex(8)) == 16
    assert not set(one.token_urlsafe(56)) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_an_unforeseen_seed_is_another_each_time() -> None:
    """Without a chosen seed nothing repeats."""
    assert unforeseen_seed() != unforeseen_seed()
