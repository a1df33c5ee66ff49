"""The vocabulary of facts: some room makes each, and another one uses it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

from simulator.base.observations import Observation

SIMULATOR = Path(__file__).parents[3] / "simulator"
READERS = (SIMULATOR / "telemetry" / "__init__.py", SIMULATOR / "load" / "measure" / "tap.py")


def names_in(file: Path, *, called: bool) -> set[str]:
    """The names that a file calls, or uses in any way other than importing them."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    if called:
        nodes = [node.func for node in nodes if isinstance(node, ast.Call)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


def test_every_observation_is_recorded_and_read() -> None:
    """An observation that nothing makes, or that neither telemetry nor the load test uses, has no purpose."""
    observations = {observation.__name__ for observation in get_args(Observation)}
    read = set().union(*(names_in(file, called=False) for file in READERS))
    made = set().union(*(names_in(file, called=True) for file in SIMULATOR.rglob("*.py")))
    assert observations - read == set()
    assert observations - made == set()
