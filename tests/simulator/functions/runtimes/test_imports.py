"""Several folders of code in one process: each environment has its own modules, and the process keeps its own."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import pipeline
from fakes import declare
from fakes.waiting import until
from simulator.base.clock import SystemClock
from simulator.functions.runtimes import Answer, Code, Invocation, Raised
from simulator.functions.runtimes.inline import InlineEnvironment, InlineRuntime

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """`folder(name, module=text, ...)`: a folder with these modules; `files` are those of packages."""

    def made(name: str, files: Mapping[str, str] = MappingProxyType({}), **modules: str) -> Path:
        for file, text in {**files, **modules}.items():
            path = tmp_path / name / f"{file}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / name

    return made


@asynccontextmanager
async def running(code: dict[str, Code], **variables: str) -> AsyncIterator[Callable[..., Any]]:
    """`start(name)`: an environment of that function, whose handler is `app.handler`."""
    runtime = InlineRuntime("http://127.0.0.1:9", object(), clock=SystemClock(), code=code)
    environments: list[InlineEnvironment] = []

    async def start(name: str) -> InlineEnvironment:
        function = declare.function(name, handler="app.handler", environment={"MINE": variables.get(name, "")})
        environment = runtime.environment(function, len(environments), "stream", lambda _: None)
        environments.append(environment)
        failure = await environment.start()
        assert failure is None, failure
        return environment

    try:
        yield start
    finally:
        for environment in environments:
            await environment.close()
        await runtime.close()
    await until(lambda: "app" not in sys.modules)  # each thread forgets its modules in its own time


async def called(environment: InlineEnvironment) -> Any:
    """What the handler returns."""
    answer: Answer = await environment.invoke(Invocation("id", {}, 9e9, "trace"))
    return getattr(answer, "payload", answer)


async def test_two_functions_may_have_modules_of_one_name(folder: Folder) -> None:
    """Each function finds the `app` and the `utils` of its own folder."""
    app = "import utils\ndef handler(event, context):\n    return utils.WHO\n"
    code = {name: Code(folder(name, app=app, utils=f"WHO = '{name}'\n")) for name in ("A", "B")}
    async with running(code) as start:
        first, second = await start("A"), await start("B")
        assert [await called(first), await called(second), await called(first)] == ["A", "B", "A"]


async def test_a_package_may_be_called_like_ours(folder: Folder) -> None:
    """A user's `pipeline` is found by its own code alone, at init and during an event; ours stays where it was."""
    app = (
        "import pipeline\ndef handler(event, context):\n    from pipeline import late\n    return pipeline.WHO, late.IS"
    )
    root = folder("A", {"pipeline/__init__": "WHO = 'theirs'\n", "pipeline/late": "IS = 'late'\n"}, app=app)
    before = dict(sys.modules)
    async with running({"A": Code(root)}) as start:
        assert await called(await start("A")) == ["theirs", "late"]
        assert importlib.import_module("pipeline") is pipeline
        assert {name: sys.modules.get(name) for name in before} == before
        assert "pipeline.late" not in sys.modules


async def test_functions_of_one_folder_have_their_own_variables(folder: Folder) -> None:
    """A module that reads a variable when it is imported reads that of its function."""
    root = folder(
        "A",
        app="import config\ndef handler(event, context):\n    return config.MINE\n",
        config="import os\nMINE = os.environ['MINE']\n",
    )
    async with running({"A": Code(root), "B": Code(root)}, A="a", B="b") as start:
        assert [await called(await start(name)) for name in ("A", "B")] == ["a", "b"]


async def test_state_of_a_module_is_per_environment(folder: Folder) -> None:
    """Environments of one function share no module of its folder, as on Lambda."""
    root = folder(
        "A",
        app="import state\ndef handler(event, context):\n    state.seen.append(1)\n    return len(state.seen)\n",
        state="seen = []\n",
    )
    async with running({"A": Code(root)}) as start:
        first, second = await start("A"), await start("A")
        assert [await called(first), await called(first), await called(second)] == [1, 2, 1]


@pytest.mark.parametrize("imports", ["import late", "import importlib; late = importlib.import_module('late')"])
async def test_an_import_during_an_event(folder: Folder, imports: str) -> None:
    """It finds the function's own module, also one that another function has, too; also in a thread of the handler."""
    app = f"""
from concurrent.futures import ThreadPoolExecutor
def find():
    {imports}
    return late.WHO
def handler(event, context):
    with ThreadPoolExecutor() as threads:
        return [find(), threads.submit(find).result()]
"""
    code = {name: Code(folder(name, app=app, late=f"WHO = '{name}'\n")) for name in ("A", "B")}
    async with running(code) as start:
        environments = [await start(name) for name in ("A", "B", "A")]
        assert [await called(each) for each in environments] == [["A", "A"], ["B", "B"], ["A", "A"]]


