"""The protocol between a load test and the generator's process: each message is a class, sent as one line of JSON.

Orders go to the generator: first `Hello`, then `Offer`, `Fill` and `MeasureCeiling`, one at a time; `Stop` ends the
current one. It answers `Ready` to the first order. For each other order it sends `Sent` as often as there is something
to report, and at the end `Offered`, `Ceiling` or `OrderFailed`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from simulator.base import limits
from simulator.load.measure.bottleneck import Ceiling
from simulator.load.plan.arrivals import Profile, poisson_offsets
from simulator.load.plan.objects import Objects
from simulator.load.send.signing import Identity

Fate = tuple[int, float | None, float | None, int] | tuple[int, float | None, float | None, int, str]
"""What became of an arrival: its number, when it was sent and answered, its status in `Recording`; a message's id."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Where to put objects (or send them as messages), whose credentials, which objects, and how many at once."""

    endpoint: str
    bucket_url: str
    identity: Identity
    objects: Objects
    senders: int = limits.LOAD_SENDERS
    queue_url: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Send by the plan from `start_at` on; the first object has number `first`.

    With a `poisson_seed`, arrivals are random instead of at the profile's own instants; `number` is the offer's number
    in its run.
    """

    profile: Profile
    first: int
    start_at: float
    poisson_seed: int | None = None
    number: int = 0

    def offsets(self) -> Iterator[float]:
        """When each object arrives, in seconds from the start."""
        if self.poisson_seed is None:
            return self.profile.offsets()
        return poisson_offsets(self.profile, self.poisson_seed, self.number)


@dataclass(frozen=True, slots=True)
class Fill:
    """Put `count` objects as fast as the target accepts them, a few at a time: a backlog, not a measurement."""

    count: int
    first: int
    senders: int = limits.LOAD_FILL_SENDERS


@dataclass(frozen=True, slots=True)
class MeasureCeiling:
    """Send bare requests to these resources for `seconds`."""

    bucket_url: str
    queue_url: str
    table: str
    rows: int
    seconds: float = limits.LOAD_CEILING_S
    clients: int = limits.LOAD_CEILING_CLIENTS


@dataclass(frozen=True, slots=True)
class Stop:
    """End the current order, after the requests in flight."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The generator is ready for orders."""


@dataclass(frozen=True, slots=True)
class Started:
    """The instant at which an offer's plan begins."""

    at: float


@dataclass(frozen=True, slots=True)
class Sent:
    """Fates since the previous answer, why the first few puts failed, and the generator's CPU time so far."""

    fates: list[Fate]
    failures: list[str]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer or a fill has ended, after `count` objects."""

    count: int


@dataclass(frozen=True, slots=True)
class OrderFailed:
    """An order could not be carried out."""

    reason: str


Order = Hello | Offer | Fill | MeasureCeiling | Stop
Answer = Ready | Started | Sent | Offered | Ceiling | OrderFailed
_hints = cache(get_type_hints)
_KINDS: dict[str, type[Order | Answer]] = {kind.__name__: kind for kind in (*get_args(Order), *get_args(Answer))}


def encode(message: Order | Answer) -> bytes:
    """A message as one line, without the newline."""
    return json.dumps([type(message).__name__, _members(message)], default=_members).encode()


def decode(line: bytes) -> Order | Answer:
    """The message in a line."""
    name, members = json.loads(line)
    message: Order | Answer = _built(_KINDS[name], members)
    return message


def _members(message: Any) -> dict[str, Any]:
    return {each.name: getattr(message, each.name) for each in fields(message) if each.init}


def _built(kind: Any, content: Any) -> Any:
    """Convert `content` from JSON to the annotated type `kind`, as far as that uses our own classes."""
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _built(hints[name], member) for name, member in content.items()})
    inner = get_args(kind)[:1]
    if isinstance(content, list) and inner and is_dataclass(inner[0]):
        return tuple(_built(inner[0], member) for member in content)
    return content
