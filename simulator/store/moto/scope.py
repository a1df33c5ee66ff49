"""What moto's functions, where they are replaced, may know of the request that they are called for.

moto calls them without a place for anything of ours, so they ask `SCOPE`: the application makes a scope for each
request, and it ends with the request, however that ends.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, fields

from simulator.base.chance import Identifiers, Seed, stream
from simulator.base.clock import Clock
from simulator.store.wire.messages import Routed


@dataclass(frozen=True, slots=True)
class StoreContext:
    """What all requests to one store share. `strict`: AWS's rules hold where moto lacks them.

    Each kind of identifier has a stream of its own: how often a queue is polled does not change its messages' ids.
    """

    clock: Clock
    strict: bool
    requests: Identifiers
    messages: Identifiers
    receipts: Identifiers

    @classmethod
    def of(cls, clock: Clock, seed: Seed, *, strict: bool) -> StoreContext:
        """The context of a store that draws its identifiers from `seed`."""
        kinds = (each.name for each in fields(cls) if each.name not in ("clock", "strict"))
        return cls(clock, strict, **{kind: Identifiers(stream(seed, f"store/{kind}")) for kind in kinds})

    def now_ms(self) -> float:
        """Milliseconds since the epoch, as SQS counts."""
        return self.clock.now() * 1000


@dataclass(slots=True)
class RequestScope:
    """One request while it is answered. `index_bytes`: what it has read of secondary indexes so far."""

    store: StoreContext
    routed: Routed
    index_bytes: int = 0


SCOPE: ContextVar[RequestScope] = ContextVar("SCOPE")
"""Of the request that is being answered, LookupError outside of one; set by the application alone."""
