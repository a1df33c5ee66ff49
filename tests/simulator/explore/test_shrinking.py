"""A world is shrunk to what its failure needs, whatever that is, in a bounded number of questions."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.explore.case import WorldCase
from simulator.explore.shrinking import shrink
from simulator.faults import kinds
from simulator.faults.plane import Fault
from simulator.run.sources import TimedPut

GET, WRITE, DELETE = "s3.GetObject", "dynamodb.BatchWriteItem", "sqs.DeleteMessageBatch"
SLOW, GONE = Fault(GET, 9, "s3-slow", 20.0), Fault(GET, 3, "s3-gone")
DAMAGED = Fault(WRITE, 5, "dynamodb-damaged")
LOST = Fault(DELETE, 0, "sqs-delete-lost")
HEADER = b"ticker,timestamp\n"
Fails = Callable[[WorldCase], bool]


class Judge:
    """Answers as the explorer does, and keeps each question; no world may be asked about that cannot be."""

    def __init__(self, fails: Fails) -> None:
        self._fails = fails
        self.current: WorldCase | None = None
        self.asked: list[WorldCase] = []

    def first(self, cases: Sequence[WorldCase]) -> WorldCase | None:
        """The first that fails."""
        for case in cases:
            assert case != self.current, "the case itself"
            places = [fault[:2] for fault in case.faults or ()]
            assert len(set(places)) == len(places), "two faults at one place and time"
            for fault in case.faults or ():
                kind = kinds.ALL[fault.kind]
                most = kind.most if kind.scope == "call" else max(kind.most, case.storm_s)
                assert kind.least <= fault.argument <= most, fault
            self.asked.append(case)
        found = next(filter(self._fails, cases), None)
        self.current = found or self.current
        return found


def shrunk(case: WorldCase, fails: Fails) -> tuple[WorldCase, list[WorldCase]]:
    """A case after shrinking, and all that was asked."""
    assert fails(case), "it must fail to begin with"
    judge = Judge(fails)
    judge.current = case
    found = shrink(case, judge.first)
    assert fails(found)
    assert found == judge.current
    return found, judge.asked


def world(
    *faults: Fault, puts: Sequence[TimedPut] = (), messages: Sequence[str] = (), ticks: int = 0, seed: int = 1
) -> WorldCase:
    """A world with these."""
    return WorldCase(seed, 600.0, tuple(puts), tuple(messages), ticks, faults=faults)


def needs(*kinds_needed: str) -> Fails:
    """Fails if and only if faults of all these kinds are there."""
    return lambda case: {fault.kind for fault in case.faults or ()} >= set(kinds_needed)


def names(case: WorldCase) -> list[str]:
    """The kinds of a world's faults."""
    return [fault.kind for fault in case.faults or ()]


# Faults


@pytest.mark.parametrize("needed", [{"s3-gone"}, {"s3-slow", "sqs-delete-lost"}, {"s3-gone", "dynamodb-damaged"}])
def test_the_faults_that_are_needed_are_left(needed: set[str]) -> None:
    """One or two of four, wherever they are in the list: no other one is kept, and none of them is lost."""
    found, _ = shrunk(world(SLOW, GONE, DAMAGED, LOST), needs(*needed))
    assert set(names(found)) == needed


def test_all_faults_are_left_if_all_are_needed() -> None:
    """Nothing can be left out then."""
    found, _ = shrunk(world(SLOW, GONE, DAMAGED), needs("s3-slow", "s3-gone", "dynamodb-damaged"))
    assert names(found) == ["s3-slow", "s3-gone", "dynamodb-damaged"]


@pytest.mark.parametrize("faults", [(), (GONE,), (SLOW, GONE), (SLOW, GONE, DAMAGED, LOST)])
def test_what_fails_without_any_fault_has_none_left(faults: tuple[Fault, ...]) -> None:
    """The load alone shows it, however many faults there were."""
    found, _ = shrunk(world(*faults), lambda _: True)
    assert found.faults == ()


