"""Plants a bug in this process: a module that is imported afterwards has the bug's source instead of its own.

The module may be loaded under its name or, like a handler, as a fresh copy: both ways ask the same finder.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from planted.bugs import Bug


def planted(bug: Bug) -> None:
    """Plant it, for as long as this process lives.

    Raises `RuntimeError` if the module is imported already, because others may hold parts of the sound one, and
    `ValueError` if its source has moved on.
    """
    if bug.module in sys.modules:
        raise RuntimeError(f"{bug.module} is imported already: plant '{bug.name}' before that")
    spec = importlib.util.find_spec(bug.module)
    if spec is None or spec.origin is None:
        raise ValueError(f"'{bug.name}': there is no module {bug.module}")
    source = bug.plant(Path(spec.origin).read_text(encoding="utf-8"))
    sys.meta_path.insert(0, _Finder(bug.module, spec.origin, source))


class _Finder(MetaPathFinder):
    """Finds the one module."""

    def __init__(self, module: str, path: str, source: str) -> None:
        self._module, self._path, self._source = module, path, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """The module's spec, with our loader; None for every other module."""
        if fullname != self._module:
            return None
        loader = _Loader(fullname, self._path, self._source)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


class _Loader(SourceFileLoader):
    """Compiles the source that it is given, and neither reads nor writes what was compiled of the file."""

    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        """The code to execute in a new module."""
        return compile(self._source, self.get_filename(fullname), "exec", dont_inherit=True)
