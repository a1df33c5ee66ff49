"""What the store has answered: requests, errors and time by operation. Kept in the store's process."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(slots=True)
class OperationTally:
    """One operation's requests, those answered with an error, and the seconds spent inside (waiting left out)."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Ledger:
    """All operations, by `service.Operation`."""

    operations: dict[str, OperationTally] = field(default_factory=dict)

    def note(self, service: str, operation: str, status: int) -> None:
        """Count one answered request."""
        tally = self._tally(service, operation)
        tally.requests += 1
        if status >= 400:
            tally.errors += 1

    def spent(self, service: str, operation: str, seconds: float) -> None:
        """Add time that was worked, not waited."""
        self._tally(service, operation).seconds += seconds

    def _tally(self, service: str, operation: str) -> OperationTally:
        name = f"{service}.{operation}"
        tally = self.operations.get(name)
        if tally is None:
            tally = self.operations[name] = OperationTally()
        return tally


def process_cpu_s() -> float:
    """Processor time of this process so far, user and system, in seconds."""
    return time.process_time()


def process_memory_bytes() -> int:
    """Resident memory now; the peak where the system does not tell (macOS)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        import resource

        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