def test_one_fault_that_lasts_may_stand_for_several() -> None:
    """Short outages do what one long one does, up to the whole storm; three calls that fail are three faults."""
    throttled = [Fault(WRITE, number, "dynamodb-throttled", 100.0) for number in (3, 9, 20)]
    found, _ = shrunk(world(*throttled), lambda case: sum(fault.argument for fault in case.faults or ()) >= 250)
    (fault,) = found.faults or ()
    assert 250 <= fault.argument <= 600
    slow = [Fault(WRITE, number, "dynamodb-slow", 10.0) for number in (3, 9, 20)]
    found, _ = shrunk(world(*slow), lambda case: sum(fault.argument for fault in case.faults or ()) >= 15)
    assert len(found.faults or ()) == 2


@given(st.integers(1, 12), st.data())
def test_exactly_the_needed_subset_is_left(count: int, data: st.DataObject) -> None:
    """One to three of up to twelve faults of chance, at few sites; the questions stay within a bound."""
    held = [kind for kind in kinds.ALL.values() if not any("*" in site for site in kind.sites[:1])]
    chosen = data.draw(st.lists(st.sampled_from(held), min_size=count, max_size=count, unique=True))
    ordinals = data.draw(st.lists(st.integers(0, 40), min_size=count, max_size=count, unique=True))
    faults = [Fault(kind.sites[0], at, kind.name, kind.most) for kind, at in zip(chosen, ordinals, strict=True)]
    needed = data.draw(st.sets(st.sampled_from([each.kind for each in faults]), min_size=1, max_size=min(3, count)))
    found, asked = shrunk(world(*faults), needs(*needed))
    assert sorted(names(found)) == sorted(needed)
    assert len(asked) <= 12 * (count + 12)


@pytest.mark.parametrize(("least", "becomes"), [(0, 0), (1, 1), (2, 2), (3, 9), (9, 9)])
def test_a_fault_strikes_at_the_first_time_at_which_it_can(least: int, becomes: int) -> None:
    """Of the first three times; one that needs a later time stays where it was."""
    found, _ = shrunk(world(SLOW), lambda case: any(fault.ordinal >= least for fault in case.faults or ()))
    assert [fault.ordinal for fault in found.faults or ()] == [becomes]


def test_two_faults_at_one_site_stay_apart() -> None:
    """Both are needed, and both want to be first."""
    found, _ = shrunk(world(GONE, SLOW), needs("s3-gone", "s3-slow"))
    assert sorted(fault.ordinal for fault in found.faults or ()) == [0, 1]


@pytest.mark.parametrize("over", [0.2, 0.5, 3.0, 7.0, 19.9])
def test_an_argument_is_as_mild_as_it_can_be(over: float) -> None:
    """Half of what is left would be too little; it is never below what the kind has."""
    found, _ = shrunk(world(SLOW), lambda case: any(fault.argument >= over for fault in case.faults or ()))
    (fault,) = found.faults or ()
    assert over <= fault.argument <= 20.0
    assert round((0.2 + fault.argument) / 2, 1) < over or fault.argument == 0.2


@pytest.mark.parametrize("argument", [-4.0, 4.0])
def test_an_argument_with_a_sign_comes_near_to_zero(argument: float) -> None:
    """A clock that is behind stays behind, one that is ahead stays ahead, and neither gets further away."""

    def fails(case: WorldCase) -> bool:
        return any(fault.argument * argument > 0 for fault in case.faults or ())

    found, asked = shrunk(world(Fault("init.F", 0, "lambda-clock-apart", argument)), fails)
    assert 0 < abs((found.faults or ())[0].argument) < 0.01
    assert max(abs(fault.argument) for case in asked for fault in case.faults or ()) < 4


@pytest.mark.parametrize("needed", [1, 2, 3, 100, 399, 400])
def test_a_wait_is_a_whole_number(needed: int) -> None:
    """The first wait is the least, and there is none between two."""
    crash = Fault("invoke.F", 0, "lambda-crash", 400.0)
    found, asked = shrunk(world(crash), lambda case: any(fault.argument >= needed for fault in case.faults or ()))
    assert needed <= (found.faults or ())[0].argument <= max(1, 2 * needed)
    assert all(fault.argument.is_integer() for case in asked for fault in case.faults or ())


