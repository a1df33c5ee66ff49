"""The keys of one bucket, in order, with their number and total size: moto's key store, made fast at any depth."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from simulator.base.sorted_dict import SortedDict
from simulator.store.s3.earlier import EarlierContents


class KeyOrder:
    """Mixed in before moto's `_VersionedKeyStore` (key -> list of versions), whose changes it counts.

    `size_bytes` and `object_count` cover the current versions that are not delete markers. `earlier` has the previous
    contents of the same keys, and the last ones of keys that are gone.
    """

    delete_marker: type[Any]

    def __init__(self) -> None:
        super().__init__()
        self.size_bytes = 0
        self.earlier = EarlierContents()
        self._sizes = SortedDict({})

    @property
    def object_count(self) -> int:
        """Current objects."""
        return len(self._sizes.entries)

    def current(self, after: str | None, prefix: str | None, limit: int) -> list[Any]:
        """Current objects after `after` with the prefix, in key order, at most `limit`."""
        order, (start, _) = self._sizes.order(), self._sizes.between(after, None, low_open=True)
        if prefix:
            start = max(start, bisect_left(order, prefix))
        page = order[start : start + limit]
        return [self[key] for key in page if key.startswith(prefix or "")]  # type: ignore[index]

    def _keep_earlier(self, key: str, versions: Any) -> None:
        """Moto is about to replace the current object with the last of `versions`, and to dispose of it."""
        if not versions:
            # The last version was deleted by its id.
            return
        before, after = self.get(key), versions[-1]  # type: ignore[attr-defined]
        if before is None or before is after or isinstance(before, self.delete_marker):
            return
        if isinstance(after, self.delete_marker) or before.etag != after.etag:
            self.earlier.keep(key, before.value)

    def _keep_last(self, key: str) -> None:
        """Moto is about to drop the key."""
        last = self.get(key)  # type: ignore[attr-defined]
        if last is not None and not isinstance(last, self.delete_marker):
            self.earlier.keep(key, last.value)

    def _account(self, key: str) -> None:
        versions = self.getlist(key) or (None,)  # type: ignore[attr-defined]
        current = versions[-1]
        self.size_bytes -= self._sizes.entries.get(key, 0)
        if current is not None and not isinstance(current, self.delete_marker):
            self._sizes.put(key, current.size)
            self.size_bytes += current.size
        elif key in self._sizes.entries:
            self._sizes.drop(key)


def indexed_keys(base: type[Any], marker: type[Any]) -> type[Any]:
    """The key store to use in place of `base`; `marker` is moto's class for a delete marker."""

    def accounted(own: Callable[..., None], *, drops: bool = False) -> Callable[..., None]:
        def change(keys: Any, key: str, *versions: Any) -> None:
            if drops or (versions and isinstance(versions[0], marker)):
                keys._keep_last(key)  # noqa: SLF001 this file's own class
            own(keys, key, *versions)
            keys._account(key)  # noqa: SLF001 this file's own class

        return change

    def setlist(keys: Any, key: str, versions: Any) -> None:
        keys._keep_earlier(key, versions)  # noqa: SLF001 this file's own class
        base.setlist(keys, key, versions)

    changes = {name: accounted(getattr(base, name), drops=True) for name in ("pop", "__delitem__")}
    changes |= {"__setitem__": accounted(base.__setitem__), "setlist": accounted(setlist)}
    return type("IndexedKeys", (KeyOrder, base), {"delete_marker": marker, **changes})
