"""A mapping with its keys in order. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Any


class SortedDict:
    """`entries` and the order of their keys, sorted by the first read that needs it and maintained from then on.

    This is not a dict itself: up to CPython 3.13 the garbage collector walks through every subclass of dict, but not
    through a plain one of texts and bytes, so that a large partition costs it nothing.
    """

    __slots__ = ("_order", "entries")

    def __init__(self, entries: dict[Any, Any]) -> None:
        self.entries = entries
        self._order: list[Any] | None = None

    def put(self, key: Any, value: Any) -> bool:
        """Set a value; returns whether the key is new."""
        entries = self.entries
        new = key not in entries
        entries[key] = value
        if new and self._order is not None:
            insort(self._order, key)
        return new

    def drop(self, key: Any) -> None:
        """Remove a key. Raises KeyError."""
        del self.entries[key]
        if not self.entries:
            # The only key may have been None, which has no order to look it up by.
            self._order = None
        elif self._order is not None:
            del self._order[bisect_left(self._order, key)]

    def order(self) -> list[Any]:
        """The keys in order."""
        if self._order is None:
            self._order = sorted(self.entries)
        return self._order

    def between(
        self, low: Any = None, high: Any = None, low_open: bool = False, high_open: bool = False
    ) -> tuple[int, int]:
        """The range of positions in `order` from `low` to `high`; None means no bound."""
        order = self.order()
        start = 0 if low is None else (bisect_right if low_open else bisect_left)(order, low)
        stop = len(order) if high is None else (bisect_left if high_open else bisect_right)(order, high)
        return start, max(start, stop)
