"""No property of a template is read and never reached: each has a test that shows its effect."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.stack.model import Stack
from simulator.stack.properties import Properties

KINDS = {
    "AWS::Serverless::Function": "Function",
    "AWS::Lambda::Function": "Function",
    "AWS::Serverless::LayerVersion": "Layer",
    "AWS::Lambda::LayerVersion": "Layer",
    "AWS::SQS::Queue": "Queue",
    "AWS::SQS::QueuePolicy": "QueuePolicy",
    "AWS::S3::Bucket": "Bucket",
    "AWS::DynamoDB::Table": "Table",
    "AWS::Serverless::SimpleTable": "Table",
    "AWS::Scheduler::Schedule": "ScheduleV2",
    "AWS::Events::Rule": "Rule",
    "AWS::Lambda::EventSourceMapping": "Mapping",
}
"""What a path begins with, by the type of its resource; of a function's events, `EVENTS` has it."""
EVENTS = {"Batch": "Mapping", "Tick": "Schedule", "Later": "ScheduleV2", "Put": "Object"}
CODE = "it says where the code is, which is made ready before a twin is opened"
SILENT = {
    "Function.Code": CODE,
    "Function.CodeUri": CODE,
    "Function.ImageUri": CODE,
    "Function.InlineCode": CODE,
    "Function.Layers": CODE,
    "Function.PackageType": CODE,
    "Layer.Content": CODE,
    "Layer.ContentUri": CODE,
    "ScheduleV2.FlexibleTimeWindow.Mode": "a window has a length, too, which is listed as not simulated",
    "Rule.Targets[].Id": "it tells a rule's targets apart",
    "Function.DeadLetterConfig.Type": "CloudFormation has none: the check of names says so",
    "Function.DeadLetterQueue.Type": "the target's ARN says it, too",
    "Function.EventInvokeConfig.DestinationConfig.OnFailure.Type": "the destination's ARN says it, too",
}
"""Properties that are read and not acted on, so that they do not count as left out, and why that is right."""
NOT_PROPERTIES = {"Globals", "Condition"}
"""What is at work in a template and is not a property of a resource."""

EVERYTHING = {
    "queue": "RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 3}",
    "table": """
        AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
        KeySchema: [{AttributeName: PK, KeyType: HASH}]
        GlobalSecondaryIndexes:
          - {IndexName: G, KeySchema: [{AttributeName: PK, KeyType: HASH}], Projection: {ProjectionType: ALL}}
        LocalSecondaryIndexes:
          - {IndexName: L, KeySchema: [{AttributeName: PK, KeyType: HASH}], Projection: {ProjectionType: ALL}}
    """,
    "notification": """
        Event: s3:ObjectCreated:*
        Queue: !GetAtt Queue.Arn
        Filter: {S3Key: {Rules: [{Name: prefix, Value: a}]}}
    """,
    "event": """
        FilterCriteria: {Filters: [{Pattern: '{"body": [1]}'}]}
        ProvisionedPollerConfig: {MinimumPollers: 2}
    """,
    "events": """
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
        Later: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}
        Put:
          Type: S3
          Properties:
            Bucket: !Ref Bucket
            Events: s3:ObjectRestore:*
            Filter: {S3Key: {Rules: [{Name: prefix, Value: a}]}}
    """,
    "more": """
        Mapping:
          Type: AWS::Lambda::EventSourceMapping
          Properties: {FunctionName: !Ref Function, EventSourceArn: !GetAtt DeadLetters.Arn}
        Later:
          Type: AWS::Scheduler::Schedule
          Properties: {ScheduleExpression: rate(1 minute), Target: {Arn: !GetAtt Function.Arn}}
        Rule:
          Type: AWS::Events::Rule
          Properties: {ScheduleExpression: rate(1 minute), Targets: [{Id: a, Arn: !GetAtt Function.Arn}]}
        Plain:
          Type: AWS::Lambda::Function
          Properties: {Handler: a.b, Runtime: python3.13, Code: x}
        Invoking:
          Type: AWS::S3::Bucket
          Properties:
            NotificationConfiguration:
              LambdaConfigurations:
                - Event: s3:ObjectRemoved:*
                  Function: !GetAtt Function.Arn
                  Filter: {S3Key: {Rules: [{Name: prefix, Value: a}]}}
        Simple: {Type: AWS::Serverless::SimpleTable}
        SamLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: x}}
        PlainLayer: {Type: AWS::Lambda::LayerVersion, Properties: {Content: x}}
    """,
}


def _path(stack: Stack, logical_id: str, path: str) -> str:
    """A property's name: the kind of its resource, and its path without the numbers of list elements."""
    path = re.sub(r"\[\d+\]", "[]", path)
    if event := re.fullmatch(r"Events\.(\w+)\.Properties(\..+)?", path):
        return EVENTS[event[1]] + (event[2] or "")
    path = re.sub(r"^Events\.\w+", "Events[]", path)
    return f"{KINDS[stack.document['Resources'][logical_id]['Type']]}.{path}"


def test_every_property_that_is_read_has_a_test_behind_the_room_that_acts_on_it(
    load_template: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader reads exactly the properties that the tests name, in a template with one of each part."""
    read: set[tuple[str, str]] = set()
    raw = Properties.raw

    def noting(properties: Properties, key: str) -> Any:
        read.add((properties.logical_id, f"{properties._path}{key}"))
        return raw(properties, key)

    monkeypatch.setattr(Properties, "raw", noting)
    stack = load_template(**EVERYTHING)
    paths = {_path(stack, *each) for each in read}
    leaves = {path for path in paths if not any(each.startswith((f"{path}.", f"{path}[")) for each in paths)}

    assert sorted(leaves - SILENT.keys() - _named()) == []
    assert sorted(_named() - leaves - NOT_PROPERTIES) == []
    assert _named() >= NOT_PROPERTIES
    assert leaves >= SILENT.keys()


def _named() -> set[str]:
    """The properties that the tests of this folder claim to prove."""
    found: set[str] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "proves":
                found.update(ast.literal_eval(argument) for argument in node.args)
    return found
