"""What this process has used of the machine."""

from __future__ import annotations

import os
import time
from pathlib import Path


def process_cpu_s() -> float:
    """Processor time of this process so far, user and system, in seconds."""
    return time.process_time()


def process_memory_bytes() -> int:
    """Resident memory now; the peak where the system does not tell (macOS)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
