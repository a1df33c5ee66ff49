"""Filter criteria: which bodies go to the function."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.triggers.filters import matches

BODY = {
    "city": "Seattle",
    "temperature": 42,
    "dry": True,
    "tags": ["a", "b"],
    "s3": {"object": {"key": "stocks/AAPL.csv"}},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"city": ["Seattle"]}, True),
        ({"city": ["Berlin", "Seattle"]}, True),
        ({"city": ["Berlin"]}, False),
        ({"city": ["Seattle"], "temperature": [41]}, False),
        ({"city": [{"prefix": "Sea"}]}, True),
        ({"city": [{"suffix": "sea"}]}, False),
        ({"city": [{"suffix": "ttle"}]}, True),
        ({"temperature": [{"prefix": "4"}]}, False),
        ({"country": [{"prefix": "U"}]}, False),
        ({"city": [{"prefix": {"equals-ignore-case": "sEA"}}]}, True),
        ({"city": [{"equals-ignore-case": "SEATTLE"}]}, True),
        ({"city": [{"equals-ignore-case": "BERLIN"}]}, False),
        ({"city": [{"an operator that AWS does not have": "Seattle"}]}, False),
        ({"city": [{"anything-but": ["Berlin"]}]}, True),
        ({"city": [{"anything-but": "Seattle"}]}, False),
        ({"city": [{"anything-but": {"prefix": "Sea"}}]}, False),
        ({"temperature": [{"numeric": [">", 40, "<=", 42]}]}, True),
        ({"temperature": [{"numeric": ["=", 41]}]}, False),
        ({"temperature": [{"numeric": [">", 40, "<", 42]}]}, False),
        ({"city": [{"numeric": [">", 0]}]}, False),
        ({"dry": [{"numeric": [">", 0]}]}, False),
        ({"dry": [True]}, True),
        ({"dry": [1]}, False),
        ({"temperature": [42.0]}, True),
        ({"temperature": ["42"]}, False),
        ({"tags": ["b"]}, True),
        ({"tags": ["c"]}, False),
        ({"country": [{"exists": False}]}, True),
        ({"city": [{"exists": False}]}, False),
        ({"country": [None]}, False),
        ({"s3": {"object": {"key": [{"prefix": "stocks/"}]}}}, True),
        ({"s3": {"object": {"size": [{"exists": False}]}}}, True),
        ({"$or": [{"city": ["Berlin"]}, {"temperature": [42]}]}, True),
        ({"$or": [{"city": ["Berlin"]}, {"temperature": [1]}]}, False),
    ],
)
def test_patterns(pattern: dict[str, Any], expected: bool) -> None:
    """Every operator of AWS's table, for a JSON body."""
    assert matches([{"body": pattern}], json.dumps(BODY)) is expected


def test_no_filter_lets_everything_through() -> None:
    """Without criteria every message goes to the function."""
    assert matches([], "anything")


def test_one_of_several_is_enough() -> None:
    """Filters are alternatives."""
    assert matches([{"body": {"city": ["Berlin"]}}, {"body": {"city": ["Seattle"]}}], json.dumps(BODY))


def test_plain_text_never_matches_a_json_pattern() -> None:
    """A body that is not JSON is dropped by a JSON pattern, and the other way round."""
    assert not matches([{"body": {"city": ["Seattle"]}}], "Seattle")
    assert matches([{"body": ["Seattle"]}], "Seattle")
    assert not matches([{"body": ["Seattle"]}], json.dumps(BODY))


@pytest.mark.parametrize("body", ["[]", '["city"]', "42", '"Seattle"', "null"])
def test_a_pattern_is_for_an_object(body: str) -> None:
    """Other JSON than an object has no keys to match."""
    assert not matches([{"body": {"city": ["Seattle"]}}], body)


def test_a_pattern_without_a_body() -> None:
    """An empty one lets everything through; one for anything but the body, which SQS has not, nothing."""
    assert matches([{}], "anything")
    assert not matches([{"messageAttributes": {"kind": ["quote"]}}], "anything")


def test_records_of_a_notification() -> None:
    """A pattern reaches into a list of objects, as S3's Records are."""
    body = json.dumps(
        {"Records": ["test", {"s3": {"object": {"key": "other/x"}}}, {"s3": {"object": {"key": "stocks/x"}}}]}
    )
    assert matches([{"body": {"Records": {"s3": {"object": {"key": [{"prefix": "stocks/"}]}}}}}], body)
    assert not matches([{"body": {"Records": {"s3": {"object": {"key": [{"prefix": "none/"}]}}}}}], body)
