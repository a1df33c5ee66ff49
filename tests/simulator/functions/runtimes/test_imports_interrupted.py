"""Imports that wait: what an environment puts away meanwhile and finds again, and what it leaves to the process."""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.functions.runtimes import Code, imports
from simulator.functions.runtimes.imports import CodeModules, interrupted, lock_name

Made = Callable[..., CodeModules]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """`made(name, file=text, ...)`: the modules of a folder with these files."""

    def make(name: str, **files: str) -> CodeModules:
        for file, text in files.items():
            path = tmp_path / name / f"{file.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return CodeModules(Code(tmp_path / name))

    return make


def others_may_import() -> bool:
    """Whether another thread gets the lock."""
    got: list[bool] = []

    def ask() -> None:
        got.append(imports._importing.acquire(blocking=False))
        if got[0]:
            imports._importing.release()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return got[0]


def test_who_waits_while_it_imports_lets_others_import(made: Made) -> None:
    """Its folder and its lock are put away in the block, and are there again after it, however that ends."""
    modules, path = made("a", mine=""), sys.path[:]
    with modules.seen(), modules.entered():
        loaded = importlib.import_module("mine")
        inside = [*modules._path, *path]
        with contextlib.suppress(KeyError), interrupted():
            assert (sys.path, imports._inside, others_may_import()) == (path, None, True)
            raise KeyError
        assert (sys.path, imports._inside, others_may_import()) == (inside, modules, False)
        assert sys.modules["mine"] is loaded
    assert (sys.path, imports._inside, imports._current.get(), others_may_import()) == (path, None, None, True)
    assert "mine" not in sys.modules


def test_who_waits_without_importing_interrupts_nobody(made: Made) -> None:
    """Neither the environment that imports elsewhere, nor its own, which does not."""
    importing, waiting = made("a", mine=""), made("b", mine="")
    with importing.entered():
        with interrupted():
            assert imports._inside is importing
        with waiting.seen(), interrupted():
            assert imports._inside is importing
    with waiting.seen(), interrupted():
        assert imports._inside is None


def test_each_environments_modules_have_locks_of_their_own(made: Made) -> None:
    """By their names and those of their packages; what all share has one."""
    one, other = made("a", mine=""), made("b", mine="")
    names = []
    for modules in (one, other):
        with modules.seen():
            names += [lock_name("mine"), lock_name("mine.part")]
            assert lock_name("json.mine") == "json.mine"
    assert len({*names, "mine", "mine.part"}) == 6
    assert lock_name("mine") == "mine"


def test_the_path_is_the_codes_and_what_it_adds(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the process has the same folder; nothing of the process's is taken over."""
    modules = made("a", mine="")
    (root,) = modules._path
    monkeypatch.syspath_prepend(root)
    for _ in range(2):
        with modules.entered():
            if "/added" not in sys.path:
                sys.path.append("/added")
    assert {*modules._path} == {root, "/added"}
    assert "/added" not in sys.path


def test_a_name_that_the_process_can_find_is_left_to_it(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it has not loaded that module yet: the code's own is only the code's."""
    modules = made("a", found_twice="WHO = 'theirs'\n")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "found_twice.py").write_text("WHO = 'ours'\n")
    monkeypatch.syspath_prepend(str(tmp_path / "ours"))
    with modules.seen():
        assert importlib.import_module("found_twice").WHO == "theirs"
        assert "found_twice" not in sys.modules


def test_a_relative_import_finds_the_package_it_is_in(made: Made) -> None:
    """Also long after the package was loaded, when none of its modules is at hand."""
    late = "def late():\n    from . import part\n    from .part import WHO\n    return part.WHO + WHO\n"
    modules = made("a", own__in____init__=late, own__in__part="WHO = 'theirs'\n")
    with modules.seen():
        assert importlib.import_module("own").late() == "theirstheirs"