def test_the_mild_one_keeps_its_early_time() -> None:
    """What is mild and what is early are found one after the other, and neither is lost again."""
    found, asked = shrunk(world(SLOW), needs("s3-slow"))
    assert found.faults == (Fault(GET, 0, "s3-slow", 0.2),)
    early = next(number for number, case in enumerate(asked) if case.faults and case.faults[0].ordinal == 0)
    assert {fault.ordinal for case in asked[early + 4 :] for fault in case.faults or ()} == {0}


# Load


PUTS = tuple(TimedPut(10.0 * place, f"{name}.csv", HEADER + b"A,1\n") for place, name in enumerate("abcdefghij"))


@pytest.mark.parametrize("name", ["a", "e", "j"])
def test_the_one_object_that_is_needed_is_left(name: str) -> None:
    """And it is put at once."""
    found, _ = shrunk(world(puts=PUTS), lambda case: f"{name}.csv" in [put.key for put in case.puts])
    assert [(put.at_s, put.key) for put in found.puts] == [(0.0, f"{name}.csv")]


def test_two_objects_that_are_needed_are_left_in_their_order() -> None:
    """Wherever they are among the others, a second apart."""
    wanted = {"b.csv", "i.csv"}
    found, _ = shrunk(world(puts=PUTS), lambda case: wanted <= {put.key for put in case.puts})
    assert [(put.at_s, put.key) for put in found.puts] == [(0.0, "b.csv"), (1.0, "i.csv")]


def test_the_time_of_an_object_that_matters_stays() -> None:
    """It is not put at once if the failure needs its time."""
    found, _ = shrunk(world(puts=PUTS), lambda case: any(put.at_s >= 70 for put in case.puts))
    assert [put.at_s for put in found.puts if put.at_s >= 70] == [put.at_s for put in found.puts]
    assert len(found.puts) == 1


def test_less_load_may_need_a_fault_to_strike_earlier() -> None:
    """With one object, nothing happens a tenth time: the fault is tried at the first times, too."""

    def fails(case: WorldCase) -> bool:
        return any(len(case.puts) > fault.ordinal for fault in case.faults or ())

    found, _ = shrunk(world(SLOW, puts=PUTS), fails)
    assert (len(found.puts), [fault.ordinal for fault in found.faults or ()]) == (1, [0])


MESSAGES = tuple(f"message {number}" for number in range(9))


@pytest.mark.parametrize("wanted", [{0}, {8}, {3, 4}, {0, 8}, {1, 4, 7}])
def test_the_messages_that_are_needed_are_left(wanted: set[int]) -> None:
    """In their order."""
    texts = [f"message {number}" for number in sorted(wanted)]
    found, _ = shrunk(world(messages=MESSAGES), lambda case: set(texts) <= set(case.messages))
    assert list(found.messages) == texts


def test_load_that_is_not_needed_goes() -> None:
    """All of it, of each sort, whether the failure needs another sort or none."""
    full = world(GONE, puts=PUTS, messages=MESSAGES, ticks=10)
    found, _ = shrunk(full, needs("s3-gone"))
    assert (found.messages, found.ticks) == ((), 0)
    found, _ = shrunk(full, lambda case: len(case.messages) > 0)
    assert (found.faults, found.puts, len(found.messages), found.ticks) == ((), (), 1, 0)
    found, _ = shrunk(full, lambda case: case.ticks > 1)
    assert (found.faults, found.puts, found.messages, found.ticks) == ((), (), (), 2)
    found, _ = shrunk(full, lambda case: case.ticks > 0)
    assert (found.faults, found.puts, found.messages, found.ticks) == ((), (), (), 1)


