"""The seed chooses which kinds of faults a world has, and how often each strikes."""

from __future__ import annotations

from statistics import mean

import pytest

from simulator.explore.swarm import MOST_KINDS, shares
from simulator.faults import kinds

NAMES = tuple(kinds.ALL)
SEEDS = range(200)


def test_the_same_seed_has_the_same_kinds_and_shares() -> None:
    """In whatever order the names come; another seed has others."""
    assert shares(7, NAMES) == shares(7, NAMES) == shares(7, NAMES[::-1])
    assert len({tuple(shares(seed, NAMES).items()) for seed in SEEDS}) == len(SEEDS)


def test_a_world_has_one_kind_to_the_most() -> None:
    """Each number of them comes, the least and the most as well."""
    assert {len(shares(seed, NAMES)) for seed in SEEDS} == set(range(1, MOST_KINDS + 1))


def test_each_kind_comes() -> None:
    """None is left out for ever."""
    assert {name for seed in SEEDS for name in shares(seed, NAMES)} == set(NAMES)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_only_the_names_that_are_given(count: int) -> None:
    """Fewer than a world may have are no trouble: now and then all of them come, and nothing else."""
    given = NAMES[:count]
    chosen = [set(shares(seed, given)) for seed in SEEDS]
    assert all(names <= set(given) for names in chosen)
    assert min(map(len, chosen)) == 1
    assert max(map(len, chosen)) == count


@pytest.mark.parametrize("name", NAMES)
def test_a_share_is_above_zero_and_at_most_one(name: str) -> None:
    """Of each kind, for each seed; and it differs from seed to seed."""
    found = [shares(seed, [name])[name] for seed in SEEDS]
    assert all(0 < share <= 1 for share in found)
    assert len(set(found)) > len(SEEDS) / 4


def test_what_comes_more_often_has_a_smaller_share() -> None:
    """A kind of a busy site strikes about as often as one of a quiet site."""
    busy, quiet = (mean(shares(seed, [name])[name] for seed in SEEDS) for name in ("dynamodb-damaged", "tick-late"))
    assert busy < quiet / 4
