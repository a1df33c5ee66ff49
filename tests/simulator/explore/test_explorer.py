"""The search: which worlds there are, when it ends, what it keeps, and which failing worlds are one finding.

Worlds run in forked children, which have the stand-in for a world of the process that they come from.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import pytest

from simulator.explore import explorer, running, swarm
from simulator.explore.case import WorldCase
from simulator.explore.explorer import SHRINK_S, Explorer, Search, SearchState, Signature, WorldFinding
from simulator.explore.judging import WorldProblem
from simulator.explore.mix import mix
from simulator.explore.running import Explored, Outcome
from simulator.explore.telling import WorldStory
from simulator.faults import kinds
from simulator.faults.plane import Fault, Struck
from simulator.run.sources import TimedPut
from simulator.stack import template
from simulator.world.world import prepare

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # by xdist

APPLICATION = Explored((), {}, "bucket")
SEARCH = Search(
    seed=0,
    worlds=6,
    for_s=None,
    storm_s=600.0,
    kinds=tuple(kinds.ALL),
    jobs=2,
    stop_after=0,
    ticks=3,
    files=None,
    messages=(),
    prefix="stocks/",
    suffix="",
)
BARE = replace(SEARCH, files=(), ticks=0)
"""Without any load: what is shrunk are only faults."""
A, B = Fault("s3.GetObject", 0, "s3-gone"), Fault("dynamodb.BatchWriteItem", 0, "dynamodb-damaged")
NOISE = tuple(Fault("sqs.ReceiveMessage", number, "sqs-out-of-order") for number in range(3))
LOST, STALE = WorldProblem("lost", "a row is missing"), WorldProblem("stale", "a row is old")
Faults = Callable[[int], Sequence[Fault]]
Judged = Callable[[WorldCase], Iterable[WorldProblem]]


@dataclass
class StandInClock:
    """A clock that moves on with each look."""

    at: float = 1_000.0
    step: float = 0.0
    looks: int = 0
    states: list[int | None] = field(default_factory=list)

    def now(self) -> float:
        """The instant."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Nobody waits."""
        raise AssertionError(seconds)

    def look(self, state: SearchState) -> None:
        """Somebody looks on."""
        self.at += self.step
        self.looks += 1
        self.states.append(state.shrinking)


Explore = Callable[..., SearchState]


@pytest.fixture
def explore(monkeypatch: pytest.MonkeyPatch) -> Explore:
    """Search worlds in which the faults of their seed strike, or those that are listed, and which are judged so."""

    def explore(
        search: Search = SEARCH,
        faults: Faults = lambda _: (),
        judged: Judged = lambda _: (),
        clock: StandInClock | None = None,
        stop: Callable[[], bool] = bool,
    ) -> SearchState:
        def run(case: WorldCase, *, application: Explored) -> Outcome:
            assert application is APPLICATION
            struck = tuple(faults(case.seed) if case.faults is None else case.faults)
            problems = tuple(judged(replace(case, faults=struck)))
            seen = tuple(Struck(float(number), fault) for number, fault in enumerate(struck))
            return Outcome(problems, seen, Counter(success=len(case.puts), crash=1), 100.5, len(case.puts))

        monkeypatch.setattr(explorer, "run", run)
        clock = clock or StandInClock()
        return Explorer(APPLICATION, search, clock, clock.look, stop).explore()

    return explore


def has(*needed: Fault) -> Callable[[WorldCase], bool]:
    """Whether faults of these kinds strike in a world."""
    return lambda case: {fault.kind for fault in case.faults or ()} >= {fault.kind for fault in needed}


def lost_with(*needed: Fault) -> Judged:
    """Rows are lost if and only if these faults strike."""
    return lambda case: [LOST] if has(*needed)(case) else []


# Which worlds there are


def test_worlds_are_the_seeds_from_the_first_on() -> None:
    """As many as there may be; without a limit there is always another one."""
    assert [case.seed for case in replace(SEARCH, seed=7, worlds=3).cases(APPLICATION)] == [7, 8, 9]
    assert [case.seed for case in replace(SEARCH, seed=7, worlds=1).cases(APPLICATION)] == [7]
    endless = replace(BARE, seed=7, worlds=None).cases(APPLICATION)
    assert [case.seed for case in islice(endless, 500)] == list(range(7, 507))


