"""Child processes that each run one function, within limits, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILLED, SURVIVED, TIMED_OUT, LEFT = "killed", "survived", "timed out", "left"
MEMORY_BYTES = 4 << 30
IMPORT_S = 10


class Forks:
    """Child processes that each run one function and return its result; `jobs` of them at a time."""

    def __init__(self, jobs: int, directory: Path) -> None:
        self.jobs = jobs
        self.directory = directory
        self.running: dict[int, tuple[Path, Callable[[Any], object], bool]] = {}

    def start(self, act: Callable[[], Any], then: Callable[[Any], object], silent: bool = True) -> None:
        """Run `act` in a child as soon as there is room; `then` is called with its result.

        A silent child has limits, and everything that it started ends with it.
        """
        while len(self.running) >= self.jobs:
            self.wait()
        place = Path(tempfile.mkdtemp(dir=self.directory))
        if pid := os.fork():
            self.running[pid] = place, then, silent
            return
        try:
            os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(place)
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1) if not silent else (0, 1, 2):
                os.dup2(silence, stream)
            if silent:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                limit_time(IMPORT_S)
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            (place / "result").write_bytes(pickle.dumps(act()))
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)

    def wait(self) -> None:
        """Wait until a child has ended. If it ends without a result, its mutant ended it."""
        try:
            pid, status = os.wait()
        except BaseException:
            for pid, (_, _, silent) in self.running.items():
                os.kill(pid, signal.SIGKILL if silent else signal.SIGINT)
            raise
        place, then, _ = self.running.pop(pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        result = place / "result"
        timed_out = os.waitstatus_to_exitcode(status) in (-signal.SIGALRM, -signal.SIGPROF)
        then(pickle.loads(result.read_bytes()) if result.exists() else TIMED_OUT if timed_out else KILLED)
        shutil.rmtree(place, ignore_errors=True)

    def wait_all(self) -> None:
        """Wait until no child is left."""
        while self.running:
            self.wait()


def limit_time(expected_s: float) -> None:
    """End this process after a multiple of that in processor time, or a larger multiple in real time."""
    signal.setitimer(signal.ITIMER_PROF, 1 + 3 * expected_s)
    signal.setitimer(signal.ITIMER_REAL, 10 + 10 * expected_s)
