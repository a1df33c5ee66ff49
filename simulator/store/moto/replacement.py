"""What a replacement is, and the check that moto's code is still what the replacement was written for.

moto is used as released, never forked. If one of its functions is too slow, or a request can be answered without it, a
replacement is used. With another moto version the hashes in `replacements.toml` are compared first; if a function has
changed, the replacement stays off, with a warning, and moto's own code runs.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

# The version whose source the replacements were written for and compared with in the differential tests.
MOTO_VERSION = "5.2.5"


class ReplacementOff(UserWarning):
    """moto's code has changed under a replacement; moto's own code runs, slower and without the additions."""


class Replacement(NamedTuple):
    """One replacement for functions of moto; `replacements.toml` describes it under its name.

    `install` activates it; None if a fast path in front of moto checks the result of `install` instead.
    """

    name: str
    install: Callable[[], None] | None = None


@cache
def descriptions() -> Mapping[str, Any]:
    """What `replacements.toml` says of each replacement."""
    return tomllib.loads(Path(__file__).with_name("replacements.toml").read_text(encoding="utf-8"))


def hash_of(function: str) -> str:
    """The hash in `replacements.toml` of `module:Class.function` as installed; for a property, of its getter.

    Raises AttributeError or ImportError.
    """
    module_name, _, path = function.partition(":")
    found: Any = importlib.import_module(module_name)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(getattr(found, "__func__", found))
    return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]


def changed_functions(replacement: Replacement) -> list[str]:
    """The functions whose source has changed since the replacement was written, or which are gone."""
    changed = []
    for function, expected in descriptions()[replacement.name]["functions"].items():
        with suppress(ImportError, AttributeError, OSError, TypeError):
            if hash_of(function) == expected:
                continue
        changed.append(function)
    return changed


def install(replacements: Iterable[Replacement], version: str) -> set[str]:
    """Activate the replacements whose functions are unchanged, as all are at `MOTO_VERSION`; returns their names."""
    active = set()
    for replacement in replacements:
        changed = [] if version == MOTO_VERSION else changed_functions(replacement)
        if changed:
            warnings.warn(
                f"moto {version} changed {', '.join(changed)}; the replacement '{replacement.name}' "
                f"(written against {MOTO_VERSION}) stays off",
                ReplacementOff,
                stacklevel=2,
            )
            continue
        if replacement.install is not None:
            replacement.install()
        active.add(replacement.name)
    return active


def _install_untracked() -> None:
    from moto.core.common_models import BaseModel
    from moto.s3.models import FakeKey

    BaseModel.__new__ = staticmethod(lambda kind, *_, **__: object.__new__(kind))  # type: ignore[method-assign, assignment]
    # moto warns about an object that was never disposed of; before, it lived as long as the process.
    FakeKey.__del__ = lambda self: self.dispose()  # type: ignore[method-assign]


UNTRACKED = Replacement("moto.instances", _install_untracked)
"""The one replacement of no service: moto's objects are freed when nobody uses them any more."""
