"""The plane decides which fault strikes where: as listed, or by chance; once, or for a while; until the calm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from simulator.base.errors import UnusableValueError
from simulator.faults import kinds
from simulator.faults.plane import NO_FAULTS, Fault, Plane, Struck

GET, PUT, WRITE = "s3.GetObject", "s3.PutObject", "dynamodb.BatchWriteItem"


def kinds_at(plane: Plane, site: str, times: int, start_at: float = 0.0) -> list[str]:
    """What strikes at a site, so many times, a second apart; empty for nothing."""
    found = [plane.at(site, start_at + second, function="F", environment="E") for second in range(times)]
    return [fault.kind if fault is not None else "" for fault in found]


def run(plane: Plane) -> list[tuple[str, float, Fault | None]]:
    """A plane's answers to calls that always come in the same order."""
    answers = []
    for second in range(300):
        for number, site in enumerate((GET, WRITE, "init.F", "invoke.F", "sqs.ReceiveMessage", "tick.S")):
            now = second + number / 10
            answers.append((site, now, plane.at(site, now, function="F", environment=f"E{second % 3}")))
    return answers


# Listed faults


def test_a_listed_fault_strikes_exactly_there() -> None:
    """At its site, the n-th time from 0, with its argument; other sites have their own times."""
    fault = Fault(GET, 2, "s3-slow", 7.0)
    plane = Plane(listed=[fault])
    assert kinds_at(plane, PUT, 5) == [""] * 5
    found = [plane.at(GET, now) for now in range(5)]
    assert found == [None, None, fault, None, None]


def test_several_faults_may_be_listed_for_a_site() -> None:
    """Each has its own time."""
    plane = Plane(listed=[Fault(GET, 3, "s3-slow-down"), Fault(GET, 0, "s3-gone"), Fault(PUT, 1, "s3-slow-down")])
    assert kinds_at(plane, GET, 4) == ["s3-gone", "", "", "s3-slow-down"]
    assert kinds_at(plane, PUT, 2) == ["", "s3-slow-down"]


def test_a_listed_fault_comes_before_a_drawn_one() -> None:
    """Chance strikes at all other times."""
    plane = Plane(listed=[Fault(GET, 1, "s3-gone")], shares={"s3-slow-down": 1.0})
    assert kinds_at(plane, GET, 3) == ["s3-slow-down", "s3-gone", "s3-slow-down"]


def test_what_struck_as_a_list_strikes_the_same() -> None:
    """Also what lasts: the same calls get the same answers, and the same is told."""
    shares = dict.fromkeys(kinds.ALL, 0.02)
    drawn, told = Plane(shares=shares, seed=3, until=250.0), list[Struck]()
    drawn.listen(told.append)
    answers = run(drawn)
    assert len({each.fault.kind for each in told}) > 10
    assert any(kinds.ALL[each.fault.kind].scope != "call" for each in told)
    listed, again = Plane(listed=[each.fault for each in told], until=250.0), list[Struck]()
    listed.listen(again.append)
    assert run(listed) == answers
    assert again == told
    assert listed.struck == drawn.struck == Counter(each.fault.kind for each in told)


# Shares


def test_a_share_is_of_the_times() -> None:
    """About so many of them; 1 is always, and no kind strikes where it cannot."""
    plane = Plane(shares={"s3-slow-down": 0.25, "tick-twice": 1.0})
    assert 400 < Counter(kinds_at(plane, GET, 2_000))["s3-slow-down"] < 600
    assert kinds_at(plane, "tick.S", 3) == ["tick-twice"] * 3
    assert kinds_at(plane, "init.F", 100) == [""] * 100


def test_the_same_seed_strikes_the_same() -> None:
    """And another one strikes elsewhere."""

    def strikes(seed: int) -> list[str]:
        return kinds_at(Plane(shares={"s3-slow-down": 0.2}, seed=seed), GET, 200)

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


def test_sites_have_streams_of_their_own() -> None:
    """What strikes at one site depends on its own times only, however often others are asked for."""
    shares = {"s3-slow-down": 0.2}
    alone, between = Plane(shares=shares), Plane(shares=shares)
    expected = kinds_at(alone, GET, 100)
    found = []
    for second in range(100):
        kinds_at(between, PUT, second % 3)
        found += kinds_at(between, GET, 1, start_at=second)
    assert found == expected
    assert kinds_at(Plane(shares=shares), PUT, 100) != expected


