"""Small limits for both readers, so that objects of a hundred bytes reach each of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

from pipeline import rows

PLACES = {
    "record_chars": (
        *("pipeline.quotes.MAX_RECORD_CHARS", "pipeline.text.MAX_RECORD_CHARS"),
        "simulator.proof.records.LONGEST_RECORD",
    ),
    "shown_chars": (
        *("pipeline.quotes.SHOWN_CHARS", "pipeline.text.SHOWN_CHARS"),
        "simulator.proof.records.SHOWN_CHARACTERS",
    ),
    "slice_bytes": ("pipeline.decoding.SLICE_BYTES", "simulator.proof.unpacking._SLICE_BYTES"),
    "gzip_ratio": ("pipeline.decoding.MAX_GZIP_RATIO", "simulator.proof.unpacking.GZIP_RATIO"),
    "gzip_free_bytes": ("pipeline.decoding.GZIP_RATIO_FREE_BYTES", "simulator.proof.unpacking.GZIP_FREE_BYTES"),
    "columns": (
        *("pipeline.dialect.MAX_COLUMNS", "pipeline.header.MAX_COLUMNS", "pipeline.rows.MAX_COLUMNS"),
        *("simulator.proof.columns.HEADER_COLUMNS", "simulator.proof.dialect.HEADER_COLUMNS"),
    ),
    "name_bytes": ("pipeline.header.MAX_NAME_BYTES", "simulator.proof.columns.NAME_BYTES"),
    "item_bytes": ("pipeline.rows.MAX_ITEM_BYTES", "simulator.base.limits.DYNAMODB_ITEM_BYTES"),
    "ticker_bytes": (
        *("pipeline.rows.MAX_PK_BYTES", "pipeline.items.MAX_PK_BYTES"),
        "simulator.base.limits.DYNAMODB_HASH_KEY_BYTES",
    ),
    "first_rows": ("pipeline.uniqueness.FIRST_ROWS", "simulator.proof.reader.JUDGED_ROWS"),
}
"""Where each of them is, in the consumer and in the proof."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits that differ from the product's; None for the others."""

    record_chars: int | None = None
    shown_chars: int | None = None
    slice_bytes: int | None = None
    gzip_ratio: int | None = None
    gzip_free_bytes: int | None = None
    columns: int | None = None
    name_bytes: int | None = None
    item_bytes: int | None = None
    ticker_bytes: int | None = None
    first_rows: int | None = None


def _forget_headers() -> None:
    """Results for headers under other limits."""
    rows._cached_columns.cache_clear()


@contextmanager
def within(bounds: Bounds) -> Iterator[None]:
    """Read within these limits during the block."""
    before = []
    try:
        for field in fields(bounds):
            if (value := getattr(bounds, field.name)) is not None:
                for place in PLACES[field.name]:
                    module_name, _, name = place.rpartition(".")
                    module = importlib.import_module(module_name)
                    before.append((module, name, getattr(module, name)))
                    setattr(module, name, value)
        _forget_headers()
        yield
    finally:
        _forget_headers()
        for module, name, value in before:
            setattr(module, name, value)
