"""How AWS's services refuse a value that breaks a constraint of their models, and which values are known. Pure."""

from __future__ import annotations

import re

from simulator.stack.model import Sentences

_LOOKED_UP = re.compile(r"Fn::(ImportValue|Transform|Cidr)\(|\{\{resolve:")


def is_known(text: str) -> bool:
    """Whether a text has no part that only AWS knows, such as another stack's output."""
    return _LOOKED_UP.search(text) is None


def broken(value: object, member: str, wrong: str) -> str:
    """What a service says about one value; `wrong` is what it must do instead."""
    return (
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {wrong}"
    )


def out_of_range(logical_id: str, member: str, value: int | None, low: int, high: int) -> Sentences:
    """The same for a given number outside its range; `member` is the service's name for the template's property."""
    if value is not None and not low <= value <= high:
        side, bound = ("greater", low) if value < low else ("less", high)
        path = ".".join(name[0].upper() + name[1:] for name in member.split("."))
        yield logical_id, broken(value, member, f"have value {side} than or equal to {bound}"), path
