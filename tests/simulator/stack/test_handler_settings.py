"""What the pipeline's own handlers cannot work with: settings at init, and other keys of their table."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from fakes import declare
from simulator.stack import template
from simulator.stack.handler_settings import malformed_settings, unusable_keys
from simulator.stack.model import Stack
from simulator.stack.packaged import packaged_template
from simulator.stack.rules import examine


def own(**changes: Any) -> Stack:
    """The pipeline's own stack, with its table changed."""
    stack = template.load()
    return dataclasses.replace(stack, tables={"StockData": dataclasses.replace(stack.tables["StockData"], **changes)})


def test_the_defaults_are_sound() -> None:
    """The shipped template would not fail anywhere."""
    assert [*malformed_settings(template.load()), *unusable_keys(template.load())] == []


def test_each_function_is_judged_by_its_own_rules() -> None:
    """There is one finding per function, at the line of the setting; what a function never reads does not affect it."""
    parameters = {"TickerCount": "1", "RowsPerFile": "100000", "Comment": " x", "TimestampFormat": "%d.%m.%Y"}
    found = examine(template.load(None, parameters)).failures
    assert [(finding.logical_id, finding.kind) for finding in found] == [
        ("GeneratorLambda", "fails at init"),
        ("ConsumerLambda", "fails at init"),
    ]
    assert found[1].text.startswith("COMMENT=' x' must not begin with a blank or a quote")
    lines = packaged_template().read_text(encoding="utf-8").splitlines()
    assert [lines[finding.line - 1].strip() for finding in found if finding.line] == [
        "TICKER_COUNT: !Ref TickerCount",
        "COMMENT: !Ref Comment",
    ]


def test_a_handler_that_is_not_ours_is_not_judged(tmp_path: Path) -> None:
    """Another handler may use a variable of the same name differently, and any keys."""
    text = packaged_template().read_text(encoding="utf-8")
    other = tmp_path / "t.yaml"
    other.write_text(text.replace("Handler: pipeline.consumer.handler", "Handler: mine.handler"), encoding="utf-8")
    stack = template.load(other, {"Comment": " x"})
    table = dataclasses.replace(stack.tables["StockData"], keys=(("id", "N"), ("SK", "S")))
    stack = dataclasses.replace(stack, tables={"StockData": table})
    assert examine(stack).failures == ()
    assert [*unusable_keys(declare.stack())] == []


def test_another_handler_of_the_same_name_is_not_judged() -> None:
    """A package `pipeline` that is not ours has settings of its own."""
    stack = template.load(None, {"Comment": " x"})
    assert len([*malformed_settings(stack)]) == 1
    functions = {name: dataclasses.replace(each, is_own=False) for name, each in stack.functions.items()}
    assert [*malformed_settings(dataclasses.replace(stack, functions=functions))] == []


@pytest.mark.parametrize(
    ("keys", "has"),
    [
        ({"keys": (("ticker", "S"), ("SK", "S"))}, "ticker (S) and SK (S)"),
        ({"keys": (("PK", "S"), ("SK", "N"))}, "PK (S) and SK (N)"),
        ({"keys": (("PK", "S"),)}, "PK (S)"),
    ],
)
def test_the_table_has_the_keys_that_the_consumer_writes(keys: dict[str, Any], has: str) -> None:
    """With any others every row is refused, which would show only row by row."""
    (found,) = examine(own(**keys)).failures
    assert (found.logical_id, found.kind) == ("StockData", "fails")
    assert found.text == f"the consumer writes the keys PK and SK as text, but the table has {has}"


def test_a_consumer_without_its_table_is_an_obstacle() -> None:
    """What fails cannot be judged further: nothing else is said of a table that is not there."""
    found = examine(dataclasses.replace(template.load(), tables={}))
    assert (found.failures, [each.logical_id for each in found.obstacles]) == ((), ["ConsumerLambda"])
    assert found.obstacles[0].text.startswith("TABLE_NAME is 'StockData', which is not a table in the template")
