"""The result of a load test so far: its spans of load, and everything measured about them. No I/O."""

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
    """One span of load: the objects `numbers`, from `begun_at` to the last arrival at `offered_at`.

    `durations` selects the consumer's invocations in this time, in the tap's order.
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
        """Everything that will be stored is stored, the last at `at`, when the run had had `durations` invocations."""
        self.drained, self.drained_at, self.durations = drained, at, slice(self.durations.start, durations)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was learnt after the load: a twin's audit, or CloudWatch's figures for a deployed stack."""

    audit: Audit | None = None
    cloud: Mapping[str, float | None] | None = None


@dataclass(slots=True)
class Result:
    """How far a load test has come, so that a report is possible however it ends.

    `span` is the one that the percentiles describe: the whole run, the backlog's drain, or the search's last probe that
    held. `limit` is the search's last probe that was too much; the verdict describes that one.
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
        """All resources that the load uses exist."""
        self.resources = resources

    def measured(self, ceiling: Ceiling | None) -> None:
        """The raw ceiling; None if it was not measured."""
        self.ceiling = ceiling

    def searched(self, search: CapacitySearch, span: Span | None = None) -> None:
        """The current state of the search, after a probe in `span`."""
        self.search = search
        if span is not None and search.outcomes[-1].sustained:
            self.span = span
        elif span is not None:
            self.limit = span

    def report(self, span: Span, spike: Span | None = None) -> None:
        """Set the span that the figures describe, and the spike that followed it."""
        self.span, self.spike = span, spike

    def sent(self, generator_cpu: float | None, failures: Sequence[str], *, interrupted: bool) -> None:
        """Everything is sent. `generator_cpu` is a share of one core; `failures` say why the first few puts failed."""
        self.generator_cpu, self.failures, self.interrupted = generator_cpu, failures, interrupted

    def judged(self, verdict: Bottleneck) -> None:
        """What held the pipeline back."""
        self.verdict = verdict

    def proved(self, proof: Proof) -> None:
        """What was learnt after the load."""
        self.proof = proof

    def ended_early(self, failure: StockpipeError | None = None) -> None:
        """Our own failure or, without one, a second signal ended the test."""
        self.failure, self.interrupted = failure, self.interrupted or failure is None
