"""Finds an interpreter of a given minor version: compiled files have its magic number, and others ignore them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from simulator.base.errors import InputError

_IDENTIFY = (
    "import sys; v = sys.version_info; "
    "print(sys.implementation.name, v.releaselevel, '%d.%d' % (v.major, v.minor), getattr(sys, 'abiflags', ''))"
)


def find_interpreter(python: str, given: Path | None = None) -> Path | None:
    """A released CPython of the minor version `python`, or None. `given` must be one, or `InputError` is raised."""
    if given is not None:
        found = _identify(given)
        if found != python:
            what = f"is CPython {found}" if found else "is not a CPython that runs here"
            needed = f"compiled files for Python {python} need CPython {python}"
            raise InputError(f"--interpreter: '{given}' {what}", hint=needed)
        return given
    return next((candidate for candidate in _candidates(python) if _identify(candidate) == python), None)


def _candidates(python: str) -> Iterator[Path]:
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield Path(sys.executable)
    if on_path := shutil.which(f"python{python}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    data = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    yield from sorted((pyenv / "versions").glob(f"{python}.*/bin/python{python}"), reverse=True)
    yield from sorted((data / "uv" / "python").glob(f"cpython-{python}.*/bin/python{python}"), reverse=True)


def _identify(interpreter: Path) -> str | None:
    """The minor version of a released CPython; None for anything else. Free-threaded builds compile differently."""
    try:
        done = subprocess.run(  # noqa: S603 (the user's own interpreters)
            [interpreter, "-I", "-S", "-c", _IDENTIFY], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    if done.returncode or len(words) != 3 or words[:2] != ["cpython", "final"]:
        return None
    return words[2]
