"""Which template parameter is behind a function's environment variable: how a setting is changed without an editor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.stack.model import Stack

_SUB = re.compile(r"\$\{([^!}][^}]*)\}")


def parameters_behind(stack: Stack, function: str) -> dict[str, str]:
    """The template parameter that sets each environment variable of a function (logical id), by the variable's name.

    Left out is a variable that no parameter decides, or more than one: there is no single thing to change.
    """
    shared = _variables(stack.document.get("Globals"), "Function")
    own = _variables(stack.document.get("Resources"), function, "Properties")
    found = {name: set(_parameters_in(value)) & set(stack.parameters) for name, value in {**shared, **own}.items()}
    return {name: next(iter(parameters)) for name, parameters in found.items() if len(parameters) == 1}


def _variables(section: Any, *path: str) -> Mapping[str, Any]:
    """The variables below a path of a template; empty where it has none."""
    for name in (*path, "Environment", "Variables"):
        section = section.get(name) if isinstance(section, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def _parameters_in(value: Any) -> Iterator[str]:
    """Every name that a value refers to; the condition of an If decides between values and is none of them."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from _SUB.findall(text)
        case {"Fn::Sub": [str(text), Mapping() as given]}:
            yield from (name for name in _SUB.findall(text) if name not in given)
            yield from _parameters_in(list(given.values()))
        case {"Fn::If": [_, *values]}:
            yield from _parameters_in(values)
        case Mapping():
            yield from _parameters_in(list(value.values()))
        case list():
            for each in value:
                yield from _parameters_in(each)
