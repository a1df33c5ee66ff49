"""One process, many folders of code: every environment has modules of its own, whatever they are called.

Two functions may both have an `app.py`, or a package called like one of ours. The modules that the code itself provides
are in `sys.modules` only while one of its environments imports. What was installed, by pip or into the code, is shared
with the process, whose own versions come first. What finds a module by its name without importing it (pickle,
`sys.modules[__name__]`) finds the first environment's, or ours. The process runtime has none of these limits.
"""

from __future__ import annotations

import builtins
import contextlib
import contextvars
import importlib
import sys
import threading
from collections.abc import Collection, Iterator
from importlib.machinery import PathFinder
from importlib.util import resolve_name
from types import ModuleType
from typing import Any

from simulator.functions.runtimes import Code

_importing = threading.RLock()
_current: contextvars.ContextVar[CodeModules | None] = contextvars.ContextVar("modules", default=None)
_inside: CodeModules | None = None
_import, _import_module = builtins.__import__, importlib.import_module


class CodeModules:
    """The modules of one environment that the code itself provides. `seen` is around all that it runs."""

    def __init__(self, code: Code) -> None:
        self.names = code.names
        self._path = [str(code.root), *map(str, code.layers)]
        self._modules: dict[str, ModuleType] = {}
        self._others: dict[str, ModuleType] = {}
        self._before: list[str] = []

    @contextlib.contextmanager
    def seen(self) -> Iterator[None]:
        """Imports in the block, and in threads started in it, find these modules; afterwards they are forgotten."""
        builtins.__import__, importlib.import_module = _seen_import, _seen_import_module
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            with _importing:
                for name, module in self._modules.items():
                    if sys.modules.get(name) is module:
                        del sys.modules[name]

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have them in `sys.modules`, and nothing else that has one of their names."""
        with _importing:
            self._enter()
            try:
                yield
            finally:
                self._leave()

    def _enter(self) -> None:
        global _inside
        self._others, self._before = self._exchange(self._modules), sys.path[:]
        sys.path[:0], _inside = self._path, self

    def _leave(self) -> None:
        global _inside
        # The code may have added folders.
        self._path = [each for each in sys.path if each in self._path or each not in self._before]
        sys.path[:], _inside = self._before, None
        self._modules = self._exchange(self._others)
        for name, module in self._modules.items():
            if PathFinder.find_spec(name.partition(".")[0]) is None:  # nothing of ours is called so
                sys.modules.setdefault(name, module)

    def _exchange(self, modules: dict[str, ModuleType]) -> dict[str, ModuleType]:
        present = {name: each for name, each in list(sys.modules.items()) if name.partition(".")[0] in self.names}
        for name in present:
            del sys.modules[name]
        sys.modules.update(modules)
        return present


@contextlib.contextmanager
def interrupted() -> Iterator[None]:
    """For code that waits while it is imported: in the block, others may import."""
    modules = _inside if _inside is _current.get() else None
    if modules is not None:
        modules._leave()  # noqa: SLF001 - they are one
        _importing.release()
    try:
        yield
    finally:
        if modules is not None:
            _importing.acquire()
            modules._enter()  # noqa: SLF001


def lock_name(name: str) -> str:
    """A module's name, or another one for each environment that has a module of its own of that name."""
    modules = _current.get()
    return name if modules is None or name.partition(".")[0] not in modules.names else f"{name} of {id(modules)}"


def _view(full: str, wanted: Collection[str] = ()) -> contextlib.AbstractContextManager[Any]:
    """What an import needs: the environment's modules, or outside of one ours, while they are put away.

    What is not loaded yet is always loaded under our lock, so that nobody waits for it with a lock of Python's import.
    """
    modules, top = _current.get(), full.partition(".")[0]
    if modules is None:
        return _importing if _inside is not None and top in _inside.names else contextlib.nullcontext()
    loaded = getattr(sys.modules.get(full), "__dict__", {}).keys() >= {"__name__", *wanted}
    here = modules is _inside or (loaded and top not in modules.names)
    return contextlib.nullcontext() if here else modules.entered()


def _seen_import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002 - its own names
    package = (globals or {}).get("__package__") if level else None
    with _view(resolve_name("." * level + name, package) if package else name, fromlist or ()):
        return _import(name, globals, locals, fromlist, level)


def _seen_import_module(name: str, package: str | None = None) -> ModuleType:
    with _view(resolve_name(name, package)):
        return _import_module(name, package)
