"""Starts in the environment's own process, before AWS's runtime client: `bootstrap.py PARENT HANDLER`.

It ties the process to the simulator's life, sets Lambda's limit on open files, and becomes `python -m awslambdaric`. It
imports nothing from the simulator: only what the function would find on Lambda is available.
"""

import ctypes
import os
import resource
import runpy
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 1024


def main() -> None:
    """Never returns: the runtime client serves events until the process is killed."""
    parent, handler = int(sys.argv[1]), sys.argv[2]
    # However the simulator ends, even if killed, its environments end with it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = min(_OPEN_FILES, hard) if hard != resource.RLIM_INFINITY else _OPEN_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    _set_clock(float(os.environ.pop("STOCKPIPE_CLOCK_APART_S", "0")))
    sys.argv = ["awslambdaric", handler]
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


def _set_clock(apart_s: float) -> None:
    """A fault: what `time.time` says is so far from the truth."""
    if apart_s:
        now, now_ns, apart_ns = time.time, time.time_ns, round(apart_s * 1e9)
        time.time = lambda: now() + apart_s
        time.time_ns = lambda: now_ns() + apart_ns


main()