@pytest.mark.parametrize(("least", "most"), [(1, 1), (2, 3), (4, 7), (10, 10)])
def test_ticks_are_halved_as_long_as_it_fails(least: int, most: int) -> None:
    """Half of what is left would be too few."""
    found, _ = shrunk(world(ticks=10), lambda case: case.ticks >= least)
    assert least <= found.ticks <= most


def test_seed_storm_and_variant_stay() -> None:
    """They are not load, and decide everything else."""
    full = WorldCase(77, 123.0, PUTS, ticks=3, variant=5, faults=(GONE,))
    found, asked = shrunk(full, lambda _: True)
    assert {(case.seed, case.storm_s, case.variant) for case in (found, *asked)} == {(77, 123.0, 5)}


# The content of objects


def lines(count: int) -> bytes:
    """A text with a header and so many lines."""
    return HEADER + b"".join(b"T%03d,1\n" % number for number in range(count))


@pytest.mark.parametrize("needed", [0, 1, 17, 58, 59])
def test_an_object_ends_with_the_line_that_is_needed(needed: int) -> None:
    """The header and all lines before it stay."""
    content = lines(60)
    found, _ = shrunk(
        world(puts=[TimedPut(0.0, "a.csv", content)]),
        lambda case: any(b"T%03d,1\n" % needed in put.content for put in case.puts),
    )
    assert [put.content for put in found.puts] == [lines(needed + 1)]


def test_each_of_several_objects_is_cut() -> None:
    """Not only the first."""
    puts = [TimedPut(0.0, name, lines(40)) for name in ("a.csv", "b.csv")]
    found, _ = shrunk(world(puts=puts), lambda case: len(case.puts) == 2)
    assert [put.content for put in found.puts] == [lines(1), lines(1)]


@pytest.mark.parametrize("content", [b"", HEADER, lines(1), b"\xff\x00", gzip.compress(lines(60), 0, mtime=0)])
def test_what_cannot_be_cut_is_left_alone(content: bytes) -> None:
    """A header with one line, less than that, and gzip, even if it has newlines."""
    found, asked = shrunk(world(puts=[TimedPut(0.0, "a", content)]), lambda case: len(case.puts) == 1)
    assert {put.content for case in (found, *asked) for put in case.puts} == {content}


# The questions


def test_the_answer_is_taken_as_it_is() -> None:
    """Somebody who cannot find out any more says None, and the world is as small as it was then."""
    answers = iter([True, False])
    case = world(SLOW, GONE, DAMAGED, LOST, puts=PUTS)
    found = shrink(case, lambda cases: cases[0] if next(answers, False) else None)
    assert found == world(SLOW, puts=PUTS)
    assert shrink(case, lambda _: None) == case


def test_the_smallest_world_is_asked_about_first() -> None:
    """Single faults before pairs, single objects before halves."""
    _, asked = shrunk(world(SLOW, GONE, DAMAGED, LOST, puts=PUTS), needs("s3-slow", "sqs-delete-lost"))
    assert [len(case.faults or ()) for case in asked[:4]] == [1, 1, 1, 1]
    first = next(case for case in asked if len(case.puts) < len(PUTS))
    assert len(first.puts) == 1


def test_a_large_world_needs_few_questions() -> None:
    """A hundred faults and objects, of which two each are needed: some hundred worlds, not thousands."""
    faults = [Fault(GET, number, "s3-slow-down") for number in range(98)]
    puts = [TimedPut(float(number), f"{number}.csv", HEADER) for number in range(100)]
    full = world(*faults[:40], DAMAGED, *faults[40:], LOST, puts=puts)

    def fails(case: WorldCase) -> bool:
        return needs("dynamodb-damaged", "sqs-delete-lost")(case) and {"7.csv", "80.csv"} <= {
            put.key for put in case.puts
        }

    found, asked = shrunk(full, fails)
    assert sorted(names(found)) == ["dynamodb-damaged", "sqs-delete-lost"]
    assert [put.key for put in found.puts] == ["7.csv", "80.csv"]
    assert len(asked) < 1_200
