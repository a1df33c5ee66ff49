"""What happened, as typed facts. The rooms record them; telemetry, the logs and the load test aggregate them.

An observation is made at the moment of the fact and never changed. `function` and `queue` are logical ids. A recorder
must be cheap and must not raise: it is called in the middle of a hot path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulator.base.counters import StoreCounters

Phase = Literal["starting", "running", "draining", "auditing", "done"]
NoteKind = Literal["caption", "fault", "note", "progress", "warning"]
Outcome = Literal["success", "error", "timeout", "crash", "init-error"]


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The run entered a phase; after a drain, `events_waiting` asynchronous events are neither done nor given up."""

    at: float
    phase: Phase
    events_waiting: int = 0


@dataclass(frozen=True, slots=True)
class TickFired:
    """A schedule came due, for the `number`th time from 0; `next_at` is when it is due again (None: this was the last).

    `event_time` is the `time` of the event that it sends, None if it has none.
    """

    at: float
    schedule: str
    function: str
    number: int
    next_at: float | None
    event_time: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectPut:
    """The simulator itself put an object (a real file or load), and the store answered."""

    at: float
    bucket: str
    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MessageSent:
    """The simulator itself sent a message to a queue, and the store answered, or an event to a function."""

    at: float
    to: str


@dataclass(frozen=True, slots=True)
class PollersScaled:
    """An event source mapping may now process `concurrency` batches at once."""

    at: float
    mapping: str
    concurrency: int


@dataclass(frozen=True, slots=True)
class MessagesReceived:
    """A poller received `count` messages (0: an empty receive), of which `test_events` are S3's."""

    at: float
    mapping: str
    queue: str
    count: int
    test_events: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentStarted:
    """A cold start finished after `init_s`."""

    at: float
    function: str
    environment: int
    init_s: float


@dataclass(frozen=True, slots=True)
class EnvironmentRetired:
    """An environment is gone: reset, recycled, idle for too long, or the run ended."""

    at: float
    function: str
    environment: int
    reason: str


@dataclass(frozen=True, slots=True)
class InvocationStarted:
    """An environment received an event; `messages` is the batch's size for a queue, 0 otherwise."""

    at: float
    function: str
    environment: int
    request_id: str
    messages: int
    cold: bool


@dataclass(frozen=True, slots=True)
class InvocationEnded:
    """An invocation returned, failed or was killed. `duration_s` is billed time without init."""

    at: float
    function: str
    environment: int
    request_id: str
    messages: int
    outcome: Outcome
    duration_s: float
    init_s: float | None
    memory_used_mb: int | None
    error_type: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class InvocationThrottled:
    """Lambda refused an invocation (429); `reason` is the limit that was reached."""

    at: float
    function: str
    reason: str
    messages: int


@dataclass(frozen=True, slots=True)
class EventSettled:
    """An asynchronous event of a function (a tick, a bucket's event) succeeded, or was given up after its last attempt.

    `event` is its JSON text; `kept` says whether a given-up one is in a dead-letter queue or at a destination.
    """

    at: float
    function: str
    event: str
    accepted_at: float
    succeeded: bool
    kept: bool = False


FILTERED = "filtered"
"""Why a message was deleted: the mapping's filter criteria match it to no function."""


@dataclass(frozen=True, slots=True)
class MessageSettled:
    """The outcome of one delivery: deleted, or left in the queue until its visibility timeout ends.

    `sent_at` and `received_at` are the queue's instants, `at` the return of the invocation.
    """

    at: float
    mapping: str
    queue: str
    message_id: str
    body: str
    sent_at: float
    received_at: float
    receive_count: int
    deleted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class LogWritten:
    """One line of a function's log stream, without its newline."""

    at: float
    function: str
    environment: int
    line: str


@dataclass(frozen=True, slots=True)
class StoreSampled:
    """The store's counters, read several times per second."""

    at: float
    counters: StoreCounters


@dataclass(frozen=True, slots=True)
class AuditProgressed:
    """The proof has done `done` of `total` steps of its current part; `left_s`, if known, is the time for the rest."""

    at: float
    part: str
    done: int
    total: int
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class FaultStruck:
    """A fault struck: the `ordinal`-th time that something happened at `site`. `function` is whose deed it was, if any.

    `argument` is in the kind's unit (`faults/kinds.py`). `environment` is the log stream of the function's environment.
    """

    at: float
    site: str
    ordinal: int
    kind: str
    argument: float
    function: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth telling the person who watches: a scenario's caption, a fault switched on."""

    at: float
    text: str
    kind: NoteKind = "note"


Observation = (
    PhaseChanged
    | TickFired
    | ObjectPut
    | MessageSent
    | PollersScaled
    | MessagesReceived
    | EnvironmentStarted
    | EnvironmentRetired
    | InvocationStarted
    | InvocationEnded
    | InvocationThrottled
    | EventSettled
    | MessageSettled
    | LogWritten
    | StoreSampled
    | AuditProgressed
    | FaultStruck
    | Noted
)
Record = Callable[[Observation], None]
