"""UpdateItem with AttributeUpdates, the parameter that preceded update expressions: every action with every type.

Source: DynamoDB API Reference, UpdateItem (AttributeUpdates) and AttributeValueUpdate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Any

from simulator.base.limits import DYNAMODB_NUMBER_DIGITS
from simulator.store.dynamodb.rules import check_put, invalid, refusal
from simulator.store.moto.replacement import Replacement

Typed = tuple[str, Any]
"""The type of an attribute and its value."""

_SETS = {"SS", "NS", "BS"}
_ADDED = {"N", "L", *_SETS}


class TypeMismatch(Exception):
    """The attribute's present type does not support the action."""


def check_updates(updates: Any, key_names: Collection[Any] = ()) -> None:
    """Raise DynamoDB's error for actions that do not exist, and for values that no attribute may have.

    `key_names` are the attributes of the table's key. moto refuses anything that is not a map of updates.
    """
    for name, update in updates.items() if isinstance(updates, Mapping) else ():
        if not isinstance(update, Mapping):
            continue
        action, value = update.get("Action", "PUT"), update.get("Value")
        if action not in ("ADD", "PUT", "DELETE"):
            raise refusal(
                f"1 validation error detected: Value '{action}' at 'attributeUpdates.{name}.member.action' failed to "
                "satisfy constraint: Member must satisfy enum value set: [ADD, PUT, DELETE]",
            )
        if name in key_names:
            raise invalid(f"Cannot update attribute {name}. This attribute is part of the key")
        if value is None:
            if action != "DELETE":
                raise invalid("Only DELETE action is allowed when no attribute value is specified")
            continue
        check_put({name: value})
        (kind,) = value
        if action == "DELETE" and kind not in _SETS:
            raise invalid(f"DELETE action with value is not supported for the type {kind}")
        if action == "ADD" and kind not in _ADDED:
            raise invalid(f"ADD action is not supported for the type {kind}")


def updated(old: Typed | None, action: str, new: Typed | None) -> Typed | None:
    """An attribute after one action; None: it is absent. Raises `TypeMismatch`.

    `new` is None for a DELETE of the whole attribute. Values are in moto's form; binary ones are bytes.
    """
    if new is None:
        return None
    kind, value = new
    if action == "PUT":
        return new
    if old is not None and old[0] != kind:
        raise TypeMismatch
    if action == "DELETE":
        left = [] if old is None else _without(kind, old[1], value)
        return (kind, left) if left else None
    if kind == "N":
        with localcontext() as context:
            context.prec = DYNAMODB_NUMBER_DIGITS
            return kind, f"{(Decimal(0 if old is None else old[1]) + Decimal(value)).normalize():f}"
    held = [] if old is None else old[1]
    return kind, [*held, *(value if kind == "L" else _without(kind, value, held))]


def _without(kind: str, elements: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The elements of one set that are not in the other."""
    same: Any = Decimal if kind == "NS" else lambda element: element
    gone = set(map(same, others))
    return [element for element in elements if same(element) not in gone]


def _install() -> None:
    from moto.dynamodb.exceptions import MockValidationException
    from moto.dynamodb.models.dynamo_type import DynamoType, Item

    def update_with_attribute_updates(self: Any, attribute_updates: Mapping[str, Mapping[str, Any]] | None) -> None:
        for name, update in (attribute_updates or {}).items():
            held, value = self.attrs.get(name), update.get("Value")
            old = None if held is None else (held.type, held.value)
            new = None if value is None else next(iter(value.items()))
            try:
                after = updated(old, update.get("Action", "PUT"), new)
            except TypeMismatch:
                raise MockValidationException("Type mismatch for attribute to update") from None
            if after is None:
                self.attrs.pop(name, None)
            else:
                self.attrs[name] = DynamoType(dict((after,)))

    Item.update_with_attribute_updates = update_with_attribute_updates  # type: ignore[method-assign]


UPDATES = Replacement("dynamodb.attribute_updates", _install)
