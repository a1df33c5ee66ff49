"""Typed access to a resource's properties, which records what was read, so that the rest can be reported."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from simulator.base.documents import DocumentError, from_json
from simulator.base.nearest import listed
from simulator.stack.intrinsics import Document, Located, as_number, plain_text

Choice = TypeVar("Choice", bound=str)

# The behaviour of the running pipeline does not depend on these.
_DESCRIPTIVE = frozenset({"Description", "Tags", "Metadata"})


class Properties:
    """The resolved properties of one resource, or one mapping inside them.

    Each reader checks the type and raises `TemplateError` at the property's line; `unread` lists what was never read.
    """

    def __init__(self, document: Document, logical_id: str, values: Located, path: str = "") -> None:
        self._document, self.logical_id, self._values, self._path = document, logical_id, values, path
        self._dismissed = False
        self._taken: set[str] = set()
        self._children: list[Properties] = []

    def fail(self, message: str, key: str | None = None) -> NoReturn:
        """Raise `TemplateError` at this key's line, or at this section's."""
        name = f"{self._path}{key}: " if key else ""
        self._document.fail(name + message, self.line_of(key) if key else self.line, self.logical_id)

    @property
    def line(self) -> int:
        """Where it begins in the template."""
        return self._values.line

    def line_of(self, key: str) -> int:
        """The line of a property."""
        return self._values.lines.get(key) or self.line

    @property
    def path(self) -> str:
        """Where it is in its resource, such as `Events.Tick`; empty for the resource itself."""
        return self._path.removesuffix(".")

    def dismiss(self) -> None:
        """Nothing of it counts as unread: it is left out as a whole."""
        self._dismissed = True

    def raw(self, key: str) -> Any:
        """The resolved value, None if it is absent."""
        self._taken.add(key)
        return self._values.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Text; without a default it is required."""
        value = self.raw(key)
        if value is None:
            if default is None:
                self.fail(f"{self._path}{key} is required")
            return default
        if not isinstance(value, (str, int, float)):
            self.fail("must be text", key)
        return plain_text(value)

    def optional_text(self, key: str) -> str | None:
        """Text, None if it is absent or empty."""
        return self.text(key, "") or None

    def integer(self, key: str, default: int) -> int:
        """A whole number."""
        value = self.optional_integer(key)
        return default if value is None else value

    def integers(self, **keys: str) -> dict[str, Any]:
        """The whole numbers that are given, under the keyword names: a dataclass has the defaults."""
        return {name: value for name, key in keys.items() if (value := self.optional_integer(key)) is not None}

    def optional_integer(self, key: str) -> int | None:
        """A whole number, None if it is absent."""
        value = self.raw(key)
        if value is None:
            return None
        number = as_number(value)
        if number != number // 1:  # NaN is not equal
            self.fail(f"must be a whole number, not '{value}'", key)
        return int(number)

    def boolean(self, key: str, default: bool) -> bool:
        """True or false, also written as text."""
        value = self.raw(key)
        text = str(default if value is None else value).lower()
        if text not in ("true", "false"):
            self.fail(f"must be true or false, not '{value}'", key)
        return text == "true"

    def section(self, key: str) -> Properties:
        """A nested mapping, empty if it is absent."""
        value = self.raw(key)
        return self._child(key, value if value is not None else Located(self.line_of(key)))

    def choice(self, key: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        """One of several texts."""
        given = self.text(key, default)
        for each in choices:
            if each == given:
                return each
        return self.fail(f"must be {listed(choices)}, not '{given}'", key)

    def document(self, key: str) -> Properties:
        """A nested mapping, or JSON text of one."""
        value = self.raw(key)
        try:
            value = from_json(value.encode()) if isinstance(value, str) else value
        except DocumentError as error:
            self.fail(str(error), key)
        given = isinstance(value, dict) and not isinstance(value, Located)
        return self._child(key, Located(self.line_of(key), value) if given else value)

    def sections(self, key: str) -> list[Properties]:
        """A list of mappings."""
        return [self._child(f"{key}[{n}]", item) for n, item in enumerate(self._items(key))]

    def members(self, key: str) -> list[tuple[str, Properties]]:
        """The nested mappings of a mapping, by name."""
        parent = self.section(key)
        return [(name, parent.section(name)) for name in self.mapping(key)]

    def texts(self, key: str) -> list[str]:
        """A list of texts, or a single text."""
        return [plain_text(item) for item in self._items(key)]

    def mapping(self, key: str) -> dict[str, Any]:
        """A whole mapping."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            self.fail("must be a mapping", key)
        return dict(value or {})

    def has(self, key: str) -> bool:
        """Whether it is given."""
        return self._values.get(key) is not None

    def unread(self) -> list[tuple[str, int]]:
        """The paths and lines of properties that were never read."""
        if self._dismissed:
            return []
        left = [key for key in self._values if key not in self._taken and key not in _DESCRIPTIVE]
        own = [(self._path + key, self.line_of(key)) for key in left]
        return own + [each for child in self._children for each in child.unread()]

    def _items(self, key: str) -> list[Any]:
        value = self.raw(key) or []
        return value if isinstance(value, list) else [value]

    def _child(self, key: str, value: Any) -> Properties:
        if not isinstance(value, Located):
            self.fail("must be a mapping", key)
        child = Properties(self._document, self.logical_id, value, f"{self._path}{key}.")
        self._children.append(child)
        return child
