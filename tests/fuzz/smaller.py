"""Reduces an example: leaves out what is not needed, one thing after another."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace

from fuzz.bounds import Bounds
from fuzz.readings import Example

TRIES = 3_000


def smaller(example: Example, fails: Callable[[Example], bool], tries: int = TRIES) -> Example:
    """The smallest example found for which `fails` is still true, within a maximum number of calls."""
    progress = True
    while progress:
        progress = False
        for other in _simpler(example):
            if not tries:
                return example
            tries -= 1
            if fails(other):
                example, progress = other, True
                break
    return example


def _simpler(example: Example) -> Iterator[Example]:
    """Smaller examples, the smallest first."""
    for reader, places in enumerate(example.cuts):
        for fewer in ((), places[: len(places) // 2], places[len(places) // 2 :], places[1:]):
            if len(fewer) < len(places):
                yield replace(example, cuts=(*example.cuts[:reader], fewer, *example.cuts[reader + 1 :]))
    for setting in example.environ:
        yield replace(example, environ={name: value for name, value in example.environ.items() if name != setting})
    if example.bounds != Bounds():
        yield replace(example, bounds=Bounds())
    for field in fields(example.bounds):
        if getattr(example.bounds, field.name) is not None:
            yield replace(example, bounds=replace(example.bounds, **{field.name: None}))
    if example.key != "s/a.csv":
        yield replace(example, key="s/a.csv")
    for body in _shorter(example.body):
        yield replace(example, body=body)


def _shorter(body: bytes) -> Iterator[bytes]:
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(body)
    lines = body.split(b"\n")
    for number in range(len(lines)):
        yield b"\n".join([*lines[:number], *lines[number + 1 :]])
    length = len(body) // 2
    while length:
        for start in range(0, len(body), length):
            yield body[:start] + body[start + length :]
        length //= 2
    for plain in (b"1", b"a"):
        for at in range(len(body)):
            if body[at : at + 1] not in (b"1", b"a", b",", b"\n", b'"'):
                yield body[:at] + plain + body[at + 1 :]
