"""A user's own assertions: how they are found, and what comes of each."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from simulator.base.errors import ExitCode, InputError
from simulator.base.workers import Worker
from simulator.run.application import ApplicationUnderTest
from simulator.run.invariants import Invariant, InvariantOutcome, check, find

Write = Callable[..., Path]
ELSEWHERE = "its file is searched beside the template and in the working directory"
APPLICATION = cast("ApplicationUnderTest", SimpleNamespace(endpoint="http://127.0.0.1:1", answer=42))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """`write(name, text)`: a file beside the template, which is where the command runs; returns the folder."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path

    return written


async def outcome(folder: Path, text: str, printed: list[str] | None = None) -> InvariantOutcome:
    """What comes of the invariant."""
    (only,) = await outcomes(find(text, [folder]), write=(printed if printed is not None else []).append)
    return only


async def outcomes(*invariants: Invariant, write: Callable[[str], object] = print) -> tuple[InvariantOutcome, ...]:
    """What comes of each."""
    return await check(invariants, APPLICATION, write, Worker("invariants"))


async def test_one_that_returns_holds(write: Write) -> None:
    """It gets the application, and is called once."""
    folder = write("checks.py", "calls = []\ndef fine(app):\n    calls.append(app)\n    assert app.answer == 42\n")
    invariant = find("checks:fine", [folder])
    assert await outcomes(invariant) == (InvariantOutcome("checks:fine", held=True),)
    assert invariant.function.__globals__["calls"] == [APPLICATION]


@pytest.mark.parametrize(
    ("body", "message", "line"),
    [
        ("assert app.answer == 41, 'not\\n  41'", "not 41", 2),
        ("assert app.answer == 41", "assert app.answer == 41", 2),
        ("assert (\n        app.answer ==\n        41\n    )", "assert app.answer == 41", 2),
        ("pass\n    raise AssertionError", "AssertionError", 3),
        ("{}['x']", "KeyError: 'x'", 2),
        ("raise ValueError", "ValueError", 2),
        ("int('x')", "ValueError: invalid literal for int() with base 10: 'x'", 2),
        ("import sys; sys.exit(3)", "SystemExit: 3", 2),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", 2),
    ],
)
async def test_what_it_raises_is_a_finding(write: Write, body: str, message: str, line: int) -> None:
    """In one line: the assertion's text or its source, or the exception and its name; with the line of the user's."""
    folder = write("checks.py", f"def wrong(app):\n    {body}\n")
    assert await outcome(folder, "checks:wrong") == InvariantOutcome(
        "checks:wrong", False, message, f"checks.py:{line}"
    )


async def test_an_exception_without_words_is_a_finding(write: Write) -> None:
    """Even one whose text cannot be made ends the invariant, by its name."""
    folder = write(
        "checks.py", "class Mute(Exception):\n    def __str__(self): return 1 / 0\ndef wrong(app): raise Mute\n"
    )
    assert await outcome(folder, "checks:wrong") == InvariantOutcome("checks:wrong", False, "Mute")


async def test_the_line_is_the_users_own(write: Write) -> None:
    """An assertion in a helper is shown there; an error inside a library where the user's code called it."""
    write("helper.py", "def same(a, b):\n    assert a == b\n")
    folder = write(
        "checks.py", "import json, helper\ndef a(app):\n    helper.same(1, 2)\ndef b(app): json.loads('?')\n"
    )
    assert (await outcome(folder, "checks:a")).where == "helper.py:2"
    assert (await outcome(folder, "checks:b")).where == "checks.py:4"


async def test_a_file_that_was_edited_meanwhile_still_has_its_line(write: Write) -> None:
    """A run may take long; what a bare assertion asserted is then unknown, and the outcome is there all the same."""
    folder = write("checks.py", "def a(app):\n    assert not app.answer\n")
    invariant = find("checks:a", [folder])
    write("checks.py", "def a(:\n")
    (found,) = await outcomes(invariant)
    assert found == InvariantOutcome("checks:a", False, "AssertionError", "checks.py:2")


