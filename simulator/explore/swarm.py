"""Which kinds of faults a world has, and how often each strikes, chosen by its seed. Pure.

A world with few kinds finds other bugs than one with all of them: many bugs need calm elsewhere. (Groce et al., "Swarm
testing", 2012.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simulator.base.chance import stream
from simulator.faults import kinds

MOST_KINDS, FEW_KINDS = 14, 3
STRIKES, MANY_STRIKES = (0.3, 5.0), (1.0, 25.0)
"""How often a kind is to strike in a world, about: seldom or often. In each fourth world few kinds strike often."""
_USUAL = {"init": 10, "invoke": 24, "tick": 10, "s3.notification": 20, "sqs": 24, "s3": 40, "dynamodb": 80}
"""How often each sort of site comes in a world of the built-in load."""


def shares(seed: int, names: Sequence[str]) -> Mapping[str, float]:
    """The kinds of the world of this seed, out of these names, and their shares."""
    chance = stream(seed, "swarm")
    most, strikes = (FEW_KINDS, MANY_STRIKES) if chance.random() < 0.25 else (MOST_KINDS, STRIKES)
    count = min(len(names), 1 + int(most * chance.random()))
    low, high = map(math.log, strikes)
    chosen = chance.sample(sorted(names), count)
    return {name: _share(name, math.exp(chance.uniform(low, high))) for name in chosen}


def _share(name: str, strikes: float) -> float:
    sites = kinds.ALL[name].sites
    usual = max(_USUAL.get(sites[0]) or _USUAL[sites[0].partition(".")[0]], 1)
    return round(min(1.0, strikes / usual), 4)
