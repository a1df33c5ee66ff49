"""What a user's own functions assert about an application after a run: `--invariant MODULE:FUNCTION`."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from simulator.base.errors import InputError, is_out_of_memory
from simulator.base.nearest import did_you_mean
from simulator.base.shown import printable
from simulator.base.workers import Worker
from simulator.functions.runtimes.isolation import installed, seen_as
from simulator.functions.runtimes.variables import on_loopback
from simulator.run.application import ApplicationUnderTest
from simulator.stack.variables import leads_away

_WHERE = "its file is searched beside the template and in the working directory"
_OTHER_KINDS = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
_OURS = str(Path(__file__).resolve().parents[1])


class Invariant(NamedTuple):
    """A user's function, by the name that the user gave it, MODULE:FUNCTION. `folder` is where its module is."""

    name: str
    function: Callable[[ApplicationUnderTest], object]
    folder: Path


class InvariantOutcome(NamedTuple):
    """If it does not hold: `message` says why in one line, `where` is FILE:LINE of the assertion, None if unknown."""

    name: str
    held: bool
    message: str | None = None
    where: str | None = None


def find(text: str, folders: Sequence[Path]) -> Invariant:
    """The function that `text` (MODULE:FUNCTION) names; its module is loaded from the first folder that has it.

    Modules beside it can be imported, too. It has a private name, and replaces none of ours. Raises `InputError`.
    """
    module, _, function = text.partition(":")
    parts, about = module.split("."), f"the invariant '{text}'"
    if not all(map(str.isidentifier, (*parts, function))):
        raise InputError(f"{about} is not MODULE:FUNCTION", hint="such as 'checks:every_order_is_stored'")
    folders = list(dict.fromkeys(folder.resolve() for folder in folders))
    found = [folder for folder in folders if _has(folder, parts)]
    if not found:
        known = (file.stem for folder in folders for file in sorted(folder.glob("*.py")))
        raise InputError(f"{about}: there is no module '{module}'", hint=did_you_mean(module, known, _WHERE))
    folder = found[0]
    try:
        loaded = _load(module, folder)
    except (Exception, SystemExit) as error:
        if is_out_of_memory(error):
            raise
        said, where = _described(error, folder)
        raise InputError(f"{about} cannot be imported: {where or module}: {said}") from None
    called = getattr(loaded, function, None)
    if called is None:
        known = (name for name, each in vars(loaded).items() if inspect.isfunction(each))
        raise InputError(f"{about}: '{module}' has no '{function}'", hint=did_you_mean(function, known, "") or None)
    try:
        inspect.signature(called).bind(None)
    except (TypeError, ValueError):
        raise InputError(f"{about} is not a function of one argument") from None
    if any(is_one(called) for is_one in _OTHER_KINDS):
        raise InputError(f"{about} is asynchronous or a generator", hint="write a plain function")
    return Invariant(text, called, folder)


async def check(
    invariants: Sequence[Invariant], application: ApplicationUnderTest, write: Callable[[str], object], worker: Worker
) -> tuple[InvariantOutcome, ...]:
    """Call each in the worker, which is then closed, also if cancelled. What one raises is its outcome.

    `write` takes each line that they print, on the loop. Variables keep their AWS clients away from AWS.
    """
    pass_on = partial(worker.post, write)
    try:
        return tuple(
            [await worker.run(partial(Context().run, _call, each, application, pass_on)) for each in invariants]
        )
    finally:
        worker.close()


def _call(invariant: Invariant, application: ApplicationUnderTest, write: Callable[[str], None]) -> InvariantOutcome:
    environ = {name: value for name, value in os.environ.items() if not (name[:4] == "AWS_" or leads_away(name))}
    try:
        with _searched(invariant.folder), installed(), seen_as(environ | on_loopback(application.endpoint), write):
            if invariant.function(application) is False:
                return InvariantOutcome(invariant.name, held=False, message="it returned False: use `assert`")
    except BaseException as error:  # noqa: BLE001 - sys.exit() is its outcome, too
        with contextlib.suppress(Exception):  # it may not be able to say what it is
            return InvariantOutcome(invariant.name, False, *_described(error, invariant.folder))
        return InvariantOutcome(invariant.name, False, type(error).__name__)
    return InvariantOutcome(invariant.name, held=True)


def _has(folder: Path, parts: Sequence[str]) -> bool:
    path = folder.joinpath(*parts)
    # Unlike `Path.is_file`, this accepts a name that is too long.
    return any(os.path.isfile(file) for file in (f"{path}.py", path / "__init__.py"))  # noqa: PTH113


def _load(name: str, folder: Path) -> ModuleType:
    """The module, in a private package that stands for its folder."""
    package = f"_invariants in {folder}".replace(".", "_")
    if package not in sys.modules:
        sys.modules[package] = module_from_spec(ModuleSpec(package, None, is_package=True))
        sys.modules[package].__path__.append(str(folder))
    before = set(sys.modules)
    try:
        with _searched(folder), contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(f"{package}.{name}")
    finally:  # A handler may have modules of the same names, elsewhere.
        for each in [each for each in sys.modules.keys() - before if not each.startswith(package)]:
            if _is_theirs(str(getattr(sys.modules[each], "__file__", "")), folder):
                del sys.modules[each]


@contextlib.contextmanager
def _searched(folder: Path) -> Iterator[None]:
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _described(error: BaseException, folder: Path) -> tuple[str, str | None]:
    """The error in one line, and FILE:LINE of the last line of the user's; a bare assertion is its source."""
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    theirs = [(file, line) for file, line in frames if _is_theirs(file, folder)]
    said = printable(str(error))
    if isinstance(error, SyntaxError) and error.filename:
        theirs, said = [(error.filename, error.lineno or 0)], error.msg
    if not theirs:
        return f"{type(error).__name__}: {said}", None
    file, line = theirs[-1]
    if not isinstance(error, AssertionError):
        said = ": ".join(filter(None, (type(error).__name__, said)))
    elif not said:
        with contextlib.suppress(OSError, SyntaxError, ValueError):  # it may have been edited since
            for node in ast.walk(ast.parse(Path(file).read_bytes())):
                if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or 0):
                    said, line = ast.unparse(node), node.lineno
    return said or "AssertionError", f"{os.path.relpath(file)}:{line}"


def _is_theirs(file: str, folder: Path) -> bool:
    return file.startswith(f"{folder}{os.sep}") and "site-packages" not in file and not file.startswith(_OURS)
