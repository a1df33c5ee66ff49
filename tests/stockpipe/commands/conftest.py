"""The commands as a user starts them: a process of their own, its output, its exit code, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.waiting import DEADLINE_S, wait_until

ROOT = Path(__file__).resolve().parents[3]
LOAD_TEST = """
from simulator.base import limits
limits.LOAD_CEILING_S = 0.1
from stockpipe.__main__ import main
main()
"""
"""`python -m stockpipe load-test`, but for the two seconds in which it asks all that the store can do."""


@pytest.fixture(autouse=True)
def _this_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in processes of their own, wherever they are started, run the code of this tree."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """What `--summary -` wrote."""
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed


class Running:
    """A command that runs in a process group of its own."""

    def __init__(self, arguments: tuple[str, ...], directory: Path, environ: dict[str, str]) -> None:
        program = ("-c", LOAD_TEST) if arguments[0] == "load-test" else ("-m", "stockpipe")
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=directory,
            env={**os.environ, "TMPDIR": str(directory / "tmp"), "COLUMNS": "200", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._directory = directory

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Look until the condition holds; a test fails at the deadline or when the command ends first."""

        def come() -> bool:
            assert self.process.poll() is None, f"ended before {what}: {self.process.communicate()}"
            return condition()

        wait_until(come, what)

    def wait_ready(self) -> dict[str, Any]:
        """The ready file's content; the command must have been started with `--ready ready.json`."""
        file = self._directory / "ready.json"
        self.wait_for(file.exists, "the ready file")
        ready: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return ready

    def signal(self, number: signal.Signals) -> None:
        """Signal the command alone, as `kill` does."""
        self.process.send_signal(number)

    def signal_until_it_ends(self, number: signal.Signals) -> None:
        """Signal again and again, as an impatient person does: signals that arrive together count as one."""

        def ended() -> bool:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.2)
            return self.process.poll() is not None

        wait_until(ended, "end after so many signals")

    def children(self) -> list[int]:
        """The processes that the command has started."""
        return [pid for pid, parent in _processes().items() if parent == self.process.pid]

    def finish(self) -> Finished:
        """Wait for the end."""
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return Finished(self.process.returncode, out, err)


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `stockpipe ARGUMENTS`; at the end nothing of it may run, and its temporary directory must be empty."""
    (tmp_path / "tmp").mkdir()
    started: list[Running] = []

    def start(*arguments: str, **environ: str) -> Running:
        running = Running(arguments, tmp_path, environ)
        started.append(running)
        return running

    yield start
    for running in started:
        alive = running.process.poll() is None
        if alive:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.communicate()
        assert not alive, "the command was still running"
        _assert_group_gone(running.process.pid)
    assert list((tmp_path / "tmp").iterdir()) == []


def _assert_group_gone(group: int) -> None:
    """Wait until no process of the session is left; a child may need a moment to notice its parent's death."""
    wait_until(lambda: group not in map(_session, _processes()), f"end of all that session {group} started")


def _processes() -> dict[int, int]:
    """The parent of each process that is no zombie: from /proc, or from ps where there is none, as on macOS."""
    if not Path("/proc/self").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
        rows = [line.split() for line in listed.stdout.splitlines()]
        return {int(pid): int(parent) for pid, parent, state, *_ in rows if not state.startswith("Z")}
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                state, parent, *_ = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
    return parents


def _session(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return os.getsid(pid)
    return None


@pytest.fixture
def stockpipe(start: Start) -> Callable[..., Finished]:
    """Run `stockpipe ARGUMENTS` to its end."""

    def stockpipe(*arguments: str, **environ: str) -> Finished:
        return start(*arguments, **environ).finish()

    return stockpipe