def test_a_world_is_its_seed() -> None:
    """Its load, its variant and its faults, which are chosen of the kinds that are searched with."""
    case = SEARCH.case(7, APPLICATION)
    assert case == WorldCase(
        7, 600.0, mix(7, 10, 360.0, "stocks/", ""), (), 3, variant=7, shares=swarm.shares(7, SEARCH.kinds)
    )
    few = replace(SEARCH, kinds=("s3-gone", "s3-slow"))
    assert {name for seed in range(20) for name in few.case(seed, APPLICATION).shares} == {"s3-gone", "s3-slow"}


def test_objects_are_put_while_faults_strike() -> None:
    """The last one long before the storm is over, so that what comes of it is struck, too."""
    for storm_s in (10.0, 600.0):
        puts = [put for seed in range(20) for put in replace(SEARCH, storm_s=storm_s).case(seed, APPLICATION).puts]
        assert 0.5 * storm_s < max(put.at_s for put in puts) <= 0.6 * storm_s


def test_files_are_put_instead_of_the_mix() -> None:
    """Evenly, in their order, and in every world."""
    files = tuple(TimedPut(0.0, f"{number}.csv", b"x", "mine") for number in range(4))
    for seed in (0, 9):
        puts = replace(SEARCH, files=files).case(seed, APPLICATION).puts
        assert [(put.at_s, put.key) for put in puts] == [
            (0.0, "0.csv"),
            (90.0, "1.csv"),
            (180.0, "2.csv"),
            (270.0, "3.csv"),
        ]
    assert replace(SEARCH, files=()).case(0, APPLICATION).puts == ()


def test_messages_are_sent_instead_of_the_mix() -> None:
    """Files are put nevertheless, and where there is no bucket, nothing is."""
    files = (TimedPut(0.0, "a.csv", b"x"),)
    with_messages = replace(SEARCH, messages=("one", "two"))
    assert (with_messages.case(0, APPLICATION).puts, with_messages.case(0, APPLICATION).messages) == (
        (),
        ("one", "two"),
    )
    assert replace(with_messages, files=files).case(0, APPLICATION).puts == files
    assert SEARCH.case(0, replace(APPLICATION, bucket="")).puts == ()


# When it ends


@pytest.mark.parametrize(("worlds", "jobs"), [(1, 1), (1, 4), (6, 2), (6, 50)])
def test_it_ends_after_as_many_worlds_as_it_may_have(explore: Explore, worlds: int, jobs: int) -> None:
    """However many run at a time."""
    state = explore(replace(SEARCH, worlds=worlds, jobs=jobs))
    assert (state.worlds, state.failed, state.findings, state.stopped) == (worlds, 0, [], False)


@pytest.mark.parametrize(("first", "found"), [(10, True), (12, True), (13, False), (9, False)])
def test_only_its_own_seeds_are_searched(explore: Explore, first: int, found: bool) -> None:
    """From the first to the last of three."""
    state = explore(replace(SEARCH, seed=first, worlds=3), judged=lambda case: [LOST] if case.seed == 12 else [])
    assert [finding.found.seed for finding in state.findings] == ([12] if found else [])


def test_it_ends_when_its_time_is_over(explore: Explore) -> None:
    """No world is begun then; those that run are finished, and it counts as done."""
    clock = StandInClock(step=1.0)
    state = explore(replace(SEARCH, worlds=None, for_s=10.0, jobs=1), clock=clock)
    assert not state.stopped
    assert 0 < state.worlds <= 10
    assert clock.looks <= 10 + state.worlds + 5


def test_without_time_there_is_no_world(explore: Explore) -> None:
    """The limit is met at once."""
    assert explore(replace(SEARCH, worlds=3, for_s=0.0)).worlds == 0


def test_the_first_limit_counts(explore: Explore) -> None:
    """Of worlds and of time."""
    assert explore(replace(SEARCH, worlds=3, for_s=1e9)).worlds == 3


def apart(seed: int) -> tuple[Fault, ...]:
    """Each world has another fault."""
    return (*NOISE[:2], Fault(f"invoke.F{seed}", 0, "lambda-crash", 1.0))


@pytest.mark.parametrize(("stop_after", "found"), [(1, 1), (2, 2), (5, 5), (6, 6), (7, 6), (0, 6)])
def test_it_ends_after_as_many_findings_as_are_enough(explore: Explore, stop_after: int, found: int) -> None:
    """Zero is never enough."""
    state = explore(replace(BARE, stop_after=stop_after), apart, lost_with(Fault("", 0, "lambda-crash")))
    assert len(state.findings) == found
    assert found <= state.worlds <= 6
    assert not state.stopped


