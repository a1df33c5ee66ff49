"""A CloudFormation document: YAML with its lines, parameters, conditions, and the intrinsic functions.

This file knows the language; `template.py` knows the resources. JSON templates are read too, as a subset of YAML.
Intrinsics: Ref, GetAtt, Sub, Join, If, Select, Split, FindInMap, Equals, And, Or, Not, Condition, Base64, GetAZs,
Length, ToJsonString. What ImportValue and its like give is not known here: a text that names them takes its place.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import yaml

from simulator.base import documents, limits
from simulator.base.documents import DocumentError
from simulator.base.errors import InputError
from simulator.base.nearest import did_you_mean, listed, nearest
from simulator.base.patterns import matches
from simulator.base.shown import is_usable

_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_UNKNOWN_HERE = ("Fn::ImportValue", "Fn::Transform", "Fn::Cidr")
_NO_VALUE = object()
MAX_LEVELS = 64
"""The deepest nesting in an evaluation: functions inside each other, and names and conditions that need others."""
MAX_VALUES = 500_000
"""The most values in one evaluation. A template with AWS's 500 resources has a tenth."""
MAX_CHARACTERS = 32 * 1024 * 1024
"""The most characters in all texts that functions make."""
_PART_CHARACTERS = 50  # what a text takes in addition to its characters


class TemplateError(InputError):
    """The template cannot be used; the message names file, line and resource."""


