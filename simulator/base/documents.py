"""Documents from a user: read in bounded memory and time, whatever they contain.

A small YAML file can expand enormously (aliases of aliases), or nest so deeply that a recursive parser dies. So its
events, which need no recursion, are counted before anything is built from them. JSON is read as YAML here, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

import yaml

from simulator.base.shown import is_usable

MAX_DEPTH = 64
"""The deepest nesting of collections, aliases included. A template that people write has fifteen levels."""
MAX_NODES = 100_000
"""The most nodes in a document, aliases included. A template with AWS's 500 resources has twenty thousand."""
LONG_TEXT = 1_000
"""Each time that a text has as many characters, it counts as one node more."""
MAX_DIGITS = 100
LARGEST = 1e100
"""The largest number in JSON: its square is still a number."""
_SLOW_CHARACTERS = 100_000
_DIRECTIVES = 20
_TAG = "tag:yaml.org,2002:"
_TEXTS = {_TAG + name for name in ("str", "merge", "value")}
_KNOWN = {
    "scalar": _TEXTS | {_TAG + name for name in ("int", "float", "bool", "null")},
    "sequence": {f"{_TAG}seq"},
    "mapping": {f"{_TAG}map"},
}
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


class DocumentError(ValueError):
    """What is wrong with a document, as a predicate for its name; `line` counts from 1, None if unknown."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def compose(text: str) -> yaml.Node | None:
    """The single document of a text as nodes, None if it is empty. Raises `DocumentError`.

    There are at most `MAX_NODES`, in at most `MAX_DEPTH` levels, however they are visited: an alias counts as
    everything that it repeats.
    """
    if text.count("\n%") > _DIRECTIVES:
        raise DocumentError(f"cannot be read as YAML: more than {_DIRECTIVES} directives")
    try:
        try:
            _require_bounded(text, _FastLoader)
            return yaml.compose(text, Loader=_FastLoader)
        except yaml.YAMLError:
            if len(text) > _SLOW_CHARACTERS:
                raise
        # The slow loader's errors give a more helpful position, and the same one everywhere.
        _require_bounded(text, _YamlLoader)
        return yaml.compose(text, Loader=_YamlLoader)
    except yaml.MarkedYAMLError as error:
        raise DocumentError(f"not YAML: {error.problem or error.context}", _line(error)) from None
    except yaml.YAMLError as error:
        raise DocumentError(f"not YAML: {' '.join(str(error).split())}") from None
    except DocumentError:
        raise
    except (ValueError, OverflowError):
        raise DocumentError("not YAML: an escaped character is outside Unicode") from None


def key_of(node: yaml.Node) -> str:
    """The text of a mapping's key. Raises `DocumentError`."""
    if not isinstance(node, yaml.ScalarNode):
        _refuse(node, "a key must be text")
    if node.tag == f"{_TAG}merge":
        _refuse(node, "merge keys (<<) are not supported")
    return _usable(node)


def require_known(node: yaml.Node) -> None:
    """Raise `DocumentError` unless a node has a tag that fits its kind."""
    kind = "mapping" if isinstance(node, yaml.MappingNode) else "sequence"
    if node.tag not in _KNOWN["scalar" if isinstance(node, yaml.ScalarNode) else kind]:
        _refuse(node, f"the tag {node.tag.replace(_TAG, '!!')} is not supported")


def scalar(node: yaml.Node) -> Any:
    """The value of a scalar: text, a number, true or false, or None. Raises `DocumentError`.

    With a tag specific to templates it is text.
    """
    text = _usable(node)
    if node.tag.startswith("!") or node.tag in _TEXTS:
        return text
    require_known(node)
    if node.tag in (f"{_TAG}int", f"{_TAG}float") and len(text) > MAX_DIGITS:
        _refuse(node, f"a number of more than {MAX_DIGITS} characters is not supported")
    try:
        return _CONSTRUCTOR.yaml_constructors[node.tag](_CONSTRUCTOR, node)
    except (ValueError, TypeError, KeyError, OverflowError, yaml.YAMLError):
        _refuse(node, f"'{text[:MAX_DIGITS]}' cannot be read as {node.tag.replace(_TAG, '!!')}")


