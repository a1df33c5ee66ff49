"""Filter criteria: which bodies go to the function."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.stack.patterns import read_pattern
from simulator.triggers import filters


def matches(patterns: list[Any], body: str) -> bool:
    """Whether a message with this body goes to the function."""
    read = [read_pattern(json.dumps(pattern)) for pattern in patterns]
    assert [pattern.refusal for pattern in read] == [None] * len(read)
    return filters.matches(read, body)


SEATTLE = {"body": {"city": ["Seattle"]}}


def test_no_filter_lets_everything_through() -> None:
    """Without criteria every message goes to the function."""
    assert matches([], "anything")


def test_one_of_several_is_enough() -> None:
    """Filters are alternatives."""
    body = json.dumps({"city": "Seattle"})
    assert matches([{"body": {"city": ["Berlin"]}}, SEATTLE], body)
    assert not matches([{"body": {"city": ["Berlin"]}}, {"body": {"city": ["Rome"]}}], body)


def test_plain_text_never_matches_a_json_pattern() -> None:
    """A JSON pattern drops a body that is not JSON, and the reverse."""
    assert matches([{"body": ["Seattle"]}], "Seattle")
    assert not matches([SEATTLE], "Seattle")
    assert not matches([{"body": {"city": [{"exists": False}]}}], "Seattle")
    assert matches([{"body": {"city": [{"exists": False}]}}], "{}")
    absent = [{"exists": False}]
    assert not matches([{"body": {"city": absent}, "messageId": absent}], "Seattle")
    assert not matches([{"body": absent, "messageId": absent}], "{}")
    for body in ("{}", '{"city": "Seattle"}'):
        assert not matches([{"body": ["Seattle", {"prefix": "{"}, {"exists": False}]}], body)


@pytest.mark.parametrize("body", ["[]", '["city"]', '[{"city": "Seattle"}]', "42", '"Seattle"', "null", "NaN", ""])
def test_a_json_pattern_is_for_an_object(body: str) -> None:
    """JSON other than an object is text: a pattern for the body itself can match it, and no other."""
    assert not matches([SEATTLE], body)
    assert not matches([{"body": {"city": [{"anything-but": "x"}]}}], body)
    assert matches([{"body": [body]}], body)
    assert matches([{"body": [{"anything-but": "x"}]}], body)
    assert not matches([{"body": [None, 42, {"numeric": ["=", 42]}]}], body)


@pytest.mark.parametrize(
    ("number", "expected"),
    [("3", True), ("3.0", True), ("0.3e1", True), ("3.1", False), ('"3"', False), ("3" * 400, False), ("true", False)],
)
def test_numbers_of_a_body(number: str, expected: bool) -> None:
    """A number counts by its value, however it is written and however large it is."""
    body = '{"price": ' + number + "}"
    assert matches([{"body": {"price": [3]}}], body) is expected
    assert matches([{"body": {"price": [{"numeric": ["=", 3]}]}}], body) is expected


@pytest.mark.parametrize("body", ['{"city": NaN, "x": "y"}', '{"city": "Seattle"', "[" * 100_000, '{"city":' * 100_000])
def test_a_body_that_is_not_json_is_text(body: str) -> None:
    """NaN is not JSON, an object needs its end, and endless nesting does no harm."""
    assert not matches([{"body": {"city": [{"exists": True}]}}, {"body": {"x": ["y"]}}], body)
    assert matches([{"body": [body[:50], {"prefix": body[:50]}]}], body)


def test_the_last_of_a_repeated_key_counts() -> None:
    """JSON parsers do the same."""
    assert matches([SEATTLE], '{"city": "Berlin", "city": "Seattle"}')
    assert not matches([SEATTLE], '{"city": "Seattle", "city": "Berlin"}')


def test_nothing_but_the_body_can_be_filtered() -> None:
    """Anything else that a pattern tests is absent."""
    body = json.dumps({"city": "Seattle"})
    for key in ("messageId", "attributes", "messageAttributes", "eventSource"):
        assert not matches([{key: [{"exists": True}]}], body)
        assert not matches([{**SEATTLE, key: [{"anything-but": "x"}]}], body)
    assert matches([{**SEATTLE, "messageAttributes": {"kind": [{"exists": False}]}}], body)
    assert matches([{"messageId": [{"exists": False}]}], "plain")


def test_alternatives_of_one_pattern() -> None:
    """`$or` may be outside and inside the body, and an alternative may be only for plain text."""
    pattern = {"$or": [{"body": ["ping"]}, SEATTLE]}
    assert matches([pattern], "ping")
    assert matches([pattern], '{"city": "Seattle"}')
    assert not matches([pattern], "pong")
    assert matches([{"body": {"$or": [{"a": [1]}, {"b": [1]}]}}], '{"b": 1}')


def test_records_of_a_notification() -> None:
    """A pattern can test a list of objects, such as S3's Records."""
    body = json.dumps(
        {"Records": ["test", {"s3": {"object": {"key": "other/x"}}}, {"s3": {"object": {"key": "stocks/x"}}}]}
    )
    assert matches([{"body": {"Records": {"s3": {"object": {"key": [{"prefix": "stocks/"}]}}}}}], body)
    assert not matches([{"body": {"Records": {"s3": {"object": {"key": [{"prefix": "none/"}]}}}}}], body)


def test_a_refused_pattern_matches_nothing() -> None:
    """No run starts with one; if it were used, it would match nothing."""
    assert not filters.matches([read_pattern("{}")], "{}")
