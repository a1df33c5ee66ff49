"""A child process: our modules are found first, its messages arrive, and it ends with its owner."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import pytest

from fakes.waiting import until
from simulator.base import children, limits
from simulator.base.children import IMPORT_ROOT, ChildProcess, ModuleProcess
from simulator.base.clock import SystemClock

MODULES = {
    "speaks": (
        "import sys\nfrom simulator.base.children import send_to_owner\n"
        "send_to_owner('ready')\nsys.stderr.write('last\\n')\nsys.stdin.read()\n"
    ),
    "stubborn": (
        "import time\nfrom simulator.base.children import send_to_owner\n"
        "print('{\"level\": 1}')\nprint('noise', end='')\nsend_to_owner('one', 'two')\nwhile True: time.sleep(60)\n"
    ),
    "fails": "import sys\nsys.exit('it is broken')\n",
    "where": (
        "import bisect, json, pipeline, simulator\nfrom simulator.base.children import send_to_owner\n"
        "send_to_owner(json.dumps({each.__name__: each.__file__ for each in (simulator, pipeline, bisect)}))\n"
    ),
    "simulator": "raise SystemExit('not ours')\n",
    "pipeline": "raise SystemExit('not ours')\n",
}


@pytest.fixture(autouse=True)
def users_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's directory on PYTHONPATH, with modules that have the names of ours."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gone(pid: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_words_arrive_whatever_encoding_a_user_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoding for terminals may be one in which our lines could not be read."""
    monkeypatch.setenv("PYTHONIOENCODING", "utf-16")
    async with ModuleProcess.open("speaks") as child:
        assert await child.receive(10.0) == b"ready"


async def test_our_modules_come_before_a_users_and_nothing_else_changes() -> None:
    """In a directory with its own `simulator` and `pipeline`, a child imports ours, and Python's own library."""
    async with ModuleProcess.open("where") as child:
        files = json.loads(await child.receive(30))
    assert Path(files["simulator"]).parents[1] == IMPORT_ROOT
    assert Path(files["pipeline"]).parents[1] == IMPORT_ROOT
    assert Path(files["bisect"]).parent == Path(os.__file__).parent


async def test_a_backport_beside_our_packages_is_not_taken_for_the_librarys(
    users_modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our packages may be in site-packages, where a module may have the name of one of Python's own."""
    (users_modules / "site").mkdir()
    for name in ("simulator", "pipeline"):
        (users_modules / "site" / name).symlink_to(IMPORT_ROOT / name)
    (users_modules / "site" / "bisect.py").write_text("raise SystemExit('a backport')\n")
    entry = users_modules / "site" / "simulator" / "base" / "entry.py"
    monkeypatch.setattr(children, "_ENTRY", str(entry))
    async with ModuleProcess.open("where") as child:
        assert Path(json.loads(await child.receive(30))["bisect"]).parent == Path(os.__file__).parent


async def test_a_child_ends_when_its_input_is_closed() -> None:
    """The block's end closes its input; a child that reacts to this exits with code 0."""
    async with ModuleProcess.open("speaks") as child:
        assert await child.receive(30) == b"ready"
        assert child.alive
    assert child.exit_text == "exit code 0"
    assert not child.alive
    assert gone(child.pid)


async def test_a_child_that_does_not_heed_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that a child has to exit, it is killed and reaped; its other output was not meant for us."""
    monkeypatch.setattr(children, "STOP_TIMEOUT_S", 0.01)
    async with ModuleProcess.open("stubborn") as child:
        assert [await child.receive(30), await child.receive(30)] == [b"one", b"two"]
    assert child.exit_text == "signal 9"
    assert gone(child.pid)


async def test_a_child_that_was_stopped_still_ends_in_order() -> None:
    """Its input is closed, and it is continued so that it notices."""
    async with ModuleProcess.open("speaks") as child:
        assert await child.receive(30) == b"ready"
        child.signal(signal.SIGSTOP)
    assert child.exit_text == "exit code 0"


async def test_a_child_that_says_nothing_is_waited_for_as_long_as_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """`receive` gives up after its time, counted in checks; without a limit it waits for the end."""
    monkeypatch.setattr(limits, "SILENCE_LOOK_S", 0.01)
    async with ModuleProcess.open("speaks") as child:
        assert await child.receive(30) == b"ready"
        with pytest.raises(TimeoutError):
            await child.receive(0.02)
        hearing = asyncio.ensure_future(child.receive())
        assert await asyncio.wait((hearing,), timeout=0) == (set(), {hearing})
    assert await hearing == b""


async def test_how_a_child_was_lost_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be silent or ended, or asking may raise; an owner that ends it on purpose gets no report."""
    monkeypatch.setattr(limits, "SILENCE_LOOK_S", 0.01)

    async def nothing() -> None:
        await asyncio.Event().wait()

    async def refused() -> None:
        raise ConnectionRefusedError

    async with ModuleProcess.open("speaks") as child:
        assert (await child.wait_lost(nothing, SystemClock())).startswith(f"does not answer (process {child.pid} ")
        with pytest.raises(ConnectionRefusedError):
            await child.wait_lost(refused, SystemClock())
        waiting = asyncio.ensure_future(child.wait_lost(nothing, SystemClock()))
        await child.end()
        assert await asyncio.wait((waiting,), timeout=0) == (set(), {waiting})
        waiting.cancel()
        await asyncio.wait((waiting,))
    async with ModuleProcess.open("fails") as child:
        assert (
            await child.wait_lost(nothing, SystemClock())
            == "ended unexpectedly (exit code 1); its last output: it is broken"
        )


async def test_a_child_is_reaped_also_when_its_owner_is_cancelled() -> None:
    """A cancelled owner does not wait for a slow child, and leaves none behind."""
    started: asyncio.Future[ModuleProcess] = asyncio.get_running_loop().create_future()

    async def own() -> None:
        async with ModuleProcess.open("stubborn") as child:
            await child.receive(30)
            started.set_result(child)

    owner = asyncio.create_task(own())
    child = await started
    await until(lambda: child.ending)
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert child.exit_text == "signal 9"
    assert gone(child.pid)


async def test_the_end_of_a_child_is_known_by_its_last_words() -> None:
    """A child that exited has no more messages; its last line on standard error is kept, and how it exited."""
    async with ModuleProcess.open("fails") as child:
        assert await child.receive(30) == b""
        assert await child.last_words() == "it is broken"
        assert await child.wait() == 1
        assert child.exit_text == "exit code 1"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            await child.send(b"more")


async def test_a_signal_reaches_what_the_child_started() -> None:
    """Child and grandchild are in one session: ending the child ends both, at once."""
    spawn = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1).pid, flush=True)"
    )
    child = await ChildProcess.start(sys.executable, "-c", f"{spawn}; input()", stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    assert child.exit_text == "still running"
    stdout = child._process.stdout
    assert stdout
    grandchild = int(await stdout.readline())
    await child.end()
    assert child.exit_text == f"signal {signal.SIGKILL.value}"
    await until(lambda: gone(grandchild))
    child.signal(signal.SIGTERM)  # there is none: nothing happens