def test_worlds_of_one_finding_are_not_enough_findings(explore: Explore) -> None:
    """Different ones are counted."""
    state = explore(replace(BARE, stop_after=2), lambda _: (A,), lost_with(A))
    assert (state.worlds, state.failed, len(state.findings)) == (6, 6, 1)


# What is found


def test_a_failing_world_is_one_shrunk_finding(explore: Explore) -> None:
    """What struck is what it is made of; the world as it was found is kept, too."""
    state = explore(replace(SEARCH, worlds=3), lambda seed: (*NOISE, A, B) if seed == 1 else NOISE, lost_with(A))
    (finding,) = state.findings
    assert finding.problem == LOST
    assert finding.worlds == [1]
    assert finding.found == replace(SEARCH.case(1, APPLICATION), faults=(*NOISE, A, B))
    assert (finding.case.seed, finding.case.faults, finding.case.ticks) == (1, (A,), 0)
    assert str(finding.signature) == "lost · s3-gone at s3.GetObject"


def test_a_world_that_needs_no_fault_says_so(explore: Explore) -> None:
    """All others with the same symptom are one with it."""
    state = explore(BARE, lambda _: (A, B), lambda _: [LOST])
    (finding,) = state.findings
    assert finding.case.faults == ()
    assert str(finding.signature) == "lost · without any fault"
    assert sorted(finding.worlds) == list(range(6))


def test_worlds_with_the_same_bug_are_one_finding(explore: Explore) -> None:
    """With the seeds of all of them, whatever else struck there; one that fails for another reason is another."""
    state = explore(
        replace(BARE, worlds=8, jobs=1),
        lambda seed: (*NOISE[: seed % 3], A) if seed % 4 else (*NOISE, B),
        lambda case: [LOST] if has(A)(case) or has(B)(case) else [],
    )
    assert {finding.signature.faults: finding.worlds for finding in state.findings} == {
        ("dynamodb-damaged at dynamodb.BatchWriteItem",): [0, 4],
        ("s3-gone at s3.GetObject",): [1, 2, 3, 5, 6, 7],
    }
    assert state.failed == 8


def test_the_same_fault_with_another_symptom_is_another_finding(explore: Explore) -> None:
    """What is wrong is part of what a finding is; the first problem of a world is its symptom."""
    state = explore(
        replace(BARE, worlds=4, jobs=1),
        lambda _: (A,),
        lambda case: [] if not has(A)(case) else [LOST, STALE] if case.seed % 2 else [STALE, LOST],
    )
    assert {finding.problem: finding.worlds for finding in state.findings} == {STALE: [0, 2], LOST: [1, 3]}


def test_findings_that_turn_out_the_same_are_one(explore: Explore) -> None:
    """A world that has the known fault and fails without it, too, is shrunk, perhaps to the known one."""
    state = explore(
        replace(BARE, worlds=2, jobs=1),
        lambda seed: (A, B)[: seed + 1],
        lambda case: [LOST] if has(A)(case) or has(B)(case) else [],
    )
    assert sum(len(finding.worlds) for finding in state.findings) == 2


def test_two_invariants_are_two_findings(explore: Explore) -> None:
    """By their names."""
    names = WorldProblem("invariant", "x", "checks:a"), WorldProblem("invariant", "x", "checks:b")
    state = explore(replace(BARE, worlds=2), lambda _: (), lambda case: [names[case.seed]])
    assert {str(finding.signature) for finding in state.findings} == {
        "invariant checks:a · without any fault",
        "invariant checks:b · without any fault",
    }


def test_an_invariant_may_know_the_whole_load(explore: Explore) -> None:
    """It fails without faults if there is less: then that is no smaller world."""
    problem = WorldProblem("invariant", "x", "checks:all_are_there")
    state = explore(
        replace(BARE, messages=("a", "b", "c", "d"), worlds=1),
        lambda _: (A, B),
        lambda case: [problem] if has(A)(case) or len(case.messages) < 4 else [],
    )
    (finding,) = state.findings
    assert (finding.case.faults, len(finding.case.messages)) == ((A,), 4)


def test_the_judge_knows_what_was_put(explore: Explore) -> None:
    """What it finds with less load and without faults is a smaller world."""
    state = explore(
        replace(BARE, messages=("a", "b", "c", "d"), worlds=1),
        lambda _: (A, B),
        lambda case: [LOST] if case.messages and (has(A)(case) or len(case.messages) < 4) else [],
    )
    (finding,) = state.findings
    assert (finding.case.faults, len(finding.case.messages)) == ((), 1)


