"""The keys of one bucket, in order, with their number and size at hand. moto's key store, made to answer at depth."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from itertools import islice
from typing import Any


class KeyOrder:
    """Mixed in before moto's `_VersionedKeyStore` (key -> list of versions): it keeps count of what that one does.

    `size_bytes` and `object_count` speak of the current versions that are no delete marker.
    """

    delete_marker: type[Any]

    def __init__(self) -> None:
        super().__init__()
        self.size_bytes = 0
        self.object_count = 0
        self._sizes: dict[str, int] = {}
        self._order: list[str] | None = None

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)  # type: ignore[misc]
        self._account(key)

    def setlist(self, key: str, versions: Any) -> None:
        """Replace all versions of a key."""
        super().setlist(key, versions)  # type: ignore[misc]
        self._account(key)

    def pop(self, key: str) -> None:
        """Remove a key with all its versions."""
        super().pop(key)  # type: ignore[misc]
        self._account(key)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)  # type: ignore[misc]
        self._account(key)

    def current(self, after: str | None, prefix: str | None, limit: int) -> list[Any]:
        """Current objects behind `after` with the prefix, in key order, at most `limit`."""
        return list(islice(self._walk(after, prefix), limit))

    def _walk(self, after: str | None, prefix: str | None) -> Iterator[Any]:
        if self._order is None:
            self._order = sorted(self._sizes)
        order = self._order
        start = 0 if after is None else bisect_right(order, after)
        if prefix:
            start = max(start, bisect_left(order, prefix))
        for position in range(start, len(order)):
            key = order[position]
            if prefix and not key.startswith(prefix):
                return
            yield self[key]  # type: ignore[index]

    def _account(self, key: str) -> None:
        versions = self.getlist(key) or ()  # type: ignore[attr-defined]
        current = versions[-1] if versions else None
        size = None if current is None or isinstance(current, self.delete_marker) else current.size
        before = self._sizes.get(key)
        if before is not None:
            self.size_bytes -= before
        if size is not None:
            self.size_bytes += size
            self._sizes[key] = size
            if before is None:
                self.object_count += 1
                if self._order is not None:
                    insort(self._order, key)
        elif before is not None:
            self.object_count -= 1
            del self._sizes[key]
            if self._order is not None:
                del self._order[bisect_left(self._order, key)]


def indexed_keys(base: type[Any], marker: type[Any]) -> type[Any]:
    """The key store to use in place of `base`; `marker` is moto's class for a delete marker."""
    return type("IndexedKeys", (KeyOrder, base), {"delete_marker": marker})
