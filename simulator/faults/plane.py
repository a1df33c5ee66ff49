"""The fault plane: whoever is about to do something asks it which fault strikes here, before there is any effect. Pure.

A fault is data: at a site, the n-th time, of a kind, with an argument. Either the faults of a run are listed, or each
kind strikes with a share of the times, drawn from its own stream for each site; what struck is the list that repeats
the run.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from simulator.base.chance import Seed, stream
from simulator.faults import kinds
from simulator.faults.kinds import FaultKind

if TYPE_CHECKING:
    from random import Random


class Fault(NamedTuple):
    """The `ordinal`-th time (from 0) that something happens at `site`, this strikes."""

    site: str
    ordinal: int
    kind: str
    argument: float = 0.0


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault struck at an instant; `function` and `environment` say whose deed it was, if a function's."""

    at: float
    fault: Fault
    function: str = ""
    environment: str = ""


Listener = Callable[[Struck], object]


class Plane:
    """Decides for each site and time. After `until`, nothing strikes, and what lasts is over: the calm.

    Whoever listens hears of each fault as it strikes; of one that lasts, once.
    """

    def __init__(
        self,
        *,
        listed: Iterable[Fault] = (),
        shares: Mapping[str, float] = {},
        seed: Seed = 0,
        until: float = math.inf,
    ) -> None:
        self.struck = Counter[str]()
        self.until = until
        self._listeners, self._seed = list[Listener](), seed
        self._listed = {(each.site, each.ordinal): each for each in listed}
        self._ordinals: dict[str, int] = defaultdict(int)
        self._lasting: dict[tuple[str, str], tuple[Fault, float]] = {}
        self._streams: dict[tuple[str, str], Random] = {}
        self._at_site: dict[str, tuple[FaultKind, ...]] = {}
        self._shares: dict[str, float] = {}
        self.set_shares(shares)

    @property
    def is_calm(self) -> bool:
        """Whether nothing can strike: nobody needs to ask."""
        return not (self._listed or self._shares or self._lasting)

    def listen(self, listener: Listener) -> None:
        """From now on, tell this one, too."""
        self._listeners.append(listener)

    def set_shares(self, shares: Mapping[str, float]) -> None:
        """From now on, each kind strikes this share of the times; a share of 0 ends it, with what lasts of it."""
        for kind, share in shares.items():
            if share > 0:
                self._shares[kind] = share
            else:
                self._shares.pop(kind, None)
                self._lasting = {key: kept for key, kept in self._lasting.items() if kept[0].kind != kind}
        self._at_site.clear()

    def at(self, site: str, now: float, *, function: str = "", environment: str = "") -> Fault | None:
        """What strikes at this site this time; each call is the site's next time."""
        if self.is_calm:
            return None
        ordinal = self._ordinals[site]
        self._ordinals[site] += 1
        if now >= self.until:
            return None
        drawn = self._drawn(site, ordinal)  # in any case, so that no kind's chance depends on what another one does
        if self._lasting and (lasting := self._lasts(site, now, function, environment)) is not None:
            return lasting
        fault = self._listed.get((site, ordinal)) or drawn
        if fault is None:
            return None
        self.struck[fault.kind] += 1
        kind = kinds.ALL[fault.kind]
        if kind.scope != "call":
            place = _place(kind, site, function, environment)
            self._lasting[fault.kind, place] = fault, now + fault.argument
        for listener in self._listeners:
            listener(Struck(now, fault, function, environment))
        return fault

    def _lasts(self, site: str, now: float, function: str, environment: str) -> Fault | None:
        """A fault that struck before and still lasts here."""
        for (name, place), (fault, over_at) in list(self._lasting.items()):
            kind = kinds.ALL[name]
            if now >= over_at:
                del self._lasting[name, place]
            elif kind.may_strike(site) and place == _place(kind, site, function, environment):
                return fault
        return None

    def _drawn(self, site: str, ordinal: int) -> Fault | None:
        known = self._at_site.get(site)
        if known is None:
            known = self._at_site[site] = kinds.matching(self._shares, site)
        first = None
        for kind in known:
            chance = self._streams.get((site, kind.name))
            if chance is None:
                chance = self._streams[site, kind.name] = stream(self._seed, f"faults/{kind.name} at {site}")
            if chance.random() < self._shares[kind.name]:
                fault = Fault(site, ordinal, kind.name, kind.draw(chance))
                first = first or fault
        return first


def _place(kind: FaultKind, site: str, function: str, environment: str) -> str:
    """What a lasting fault is bound to: a service for everybody or for one function, a function, an environment."""
    service = site.partition(".")[0]
    if kind.scope == "service":
        return service
    return f"{function} {service}" if kind.scope == "function" else environment


NO_FAULTS = Plane()
"""For whoever runs without faults."""
