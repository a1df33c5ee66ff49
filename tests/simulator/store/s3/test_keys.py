"""A bucket's keys in order, page by page, in moto's own key store."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.store.s3.keys import indexed_keys

KEYS = st.text("ab/c", max_size=3)


def bucket_of(*names: str) -> Any:
    """A key store with one object of each name, listed once so that its order is maintained from then on."""
    from moto.s3.models import FakeDeleteMarker
    from moto.s3.utils import _VersionedKeyStore

    keys = indexed_keys(_VersionedKeyStore, FakeDeleteMarker)()
    keys.current(None, None, 1)
    for name in names:
        keys[name] = SimpleNamespace(name=name, size=len(name), value=b"", dispose=lambda: None)
    return keys


def listed(keys: Any, after: str | None, prefix: str | None, limit: int) -> list[str]:
    """The names of one page."""
    return [key.name for key in keys.current(after, prefix, limit)]


@pytest.mark.parametrize(
    ("after", "page"),
    [
        (None, ["b", "d"]),  # the first page
        ("b", ["d", "f"]),  # the key that the page before ended with is not on the next one
        ("d", ["f"]),  # the last page, not full
        ("f", []),  # behind the last key
        ("a", ["b", "d"]),  # a marker before all keys,
        ("c", ["d", "f"]),  # between them
        ("g", []),  # and behind them, none of which is in the bucket
    ],
)
def test_a_page_begins_behind_its_marker(after: str | None, page: list[str]) -> None:
    """ListObjectsV2: listing starts after the key, which need not be in the bucket."""
    assert listed(bucket_of("d", "b", "f"), after, None, 2) == page


def test_an_empty_bucket_has_an_empty_page() -> None:
    """With and without a marker."""
    assert listed(bucket_of(), None, None, 2) == listed(bucket_of(), "a", None, 2) == []


def test_a_page_with_a_prefix_has_what_begins_with_it() -> None:
    """ListObjectsV2: prefix limits the response to keys that begin with it, not those that end with or follow it."""
    assert listed(bucket_of("a", "b/a", "b/c", "ca", "cb/"), None, "b/", 9) == ["b/a", "b/c"]


def test_a_deleted_object_of_a_versioned_bucket_is_not_listed() -> None:
    """Deleting in a versioned bucket puts a delete marker, which is neither listed nor counted; a new version is."""
    from moto.s3.models import FakeDeleteMarker

    keys = bucket_of("a", "bc")
    marker = FakeDeleteMarker(SimpleNamespace(name="bc", size=2, dispose=lambda: None))
    keys.setlist("bc", [keys["bc"], marker])
    assert (listed(keys, None, None, 9), keys.object_count, keys.size_bytes) == (["a"], 1, 1)
    keys.setlist("bc", [*keys.getlist("bc"), SimpleNamespace(name="bc", size=7)])
    assert (listed(keys, None, None, 9), keys.object_count, keys.size_bytes) == (["a", "bc"], 2, 8)


@given(names=st.sets(KEYS), after=st.none() | KEYS, prefix=st.none() | KEYS, limit=st.integers(1, 4))
def test_a_page_is_what_sorting_and_filtering_gives(
    names: set[str], after: str | None, prefix: str | None, limit: int
) -> None:
    """It holds for any keys, marker, prefix and limit; removed ones vanish from order, number and size."""
    keys = bucket_of(*names, "removed")
    keys.pop("removed")
    found = [name for name in sorted(names) if (after is None or name > after) and name.startswith(prefix or "")]
    assert listed(keys, after, prefix, limit) == found[:limit]
    assert (keys.object_count, keys.size_bytes) == (len(names), sum(map(len, names)))


def content(value: bytes, etag: str | None = None) -> Any:
    """An object with this content, in moto's form."""
    return SimpleNamespace(value=value, etag=etag or value.hex(), size=len(value), dispose=lambda: None)


def test_a_content_that_another_replaces_is_kept() -> None:
    """A replaced content is, one that a delete marker hides, and the last of a key, but not one that is put again."""
    keys = bucket_of()
    marker = object.__new__(keys.delete_marker)
    second = content(b"second")
    for versions, kept in (
        ([content(b"first")], []),
        ([second], [b"first"]),
        ([second], [b"first"]),
        ([content(b"again", second.etag)], [b"first"]),
        ([second, content(b"third")], [b"first", b"again"]),
        ([marker], [b"first", b"again", b"third"]),
        ([content(b"fourth")], [b"first", b"again", b"third"]),
        ([content(b"fifth")], [b"first", b"again", b"third", b"fourth"]),
    ):
        keys.setlist("a", versions)
        earlier = [keys.earlier.read(number, 0, 100) for number in range(len(keys.earlier.kept))]
        assert earlier == kept
    keys.pop("a")
    assert keys.earlier.read(4, 0, 100) == b"fifth"
    assert {each.key for each in keys.earlier.kept} == {"a"}
