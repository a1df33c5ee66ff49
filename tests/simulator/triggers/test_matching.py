"""Events against the branches of a pattern: paths, lists, absence, and which values are compatible."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.stack.operators import read_json
from simulator.stack.patterns import read_pattern
from simulator.triggers.matching import EventValues


def matches(pattern: Any, event: Any) -> bool:
    """Whether one of the pattern's branches matches the event."""
    read = read_pattern(json.dumps(pattern))
    assert read.refusal is None
    values = EventValues(read_json(json.dumps(event)), read.paths())
    return any(values.hold(branch) for branch in read.branches)


EXISTS = [{"exists": True}]
ABSENT = [{"exists": False}]
STAFF = {"staff": [{"first": "Ann", "last": "Lee"}, {"first": "Bob", "last": "Ray"}, {"first": "Cy"}]}


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        # All keys, any of a key's elements.
        ({"a": [1], "b": [2]}, {"a": 1, "b": 2, "c": 3}, True),
        ({"a": [1], "b": [2]}, {"a": 1, "b": 3}, False),
        ({"a": [1, 2]}, {"a": 2}, True),
        ({"A": [1]}, {"a": 1}, False),
        # Nesting and dots.
        ({"a": {"b": [1]}}, {"a": {"b": 1}}, True),
        ({"a": {"b": [1]}}, {"a": '{"b": 1}'}, False),
        ({"a": {"b": [1]}}, {"a.b": 1}, True),
        ({"a.b": [1]}, {"a": {"b": 1}}, True),
        ({"a": {"b": {"c": [1]}}}, {"a": {"b.c": 1}}, True),
        ({"a": {"b": [1]}}, {"a.b": {"b": 1}}, False),
        ({"a.b": {"b": [1]}}, {"a": {"b": 1}}, False),
        ({"a": {"x": [1], "y": [2]}}, {"a": {"x": 1}, "a.y": 2}, True),
        # Values that are null, empty or missing.
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": [None]}, {"a": []}, False),
        ({"a": [""]}, {"a": ""}, True),
        ({"a": [{"anything-but": ["x"]}]}, {}, False),
        ({"a": [{"anything-but": ["x"]}]}, {"a": []}, False),
        ({"a": [{"anything-but": ["x"]}]}, {"a": {"b": "y"}}, False),
        # exists is only about leaves.
        ({"a": EXISTS}, {"a": None}, True),
        ({"a": EXISTS}, {"a": {"b": 1}}, False),
        ({"a": ABSENT}, {"a": {"b": 1}}, True),
        ({"a": EXISTS}, {"a": []}, False),
        ({"a": ABSENT}, {"a": []}, True),
        ({"a": ABSENT}, {"a": [{}]}, True),
        ({"a": ABSENT}, {"a": 1}, False),
        ({"a": {"b": ABSENT}}, {"a": 5}, True),
        ({"a": {"b": ["x", *ABSENT]}}, {"a": {}}, True),
        ({"a": {"b": ["x", *ABSENT]}}, {"a": {"b": "x"}}, True),
        ({"a": {"b": ["x", *ABSENT]}}, {"a": {"b": "y"}}, False),
        # Lists: one element is enough, and lists within lists are flat.
        ({"a": ["b"]}, {"a": ["a", "b"]}, True),
        ({"a": ["c"]}, {"a": ["a", "b"]}, False),
        ({"a": [1]}, {"a": [[2], [3, [1]]]}, True),
        ({"a": [{"anything-but": "x"}]}, {"a": ["x", "y"]}, True),
        ({"a": [{"anything-but": "x"}]}, {"a": ["x", "x"]}, False),
        ({"a": EXISTS}, {"a": [{}, [], 1]}, True),
        # Lists of objects: by one element.
        ({"staff": {"first": ["Bob"]}}, STAFF, True),
        ({"staff": {"first": ["Bob"], "last": ["Ray"]}}, STAFF, True),
        ({"staff": {"first": ["Ann"], "last": ["Ray"]}}, STAFF, False),
        ({"staff": {"first": ["Cy"], "last": ABSENT}}, STAFF, True),
        ({"staff": {"first": ["Bob"], "last": ABSENT}}, STAFF, False),
        ({"staff": {"first": ["Dan"], "last": ABSENT}}, STAFF, False),
        ({"staff": {"a": ABSENT}}, STAFF, True),
        # Absence is judged by what was found before it in the alphabet: no last name in any element.
        ({"staff": {"last": ABSENT}}, STAFF, False),
        ({"staff": {"last": ABSENT, "z": ABSENT}}, STAFF, False),
        ({"k": [1], "l": {"a": [1]}}, {"k": 1, "l": [{"a": 1}, {"b": 2}]}, True),
        ({"l": {"a": [1], "b": [2]}}, {"l": [{"a": 1}, {"b": 2}]}, False),
        ({"l": {"a": [1], "b": [2]}}, {"l": [[{"a": 1}, {"a": 1, "b": 2}]]}, True),
        ({"l": {"a": [1], "b": [2]}}, {"l": [[{"a": 1}], [{"b": 2}]]}, False),
        ({"l": {"a": [1], "m": {"b": [2]}}}, {"l": [{"a": 1, "m": [{"c": 1}, {"b": 2}]}]}, True),
        ({"l": {"a": [1], "m": {"b": [2]}}}, {"l": [{"a": 1, "m": []}, {"m": [{"b": 2}]}]}, False),
        ({"l": {"m": {"b": [2]}, "z": [1]}}, {"l": [{"m": [{"b": 2}]}, {"m": [{"b": 2}], "z": 1}]}, True),
        ({"l": {"m": {"b": [2]}, "z": [1]}}, {"l": [{"m": [{"b": 2}]}, {"z": 1}]}, False),
        # Two lists do not bind each other.
        ({"k": {"a": [1]}, "l": {"b": [2]}}, {"k": [{}, {"a": 1}], "l": [{"b": 2}]}, True),
        # $or.
        ({"z": [1], "$or": [{"a": [1]}, {"b": [1]}]}, {"z": 1, "b": 1}, True),
        ({"z": [1], "$or": [{"a": [1]}, {"b": [1]}]}, {"z": 1, "c": 1}, False),
        ({"z": [1], "$or": [{"a": [1]}, {"b": [1]}]}, {"b": 1}, False),
        ({"l": {"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}}, {"l": [{"a": 1}, {"b": 2, "c": 3}]}, True),
    ],
)
def test_events(pattern: Any, event: Any, expected: bool) -> None:
    """A branch matches if all its leaves do, with compatible values."""
    assert matches(pattern, event) is expected


def test_many_elements_cost_no_product() -> None:
    """The pattern tests two keys, which no element has together, in two lists of 3,000 objects."""
    many = [{"a": 1}, {"b": 2}] * 1500
    assert not matches({"k": {"a": [1], "b": [1, 2]}, "l": {"a": [1], "b": [1, 2]}}, {"k": many, "l": many})
    assert matches({"k": {"a": [1]}, "l": {"a": [1], "b": ABSENT}}, {"k": many, "l": many})


KEYS = ("a", "b", "c")
_value = st.integers(0, 2)
_tree = st.recursive(
    _value,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=12,
)
_wanted = st.recursive(
    st.lists(_value, min_size=1, max_size=2),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=3),
    max_leaves=4,
)