def test_an_invariant_that_needs_less_load_has_less(explore: Explore) -> None:
    """One that does not know the load: its world is shrunk as any other one."""
    problem = WorldProblem("invariant", "x", "checks:none_is_given_up")
    state = explore(
        replace(BARE, messages=("a", "b", "c", "d"), worlds=1),
        lambda _: (A, B),
        lambda case: [problem] if has(A)(case) and "c" in case.messages else [],
    )
    (finding,) = state.findings
    assert (finding.case.faults, finding.case.messages) == ((A,), ("c",))


def test_a_signature_names_each_kind_at_each_site_once() -> None:
    """In alphabetical order, without ordinals."""
    case = WorldCase(1, 1.0, faults=(A._replace(ordinal=9), B, A, *NOISE))
    finding = WorldFinding(LOST, case, case, [1])
    assert finding.signature == Signature(
        "lost",
        (
            "dynamodb-damaged at dynamodb.BatchWriteItem",
            "s3-gone at s3.GetObject",
            "sqs-out-of-order at sqs.ReceiveMessage",
        ),
    )


def test_the_first_smaller_world_is_taken_whichever_is_done_first(explore: Explore, tmp_path: Path) -> None:
    """The first one waits until the second one has ended: a search does not depend on how fast its worlds are."""
    read_end, write_end = os.pipe()
    lock = tmp_path / "lock"

    def judged(case: WorldCase) -> Iterable[WorldProblem]:
        if case.faults in ((A,), (B,)):
            if case.faults == (A,):
                os.read(read_end, 1)
            fcntl.flock(os.open(lock, os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)  # until the process ends
            os.write(write_end, b"x")
        return [LOST] if case.faults else []

    try:
        state = explore(replace(BARE, worlds=1), lambda _: (A, B), judged)
    finally:
        os.close(read_end)
        os.close(write_end)
    assert state.findings[0].case.faults == (A,)


def test_shrinking_ends_when_its_time_is_over(explore: Explore) -> None:
    """Then the finding is as small as it is, and the search goes on."""
    quick, slow = StandInClock(), StandInClock(step=SHRINK_S)
    needed = (*NOISE, A)
    found = []
    for clock in (quick, slow):
        state = explore(replace(SEARCH, worlds=2, jobs=1), lambda _: (*NOISE, A, B), lost_with(*needed), clock)
        assert state.worlds == 2
        found.append(state.findings[0])
    assert len(found[0].case.puts) == 0
    assert len(found[1].case.puts) == 10


# Ctrl-C, and who looks on


def test_who_looks_on_sees_when_a_world_is_shrunk(explore: Explore) -> None:
    """Its seed, as long as that lasts."""
    clock = StandInClock()
    state = explore(replace(BARE, worlds=3, jobs=1), lambda seed: (A,) * (seed == 1), lost_with(A), clock)
    assert state.shrinking is None
    assert set(clock.states) == {None, 1}
    assert len(state.shrunk_s) == 1


def test_ctrl_c_ends_it_with_what_was_found(explore: Explore) -> None:
    """At the next look; the worlds that were done count."""
    clock = StandInClock()
    state = explore(
        replace(BARE, worlds=None, jobs=1), apart, lost_with(Fault("", 0, "lambda-crash")), clock,
        lambda: len(found(clock)) >= 3,
    )  # fmt: skip
    assert state.stopped
    assert state.shrinking is None
    assert 2 <= len(state.findings) <= 3
    assert state.findings[0].case.faults == (Fault("invoke.F0", 0, "lambda-crash", 1.0),)


def found(clock: StandInClock) -> set[int]:
    """The seeds of the worlds that somebody saw shrinking."""
    return {seed for seed in clock.states if seed is not None}


def test_ctrl_c_at_once_has_nothing(explore: Explore) -> None:
    """No world is awaited."""
    state = explore(stop=lambda: True)
    assert (state.stopped, state.worlds, state.findings) == (True, 0, [])


@pytest.mark.parametrize("looks", [1, 2, 10, 40])
def test_ctrl_c_while_a_world_is_shrunk_keeps_it(explore: Explore, looks: int) -> None:
    """As small as it is by then: it fails, and is no larger than it was found."""
    clock = StandInClock()

    def stop() -> bool:
        return sum(seed is not None for seed in clock.states) >= looks

    state = explore(replace(SEARCH, jobs=1), lambda _: (*NOISE, A, B), lost_with(A, B), clock, stop)
    assert state.stopped
    assert state.shrinking is None
    (finding,) = state.findings
    assert has(A, B)(finding.case)
    assert finding.worlds == [0]
    assert finding.found.faults == (*NOISE, A, B)
    assert len(finding.case.faults or ()) <= 5


def test_a_world_that_dies_ends_the_search(explore: Explore) -> None:
    """The failure says which and how, and what was found before is kept."""

    def judged(case: WorldCase) -> Iterable[WorldProblem]:
        if case.seed == 2:
            raise SystemExit(3)
        return [LOST] if case.seed == 0 else []

    state = explore(replace(SEARCH, jobs=1, stop_after=0), judged=judged)
    assert "the world of seed 2 ended without a result: exit code 1" in str(state.failure)
    assert ([finding.worlds for finding in state.findings], state.worlds) == ([[0]], 2)


def test_findings_come_in_the_order_of_the_seeds(explore: Explore) -> None:
    """Although the world of a later seed ends first, the search of two at a time finds what that of one would."""
    ready, go = os.pipe()

    def judged(case: WorldCase) -> Iterable[WorldProblem]:
        if case.seed == 0:
            os.read(ready, 1)
        if case.seed == 3:
            os.write(go, b"!")
        return [WorldProblem("lost", "", str(case.seed))] if case.seed in (1, 3) else []

    state = explore(replace(SEARCH, jobs=2, stop_after=1), judged=judged)
    os.close(ready)
    os.close(go)
    assert [finding.worlds for finding in state.findings] == [[1]]
    assert state.worlds == 2


# What was covered


def test_what_was_covered_is_counted(explore: Explore) -> None:
    """Worlds, their objects and time, each kind that struck and each outcome; smaller worlds do not count."""
    state = explore(replace(SEARCH, worlds=4), lambda seed: (*NOISE, A) if seed == 2 else NOISE[:1], lost_with(A))
    assert (state.worlds, state.objects, state.virtual_s, state.failed) == (4, 40, 402.0, 1)
    assert state.fired == {"sqs-out-of-order": 6, "s3-gone": 1}
    assert state.arms == {"success": 40, "crash": 4}


# A world by itself


def test_a_world_is_told_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems and story come back, of the sort that is asked for."""

    def told(case: WorldCase, *, application: Explored, sort: str) -> tuple[tuple[WorldProblem, ...], WorldStory]:
        return (LOST,), WorldStory((), f"{sort} in {case.seed}")

    monkeypatch.setattr(explorer, "told", told)
    assert explorer.told_apart(WorldCase(1, 1.0), APPLICATION, "stale") == ((LOST,), WorldStory((), "stale in 1"))


def test_the_story_ends_with_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the world shows something else, too, and that before; what else there is keeps its order."""
    others = [WorldProblem("figures differ", "figures"), WorldProblem("stale", "an old row"), LOST]
    monkeypatch.setattr(running, "run", lambda *_: Outcome(tuple(others), (), Counter(), 1.0, 0))
    problems, story = running.told(WorldCase(1, 1.0), APPLICATION, "stale")
    assert problems == (others[1], others[0], LOST)
    assert story.end == "an old row"
    assert running.told(WorldCase(1, 1.0), APPLICATION, "invented")[1].end == "figures"


def test_worlds_of_the_pipeline_have_no_problem_and_count_their_faults() -> None:
    """Real worlds: three seeds of small load, which are the same each time."""
    prepare()
    stack = template.load(None, {"FileCount": "1", "RowsPerFile": "37"}, defaults={"Seed": "0"})
    application = Explored((stack,), {}, next(iter(stack.buckets.values())).name)
    search = replace(SEARCH, worlds=3, storm_s=120.0, ticks=1)
    states = [Explorer(application, search, StandInClock()).explore() for _ in range(2)]
    state = states[0]
    assert (state.worlds, state.failed, state.findings) == (3, 0, [])
    assert state.objects >= 3 * 11
    assert state.virtual_s > 3 * 120
    assert sum(state.fired.values()) > 5
    assert set(state.fired) <= {name for seed in range(3) for name in swarm.shares(seed, SEARCH.kinds)}
    assert state.arms["success"] >= 25
    assert (states[1].fired, states[1].arms, states[1].objects) == (state.fired, state.arms, state.objects)
