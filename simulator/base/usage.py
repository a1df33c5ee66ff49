"""What this process has used of the machine, and may use."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
from pathlib import Path
from time import perf_counter, process_time

from simulator.base import limits
from simulator.base.errors import CouldNotFinish


def process_cpu_s() -> float:
    """Processor time of this process so far, user and system, in seconds."""
    return process_time()


def process_memory_bytes() -> int:
    """Resident memory now; the peak if the system does not report it (macOS)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Used:
    """What this process uses of the machine; real time counts from here on."""

    def __init__(self) -> None:
        self._began_s = perf_counter()

    def as_json(self) -> dict[str, float]:
        """Real seconds so far; processor time in seconds and resident memory in MB, of the whole process."""
        return {
            "wall_s": round(perf_counter() - self._began_s, 3),
            "cpu_s": round(process_cpu_s(), 3),
            "memory_mb": round(process_memory_bytes() / 2**20, 1),
        }


def machine() -> dict[str, str | int | None]:
    """What this machine is: its system and processor in words, its cores, its memory in bytes; None: nobody says."""
    memory_bytes: int | None = None
    with contextlib.suppress(OSError, ValueError):
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": memory_bytes,
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return f"{value.strip()} ({platform.machine()})"
    return platform.processor() or platform.machine()


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
