"""The ledger of fidelity keeps its word: every row names a test, and every test it names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LEDGER = TESTS.parent / "docs" / "fidelity.md"
REFERENCE = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows() -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row of every table."""
    for number, line in enumerate(LEDGER.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            yield number, [cell.strip() for cell in line.strip().strip("|").split("|")]


def ledger() -> list[tuple[int, list[str]]]:
    """The rows that state something: all but the headers."""
    return [(number, cells) for number, cells in rows() if cells[-1] != "proven by"]


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The test functions and classes of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_the_ledger_is_there() -> None:
    """It has rows, and every table ends with the column that is checked."""
    assert len(ledger()) > 40
    widths = {len(cells) for _, cells in rows()}
    assert widths == {6}


@pytest.mark.parametrize(("number", "cells"), ledger(), ids=lambda value: str(value)[:40])
def test_row_is_proven(number: int, cells: list[str]) -> None:
    """Each row is complete and names at least one test that exists."""
    assert all(cells), f"docs/fidelity.md:{number} has an empty cell"
    references = REFERENCE.findall(cells[-1])
    assert references, f"docs/fidelity.md:{number} names no test"
    for path, name in references:
        assert (TESTS / path).is_file(), f"docs/fidelity.md:{number}: there is no tests/{path}"
        assert name in functions_of(TESTS / path), f"docs/fidelity.md:{number}: tests/{path} has no {name}"


def test_every_rule_that_is_tested_has_its_row() -> None:
    """A rule of the store is a promise: each test of one is in the ledger, beside what is left out and why."""
    proven = {reference for _, cells in ledger() for reference in REFERENCE.findall(cells[-1])}
    store = TESTS / "simulator" / "store"
    # What test_dynamodb_rules.py shows a client, the other file has as arithmetic.
    files = sorted(set(store.glob("*/test_*rules.py")) - {store / "dynamodb" / "test_rules.py"})
    assert len(files) == 3
    tests = {
        (str(file.relative_to(TESTS)), name) for file in files for name in functions_of(file) if name[:5] == "test_"
    }
    assert sorted(tests - proven) == []
