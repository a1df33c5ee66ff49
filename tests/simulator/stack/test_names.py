"""Names that AWS refuses are found in the template, and reported in AWS's words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fakes import declare
from simulator.stack import rules
from simulator.stack.model import Bucket, Notification, Stack, Table
from simulator.stack.names import name_fault
from simulator.stack.template import load


def refused(stack: Stack) -> list[tuple[str, str]]:
    """Which resources are refused, and the words."""
    return [(finding.logical_id, finding.text) for finding in rules.examine(stack).violations]


@pytest.mark.parametrize(
    ("parameter", "name", "who", "said"),
    [
        ("BucketName", "My_Bucket", "StockBucket", "The specified bucket is not valid: 'My_Bucket': "),
        ("QueueName", "stock queue", "StockQueue", "Can only include alphanumeric characters, hyphens, or underscores"),
        ("TableName", "ab", "StockData", "Value 'ab' at 'tableName' failed to satisfy constraint: Member must have"),
        ("TableName", "t" * 256, "StockData", "Member must have length less than or equal to 255"),
        ("TableName", "täble", "StockData", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ("ConsumerName", "a b", "ConsumerLambda", "at 'functionName' failed to satisfy constraint: Member must"),
    ],
)  # fmt: skip
def test_a_name_that_its_service_refuses_is_a_violation(parameter: str, name: str, who: str, said: str) -> None:
    """There is one violation per resource, with its line."""
    found = rules.examine(load(None, {parameter: name})).violations
    assert [finding.logical_id for finding in found] == [who]
    assert said in found[0].text
    assert found[0].line


def test_a_name_that_is_too_long_is_a_violation() -> None:
    """The name is one character too long."""
    queues, functions = {"Q": declare.queue("Q", name="q" * 81)}, {"F": declare.function("F", name="f" * 65)}
    said = dict(refused(declare.stack(queues=queues, functions=functions)))
    assert "1 to 80 in length" in said["Q"]
    assert "Member must have length less than or equal to 64" in said["F"]
    assert "at 'indexName' failed" in str(name_fault("table", "i" * 256, "indexName"))


def test_names_at_their_shortest_and_longest_are_taken() -> None:
    """So are the names that the template leaves open."""
    shortest = {"BucketName": "b-0", "QueueName": "q", "TableName": "t-0", "ConsumerName": "f"}
    assert refused(load(None, shortest)) == []
    longest = {"BucketName": "b" * 63, "QueueName": "q" * 80, "TableName": "t" * 255, "ConsumerName": "f" * 64}
    assert refused(load(None, longest)) == []
    assert refused(load()) == []


def test_a_name_given_twice_exists_already() -> None:
    """Two queues may not share a name; a queue and a function may."""
    stack = declare.stack(
        queues={each: declare.queue(each, name="same") for each in ("One", "Two")},
        functions={"Consumer": declare.function(name="same")},
    )
    assert refused(stack) == [("Two", "same already exists: One has this name")]


def test_a_logical_id_has_letters_and_digits() -> None:
    """The words are CloudFormation's own; the name of such a resource is not judged."""
    for logical_id in ("My-Queue", "a b", "é"):
        queue = declare.queue(logical_id, name="a b")
        said = f"Template format error: Resource name {logical_id} is non alphanumeric."
        assert refused(declare.stack(queues={logical_id: queue})) == [(logical_id, said)]


@pytest.mark.parametrize(("text", "is_refused"), [("a\x1b", True), ("\x00", True), ("\ufffe", True), ("a\tb ä", False)])
def test_a_filter_that_xml_cannot_say_is_refused(text: str, is_refused: bool) -> None:
    """S3's API uses XML 1.0, which has no control characters but tab and line ends."""
    bucket = Bucket("Bucket", "bucket", "arn")
    for part in ("prefix", "suffix"):
        notification = dataclasses.replace(Notification("Queue", ("s3:ObjectCreated:*",)), **{part: text})
        stack = declare.stack(buckets={"Bucket": dataclasses.replace(bucket, notifications=(notification,))})
        assert [who for who, said in refused(stack) if "not well-formed" in said] == ["Bucket"] * is_refused


def test_a_name_that_only_aws_knows_is_one_left_open(tmp_path: Path) -> None:
    """Another stack's output, for example: nothing is refused, and the resource can be made here."""
    text = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue Name}}}"
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    stack = load(tmp_path / "t.yaml")
    assert (stack.queues["Q"].name, refused(stack)) == ("stockpipe-Q", [])


def test_a_name_left_open_fits_its_service(tmp_path: Path) -> None:
    """However long the logical id is, it is cut as CloudFormation would cut it."""
    long = "Q" * 200
    table = Table(long, f"stockpipe-{long}", "arn", (("PK", "S"),))
    assert refused(declare.stack(tables={long: table})) == []
    text = (
        "Transform: AWS::Serverless-2016-10-31\nResources:\n"
        f"  {long}: {{Type: AWS::SQS::Queue}}\n  B{long}: {{Type: AWS::S3::Bucket}}\n"
        f"  F{long}: {{Type: AWS::Serverless::Function, Properties: {{Handler: a.b, Runtime: python3.13}}}}\n"
    )
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    stack = load(tmp_path / "t.yaml")
    assert refused(stack) == []
    assert {len(each.name) for each in (*stack.queues.values(), *stack.buckets.values())} == {80, 63}
