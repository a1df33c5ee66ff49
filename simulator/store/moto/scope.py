"""What replaced functions of moto may know about the current request.

moto calls them without a parameter for our own data, so they read `SCOPE`: the application makes a scope for each
request, which ends with the request, whether or not it raises.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from simulator.base.chance import Identifiers, Seed, stream
from simulator.base.clock import Clock
from simulator.faults.plane import NO_FAULTS, Plane
from simulator.store.wire.messages import Routed


@dataclass(frozen=True, slots=True)
class StoreContext:
    """What all requests to one store share. `strict`: apply AWS's rules where moto lacks them.

    Each kind of identifier has its own stream: how often a queue is polled does not change its messages' ids.
    `notified_s` says for each of S3's events how long it is on its way to its queue, `plane` which faults strike.
    """

    clock: Clock
    strict: bool
    requests: Identifiers
    messages: Identifiers
    receipts: Identifiers
    notified_s: Callable[[], float] = float
    plane: Plane = NO_FAULTS

    @classmethod
    def of(
        cls,
        clock: Clock,
        seed: Seed,
        *,
        strict: bool,
        notified_s: Callable[[], float] = float,
        plane: Plane = NO_FAULTS,
    ) -> StoreContext:
        """The context of a store that draws its identifiers from `seed`."""
        requests, messages, receipts = (
            Identifiers(stream(seed, f"store/{kind}")) for kind in ("requests", "messages", "receipts")
        )
        return cls(clock, strict, requests, messages, receipts, notified_s, plane)

    def now_ms(self) -> float:
        """Milliseconds since the epoch, SQS's unit."""
        return self.clock.now() * 1000


@dataclass(slots=True)
class RequestScope:
    """One request while it is answered. `index_bytes`: how much of secondary indexes it has read so far."""

    store: StoreContext
    routed: Routed
    index_bytes: int = 0


SCOPE: ContextVar[RequestScope] = ContextVar("SCOPE")
"""The scope of the current request, LookupError outside of one; only the application sets it."""
