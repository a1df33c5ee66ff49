"""A pattern's text as branches of paths, and why AWS refuses it."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from simulator.base import limits
from simulator.stack import patterns
from simulator.stack.operators import Members, Number
from simulator.stack.patterns import Pattern, read_pattern


def paths(text: str) -> list[list[str]]:
    """The paths of each branch of a pattern that AWS accepts."""
    pattern = read_pattern(text)
    assert pattern.refusal is None
    return [[leaf.path for leaf in branch] for branch in pattern.branches]


def test_levels_are_joined_by_dots() -> None:
    """A dotted key and two levels are one path; a branch has its paths in alphabetical order."""
    assert paths('{"body": {"b": {"c": [1]}, "a.x": [2]}}') == [["body.a.x", "body.b.c"]]
    assert paths('{"body": {"b.c": [1], "a": {"x": [2]}}}') == [["body.a.x", "body.b.c"]]


def test_paths_are_those_of_all_branches() -> None:
    """Each path occurs once."""
    pattern = read_pattern('{"z": {"y": [1]}, "$or": [{"a": [1]}, {"b": [1]}]}')
    assert pattern.paths() == {"z.y", "a", "b"}
    assert read_pattern("{}").paths() == frozenset()


def test_or_multiplies_the_branches() -> None:
    """Each alternative is combined with everything around it, nested and side by side."""
    assert paths('{"z": [1], "$or": [{"a": [1]}, {"b": [1], "c": [1]}]}') == [["a", "z"], ["b", "c", "z"]]
    assert paths('{"$or": [{"a": [1]}, {"b": [1]}], "z": [1]}') == [["a", "z"], ["b", "z"]]
    two = '{"p": {"$or": [{"a": [1]}, {"b": [1]}]}, "q": {"$or": [{"c": [1]}, {"d": [1]}]}}'
    assert paths(two) == [["p.a", "q.c"], ["p.b", "q.c"], ["p.a", "q.d"], ["p.b", "q.d"]]
    nested = '{"$or": [{"a": [1], "$or": [{"b": [1]}, {"c": [1]}]}, {"d": {"e": [1]}}]}'
    assert paths(nested) == [["a", "b"], ["a", "c"], ["d.e"]]


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ('{"a": [1], "a": [2]}', ("a",)),
        ('{"a": {"b": [1]}, "a.b": [2]}', ("a.b",)),
        ('{"a": [1], "$or": [{"a": [2]}, {"b": [1]}]}', ("a",)),
        ('{"$or": [{"a": [1]}, {"b": [1]}], "a": [2]}', ("a",)),
        ('{"a": {"b": [1]}, "a": {"c": [2]}}', ()),
        ('{"$or": [{"a": [2]}, {"a": [1]}]}', ()),
    ],
)
def test_a_path_that_is_named_twice_counts_as_its_last(text: str, repeated: tuple[str, ...]) -> None:
    """The later leaf replaces the earlier one of its branch, and the path is remembered."""
    pattern = read_pattern(text)
    assert pattern.repeated == repeated
    leaf = pattern.branches[0][-1]
    assert any(test(Number("2")) for test in leaf.tests)
    assert not any(test(Number("1")) for test in leaf.tests)


def test_a_leaf_may_ask_for_a_value_or_none() -> None:
    """`exists: false` among other elements means one of these, or nothing at all."""
    ((leaf,),) = read_pattern('{"a": ["x", {"exists": false}]}').branches
    assert (len(leaf.tests), leaf.absent) == (1, True)
    ((leaf,),) = read_pattern('{"a": ["x"]}').branches
    assert (len(leaf.tests), leaf.absent) == (1, False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("simple string", "the pattern is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("", "the pattern is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"a": [NaN]}', "the pattern is not JSON: NaN is not a number in JSON"),
        ("null", "Filter is not an object"),
        ('["a"]', "Filter is not an object"),
        ("42", "Filter is not an object"),
        ('{"eventSource": "aws:sqs"}', '"eventSource" must be an object or an array'),
        ('{"a": {"b": null}}', '"b" must be an object or an array'),
        ('{"a": 42}', '"a" must be an object or an array'),
        ('{"eventSource": []}', "Empty arrays are not allowed"),
        (
            r'{"\u001b[2J\n\u00e9\ud800": 1}',
            '"\\x1b[2J\\n\u00e9\\ud800" must be an object or an array',
        ),
        ("{}", "Empty objects are not allowed"),
        ('{"body": {}}', "Empty objects are not allowed"),
        ('{"a": [{"regex": "x"}]}', "Unrecognized match type regex"),
        ('{"$or": {"a": [1]}}', "$or must be an array of objects"),
        ('{"$or": [{"a": [1]}, 5]}', "$or must be an array of objects and nothing else"),
        ('{"$or": []}', "$or must have at least two objects, not 0"),
        ('{"$or": [{"a": [1]}]}', "$or must have at least two objects, not 1"),
        ('{"$or": [{"a": [1]}, {}]}', "Empty objects are not allowed"),
        ('{"$or": [{"a": [1]}, {"numeric": [1]}]}', "numeric is reserved and cannot be a key inside $or"),
        ('{"$or": [{"a": [1]}, {"b": {"prefix": [1]}}]}', "prefix is reserved and cannot be a key inside $or"),
    ],
)
def test_what_aws_refuses(text: str, reason: str) -> None:
    """The reason is one line, and no branch is left to match."""
    pattern = read_pattern(text)
    assert pattern.refusal == reason
    assert pattern.branches == ()


def test_reserved_names_are_keys_outside_of_or() -> None:
    """A body may well have a key `prefix`."""
    assert paths('{"body": {"prefix": [1], "$or": [{"a": [1]}, {"b": [1]}], "exists": [true]}}') == [
        ["body.a", "body.exists", "body.prefix"],
        ["body.b", "body.exists", "body.prefix"],
    ]


def _or_of(number: int) -> list[dict[str, list[int]]]:
    return [{f"{at:x}": [1]} for at in range(number)]


def test_or_may_make_a_thousand_combinations() -> None:
    """The numbers of alternatives multiply; what is above the bound is refused before it is made."""
    ten = {"p": {"$or": _or_of(10)}, "q": {"$or": _or_of(10)}, "r": {"$or": _or_of(10)}}
    assert len(read_pattern(json.dumps(ten)).branches) == limits.FILTER_COMBINATIONS
    eleven = {**ten, "r": {"$or": _or_of(11)}}
    assert read_pattern(json.dumps(eleven)).refusal == "$or makes more than 1000 combinations"
    many = {f"{at}": {"$or": _or_of(2)} for at in range(40)}
    assert read_pattern(json.dumps(many)).refusal == "$or makes more than 1000 combinations"


def test_a_pattern_has_at_most_4096_characters() -> None:
    """At the limit it is accepted, and one more is refused."""
    text = json.dumps({"body": ["x" * (limits.FILTER_PATTERN_CHARACTERS - len('{"body": [""]}'))]})
    assert len(text) == 4096
    assert read_pattern(text).refusal is None
    assert read_pattern(text + " ").refusal == "the pattern has 4097 characters; at most 4096 are allowed"


def test_deep_nesting_is_refused_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 4,096 characters an object may nest deeper than we read, or than other versions of Python can follow."""
    assert read_pattern('{"":' * 1000).refusal == "the pattern is not JSON: it is nested too deeply"
    deep: Any = [Number("1")]
    for _ in range(10 * sys.getrecursionlimit()):
        deep = Members([("", deep)])
    monkeypatch.setattr(patterns, "read_json", lambda *_, **__: deep)
    assert read_pattern("as deep as that").refusal == "the pattern is nested too deeply"


def test_patterns_are_equal_by_their_text() -> None:
    """Everything else is derived from it."""
    for text in ('{"a": [1]}', '{"a": [1], "a": [2]}', "{}"):
        assert read_pattern(text) == read_pattern(text) == Pattern(text)
    assert read_pattern('{"a": [1]}') != read_pattern('{"a": [2]}')
