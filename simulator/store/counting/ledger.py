"""What the store has answered: requests, errors and time by operation. Kept in the store's process."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class OperationTally:
    """One operation's figures, named as in `OperationCounters`."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Ledger:
    """All operations, by `service.Operation`."""

    operations: dict[str, OperationTally] = field(default_factory=lambda: defaultdict(OperationTally))

    def add(self, service: str, operation: str, seconds: float, status: int | None = None) -> None:
        """Add time that was worked, not waited, and, with its status, one answered request."""
        tally = self.operations[f"{service}.{operation}"]
        tally.seconds += seconds
        if status is not None:
            tally.requests += 1
            tally.errors += status >= 400
