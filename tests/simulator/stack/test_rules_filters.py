"""Filter criteria of a template: what is refused before anything runs, and what is advised against."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.base import limits
from simulator.stack.model import Stack
from simulator.stack.rules import Finding, examine
from simulator.stack.template import TemplateError, load

TEMPLATE = """Transform: AWS::Serverless-2016-10-31
Resources:
  Q: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Events:
        Batch:
          Type: SQS
          Properties:
            Queue: !GetAtt Q.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: FILTERS}
"""
FILTER_LINE = 15
Filtered = Callable[..., Stack]


@pytest.fixture
def filtered(tmp_path: Path) -> Filtered:
    """`filtered(*patterns)`: a stack whose mapping has these patterns, as JSON texts."""

    def made(*patterns: str) -> Stack:
        filters = [{"Pattern": pattern} for pattern in patterns]
        (tmp_path / "t.yaml").write_text(TEMPLATE.replace("FILTERS", json.dumps(filters)), encoding="utf-8")
        return load(tmp_path / "t.yaml")

    return made


def advised(stack: Stack) -> list[str]:
    """The advice about the mapping."""
    return [each.text for each in examine(stack).advice if each.logical_id == "FBatch"]


def test_a_sound_filter_has_no_finding(filtered: Filtered) -> None:
    """A pattern for the body is neither refused nor advised against."""
    stack = filtered('{"body": {"kind": ["quote"]}}', '{"body": ["ping"]}')
    assert (examine(stack).violations, advised(stack)) == ((), [])


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("null", "Filter is not an object"),
        ("simple string", "the pattern is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"eventSource": "aws:sqs"}', '"eventSource" must be an object or an array'),
        ('{"eventSource": []}', "Empty arrays are not allowed"),
        ('{"body": {"a": [{"wildcard": "x*"}]}}', "Unrecognized match type wildcard"),
    ],
)
def test_a_pattern_that_aws_refuses(filtered: Filtered, pattern: str, reason: str) -> None:
    """The finding has AWS's sentence, which filter it is, why, and the line of the criteria."""
    stack = filtered('{"body": [1]}', pattern)
    text = f"Invalid filter pattern definition. FilterCriteria.Filters[1]: {reason}"
    assert examine(stack).violations == (Finding("FBatch", text, FILTER_LINE, path=("FilterCriteria",)),)


def test_every_bad_pattern_is_named(filtered: Filtered) -> None:
    """There is one finding for each."""
    found = examine(filtered("{}", '{"body": [1]}', "[]")).violations
    assert [each.text.partition(": ")[0][-10:] for each in found] == ["Filters[0]", "Filters[2]"]


def test_more_filters_than_aws_has_ever_taken(filtered: Filtered) -> None:
    """Five are the default, ten are possible on request: more are advised against, and above ten refused."""
    by_default, at_most = limits.MAPPING_FILTERS
    pattern = '{"body": [1]}'
    assert advised(filtered(*[pattern] * by_default)) == []
    for number in (by_default + 1, at_most):
        stack = filtered(*[pattern] * number)
        assert advised(stack) == [f"{number} filters: AWS allows 5, and up to 10 only on request"]
        assert examine(stack).violations == ()
    stack = filtered(*[pattern] * (at_most + 1))
    assert [each.text for each in examine(stack).violations] == ["it has 11 filters; at most 10 are allowed"]
    assert advised(stack) == []


def test_what_cannot_be_filtered_is_advised_against(filtered: Filtered) -> None:
    """A pattern may test what messages do not have; AWS accepts it, and then deletes most messages."""
    (text,) = advised(filtered('{"body": [1], "messageAttributes": {"kind": ["x"]}, "eventSource": ["aws:sqs"]}'))
    assert text.startswith("FilterCriteria.Filters[0] filters on eventSource, messageAttributes, but only the body of")


def test_a_path_that_is_named_twice_is_advised_against(filtered: Filtered) -> None:
    """Only its last list counts."""
    assert advised(filtered('{"body": [1]}', '{"body": {"a": [1], "a": [2]}}')) == [
        "FilterCriteria.Filters[1] names body.a more than once: only the last one counts"
    ]


def test_keys_are_shown_without_their_control_characters(filtered: Filtered) -> None:
    """A pattern's text must not control the terminal."""
    assert all(text.isprintable() for text in advised(filtered(r'{"\u001b": [1], "\u001b": [2]}')))
    assert len(advised(filtered(r'{"\u001b": [1], "\u001b": [2]}'))) == 2


@pytest.mark.parametrize("pattern", [{"body": ["x"]}, ["x"]])
def test_a_pattern_is_a_text(filtered: Filtered, pattern: Any) -> None:
    """CloudFormation requires JSON as text; a mapping in its place is refused with the line."""
    with pytest.raises(TemplateError, match=r"t\.yaml:15: F: .*Filters\[0\]\.Pattern: must be text"):
        filtered(pattern)
