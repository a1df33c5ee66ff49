"""The search: worlds by seed on all cores, each failing one shrunk, and findings that are the same told once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish
from simulator.explore import swarm
from simulator.explore.case import WorldCase
from simulator.explore.forks import Forks
from simulator.explore.judging import WorldProblem
from simulator.explore.mix import mix
from simulator.explore.running import Explored, Outcome, Told, run, told
from simulator.explore.shrinking import shrink
from simulator.run.sources import TimedPut

SHRINK_S = 50.0
"""How long a failing world is shrunk, in real time; then it is told as small as it is."""
MIX_OBJECTS = 10
_PUT_UNTIL = 0.6
"""The share of the storm in which objects are put: what comes of them is struck, too."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to search: seeds from `seed` on, the kinds of faults, and each world's storm and load.

    `worlds` is how many at most, None for no limit; `for_s` how long, in real time. `files` are put instead of the
    built-in mix, which has keys with `prefix` and `suffix`, and is also left out if there are `messages`. After
    `stop_after` findings it ends, 0: never.
    """

    seed: int
    worlds: int | None
    for_s: float | None
    storm_s: float
    kinds: tuple[str, ...]
    jobs: int
    stop_after: int
    ticks: int
    files: tuple[TimedPut, ...] | None
    messages: tuple[str, ...]
    prefix: str
    suffix: str

    def cases(self, application: Explored) -> Iterator[WorldCase]:
        """The worlds, in order."""
        seed = self.seed
        while self.worlds is None or seed < self.seed + self.worlds:
            yield self.case(seed, application)
            seed += 1

    def case(self, seed: int, application: Explored) -> WorldCase:
        """The world of this seed."""
        until_s = self.storm_s * _PUT_UNTIL
        if self.files is not None:
            puts = _spread(self.files, until_s)
        elif application.bucket and not self.messages:
            puts = mix(seed, MIX_OBJECTS, until_s, self.prefix, self.suffix)
        else:
            puts = ()
        shares = swarm.shares(seed, self.kinds)
        return WorldCase(seed, self.storm_s, puts, self.messages, self.ticks, seed, shares)


def _spread(files: Sequence[TimedPut], until_s: float) -> tuple[TimedPut, ...]:
    return tuple(put._replace(at_s=round(until_s * place / len(files), 3)) for place, put in enumerate(files))


def _load(case: WorldCase) -> tuple[object, ...]:
    return case.puts, case.messages, case.ticks


class Signature(NamedTuple):
    """What makes two findings the same: what is wrong, and which kinds struck where after shrinking."""

    problem: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return " · ".join((self.problem, *(self.faults or ("without any fault",))))


@dataclass
class WorldFinding:
    """Something that is wrong: the world that showed it first, shrunk, and how many more have shown it."""

    problem: WorldProblem
    found: WorldCase
    case: WorldCase
    worlds: list[int]

    def shrunk(self, case: WorldCase, problem: WorldProblem) -> None:
        """A smaller world shows the same, or more plainly."""
        self.case, self.problem = case, problem

    @property
    def signature(self) -> Signature:
        """See `Signature`."""
        faults = sorted({f"{fault.kind} at {fault.site}" for fault in self.case.faults or ()})
        return Signature(self.problem.sort, tuple(faults))


@dataclass
class SearchState:
    """The state of a search, for whoever looks on. `shrinking` is the seed of the world that is made smaller.

    `shrunk_s` says for each world that was, how long it took. `failure` is why the search could not go on.
    """

    began_at: float
    worlds: int = 0
    objects: int = 0
    virtual_s: float = 0.0
    fired: Counter[str] = field(default_factory=Counter)
    arms: Counter[str] = field(default_factory=Counter)
    findings: list[WorldFinding] = field(default_factory=list)
    failed: int = 0
    shrinking: int | None = None
    stopped: bool = False
    failure: CouldNotFinish | None = None
    shrunk_s: list[float] = field(default_factory=list)

    def took(self, outcome: Outcome) -> None:
        """Count one world."""
        self.worlds += 1
        self.objects += outcome.objects
        self.virtual_s += outcome.virtual_s
        self.fired.update(each.fault.kind for each in outcome.struck)
        self.arms.update(outcome.arms)
        self.failed += bool(outcome.problems)


class Stopped(Exception):
    """The search is to end now."""


class Explorer:
    """One search. `idle` is called several times a second with the progress; `stop` says whether to end."""

    def __init__(
        self,
        application: Explored,
        search: Search,
        clock: Clock,
        idle: Callable[[SearchState], object] = bool,
        stop: Callable[[], bool] = bool,
    ) -> None:
        self._application, self._search, self._clock, self._idle, self._stop = application, search, clock, idle, stop
        self.progress = SearchState(clock.now())
        self._shrunk_until = math.inf

    def explore(self) -> SearchState:
        """Search to the end. What was found is kept, however it ends."""
        search, progress = self._search, self.progress
        upcoming, judged = 0, dict[int, tuple[WorldCase, Outcome]]()
        try:
            with self._forks(jobs=search.jobs) as forks:
                for case, outcome in forks.results(self._in_time(search.cases(self._application))):
                    # In the order of the seeds, whatever came first: so the same search has the same findings.
                    judged[case.seed - search.seed] = case, outcome
                    while upcoming in judged and not self._is_enough():
                        self._judge(*judged.pop(upcoming))
                        upcoming += 1
                    if self._is_enough():
                        break
        except Stopped:
            progress.stopped = True
        except CouldNotFinish as failure:
            progress.failure = failure
        return progress

    def _is_enough(self) -> bool:
        return 0 < self._search.stop_after <= len(self.progress.findings)

    def _judge(self, case: WorldCase, outcome: Outcome) -> None:
        self.progress.took(outcome)
        if outcome.problems:
            self._take_in(case, outcome)

    def _in_time(self, cases: Iterator[WorldCase]) -> Iterator[WorldCase]:
        limit_s = self._search.for_s
        for case in cases:
            if limit_s is not None and self._clock.now() - self.progress.began_at >= limit_s:
                return
            yield case

    def _forks(self, jobs: int) -> Forks[WorldCase, Outcome]:
        return Forks(partial(run, application=self._application), jobs, self._look)

    def _look(self) -> None:
        self._idle(self.progress)
        if self._stop():
            raise Stopped

    def _take_in(self, case: WorldCase, outcome: Outcome) -> None:
        """A failing world: one more of a known finding, or a new one, which is shrunk."""
        problem = outcome.problems[0]
        listed: WorldCase | None = replace(case, faults=tuple(each.fault for each in outcome.struck))
        self.progress.shrinking = case.seed
        finding = None
        try:
            for known in self.progress.findings:
                if listed is not None and known.problem.sort == problem.sort:
                    listed = self._without(known, listed)
                    if listed is None:
                        known.worlds.append(case.seed)
            if listed is None:
                return
            finding = WorldFinding(problem, listed, listed, [case.seed])
            began_at = self._clock.now()
            self._shrunk_until = began_at + SHRINK_S
            # An object cut short may be one that no consumer could read.
            shrink(listed, partial(self._first, finding), cuts_rows=problem.symptom != "given up without cause")
            self.progress.shrunk_s.append(round(self._clock.now() - began_at, 1))
        finally:
            self.progress.shrinking = None
            if finding is not None:
                self._add(finding)

    def _add(self, finding: WorldFinding) -> None:
        for known in self.progress.findings:
            if known.signature == finding.signature:
                known.worlds += finding.worlds
                return
        self.progress.findings.append(finding)

    def _without(self, known: WorldFinding, case: WorldCase) -> WorldCase | None:
        """The world without the faults that a known finding needs; None if it is one of that finding's, and passes."""
        struck = {(fault.site, fault.kind) for fault in known.case.faults or ()}
        rest = tuple(fault for fault in case.faults or () if (fault.site, fault.kind) not in struck)
        if not struck or rest == case.faults:
            return case if struck else None
        found = self._failing([replace(case, faults=rest)], known.problem)
        return found[0] if found is not None else None

    def _first(self, finding: WorldFinding, cases: Sequence[WorldCase]) -> WorldCase | None:
        """The first of these worlds in which the same is wrong; None, too, once the time for shrinking is over."""
        if self._clock.now() >= self._shrunk_until:
            return None
        found = self._failing(cases, finding.problem)
        if found is None or self._lacks_load(finding, found[0]):
            return None
        finding.shrunk(*found)
        return finding.case

    def _lacks_load(self, finding: WorldFinding, case: WorldCase) -> bool:
        """Whether an invariant fails only for want of load, without any fault: it may know what all worlds are sent."""
        if finding.problem.symptom != "invariant" or not case.faults or _load(case) == _load(finding.case):
            return False
        return self._failing([replace(case, faults=())], finding.problem) is not None

    def _failing(self, cases: Sequence[WorldCase], like: WorldProblem) -> tuple[WorldCase, WorldProblem] | None:
        """The first of these worlds in which the same is wrong, and what is."""
        failing, judged = dict[int, WorldProblem](), set[int]()
        places = {id(case): place for place, case in enumerate(cases)}
        with self._forks(jobs=self._search.jobs) as forks:
            for case, outcome in forks.results(cases):
                place = places[id(case)]
                judged.add(place)
                same = [problem for problem in outcome.problems if problem.shows(like)]
                if same:
                    failing[place] = same[0]
                if failing and judged.issuperset(range(min(failing))):
                    break
        return (cases[min(failing)], failing[min(failing)]) if failing else None


def told_apart(case: WorldCase, application: Explored, sort: str) -> Told:
    """What is wrong with a world, and its story, from a process of its own. A problem of this `sort` comes first."""
    with Forks[WorldCase, Told](partial(told, application=application, sort=sort), 1) as forks:
        ((_, told_now),) = forks.results([case])
    return told_now
