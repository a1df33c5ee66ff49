"""A filter pattern's text -> what it requires of which values, or why AWS refuses it. Pure.

AWS: Lambda Developer Guide, "Control which events Lambda sends to your function" (invocation-eventfiltering); for
`$or` and its combinations, EventBridge User Guide, "Comparison operators for use in event patterns". A pattern is read
as AWS's own matcher reads it: dots join an object's levels to one path, so that a key with a dot is the same as two
levels; if a path is named twice, the last counts; `$or` multiplies the branches before it. `operators.py` has the
operators, `triggers/matching.py` matches messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulator.base import limits
from simulator.base.shown import visible
from simulator.stack.operators import Members, PatternError, Test, read_json, read_test

OR = "$or"

# AWS reserves these for operators, present and future, as keys in an alternative of $or.
_RESERVED_IN_OR = (
    *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
    *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"),
    *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
    *("ip-address-in-range", "ip-address-not-in-range"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One path of a branch: a value there passes one of the tests, or there is no value and `absent` is true."""

    path: str
    tests: tuple[Test, ...]
    absent: bool


Branch = tuple[Leaf, ...]
"""Leaves by path, in the paths' order; all must match."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that has been read: it matches where one of its branches matches.

    `refusal` is AWS's reason if it would not accept the pattern; then there are no branches. `repeated` are the paths
    that it names more than once.
    """

    text: str
    branches: tuple[Branch, ...] = field(default=(), compare=False, repr=False)
    repeated: tuple[str, ...] = field(default=(), compare=False, repr=False)
    refusal: str | None = field(default=None, compare=False)

    def paths(self) -> frozenset[str]:
        """Every path that it mentions."""
        return frozenset(leaf.path for branch in self.branches for leaf in branch)


def read_pattern(text: str) -> Pattern:
    """The pattern of this text; if it is invalid, `refusal` says why in one line."""
    reading = _Reading()
    try:
        branches = reading.branches(text)
    except PatternError as error:
        return Pattern(text, refusal=visible(str(error)))
    except RecursionError:
        return Pattern(text, refusal="the pattern is nested too deeply")
    return Pattern(text, branches, tuple(dict.fromkeys(reading.repeated)))


def joined(path: str | None, key: str) -> str:
    """The path of this key below that path; None is the top level."""
    return key if path is None else f"{path}.{key}"


class _Reading:
    """One reading of one pattern. An unfinished branch has a leaf for each path, in the order of its keys."""

    def __init__(self) -> None:
        self._combinations = 1
        self.repeated: list[str] = []

    def branches(self, text: str) -> tuple[Branch, ...]:
        """Raises `PatternError`."""
        if len(text) > (most := limits.FILTER_PATTERN_CHARACTERS):
            raise PatternError(f"the pattern has {len(text)} characters; at most {most} are allowed")
        try:
            top = read_json(text, as_written=True)
        except ValueError as error:
            raise PatternError(f"the pattern is not JSON: {error}") from None
        if not isinstance(top, Members):
            raise PatternError("Filter is not an object")
        made = self._object(top, None, [{}], alternative=False)
        return tuple(tuple(leaf for _, leaf in sorted(branch.items())) for branch in made)

    def _object(
        self, members: Members, path: str | None, made: list[dict[str, Leaf]], *, alternative: bool
    ) -> list[dict[str, Leaf]]:
        """The branches `made` so far, combined with what an object under `path` requires."""
        if not members:
            raise PatternError("Empty objects are not allowed")
        for key, wanted in members:
            if key == OR:
                made = list(self._or(wanted, path, made))
                continue
            if alternative and key in _RESERVED_IN_OR:
                raise PatternError(f"{key} is reserved and cannot be a key inside {OR}")
            if isinstance(wanted, Members):
                made = self._object(wanted, joined(path, key), made, alternative=alternative)
            elif isinstance(wanted, list):
                leaf = _leaf(joined(path, key), wanted)
                if any(leaf.path in branch for branch in made):
                    self.repeated.append(leaf.path)
                for branch in made:
                    branch[leaf.path] = leaf
            else:
                raise PatternError(f'"{key}" must be an object or an array')
        return made

    def _or(self, wanted: Any, path: str | None, made: list[dict[str, Leaf]]) -> Iterator[dict[str, Leaf]]:
        if not isinstance(wanted, list):
            raise PatternError(f"{OR} must be an array of objects")
        if any(not isinstance(each, Members) for each in wanted):
            raise PatternError(f"{OR} must be an array of objects and nothing else")
        if len(wanted) < 2:
            raise PatternError(f"{OR} must have at least two objects, not {len(wanted)}")
        self._combinations *= len(wanted)
        if self._combinations > limits.FILTER_COMBINATIONS:
            raise PatternError(f"{OR} makes more than {limits.FILTER_COMBINATIONS} combinations")
        for each in wanted:
            yield from self._object(each, path, [dict(branch) for branch in made], alternative=True)


def _leaf(path: str, wanted: list[Any]) -> Leaf:
    if not wanted:
        raise PatternError("Empty arrays are not allowed")
    tests = [read_test(each) for each in wanted]
    return Leaf(path, tuple(test for test in tests if test is not None), None in tests)
