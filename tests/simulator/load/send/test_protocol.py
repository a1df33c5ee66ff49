"""What goes between a load test and its generator."""

from __future__ import annotations

import pytest

from simulator.load.measure.bottleneck import Ceiling
from simulator.load.measure.recording import DROPPED, SENT
from simulator.load.plan.arrivals import constant, spike
from simulator.load.plan.objects import Objects
from simulator.load.send import protocol
from simulator.load.send.signing import Identity

MESSAGES = [
    protocol.Hello("http://e", "http://e/b", Identity("a", "s", None, "r"), Objects("stocks/", 3, 7, 1.5), senders=9),
    protocol.Hello("http://e", "", Identity("a", "s", "t", "r"), Objects("", 0, 7, 1.5, "", "e24="), 9, "http://e/q"),
    protocol.Offer(spike(1, 9, 10), first=3, start_at=1.25, poisson_seed=7, number=2),
    protocol.Fill(5, first=2),
    protocol.MeasureCeiling("http://e/b", "http://e/q", "t", rows=3, seconds=0.5),
    protocol.Stop(),
    protocol.Ready(),
    protocol.Started(1.25),
    protocol.Offered(4),
    protocol.OrderFailed("OSError: it\nbroke"),
    Ceiling(1.0, 2.0, 3.0, 4.0),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_one_line_and_comes_back_as_it_was(message: protocol.Order | protocol.Answer) -> None:
    """Classes inside classes included: the profile's segments, the objects with the bytes that they make."""
    line = protocol.encode(message)
    assert b"\n" not in line
    assert protocol.decode(line) == message


def test_fates_come_back_in_their_order() -> None:
    """They are told by the thousand: as plain rows."""
    fates: list[protocol.Fate] = [(0, 1.0, 1.1, SENT), (1, None, None, DROPPED), (2, 1.0, 1.1, SENT, "message-id")]
    back = protocol.decode(protocol.encode(protocol.Sent(fates, ["why"], 0.5)))
    assert isinstance(back, protocol.Sent)
    assert [tuple(fate) for fate in back.fates] == fates
    assert (back.failures, back.cpu_s) == (["why"], 0.5)


def test_an_offer_knows_its_instants() -> None:
    """The profile's own without a seed; with one, each offer of a run has others."""
    first, second = (protocol.Offer(constant(10, 1), 0, 0.0, 7, number) for number in range(2))
    assert list(protocol.Offer(constant(10, 1), 0, 0.0).offsets()) == list(constant(10, 1).offsets())
    assert list(first.offsets()) == list(first.offsets()) != list(second.offsets())
