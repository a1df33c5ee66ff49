"""What came of a load test so far: its stretches of load, and everything measured about them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulator.base.errors import StockpipeError
from simulator.load.measure.bottleneck import Bottleneck, Ceiling
from simulator.load.measure.recording import Recording
from simulator.load.plan.capacity_search import CapacitySearch
from simulator.proof.account import Audit
from simulator.twin.resources import Resources


@dataclass(slots=True)
class Span:
    """One stretch of load: objects `numbers`, from `begun_at` to the last arrival at `offered_at`.

    `durations` are those of the consumer's invocations meanwhile, in the tap's own order.
    """

    numbers: range
    begun_at: float
    offered_at: float
    durations: slice
    drained_at: float | None = None
    drained: bool = True

    def plan(self, numbers: range, begun_at: float, offered_at: float) -> None:
        """These objects arrive between the two instants."""
        self.numbers, self.begun_at, self.offered_at = numbers, begun_at, offered_at

    def cut(self, count: int, at: float) -> None:
        """Only the first `count` were offered; it ended early, at `at`."""
        self.numbers, self.offered_at = self.numbers[:count], at

    def end(self, drained: bool, at: float, durations: int) -> None:
        """All that will be stored is, the last of it at `at`; the run has had `durations` invocations by then."""
        self.drained, self.drained_at, self.durations = drained, at, slice(self.durations.start, durations)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out after the load: the audit of a twin, CloudWatch's figures of a deployed stack."""

    audit: Audit | None = None
    cloud: Mapping[str, float | None] | None = None


@dataclass(slots=True)
class Result:
    """How far a load test has come, so that whatever ends it can tell what was done.

    `span` is the stretch that the percentiles are of: the whole run, the backlog's drain, or the last probe of the
    search that held. `limit` is the search's last probe that was too much: the verdict is of that one.
    """

    recording: Recording = field(default_factory=Recording)
    resources: Resources | None = None
    spans: list[Span] = field(default_factory=list)
    span: Span | None = None
    spike: Span | None = None
    limit: Span | None = None
    ceiling: Ceiling | None = None
    search: CapacitySearch | None = None
    generator_cpu: float | None = None
    failures: Sequence[str] = ()
    verdict: Bottleneck | None = None
    proof: Proof = field(default_factory=Proof)
    interrupted: bool = False
    failure: StockpipeError | None = None

    def located(self, resources: Resources) -> None:
        """Everything that the load goes through exists."""
        self.resources = resources

    def measured(self, ceiling: Ceiling | None) -> None:
        """What bare requests reach; None where nobody asked."""
        self.ceiling = ceiling

    def searched(self, search: CapacitySearch, span: Span | None = None) -> None:
        """The search as it stands, after a probe in `span`."""
        self.search = search
        if span is not None and search.outcomes[-1].sustained:
            self.span = span
        elif span is not None:
            self.limit = span

    def report(self, span: Span, spike: Span | None = None) -> None:
        """The stretch that the figures are of, and the spike that followed it."""
        self.span, self.spike = span, spike

    def sent(self, generator_cpu: float | None, failures: Sequence[str], *, interrupted: bool) -> None:
        """All that will be sent is sent, with this share of a core; why the first few puts failed."""
        self.generator_cpu, self.failures, self.interrupted = generator_cpu, failures, interrupted

    def judged(self, verdict: Bottleneck) -> None:
        """What held it back."""
        self.verdict = verdict

    def proved(self, proof: Proof) -> None:
        """What was found out afterwards."""
        self.proof = proof

    def ended_early(self, failure: StockpipeError | None = None) -> None:
        """A failure of ours or, without one, a second signal ended it."""
        self.failure, self.interrupted = failure, self.interrupted or failure is None