@pytest.mark.parametrize("other", ["s3-slow-down", "s3-slow", "iam-denied"])
def test_another_kind_changes_nothing_of_the_first(other: str) -> None:
    """Before it in the catalogue, after it or lasting: it may take single times from it, and moves none."""

    def faults(shares: Mapping[str, float]) -> dict[int, Fault | None]:
        plane = Plane(shares=shares, seed=5)
        return {second: plane.at(GET, second, function="F", environment="E") for second in range(1_000)}

    alone = faults({"s3-cut-short": 0.2})
    both = faults({"s3-cut-short": 0.2, other: 0.02})
    assert other in {fault.kind for fault in both.values() if fault is not None}
    theirs = {second: fault for second, fault in both.items() if fault is None or fault.kind != other}
    assert len(theirs) > 100
    assert theirs == {second: alone[second] for second in theirs}


def test_a_share_of_0_ends_a_kind_with_what_lasts_of_it() -> None:
    """Other kinds go on."""
    plane = Plane(listed=[Fault(GET, 0, "iam-denied", 100.0)], shares={"s3-slow-down": 1.0})
    assert kinds_at(plane, GET, 2) == ["iam-denied"] * 2
    plane.set_shares({"iam-denied": 0.0})
    assert kinds_at(plane, GET, 2) == ["s3-slow-down"] * 2
    plane.set_shares({"s3-slow-down": 0.0, "s3-gone": 1.0})
    assert kinds_at(plane, GET, 2) == ["s3-gone"] * 2
    plane.set_shares({"s3-gone": 0.0})
    assert kinds_at(plane, GET, 2) == [""] * 2


def test_a_plane_without_faults_is_calm() -> None:
    """Until a share is set, and again once it is 0; a list of faults is never calm."""
    plane = Plane()
    assert NO_FAULTS.is_calm
    assert plane.is_calm
    plane.set_shares({"s3-gone": 0.5})
    assert not plane.is_calm
    plane.set_shares({"s3-gone": 0.0})
    assert plane.is_calm
    assert not Plane(listed=[Fault(GET, 0, "s3-gone")]).is_calm


# Faults that last


def test_a_lasting_fault_begins_and_ends_at_its_instants() -> None:
    """From the call that it strikes, until its argument is over: not at that instant any more."""
    fault = Fault(WRITE, 1, "dynamodb-throttled", 10.0)
    plane = Plane(listed=[fault])
    assert plane.at(WRITE, 99.9) is None
    assert plane.at(WRITE, 100.0) == fault
    assert plane.at(WRITE, 100.0) == fault
    assert plane.at(WRITE, 109.999) == fault
    assert plane.at(WRITE, 110.0) is None
    assert plane.at(WRITE, 105.0) is None


def test_a_fault_of_a_service_strikes_everybody_there() -> None:
    """Whatever they ask it, and nobody elsewhere."""
    plane = Plane(listed=[Fault(WRITE, 0, "dynamodb-throttled", 10.0)])
    fault = plane.at(WRITE, 0.0, function="F", environment="E")
    assert fault is not None
    assert plane.at("dynamodb.GetItem", 1.0, function="G", environment="H") == fault
    assert plane.at("dynamodb.Query", 1.0) == fault
    assert plane.at("dynamodb.DescribeTable", 1.0, function="F", environment="E") is None
    assert plane.at(GET, 1.0, function="F", environment="E") is None


def test_a_fault_of_a_function_strikes_it_at_that_service() -> None:
    """In all of its environments; no other function, and at no other service."""
    plane = Plane(listed=[Fault(GET, 0, "iam-denied", 10.0), Fault("invoke.F", 0, "lambda-throttled", 10.0)])
    denied = plane.at(GET, 0.0, function="F", environment="E")
    assert denied is not None
    assert plane.at(PUT, 1.0, function="F", environment="another") == denied
    assert plane.at(GET, 1.0, function="G", environment="E") is None
    assert plane.at(WRITE, 1.0, function="F", environment="E") is None
    throttled = plane.at("invoke.F", 2.0, function="F")
    assert throttled is not None
    assert plane.at("invoke.F", 11.9, function="F") == throttled
    assert plane.at("invoke.G", 3.0, function="G") is None


