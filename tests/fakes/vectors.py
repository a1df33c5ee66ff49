"""The vectors of tests/pipeline/vectors: an object's bytes, and the items and rejections that a person wrote down."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "pipeline" / "vectors"
_SETTINGS = {"ticker": "TICKER_COLUMN", "timestamp": "TIMESTAMP_COLUMN", "timestamp_format": "TIMESTAMP_FORMAT"}


@dataclass(frozen=True, slots=True)
class Vector:
    """An object, the consumer's variables that matter, and the expected result.

    `items` are DynamoDB JSON in the file's order, `rejected` line, reason and fields of each rejected row; `unreadable`
    is the reason, None if the object can be read.
    """

    name: str
    key: str
    body: bytes
    environ: dict[str, str]
    items: list[dict[str, dict[str, str]]]
    rejected: list[tuple[int, str, list[str]]]
    unreadable: str | None


@cache
def vectors() -> tuple[Vector, ...]:
    """All vectors, each with the name of its file and its own."""
    return tuple(_read())


def _read() -> Iterator[Vector]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for written in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield Vector(
                name=f"{path.stem}: {written['name']}",
                key=written.get("key", "stocks/aapl.csv"),
                body=_body(written),
                environ={variable: written[name] for name, variable in _SETTINGS.items() if name in written}
                | written.get("settings", {}),
                items=written.get("items", []),
                rejected=[(line, reason, row) for line, reason, row in written.get("rejected", [])],
                unreadable=written.get("unreadable"),
            )


def _body(written: dict[str, Any]) -> bytes:
    if "hex" in written:
        return bytes.fromhex(written["hex"])
    text: str = written["input"]
    if "replace" in written:
        text = text.replace(*written["replace"])
    body = text.encode(written.get("encoding", "utf-8"))
    return gzip.compress(body) if written.get("gzip") else body
