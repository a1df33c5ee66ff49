"""Does an event match a branch of a filter pattern? Pure.

It works like AWS's own matcher (EventBridge User Guide, "Arrays in event patterns"). An event is a set of values, each
with its path; a list adds no level, and each of its elements is a value of the list's path. All leaves of a branch must
match, and with compatible elements: no two values may be from different elements of the same list. A value is absent if
no value of its path is compatible with those found for the paths before it, in alphabetical order. Objects and lists
are not values themselves, so `exists` tests only leaves, and an empty list is absent.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.stack.operators import Scalar
from simulator.stack.patterns import Branch, joined

Place = tuple[tuple[int, int], ...]
"""Where a value is, as far as lists matter: the list and the element's index, from the outermost list inward."""

Chosen = frozenset[tuple[int, int]]
"""The elements that contain the values found so far: at most one per list."""


@dataclass(slots=True)
class _Places:
    """A set of places, which can be searched for those compatible with others."""

    here: bool = False
    lists: dict[int, dict[int, _Places]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, place: Place) -> None:
        inner = self
        for number, index in place:
            inner = inner.lists[number].setdefault(index, _Places())
        inner.here = True

    def agreeing(self, chosen: Mapping[int, int]) -> Iterator[Place]:
        """The places that do not contradict a chosen element of any list."""
        left: list[tuple[_Places, Place]] = [(self, ())]
        while left:
            inner, place = left.pop()
            if inner.here:
                yield place
            for number, elements in inner.lists.items():
                if number not in chosen:
                    left.extend((each, (*place, (number, index))) for index, each in elements.items())
                elif (only := elements.get(chosen[number])) is not None:
                    left.append((only, (*place, (number, chosen[number]))))


class EventValues:
    """The values of an event at the paths that a pattern names."""

    def __init__(self, event: Mapping[str, Any], paths: frozenset[str]) -> None:
        self._found: dict[str, list[tuple[Scalar, Place]]] = {path: [] for path in paths}
        above = {path[:at] for path in paths for at, letter in enumerate(path) if letter == "."}
        numbers = itertools.count()
        left: list[tuple[str | None, Any, Place]] = [(None, event, ())]
        while left:
            path, node, place = left.pop()
            if isinstance(node, dict):
                below = ((joined(path, key), value) for key, value in node.items())
                left.extend((name, value, place) for name, value in below if name in above or name in paths)
            elif isinstance(node, list):
                number = next(numbers)
                for index, element in enumerate(node):
                    deeper = isinstance(element, dict | list)
                    left.append((path, element, (*place, (number, index)) if deeper else place))
            elif path in self._found:
                self._found[path].append((node, place))

    def hold(self, branch: Branch) -> bool:
        """Whether every leaf of the branch matches, with compatible values."""
        chosen: set[Chosen] = {frozenset()}
        for at, leaf in enumerate(branch):
            values = self._found[leaf.path]
            passing, given = _Places(), _Places()
            for value, place in values:
                given.add(place)
                if any(test(value) for test in leaf.tests):
                    passing.add(place)
            # From here on only lists that a later path uses matter: otherwise the combinations of lists would multiply.
            later = {number for each in branch[at + 1 :] for _, place in self._found[each.path] for number, _ in place}
            following: set[Chosen] = set()
            for before in chosen:
                elements = dict(before)
                found = [before.union(place) for place in passing.agreeing(elements)]
                if leaf.absent and next(given.agreeing(elements), None) is None:
                    found.append(before)
                following.update(frozenset(each for each in every if each[0] in later) for every in found)
            chosen = following
        return bool(chosen)