def test_a_fault_of_an_environment_strikes_it_everywhere() -> None:
    """At each service, and no other environment of the same function."""
    plane = Plane(listed=[Fault(GET, 0, "credentials-expired", 10.0)])
    expired = plane.at(GET, 0.0, function="F", environment="E")
    assert expired is not None
    assert plane.at(WRITE, 1.0, function="F", environment="E") == expired
    assert plane.at(GET, 1.0, function="F", environment="another") is None
    assert plane.at("invoke.F", 1.0, function="F") is None


def test_two_lasting_faults_end_each_at_its_own_instant() -> None:
    """The one that began first strikes while it lasts; one of the same place and kind does not begin again."""
    listed = [
        Fault(GET, 0, "iam-denied", 10.0),
        Fault(GET, 1, "iam-denied", 100.0),
        Fault(WRITE, 0, "iam-denied", 20.0),
    ]
    plane = Plane(listed=listed)
    who = {"function": "F", "environment": "E"}
    assert [plane.at(GET, 0.0, **who), plane.at(GET, 5.0, **who)] == [listed[0]] * 2
    assert plane.at(WRITE, 6.0, **who) == listed[2]
    assert plane.at(GET, 10.0, **who) is None
    assert plane.at(WRITE, 25.9, **who) == listed[2]
    assert plane.at(WRITE, 26.0, **who) is None
    assert plane.struck == {"iam-denied": 2}


# The calm, and who is told


def test_nothing_strikes_in_the_calm() -> None:
    """From that instant on: what is listed, what is drawn, and what lasts is over."""
    listed = [Fault(GET, 0, "s3-gone"), Fault(GET, 1, "s3-gone"), Fault(WRITE, 0, "dynamodb-throttled", 100.0)]
    plane = Plane(listed=listed, shares={"s3-slow-down": 1.0}, until=50.0)
    assert plane.at(WRITE, 40.0) == listed[2]
    assert plane.at(GET, 49.999) == listed[0]
    assert plane.at(GET, 50.0) is None
    assert plane.at(WRITE, 50.0) is None
    assert plane.at(GET, 60.0) is None


def test_listeners_hear_of_each_fault_as_it_strikes() -> None:
    """Of one that lasts, once; with the instant, and whose deed it was."""
    told, plane = (
        list[Struck](),
        Plane(listed=[Fault(GET, 0, "iam-denied", 10.0), Fault("tick.S", 0, "tick-late", 9.0)]),
    )
    plane.listen(told.append)
    for now in (1.0, 2.0, 3.0):
        plane.at(GET, now, function="F", environment="E")
    plane.at("tick.S", 4.0)
    assert told == [
        Struck(1.0, Fault(GET, 0, "iam-denied", 10.0), "F", "E"),
        Struck(4.0, Fault("tick.S", 0, "tick-late", 9.0)),
    ]
    assert plane.struck == {"iam-denied": 1, "tick-late": 1}


# The catalogue's own questions


def test_the_kinds_that_may_strike_a_site() -> None:
    """Those asked for, in the catalogue's order; unknown names are nobody's."""
    asked = ["credentials-expired", "s3-gone", "s3-slow-down", "tick-late", "no such kind"]
    assert [kind.name for kind in kinds.matching(asked, GET)] == ["s3-slow-down", "s3-gone", "credentials-expired"]
    assert [kind.name for kind in kinds.matching(asked, PUT)] == ["s3-slow-down", "credentials-expired"]
    assert kinds.matching(kinds.ALL, "s3.CreateBucket") == ()
    assert kinds.matching([], GET) == ()


def test_a_kind_is_found_by_its_name() -> None:
    """Whatever space is around it."""
    assert kinds.find(" tick-late ") is kinds.ALL["tick-late"]


def test_a_kind_that_is_not_there_has_a_neighbour() -> None:
    """The error says which one may have been meant, or where they are listed."""
    with pytest.raises(UnusableValueError, match="there is no fault 's3-slowdown'") as error:
        kinds.find("s3-slowdown")
    assert "s3-slow-down" in str(error.value)
    with pytest.raises(UnusableValueError, match="`stockpipe "):
        kinds.find("rain")