async def test_returning_false_does_not_hold(write: Write) -> None:
    """Somebody forgot to assert; any other result is fine."""
    folder = write("checks.py", "def a(app): return False\ndef b(app): return []\n")
    assert await outcome(folder, "checks:a") == InvariantOutcome("checks:a", False, "it returned False: use `assert`")
    assert (await outcome(folder, "checks:b")).held


async def test_all_are_called_in_order(write: Write) -> None:
    """One that fails does not keep the next from being called."""
    folder = write(
        "checks.py", "done = []\ndef a(app):\n    done.append(1)\n    assert 0\ndef b(app): assert done == [1]\n"
    )
    found = await outcomes(*(find(f"checks:{name}", [folder]) for name in "ab"))
    assert [(each.name, each.held) for each in found] == [("checks:a", False), ("checks:b", True)]


async def test_what_it_prints_is_passed_on(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line, on the loop, and never to standard output, not even while it is imported."""
    folder = write(
        "checks.py", "import sys\nprint('hello')\ndef a(app):\n    print('x')\n    print('y', file=sys.stderr)\n"
    )
    printed: list[str] = []
    await outcome(folder, "checks:a", printed)
    assert printed == ["x", "y"]
    assert capsys.readouterr() == ("", "hello\n")


async def test_its_own_clients_do_not_reach_aws(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables lead them to the store, with dummy credentials; other variables are there, and it may set some."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("THEIRS", "1")
    folder = write(
        "checks.py", "import os\ndef a(app):\n    os.environ['SET'] = '1'\n    seen.update(os.environ)\nseen = {}\n"
    )
    invariant = find("checks:a", [folder])
    await outcomes(invariant)
    seen = invariant.function.__globals__["seen"]
    assert (seen["AWS_ENDPOINT_URL"], seen["AWS_CONFIG_FILE"]) == (APPLICATION.endpoint, os.devnull)
    assert (seen["THEIRS"], seen.keys() & {"AWS_PROFILE", "HTTPS_PROXY"}) == ("1", set())
    assert "SET" not in os.environ


async def test_one_that_never_returns_can_be_abandoned(write: Write) -> None:
    """Cancelling ends the wait at once; the thread is a daemon, so it does not keep the process."""
    folder = write(
        "checks.py",
        "from threading import Event\nbegun, end = Event(), Event()\ndef a(app):\n    begun.set()\n    end.wait()\n",
    )
    invariant = find("checks:a", [folder])
    begun, end = (invariant.function.__globals__[name] for name in ("begun", "end"))
    checking = asyncio.ensure_future(outcomes(invariant))
    await asyncio.to_thread(begun.wait)
    (thread,) = [each for each in threading.enumerate() if each.name == "invariants"]
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert thread.daemon
    end.set()
    await asyncio.to_thread(thread.join)


def test_the_first_folder_that_has_the_module_wins(write: Write) -> None:
    """Beside the template before the working directory; a dotted name is a file in a folder, or a package."""
    folder = write("one/checks.py", "def a(app): ...\n")
    write("two/checks.py", "def b(app): ...\n")
    write("two/deep/checks.py", "def c(app): ...\n")
    write("two/package/__init__.py", "from .part import d\n")
    write("two/package/part.py", "def d(app): ...\n")
    folders = [folder / "none", folder / "one", folder / "two"]
    assert find("checks:a", folders).folder == (folder / "one").resolve()
    assert find("deep.checks:c", folders).folder == (folder / "two").resolve()
    assert find("package:d", folders).function.__name__ == "d"


def test_its_modules_replace_none(write: Write) -> None:
    """Neither its own name nor those that it imports from its folder become known to others; nor is its folder."""
    import simulator

    write("beside.py", "value = 7\n")
    folder = write("simulator.py", "import beside\ndef a(app): assert beside.value == 7\n")
    modules, path = sys.modules.copy(), sys.path.copy()
    assert find("simulator:a", [folder]).function(APPLICATION) is None
    assert sys.modules["simulator"] is simulator
    assert [each for each in sys.modules.keys() - modules.keys() if not each.startswith("_invariants in")] == []
    assert sys.path == path


def test_a_module_named_like_ours_is_imported_relatively(write: Write) -> None:
    """As anything beside the invariants can be."""
    write("pipeline.py", "value = 7\n")
    folder = write("checks.py", "from .pipeline import value\ndef a(app): return value\n")
    assert find("checks:a", [folder]).function(APPLICATION) == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("check:a", "the invariant 'check:a': there is no module 'check'\n  hint: did you mean 'checks'?"),
        ("checks.py:a", "the invariant 'checks.py:a': there is no module 'checks.py'\n  hint: did you mean 'checks'?"),
        ("checks", "the invariant 'checks' is not MODULE:FUNCTION\n  hint: such as 'checks:every_order_is_stored'"),
        ("checks:evry", "the invariant 'checks:evry': 'checks' has no 'evry'\n  hint: did you mean 'every'?"),
        ("checks:NUMBER", "the invariant 'checks:NUMBER' is not a function of one argument"),
        ("checks:two", "the invariant 'checks:two' is not a function of one argument"),
        ("checks:later", "the invariant 'checks:later' is asynchronous or a generator\n  hint: write a plain function"),
        ("checks:lazy", "the invariant 'checks:lazy' is asynchronous or a generator\n  hint: write a plain function"),
        ("bad:a", "the invariant 'bad:a' cannot be imported: bad.py:2: NameError: name 'missing' is not defined"),
        ("torn:a", "the invariant 'torn:a' cannot be imported: torn.py:1: SyntaxError: '(' was never closed"),
        (f"{'a' * 300}:a", f"the invariant '{'a' * 300}:a': there is no module '{'a' * 300}'\n  hint: " + ELSEWHERE),
        ("over:a", "the invariant 'over:a' cannot be imported: over.py:1: SystemExit: 4"),
        (
            "needs:a",
            "the invariant 'needs:a' cannot be imported: needs.py:1: ModuleNotFoundError: No module named 'nix'",
        ),
    ],
)
def test_a_slip_is_one_line(write: Write, text: str, said: str) -> None:
    """What is wrong, where, and what was probably meant; it is found before a run begins."""
    write("bad.py", "\nmissing\n")
    write("torn.py", "(\n")
    for number in range(9):
        write(f"other{number}.py", "")
    write("over.py", "raise SystemExit(4)\n")
    write("needs.py", "import nix\n")
    folder = write(
        "checks.py",
        "NUMBER = 1\ndef every(app): ...\ndef two(app, other): ...\nasync def later(app): ...\ndef lazy(app): yield\n",
    )
    with pytest.raises(InputError) as raised:
        find(text, [folder])
    assert "\n".join(raised.value.lines) == said
    assert raised.value.exit_code == ExitCode.WRONG_INPUT


def test_a_file_that_is_not_text_is_one_line(write: Write) -> None:
    """Python's own error may not say where it is."""
    with pytest.raises(InputError, match=r"^the invariant 'nul:a' cannot be imported: nul.*null bytes"):
        find("nul:a", [write("nul.py", "\0")])


@pytest.mark.parametrize("text", ["", ":", ":a", "..:a", "a/b:c", "../checks:a"])
def test_what_is_not_a_name_is_told(write: Write, text: str) -> None:
    """No path and no empty name is looked for."""
    folder = write("inner/none.py", "")
    write("checks.py", "def a(app): ...\n")
    with pytest.raises(InputError, match="is not MODULE:FUNCTION"):
        find(text, [folder / "inner"])


def test_a_folder_that_is_given_twice_has_its_modules_once(write: Write) -> None:
    """The working directory is often the template's folder."""
    folder = write("checks.py", "")
    with pytest.raises(InputError) as raised:
        find("nope:a", [folder, folder])
    assert raised.value.hint == "choose from 'checks'"
