"""How a command ends by a signal, whenever it comes: by its code, in one line, with what it had to say written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]

SIMULATE = ("simulate", "--duration", "0s", "--no-schedule", "--files", "3", "--rows", "20")
# The consumer cannot read its objects, so that a first signal is followed by a drain without an end.
LOAD_TEST = (
    *("load-test", "--rate", "20/s", "--duration", "1m", "--rows", "5", "--report", "page.html"),
    *("--parameter", "TickerColumn=timestamp"),
)
SINK = (*LOAD_TEST, "--target", "sink")
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def begin(start: Start, command: tuple[str, ...]) -> Any:
    """Start it with a line a second, and a summary in `s.json`."""
    return start(*command, "--ui", "plain", "--every", "1s", "--summary", "s.json", PYTHONUNBUFFERED="1")


def seen(running: Any, phase: str) -> None:
    """Wait for a line of that phase; of a load test that runs, until something is sent."""

    def told() -> bool:
        line = running.process.stdout.readline()
        return f" {phase} " in line[:20] and not (phase == "running" and "sent=0 " in line)

    running.wait_for(told, phase)


def summary(directory: Path) -> Any:
    """What was written."""
    return json.loads((directory / "s.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("command", "phase", "number"),
    [
        (SIMULATE, "starting", signal.SIGTERM),
        (LOAD_TEST, "running", signal.SIGTERM),
        (SINK, "starting", signal.SIGTERM),
        (SINK, "running", signal.SIGINT),
    ],
)
def test_two_signals_end_at_once_with_all_that_was_seen(
    start: Start, tmp_path: Path, command: tuple[str, ...], phase: str, number: signal.Signals
) -> None:
    """Summary and page are written, unproven is exit code 1, and impatience after that changes nothing."""
    running = begin(start, command)
    seen(running, phase)
    running.signal_until_it_ends(number)

    ended = running.finish()
    written = summary(tmp_path)
    nothing_sent = command is SINK and phase == "starting"
    assert (ended.code, "Traceback" in ended.err) == (130 if nothing_sent else 1, False), ended.err
    assert written["interrupted"] is True
    assert command is SINK or written["audit"]["verdict"] == "unproven"
    assert command is SIMULATE or "</html>" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [SIMULATE, LOAD_TEST], ids=["simulate", "load-test"])
def test_signals_while_the_last_word_of_a_failure_is_written(
    start: Start, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """When an engine dies the run is over, and Ctrl-C cannot cut its summary short: one line, exit code 3."""
    running = begin(start, command)
    seen(running, "running")
    for pid in running.children():
        os.kill(pid, signal.SIGKILL)
    running.signal_until_it_ends(signal.SIGINT)

    ended = running.finish()
    lines = [line for line in ended.err.splitlines() if not line.startswith("endpoint ")]
    assert (ended.code, lines[1:], "Traceback" in ended.err) == (3, ["  hint: start the run again"], False), ended.err
    assert summary(tmp_path)["command"] == command[0]


@pytest.mark.usefixtures("unmeasured")
def test_a_store_that_is_frozen_ends_the_run(start: Start, tmp_path: Path) -> None:
    """Ten seconds without an answer are one line and exit code 3, with a summary of what was seen; nothing is left."""
    running = begin(start, SIMULATE)
    seen(running, "running")
    for pid in running.children():
        os.kill(pid, signal.SIGSTOP)

    ended = running.finish()
    line, _hint = (line for line in ended.err.splitlines() if not line.startswith("endpoint "))
    assert (ended.code, "stockpipe: the store's process does not answer" in line) == (3, True), ended.err
    assert summary(tmp_path)["audit"]["verdict"] == "unproven"


@SIGNALS
@pytest.mark.parametrize("command", ["--help", "check", "store", "simulate", "load-test", "package", "verify"])
def test_a_signal_before_a_command_has_begun_is_the_end(command: str, number: signal.Signals) -> None:
    """While Python still imports what a command needs: exit code 130 and a line, never a traceback of imports."""
    script = (
        "import os, sys\nfrom importlib.abc import MetaPathFinder\n"
        "class Late(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == 'typer.core': os.kill(os.getpid(), {number.value})\n"
        "sys.meta_path.insert(0, Late())\n"
        f"sys.argv = ['stockpipe', {command!r}]\n"
        "from stockpipe.__main__ import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stockpipe: interrupted\n")


@SIGNALS
def test_a_store_that_still_starts_is_stopped_at_once(start: Start, number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM is the normal end of `store`, also before it serves; its process goes with it."""
    running = start("store", "--port", "0")
    running.wait_for(running.children, "the store's process")
    running.signal(number)

    ended = running.finish()
    assert (ended.code, "Traceback" in ended.err) == (0, False), ended.err


@SIGNALS
def test_an_interrupted_package_leaves_nothing(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    """A signal while pip works: exit code 130 and a line, no half a zip, no temporary directory."""
    running = start("package", "--output", "out.zip")
    running.wait_for(running.children, "pip")
    running.signal(number)

    ended = running.finish()
    assert (ended.code, ended.err.splitlines()[-1]) == (130, "stockpipe: interrupted"), ended.err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tmp"]


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ("-S -n 64", 0, "verdict exact"),  # raised to what the system allows
        ("-n 256", 0, "verdict exact"),
        ("-n 255", 3, "the limit on open files is 255, and a run needs 256"),
    ],
)
def test_a_run_does_with_256_open_files(tmp_path: Path, files: str, code: int, said: str) -> None:
    """The soft limit is no bound, 256 are enough, and with less it says so before anything starts."""
    script = f"ulimit {files}; {sys.executable} -m stockpipe simulate --ticks 2 --speed 60 --ui quiet"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)

    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stderr
    assert code == 0 or done.stderr.splitlines()[1:] == ["  hint: raise it with `ulimit -n 256` and run again"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="awslambdaric has no wheel here")
def test_what_a_killed_command_leaves_is_gone_after_the_next(start: Start, tmp_path: Path) -> None:
    """SIGKILL with handlers in processes of their own: no process stays, and the next run removes the folder."""
    running = start("simulate", "--duration", "0s", "--runtime", "process", "--ready", "ready.json", "--ui", "plain")
    running.wait_ready()
    running.wait_for(lambda: len(running.children()) > 1, "a handler's process")
    running.signal(signal.SIGKILL)
    running.finish()
    assert len(list((tmp_path / "tmp").iterdir())) == 1

    assert start("simulate", "--ticks", "1", "--files", "1", "--rows", "1", "--ui", "quiet").finish().code == 0
    assert list((tmp_path / "tmp").iterdir()) == []