def _by_trying(pattern: dict[str, Any], event: Any) -> bool:
    """The rule taken literally: every choice of one value per path, with no two in different elements."""
    found: list[tuple[str, Any, dict[int, int]]] = []
    numbers = itertools.count()

    def walk(node: Any, path: str, place: dict[int, int]) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, f"{path}.{key}", place)
        elif isinstance(node, list):
            number = next(numbers)
            for index, value in enumerate(node):
                walk(value, path, {**place, number: index} if isinstance(value, dict | list) else place)
        else:
            found.append((path, node, place))

    leaves: list[tuple[str, list[int]]] = []

    def gather(node: Any, path: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                gather(value, f"{path}.{key}")
        else:
            leaves.append((path, node))

    walk(event, "", {})
    gather(pattern, "")
    choices = [[place for path, value, place in found if path == leaf and value in wanted] for leaf, wanted in leaves]
    return any(
        all(
            first.get(number, index) == index for first in chosen for other in chosen for number, index in other.items()
        )
        for chosen in itertools.product(*choices)
    )


@given(
    pattern=st.dictionaries(st.sampled_from(KEYS), _wanted, min_size=1, max_size=3),
    event=st.dictionaries(st.sampled_from(KEYS), _tree, max_size=3),
)
def test_it_is_the_rule_taken_literally(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    """For any event, the result is the same as from trying every choice of values."""
    assert matches(pattern, event) is _by_trying(pattern, event)
