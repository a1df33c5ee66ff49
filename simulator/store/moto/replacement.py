"""What a replacement is, and the check that what it replaces is still what it was written against.

moto is used as released, never forked. Where one of its functions is too slow, or a request can be answered without
it, a replacement stands in. Each names moto's functions by the hash of their source; with another moto version these
are compared first, and where one has changed the replacement stays off, with a warning, and moto's own code runs.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

# The version whose source the replacements were written against and compared with in the differential tests.
MOTO_VERSION = "5.2.5"


class ReplacementOff(UserWarning):
    """moto's code has changed under a replacement; moto's own is used, slower and without what was added."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One stand-in for functions of moto.

    `functions` maps `module:Class.function` to the first 16 hex digits of the SHA-256 of its source; `why` says what
    was wrong with it, `keeps` what the stand-in promises to leave as it was. `install` puts it in place; None where
    a fast path in front of moto asks what `install` gave.
    """

    name: str
    functions: dict[str, str]
    why: str
    keeps: str
    install: Callable[[], None] | None = None


def hash_of(function: str) -> str:
    """What stands in `Replacement.functions` for `module:Class.function` as it is installed; a property's getter.

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
    """The functions whose source is not the one the replacement was written against, or which are gone."""
    changed = []
    for function, expected in replacement.functions.items():
        with suppress(ImportError, AttributeError, OSError, TypeError):
            if hash_of(function) == expected:
                continue
        changed.append(function)
    return changed


def install(replacements: Iterable[Replacement], version: str) -> set[str]:
    """Put each in place whose functions are unchanged; at `MOTO_VERSION` they are known to be. Their names."""
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
