"""Which template parameter sets a variable or a property, so that it can be changed without an editor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.stack.model import Stack

_SUB = re.compile(r"\$\{([^!}][^}]*)\}")


def parameters_behind(stack: Stack, function: str) -> dict[str, str]:
    """The template parameter that sets each environment variable of a function (logical id), by the variable's name.

    Variables that no parameter decides, or more than one, are left out: there is no single parameter to change.
    """
    where = ("Environment", "Variables")
    variables = {**_mapping(_shared(stack), *where), **_mapping(_properties(stack, function), *where)}
    found = {name: _only_parameter(stack, value) for name, value in variables.items()}
    return {name: parameter for name, parameter in found.items() if parameter is not None}


def parameter_behind(stack: Stack, logical_id: str, *path: str) -> str | None:
    """The template parameter that sets a property of a resource, or of a function's event source mapping."""
    *parents, name = path
    for properties in (_properties(stack, logical_id), _shared(stack) if logical_id in stack.functions else {}):
        section = _mapping(properties, *parents)
        if name in section:
            return _only_parameter(stack, section[name])
    return None


def _only_parameter(stack: Stack, value: Any) -> str | None:
    parameters = set(_parameters_in(value)) & set(stack.parameters)
    return parameters.pop() if len(parameters) == 1 else None


def _shared(stack: Stack) -> Mapping[str, Any]:
    return _mapping(stack.document, "Globals", "Function")


def _properties(stack: Stack, logical_id: str) -> Mapping[str, Any]:
    """A resource's properties; for a mapping declared as a function's event, the event's."""
    resources = _mapping(stack.document, "Resources")
    if logical_id in resources or logical_id not in stack.mappings:
        return _mapping(resources, logical_id, "Properties")
    function = stack.mappings[logical_id].function
    return _mapping(resources, function, "Properties", "Events", logical_id.removeprefix(function), "Properties")


def _mapping(section: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at a path of a template; empty if there is none."""
    for name in path:
        section = section.get(name) if isinstance(section, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def _up_to_last_name(text: str) -> str:
    """The text up to its last name: searching for the end of more names in the rest would be slow."""
    return text[: text.rfind("}") + 1]


def _parameters_in(value: Any) -> Iterator[str]:
    """Every name that a value refers to, except the condition of an If, which only chooses between values."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from _SUB.findall(_up_to_last_name(text))
        case {"Fn::Sub": [str(text), Mapping() as given]}:
            yield from (name for name in _SUB.findall(_up_to_last_name(text)) if name not in given)
            yield from _parameters_in(list(given.values()))
        case {"Fn::If": [_, *values]}:
            yield from _parameters_in(values)
        case Mapping():
            yield from _parameters_in(list(value.values()))
        case list():
            for each in value:
                yield from _parameters_in(each)