class Located(dict[str, Any]):
    """A mapping that remembers the line of each of its keys."""

    def __init__(self, line: int = 0, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(values or {})
        self.line = line
        self.lines: dict[str, int] = {}


class Document:
    """One template with its parameters set. `resolve` turns any part of it into plain values.

    `reference(logical_id, attribute)` answers Ref (attribute None) and GetAtt for resources; it returns None for a
    resource that it does not know.
    """

    def __init__(
        self, text: str, file: str, parameters: Mapping[str, str], stack_name: str, defaults: Mapping[str, str]
    ) -> None:
        self.file, self.stack_name = file, stack_name
        self._pseudo = _pseudo_parameters(stack_name)
        self.reference: Callable[[str, str | None], str | None] = lambda *_: None
        self.root = self._parse(text)
        self.resources = self.section("Resources")
        if not self.resources:
            self.fail("it declares no Resources")
        self._mappings, self._conditions = self.section("Mappings"), self.section("Conditions")
        self._deciding: list[str] = []
        self._decided: dict[str, bool] = {}
        self._levels = self._values = self._characters = 0
        self._declared = self.section("Parameters")
        self.parameters = self._bind(self._declared, parameters, defaults)

    def fail(
        self, message: str, line: int | None = None, resource: str | None = None, *, hint: str | None = None
    ) -> NoReturn:
        """Raise `TemplateError` that names file, line and resource."""
        where = self.file + (f":{line}" if line else "")
        raise TemplateError(f"{where}: {resource + ': ' if resource else ''}{message}", hint=hint)

    def resolve(self, value: Any, line: int | None = None) -> Any:
        """The value with every intrinsic function replaced; `AWS::NoValue` removes the property or element."""
        result = self._value(value, line)
        return None if result is _NO_VALUE else result

    @property
    def is_exhausted(self) -> bool:
        """Whether its functions have done all the work that they may, so that nothing more can be resolved."""
        return self._values > MAX_VALUES or self._characters > MAX_CHARACTERS

    def condition(self, name: str, line: int | None = None) -> bool:
        """Whether the condition of that name is true."""
        if name not in self._conditions:
            self.fail(f"there is no condition '{name}'", line)
        if name in self._deciding:
            self.fail(f"condition '{name}' refers to itself", self._conditions.lines[name])
        if name not in self._decided:
            self._deciding.append(name)
            try:
                self._decided[name] = self._truths([self._conditions[name]], self._conditions.lines[name])[0]
            finally:
                self._deciding.pop()
        return self._decided[name]

    # Reading

    def _parse(self, text: str) -> Located:
        try:
            node = documents.compose(text)
            root = self._plain(node) if node is not None else None
        except DocumentError as error:
            self.fail(str(error), error.line)
        if not isinstance(root, Located):
            self.fail("not a CloudFormation template: a mapping with Resources is expected", 1)
        return root

    def _plain(self, node: yaml.Node) -> Any:
        """The node's value, with short forms of intrinsic functions as their long forms. Raises `DocumentError`."""
        if not node.tag.startswith("!"):
            documents.require_known(node)
            return self._untagged(node)
        name = node.tag[1:] if node.tag in ("!Ref", "!Condition") else f"Fn::{node.tag[1:]}"
        argument = self._untagged(node)
        call = Located(node.start_mark.line + 1)
        call.lines[name] = call.line
        call[name] = argument.split(".", 1) if node.tag == "!GetAtt" and isinstance(argument, str) else argument
        return call

    def _untagged(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            located = Located(node.start_mark.line + 1)
            for key_node, value_node in node.value:
                key = documents.key_of(key_node)
                if key in located:
                    self.fail(f"the key '{key}' occurs twice in one mapping", key_node.start_mark.line + 1)
                located.lines[key] = key_node.start_mark.line + 1
                located[key] = self._plain(value_node)
            return located
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item) for item in node.value]
        return documents.scalar(node)

    def section(self, *path: str) -> Located:
        """The mapping at a path of the document as written; empty if there is none."""
        found = self.root
        for name in path:
            inner = found.get(name) or Located()
            if not isinstance(inner, Located):
                self.fail(f"{name} must be a mapping", found.lines[name])
            found = inner
        return found

    # Parameters

    def _bind(self, declared: Located, chosen: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
        for name in chosen:
            if name not in declared:
                hint = did_you_mean(name, declared, f"they are under 'Parameters' in {self.file}")
                raise TemplateError(f"the template has no parameter '{name}'", hint=hint)
        given = {**{name: value for name, value in defaults.items() if name in declared}, **chosen}
        bound: dict[str, str] = {}
        valued = {name for name, each in declared.items() if not isinstance(each, Located) or "Default" in each}
        if missing := [name for name in declared if name not in valued.union(given)]:
            names = ", ".join(f"'{name}'" for name in missing)
            have = f"parameter {names} has" if len(missing) == 1 else f"parameters {names} have"
            hint = "add " + " ".join(f"--parameter {name}=VALUE" for name in missing)
            self.fail(f"{have} no default and no value", declared.lines[missing[0]], hint=hint)
        for name, definition in declared.items():
            line = declared.lines[name]
            if not isinstance(definition, Located):
                self.fail(f"parameter {name} must be a mapping", line)
            value = str(given[name]) if name in given else plain_text(definition["Default"])
            self._check_parameter(name, value, definition, line)
            bound[name] = value
        return bound

    def _check_parameter(self, name: str, value: str, definition: Located, line: int) -> None:
        def refuse(rule: str, hint: str | None = None) -> NoReturn:
            raise TemplateError(f"parameter {name}={value}: {rule} ({self.file}:{line})", hint=hint)

        if not is_usable(value):
            refuse("has a character that cannot be used, NUL or one that is not UTF-8")
        allowed = definition.get("AllowedValues")
        if allowed is not None and not isinstance(allowed, list):
            self.fail(f"parameter {name}: AllowedValues must be a list", line)
        if allowed is not None and value not in [plain_text(choice) for choice in allowed]:
            choices = [plain_text(choice) for choice in allowed]
            near = nearest(value, choices)
            refuse(f"must be one of {listed(choices)}", f"did you mean '{near}'?" if near else None)
        pattern = definition.get("AllowedPattern")
        try:
            if pattern is not None and not matches(str(pattern), value):
                refuse(str(definition.get("ConstraintDescription") or f"must match {pattern}"))
        except ValueError as error:
            self.fail(f"parameter {name}: its AllowedPattern {pattern} {error}", line)
        self._check_bounds(name, value, definition, line, refuse)

    def _check_bounds(
        self, name: str, value: str, definition: Located, line: int, refuse: Callable[[str], NoReturn]
    ) -> None:
        number = 0.0
        if definition.get("Type") == "Number":
            number = as_number(value)
            if math.isnan(number):
                refuse("must be a number")
        for bound, measured, direction, rule in (
            ("MinValue", number, 1, "must be at least {}"),
            ("MaxValue", number, -1, "must be at most {}"),
            ("MinLength", len(value), 1, "must have at least {} characters"),
            ("MaxLength", len(value), -1, "must have at most {} characters"),
        ):
            if bound not in definition:
                continue
            limit = as_number(definition[bound])
            if math.isnan(limit):
                self.fail(f"parameter {name}: {bound} must be a number, not '{definition[bound]}'", line)
            if direction * measured < direction * limit:
                refuse(rule.format(definition[bound]))

    # Intrinsics

    def _value(self, value: Any, line: int | None) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            self.fail("its functions take too much work: they produce too many values", line)
        if self._levels >= MAX_LEVELS:
            self.fail(f"functions, names and conditions are nested more than {MAX_LEVELS} levels deep", line)
        self._levels += 1
        try:
            return self._worked_out(value, line)
        finally:
            self._levels -= 1

    def _worked_out(self, value: Any, line: int | None) -> Any:
        if isinstance(value, Located):
            if len(value) == 1:
                ((key, argument),) = value.items()
                # {"Condition": name} is an intrinsic only where a condition is expected; see _truths.
                if key == "Ref" or key.startswith("Fn::"):
                    return self._call(key, argument, value.lines[key])
            resolved = Located(value.line)
            for key, item in value.items():
                plain = self._value(item, value.lines[key])
                if plain is not _NO_VALUE:
                    resolved[key], resolved.lines[key] = plain, value.lines[key]
            return resolved
        if isinstance(value, list):
            items = (self._value(item, line) for item in value)
            return [item for item in items if item is not _NO_VALUE]
        if isinstance(value, str):
            self._charge(len(value), line)
        return value

    def _call(self, name: str, argument: Any, line: int) -> Any:
        functions: dict[str, Callable[[Any, int], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda given, at: base64.b64encode(self._text(self.resolve(given, at), at).encode()).decode(),
            "Fn::GetAZs": lambda *_: [f"{limits.REGION}{letter}" for letter in "abc"],
            "Fn::Length": lambda given, at: len(self._list(given, None, at)),
            "Fn::ToJsonString": lambda given, at: json.dumps(self.resolve(given, at), ensure_ascii=False),
            "Fn::Equals": lambda given, at: len({self._text(operand, at) for operand in self._list(given, 2, at)}) == 1,
            "Fn::And": lambda given, at: all(self._truths(given, at)),
            "Fn::Or": lambda given, at: any(self._truths(given, at)),
            "Fn::Not": lambda given, at: not self._truths(given, at)[0],
        }
        function = functions.get(name)
        if name in _UNKNOWN_HERE:
            return f"{name}({json.dumps(self.resolve(argument, line), ensure_ascii=False)})"
        if function is None:
            self.fail(f"{name} is not supported here", line)
        result = function(argument, line)
        if isinstance(result, str):
            self._charge(len(result), line)
        return result

    def _charge(self, characters: int, line: int | None) -> None:
        """Count what a function makes, before it can outgrow the memory."""
        self._characters += characters
        if self._characters > MAX_CHARACTERS:
            self.fail(f"its functions make more than {MAX_CHARACTERS:,} characters of text in total", line)

    def _text(self, value: Any, line: int) -> str:
        if isinstance(value, dict | list):
            self.fail("text is expected here, not a list or a mapping", line)
        return plain_text(value)

    def _list(self, argument: Any, length: int | None, line: int) -> list[Any]:
        value = self.resolve(argument, line)
        if not isinstance(value, list) or length not in (None, len(value)):
            self.fail(f"a list{f' of {length}' if length else ''} is expected here", line)
        return value

    def _truths(self, argument: Any, line: int) -> list[bool]:
        if not isinstance(argument, list) or not argument:
            self.fail("a list of conditions is expected here", line)
        return [
            self.condition(str(item["Condition"]), line)
            if isinstance(item, Located) and list(item) == ["Condition"]
            else plain_text(self.resolve(item, line)).lower() == "true"
            for item in argument
        ]

    def _lookup(self, name: str, attribute: str | None, line: int) -> Any:
        if attribute is None:
            if name == "AWS::NoValue":
                return _NO_VALUE
            if name in self._pseudo:
                return self._pseudo[name]
            if name in self.parameters:
                return self.parameters[name]
        found = self.reference(name, attribute)
        if found is None:
            if name not in self.resources:
                self.fail(f"'{name}' is neither a resource nor a parameter", line)
            kind = self.resources[name].get("Type") if isinstance(self.resources[name], dict) else None
            self.fail(f"{name}{'.' + attribute if attribute else ''} of a {kind} is not known here", line)
        return found

    def _ref(self, argument: Any, line: int) -> Any:
        value = self._lookup(str(argument), None, line)
        definition = self._declared.get(str(argument))
        if definition and re.search(r"List\b", str(definition.get("Type"))):
            return [part.strip() for part in self._parts(",", value, line)]
        return value

    def _get_att(self, argument: Any, line: int) -> Any:
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        if len(parts) != 2:
            self.fail("GetAtt needs a resource and an attribute", line)
        return self._lookup(str(parts[0]), str(parts[1]), line)

    def _sub(self, argument: Any, line: int) -> str:
        template, names = argument, Located()
        if isinstance(argument, list):
            if len(argument) != 2 or not isinstance(argument[1], Located):
                self.fail("Sub needs text, or a list of text and a mapping", line)
            template, names = argument

        known: dict[str, str] = {}

        def replace(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return "${" + name + "}"
            if name not in known:
                resource, dot, attribute = name.partition(".")
                value = (
                    self.resolve(names[name], line)
                    if name in names
                    else self._lookup(resource, attribute if dot else None, line)
                )
                known[name] = "" if value is _NO_VALUE else self._text(value, line)
            self._charge(len(known[name]), line)
            return known[name]

        text = self._text(template, line)
        head = text.rfind("}") + 1  # no name follows it, and searching for its end again and again is slow
        return _SUB.sub(replace, text[:head]) + text[head:]

    def _join(self, argument: Any, line: int) -> str:
        separator, parts = self._list(argument, 2, line)
        if not isinstance(parts, list):
            self.fail("Join needs a separator and a list", line)
        texts = [self._text(part, line) for part in parts]
        between = self._text(separator, line)
        self._charge(len(between) * len(texts), line)
        return between.join(texts)

    def _if(self, argument: Any, line: int) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            self.fail("If needs a condition and two values", line)
        return self._value(argument[1 if self.condition(str(argument[0]), line) else 2], line)

    def _select(self, argument: Any, line: int) -> Any:
        index, values = self._list(argument, 2, line)
        number = as_number(index)
        if not isinstance(values, list) or not 0 <= number < len(values) or number != int(number):
            self.fail(f"there is no element {self._text(index, line)} to select", line)
        return values[int(number)]

    def _split(self, argument: Any, line: int) -> list[str]:
        separator, text = (self._text(part, line) for part in self._list(argument, 2, line))
        if not separator:
            self.fail("Split needs a separator", line)
        return self._parts(separator, text, line)

    def _parts(self, separator: str, text: str, line: int) -> list[str]:
        parts = text.split(separator)
        self._charge(len(text) + _PART_CHARACTERS * len(parts), line)
        return parts

    def _find_in_map(self, argument: Any, line: int) -> Any:
        names = [self._text(name, line) for name in self._list(argument, 3, line)]
        found: Any = self._mappings
        for name in names:
            if not isinstance(found, dict) or name not in found:
                self.fail("there is no mapping " + ".".join(names), line)
            found = found[name]
        if any(isinstance(each, dict | list) for each in (found if isinstance(found, list) else [found])):
            self.fail(f"the mapping {'.'.join(names)} must be text, a number or a list of them", line)
        return found


def _pseudo_parameters(stack_name: str) -> dict[str, str]:
    """AWS's pseudo parameters for a stack in the twin's only region and account."""
    return {
        "AWS::AccountId": limits.ACCOUNT_ID,
        "AWS::Region": limits.REGION,
        "AWS::Partition": "aws",
        "AWS::StackName": stack_name,
        "AWS::StackId": f"arn:aws:cloudformation:{limits.REGION}:{limits.ACCOUNT_ID}:stack/{stack_name}/twin",
        "AWS::URLSuffix": "amazonaws.com",
    }


def as_number(value: Any) -> float:
    """The finite number that a template has as a number or as text; NaN for anything else."""
    if isinstance(value, bool) or not _NUMBER.fullmatch(str(value)):
        return math.nan
    number = float(value)
    return number if math.isfinite(number) else math.nan


def plain_text(value: Any) -> str:
    """A value as CloudFormation writes it: true and false in lower case, nothing for null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
