"""Where a template sets a variable or a property, and which parameter does, so that it can be changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.stack.model import Stack

_COMPUTED = {"Ref", "Fn::Sub", "Fn::If", "Fn::Join", "Fn::Select"}
_SUB = re.compile(r"\$\{([^!}][^}]*)\}")


def parameters_behind(stack: Stack, function: str) -> dict[str, str]:
    """The template parameter that sets each environment variable of a function (logical id), by the variable's name.

    Variables that no parameter decides, or more than one, are left out: there is no single parameter to change.
    """
    where = ("Environment", "Variables")
    variables = {**section(properties_of(stack, "Globals"), *where), **section(properties_of(stack, function), *where)}
    found = {name: _only_parameter(stack, value) for name, value in variables.items()}
    return {name: parameter for name, parameter in found.items() if parameter is not None}


def parameter_behind(stack: Stack, logical_id: str, *path: str) -> str | None:
    """The template parameter that sets a property of a resource, or of a function's event source mapping."""
    *parents, name = path
    for properties in written(stack, logical_id):
        found = section(properties, *parents)
        if name in found:
            is_section = isinstance(found[name], Mapping) and not _COMPUTED & found[name].keys()
            return None if is_section else _only_parameter(stack, found[name])
    return None


def line_of(stack: Stack, logical_id: str, *path: str) -> int | None:
    """Where the template has a resource's property, or as much of its path as there is; None if that is not known."""
    event = stack.mappings.get(logical_id) or stack.schedules.get(logical_id)
    line = stack.lines.get(logical_id) or (stack.lines.get(event.function) if event else None)
    for properties in written(stack, logical_id):
        if path and path[0] in properties:
            for name in path:
                line = getattr(properties, "lines", {}).get(name, line)
                properties = section(properties, name)
            break
    return line


def written(stack: Stack, logical_id: str) -> tuple[Mapping[str, Any], ...]:
    """The properties that a resource or an event has of its own, then those that it shares with others."""
    shared = (properties_of(stack, "Globals"),) if logical_id in stack.functions else ()
    return (properties_of(stack, logical_id), *shared)


def _only_parameter(stack: Stack, value: Any) -> str | None:
    parameters = set(_parameters_in(value)) & set(stack.parameters)
    return parameters.pop() if len(parameters) == 1 else None


def properties_of(stack: Stack, logical_id: str) -> Mapping[str, Any]:
    """A resource's properties as written; of a function's event, the event's; of `Globals`, those of all functions."""
    if logical_id == "Globals":
        return section(stack.document, "Globals", "Function")
    resources = section(stack.document, "Resources")
    if logical_id in resources:
        return section(resources, logical_id, "Properties")
    for function in stack.functions:
        if logical_id.startswith(function):
            event = section(resources, function, "Properties", "Events", logical_id.removeprefix(function))
            if event:
                return section(event, "Properties")
    return {}


def may_invoke(stack: Stack, service: str) -> bool:
    """Whether the template has a permission for a service (`s3`) to invoke a function; SAM's events bring their own."""
    resources = (section(each) for each in section(stack.document, "Resources").values())
    permissions = (section(each, "Properties") for each in resources if each.get("Type") == "AWS::Lambda::Permission")
    return any(service in str(each.get("Principal")) for each in permissions)


def section(document: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at a path of a template; empty if there is none."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


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
