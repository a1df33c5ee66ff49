"""What this process has used of the machine, and may use."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from pathlib import Path

from simulator.base import limits
from simulator.base.errors import CouldNotFinish


def process_cpu_s() -> float:
    """Processor time of this process so far, user and system, in seconds."""
    return time.process_time()


def process_memory_bytes() -> int:
    """Resident memory now; the peak if the system does not report it (macOS)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def allow_open_files() -> None:
    """Raise the limit on open files, for this process and its children, as far as the system allows.

    Each connection is an open file, and shells allow few, 256 on macOS. Raises `CouldNotFinish` if a run needs more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.OPEN_FILES if hard == resource.RLIM_INFINITY else min(limits.OPEN_FILES, hard)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        with contextlib.suppress(OSError, ValueError):  # a system may have its own bound below the hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft != resource.RLIM_INFINITY and soft < limits.OPEN_FILES_LEAST:
        raise CouldNotFinish(
            f"the limit on open files is {soft}, and a run needs {limits.OPEN_FILES_LEAST}",
            hint=f"raise it with `ulimit -n {limits.OPEN_FILES_LEAST}` and run again",
        )