async def test_layers_and_packages_come_after_the_code(folder: Folder) -> None:
    """The function's own module wins over a layer's, which wins over an installed one; the last is shared."""
    app = "import one, two, three\ndef handler(event, context):\n    return one.WHO, two.WHO, three.WHO, id(three)\n"
    root = folder("A", app=app, one="WHO = 'own'\n")
    layer = folder("layer", one="WHO = 'layer'\n", two="WHO = 'layer'\n")
    packages = folder("packages", two="WHO = 'package'\n", three="WHO = 'package'\n")
    async with running({"A": Code(root, (layer,), (packages,))}) as start:
        first, second = await called(await start("A")), await called(await start("A"))
    assert first == second == ["own", "layer", "package", first[3]]
    assert str(packages) not in sys.path
    del sys.modules["three"]


async def test_two_environments_may_load_one_package_at_once(folder: Folder) -> None:
    """One loads it during an event, the other at init, and neither waits for the other forever."""
    late = "import threading\nthreading.Event().wait(0.05)\nimport later_still\n"
    packages = folder("packages", {"shared_/__init__": "", "shared_/late": late}, later_still="")
    app = "import shared_\ndef handler(event, context):\n    import shared_.late\n    return 1\n"
    code = {"A": Code(folder("A", app=app), (), (packages,))}
    code["B"] = Code(folder("B", app="import shared_.late\n" + app), (), (packages,))
    async with running(code) as start:
        first = await start("A")
        answer, second = await asyncio.gather(called(first), start("B"))
        assert [answer, await called(second)] == [1, 1]
    for name in ("shared_", "shared_.late", "later_still"):
        del sys.modules[name]


async def test_what_looks_a_module_up_by_name_finds_it_while_it_lives(folder: Folder) -> None:
    """Pickle does, and so does code that looks for itself in `sys.modules`."""
    app = """
import pickle, sys
class Order: ...
def handler(event, context):
    return type(pickle.loads(pickle.dumps(Order()))) is Order and sys.modules[__name__].handler is handler
"""
    async with running({"A": Code(folder("A", app=app))}) as start:
        assert (await called(await start("A"))) is True


async def test_a_folder_that_the_code_adds_to_the_path(folder: Folder) -> None:
    """It is searched by this code alone, as long as the environment lives."""
    app = """
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "vendored"))
def handler(event, context):
    import found_there
    return found_there.WHO
"""
    root = folder("A", {"vendored/found_there": "WHO = 'vendored'\n"}, app=app)
    path = sys.path[:]
    async with running({"A": Code(root)}) as start:
        assert await called(await start("A")) == "vendored"
        assert sys.path == path
    del sys.modules["found_there"]


async def test_a_module_that_fails_shows_its_own_frames(folder: Folder) -> None:
    """The stack trace of an init error has the user's lines only, through an import of one's own."""
    root = folder("A", app="import broken\n", broken="raise ValueError('no')\n")
    runtime = InlineRuntime("http://127.0.0.1:9", object(), clock=SystemClock(), code={"A": Code(root)})
    environment = runtime.environment(declare.function("A", handler="app.handler"), 0, "stream", lambda _: None)
    failure = await environment.start()
    await runtime.close()
    assert isinstance(failure, Raised)
    frames = [frame.splitlines()[0] for frame in failure.payload["stackTrace"]]
    assert [str(root) in frame for frame in frames] == [True, True], frames


def test_own_names_are_not_those_of_what_was_installed(folder: Folder) -> None:
    """A built folder's dependencies are shared with the process; its own modules and packages are not."""
    root = folder(
        "A", dict.fromkeys(("app", "orders/models", "installed/__init__", "single", "boto3/__init__", "sys"), "")
    )
    (root / "data").mkdir()
    (root / "dist-1.0.dist-info").mkdir()
    (root / "dist-1.0.dist-info" / "RECORD").write_text("installed/__init__.py,sha256=0,0\nsingle.py,,\n")
    assert Code(root).names == {"app", "orders"}


async def test_a_context_without_code_imports_as_ever(folder: Folder) -> None:
    """While code runs, our own imports are what they were."""
    async with running({"A": Code(folder("A", app="def handler(event, context): return 1\n"))}) as start:
        await start("A")
        assert builtins.__import__("os.path", fromlist=["join"]) is sys.modules["os.path"]
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("no_such_module_anywhere")
