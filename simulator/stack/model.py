"""The typed stack: what a template declares, resolved, as every other room uses it. No parsing, no I/O.

Resources refer to each other by logical id. Every value is already checked against its type; `rules.py` decides whether
AWS would accept the combination.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote_plus

from simulator.stack.patterns import Pattern

PREFIXES = {"KEY_PREFIX": "stocks/", "REJECTED_PREFIX": "rejected/"}
"""The handlers' settings for where in the bucket they write, with their default values."""

OWN_HANDLERS = ("pipeline.generator.handler", "pipeline.consumer.handler")
"""The handlers of the pipeline that comes with the simulator."""


def prefix_in_force(variables: Mapping[str, str], setting: Literal["KEY_PREFIX", "REJECTED_PREFIX"]) -> str:
    """The prefix that a handler with these environment variables uses."""
    return variables.get(setting) or PREFIXES[setting]


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. `environment` holds its variables as strings; the process's own variables do not reach it.

    `code` is the folder, file or zip that `CodeUri` names, beside the template; `source` is the text of a function that
    has its code in the template. `layers` has the folder of each layer that the template declares, and the ARN of each
    other one. `is_own`: the handler is the pipeline's, and runs from this installation.
    """

    logical_id: str
    name: str
    handler: str
    runtime: str
    memory_mb: int
    timeout_s: int
    environment: Mapping[str, str]
    reserved_concurrency: int | None
    log_format: Literal["Text", "JSON"]
    log_level: str | None
    asynchronous: AsynchronousInvocation
    arn: str
    code: Path | None = None
    source: str | None = None
    layers: tuple[Path | str, ...] = ()
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class AsynchronousInvocation:
    """How Lambda retries an asynchronous event; targets are ARNs."""

    maximum_retries: int = 2
    maximum_event_age_s: int = 21_600
    dead_letter_arn: str | None = None
    on_failure_arn: str | None = None


@dataclass(frozen=True, slots=True)
class ProvisionedPollers:
    """`ProvisionedPollerConfig` of an event source mapping."""

    minimum: int = 2
    maximum: int = 200


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """A queue that invokes a function. `queue` and `function` are logical ids."""

    logical_id: str
    function: str
    queue: str
    batch_size: int = 10
    window_s: int = 0
    maximum_concurrency: int | None = None
    provisioned: ProvisionedPollers | None = None
    reports_batch_item_failures: bool = False
    filters: tuple[Pattern, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rate(), cron() or at() expression that invokes a function. `input` replaces the whole event when given.

    cron() and at() are in `time_zone`, an IANA name, which only Scheduler can set.
    """

    logical_id: str
    name: str
    function: str
    expression: str
    kind: Literal["rule", "scheduler"]
    arn: str
    input: str | None = None
    enabled: bool = True
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Redrive:
    """A queue's redrive policy; `dead_letter_queue` is a logical id."""

    dead_letter_queue: str
    maximum_receives: int


@dataclass(frozen=True, slots=True)
class Queue:
    """A standard queue. `policy` is its resource policy document, if the template attaches one."""

    logical_id: str
    name: str
    arn: str
    visibility_timeout_s: int = 30
    receive_wait_s: int = 0
    retention_s: int = 345_600
    delay_s: int = 0
    maximum_message_bytes: int = 1_048_576
    redrive: Redrive | None = None
    policy: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """S3 tells a queue or a function of events under a prefix and suffix; `target` is its logical id."""

    target: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    @property
    def key_prefix(self) -> str:
        """The prefix as keys begin with it: S3 compares what its events write, such as `dt%3D2026/`."""
        return unquote_plus(self.prefix)

    @property
    def tells_of_puts(self) -> bool:
        """Whether it tells of an object that is put as a whole."""
        return not {"s3:ObjectCreated:*", "s3:ObjectCreated:Put"}.isdisjoint(self.events)

    @property
    def key_suffix(self) -> str:
        """The suffix as keys end with it."""
        return unquote_plus(self.suffix)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and the notifications that it sends."""

    logical_id: str
    name: str
    arn: str
    versioned: bool = False
    notifications: tuple[Notification, ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index of a table: the names of its key attributes, and which attributes it projects."""

    name: str
    is_global: bool
    keys: tuple[str, ...]
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    projected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table: its keys and indexes, and its capacity mode.

    `keys` has name and type ("S", "N", "B") of the partition key, then of the sort key; `attributes` the type of every
    attribute that the template defines, for keys and indexes. `warm_read_units` and `warm_write_units` are what it
    takes per second from the start (`WarmThroughput`).
    """

    logical_id: str
    name: str
    arn: str
    keys: tuple[tuple[str, str], ...]
    provisioned_units: tuple[int, int] | None = None
    maximum_write_units: int | None = None
    warm_read_units: int | None = None
    warm_write_units: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A resource type, trigger or property that AWS would act on and the simulator does not; it is always reported."""

    logical_id: str
    property: str
    reason: str
    line: int | None = None


Sentences = Iterator[tuple[str, str] | tuple[str, str, str]]
"""What a rule says about a stack: logical id, sentence, and the property that it is about, where one is."""


@dataclass(frozen=True, slots=True)
class Stack:
    """All that a template declares, by logical id, in the template's order.

    `lines` says where resources and the functions' events are. `document` is the template as written, with intrinsic
    functions in their long form.
    """

    name: str
    parameters: Mapping[str, str]
    functions: Mapping[str, Function]
    mappings: Mapping[str, EventSourceMapping]
    schedules: Mapping[str, Schedule]
    queues: Mapping[str, Queue]
    buckets: Mapping[str, Bucket]
    tables: Mapping[str, Table]
    ignored: tuple[Ignored, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def mapped(self) -> Iterator[tuple[EventSourceMapping, Queue, Function]]:
        """Each event source mapping with its queue and its function."""
        for mapping in self.mappings.values():
            if mapping.queue in self.queues and mapping.function in self.functions:
                yield mapping, self.queues[mapping.queue], self.functions[mapping.function]

    def managed(self) -> set[str]:
        """The functions that run on Managed Instances, which the twin does not simulate."""
        return {each.logical_id for each in self.ignored if each.property.partition(".")[0] == "CapacityProviderConfig"}
