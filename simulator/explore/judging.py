"""What is wrong with a world once it has drained. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from simulator.base.counters import is_test_event
from simulator.base.observations import MessageSettled, MessagesReceived, Observation
from simulator.base.words import counted
from simulator.faults import kinds
from simulator.faults.plane import Struck
from simulator.proof.account import Audit
from simulator.proof.deliveries import Deliveries
from simulator.run.invariants import InvariantOutcome

Symptom = Literal[
    "failed", "not drained", "lost", "stale", "invented", "figures differ", "settled not once", "given up early",
    "given up without cause", "invariant",
]  # fmt: skip


_WRONG_ROWS = ("lost", "stale", "invented")


class WorldProblem(NamedTuple):
    """One thing that is wrong, and a sentence about it. `name` is that of an invariant."""

    symptom: Symptom
    said: str
    name: str = ""

    @property
    def sort(self) -> str:
        """What two problems have in common if they are the same."""
        return f"{self.symptom} {self.name}".strip()

    def shows(self, other: WorldProblem) -> bool:
        """Whether it shows the same, or more plainly: where figures differ, rows may be wrong."""
        return self.sort == other.sort or (other.symptom == "figures differ" and self.symptom in _WRONG_ROWS)


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A message in a dead-letter queue: how often it was received, and how often it had to be before it came there.

    `about` names its objects, if it has any.
    """

    message_id: str
    about: str
    queue: str
    receives: int
    maximum: int
    readable: bool | None = None

    @property
    def named(self) -> str:
        """The message in words."""
        return f"the message of {self.about}" if self.about else f"message {self.message_id}"


@dataclass
class Deeds:
    """Counts deliveries and their outcomes as they are observed. `arms` has every outcome, by reason."""

    arms: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)
    twice: list[str] = field(default_factory=list)
    _deliveries: set[tuple[str, str, int]] = field(default_factory=set)

    def record(self, observation: Observation) -> None:
        """Count one."""
        if isinstance(observation, MessagesReceived):
            self.received[observation.mapping] += observation.count
        elif isinstance(observation, MessageSettled):
            delivery = observation.mapping, observation.message_id, observation.receive_count
            if delivery in self._deliveries:
                self.twice.append(observation.message_id)
            self._deliveries.add(delivery)
            self.settled[observation.mapping] += 1
            if not is_test_event(observation.body):
                self.arms[observation.reason] += 1

    def problems(self) -> Iterator[WorldProblem]:
        """Each delivery has exactly one outcome."""
        for identifier in self.twice:
            yield WorldProblem("settled not once", f"a delivery of message {identifier} was settled twice")
        for mapping, received in self.received.items():
            if (settled := self.settled[mapping]) != received:
                said = f"{mapping} received {counted(received, 'message')} and settled {settled:,}"
                yield WorldProblem("settled not once", said)


def of_audit(audit: Audit) -> Iterator[WorldProblem]:
    """What the proof of the pipeline's rows says. Rows that their own object replaces are no problem."""
    if audit.pending.objects:
        yield WorldProblem(
            "not drained", f"{counted(audit.pending.objects, 'object')} still waited when the time was up"
        )
    sorts: Mapping[Symptom, int] = {"lost": audit.missing, "stale": audit.different, "invented": audit.extra or 0}
    said = audit.differences[0] if audit.differences else ""
    for symptom, count in sorts.items():
        if count:
            mark = {"lost": ": missing", "stale": " should be ", "invented": ": extra"}[symptom]
            yield WorldProblem(symptom, next((each for each in audit.differences if mark in each), said))
    if audit.verdict == "differs" and not any(sorts.values()):
        yield WorldProblem("figures differ", said)


def of_deliveries(deliveries: Deliveries) -> Iterator[WorldProblem]:
    """What an application's messages and events say."""
    if deliveries.remaining or deliveries.events_waiting:
        waiting = deliveries.remaining + deliveries.events_waiting
        yield WorldProblem("not drained", f"{counted(waiting, 'message')} still waited when the time was up")
    if deliveries.lost:
        yield WorldProblem("lost", f"{counted(abs(deliveries.lost), 'message')} unaccounted for")
    if deliveries.events_lost:
        yield WorldProblem("lost", f"{counted(deliveries.events_lost, 'event')} given up, and kept nowhere")


def of_dead_letters(letters: Sequence[GivenUp], struck: Sequence[Struck]) -> Iterator[WorldProblem]:
    """A message is given up only after its receives, and a readable object's only if faults spoilt every one of them.

    A fault that lasts can spoil them all.
    """
    lasting = any(kinds.ALL[each.fault.kind].scope != "call" for each in struck)
    replaced = any(each.fault.kind == "s3-replaced" for each in struck)  # perhaps by what nobody can read
    for letter in letters:
        times = f"after {counted(letter.receives, 'receive')} of {letter.maximum}"
        if letter.receives < letter.maximum:
            yield WorldProblem("given up early", f"{letter.named} was given up {times}")
        elif letter.readable and not (lasting or replaced) and len(struck) < letter.maximum:
            said = f"with {counted(len(struck), 'fault')} in all"
            yield WorldProblem("given up without cause", f"{letter.named} was given up {times}, {said}")


def of_invariants(outcomes: Sequence[InvariantOutcome]) -> Iterator[WorldProblem]:
    """The user's own."""
    for outcome in outcomes:
        if not outcome.held:
            yield WorldProblem("invariant", f"{outcome.name}: {outcome.message or 'does not hold'}", outcome.name)
