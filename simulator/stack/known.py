"""Which properties a resource or an event may have and which it must, and which types need SAM's transform. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from simulator.base.nearest import nearest
from simulator.stack.model import Sentences, Stack
from simulator.stack.settings import properties_of, section

_SAM = "AWS::Serverless-2016-10-31"


@cache
def known_names() -> Mapping[str, Mapping[str, bool]]:
    """By type, the properties that CloudFormation and SAM list, and whether a template must give them.

    Events of SAM's functions have their short names. `ReservedVariables` has those that no function may set.
    """
    text = Path(__file__).with_name("known.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^(\S+)\n((?: .+\n)+)", text, re.MULTILINE)
    return {kind: {name.rstrip("!"): name.endswith("!") for name in names.split()} for kind, names in listed}


def refused_properties(stack: Stack) -> Sentences:
    """CloudFormation Template Reference; SAM specification. The words are SAM's where SAM reads the properties."""
    for logical_id, kind in _typed(stack):
        known, given = known_names()[kind], properties_of(stack, logical_id)
        if kind == "S3" and str(section(given, "Bucket").get("Ref")) not in section(stack.document, "Resources"):
            yield logical_id, "S3 events must reference an S3 bucket in the same template.", "Bucket"
        is_plain = kind.startswith("AWS::") and "Serverless" not in kind
        computed = any(name.startswith("Fn::") for name in given)
        for name in [name for name in given if name not in known and not name.startswith("Fn::")]:
            said = f"property {name} not defined for resource of type {kind}"
            if logical_id == "Globals":
                said = f"'{name}' is not a supported property of 'Function'"
            elif is_plain:
                said = f"Encountered unsupported property {name}"
            meant = nearest(name, known)
            yield logical_id, said + (f"; did you mean '{meant}'?" if meant else ""), name
        for name in [name for name in known if known[name] and given.get(name) is None and not computed]:
            said = f"#: required key [{name}] not found" if is_plain else f"Missing required property '{name}'."
            yield logical_id, said


def refused_types(stack: Stack) -> Sentences:
    """CloudFormation User Guide, "AWS::Serverless transform": without it, SAM's types do not exist."""
    transform = stack.document.get("Transform")
    declared = transform if isinstance(transform, list) else [transform]
    if _SAM in declared or any(isinstance(each, Mapping) and each.get("Name") == _SAM for each in declared):
        return
    kinds = {name: str(section(each).get("Type")) for name, each in section(stack.document, "Resources").items()}
    if sams := {name: kind for name, kind in kinds.items() if kind.startswith("AWS::Serverless::")}:
        types = ", ".join(dict.fromkeys(sams.values()))
        yield next(iter(sams)), f"Unrecognized resource types: [{types}]; the template lacks 'Transform: {_SAM}'"


def _typed(stack: Stack) -> Iterator[tuple[str, str]]:
    """Each resource and event whose properties are known, with its type."""
    yield "Globals", "Globals.Function"
    for logical_id, resource in section(stack.document, "Resources").items():
        if logical_id in stack.lines and (kind := str(section(resource).get("Type"))) in known_names():
            yield logical_id, kind
            for name, event in section(resource, "Properties", "Events").items():
                if (kind := str(section(event).get("Type"))) in known_names():
                    yield f"{logical_id}{name}", kind