def plain(node: yaml.Node | None) -> Any:
    """Dictionaries, lists and scalars. Raises `DocumentError`: no key may occur twice, and no tags are allowed."""
    if node is None:
        return None
    require_known(node)
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key_node, value in node.value:
            key = key_of(key_node)
            if key in made:
                _refuse(key_node, f"the key '{key}' occurs twice in one mapping")
            made[key] = plain(value)
        return made
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    return scalar(node)


def from_json(content: bytes) -> Any:
    """A JSON document in UTF-8. Raises `DocumentError` if it is anything else, or has NaN or infinity."""
    try:
        text = content.decode("utf-8-sig")
        document = json.loads(text, parse_constant=_no_number, parse_float=_moderate, parse_int=_whole)
    except UnicodeDecodeError:
        raise DocumentError("is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise DocumentError("is nested too deeply") from None
    _require_shallow(document)
    return document


def _require_shallow(document: Any) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _inside(value)]
    if level:
        raise DocumentError("is nested too deeply")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _no_number(name: str) -> NoReturn:
    raise DocumentError(f"has {name}, which is not a number in JSON")


def _moderate(text: str) -> float:
    number = float(text)
    if abs(number) > LARGEST:
        raise DocumentError(f"has the number {text[:MAX_DIGITS]}, which is too large")
    return number


def _whole(text: str) -> int:
    _moderate(text)
    return int(text)


def _require_bounded(text: str, loader: Any) -> None:
    """Count the nodes and levels of the text's events. Raises `DocumentError`, and `yaml.YAMLError` if not YAML."""
    nodes = 0
    sizes: dict[str, tuple[int, int]] = {}  # nodes and levels, by anchor
    inside: list[_Collection] = []
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            if any(collection.anchor == event.anchor for collection in inside):
                raise DocumentError(f"the alias *{event.anchor} contains itself", line)
            size, levels = sizes.get(str(event.anchor), (1, 0))
        elif isinstance(event, yaml.CollectionStartEvent):
            inside.append(_Collection(event.anchor, nodes))
            size, levels = 1, 0
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = inside.pop()
            size, levels = 0, ended.levels + 1
            if ended.anchor is not None:
                sizes[ended.anchor] = (nodes - ended.before, levels)
        elif isinstance(event, yaml.ScalarEvent):
            size, levels = 1 + len(event.value) // LONG_TEXT, 0
            if event.anchor is not None:
                sizes[event.anchor] = (size, 0)
        else:
            continue
        nodes += size
        if inside:
            inside[-1].levels = max(inside[-1].levels, levels)
        if nodes > MAX_NODES:
            raise DocumentError(f"more than {MAX_NODES:,} values, counting those that each alias repeats", line)
        if len(inside) + levels > MAX_DEPTH:
            raise DocumentError(f"nested more than {MAX_DEPTH} levels deep", line)


class _Collection:
    """A collection that has not ended yet: its anchor, how many nodes came before it, how deep it is so far."""

    __slots__ = ("anchor", "before", "levels")

    def __init__(self, anchor: str | None, before: int) -> None:
        self.anchor, self.before, self.levels = anchor, before, 0


def _usable(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        _refuse(node, "text is expected here")
    text = str(node.value)
    if not is_usable(text):
        _refuse(node, "the text has a character that cannot be used: NUL or half of a surrogate pair")
    return text


def _refuse(node: yaml.Node, message: str) -> NoReturn:
    raise DocumentError(message, node.start_mark.line + 1)


def _line(error: yaml.MarkedYAMLError) -> int | None:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else None


class _YamlLoader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: dates stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the library's own attribute
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same with libyaml, if PyYAML has it: eight times as fast."""

    yaml_implicit_resolvers = _YamlLoader.yaml_implicit_resolvers
