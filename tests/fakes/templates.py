"""A small template in which tests declare resources, and the record of the properties that a test is about."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from simulator.stack.model import Stack
from simulator.stack.template import load

Test = TypeVar("Test", bound=Callable[..., object])


@cache
def own_stack() -> Stack:
    """The stack of the pipeline's own template, read once."""
    return load()


_TEXT = """
Globals: {globals}
Conditions: {conditions}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: q-{unique}
{queue}
  DeadLetters:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: d-{unique}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
{policy}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: b-{unique}
      NotificationConfiguration:
        QueueConfigurations:
          -
{notification}
{bucket}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: t-{unique}
{table}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f-{unique}
      Handler: {handler}
      Runtime: python3.13
      Environment:
        Variables:
          TABLE_NAME: !Ref Table
{variables}
      Events:
        Batch:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
{event}
{events}
{function}
{more}
"""

_DEFAULTS = {
    "globals": "{}",
    "conditions": "{}",
    "table": """
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
        KeySchema: [{AttributeName: PK, KeyType: HASH}]
    """,
    "policy": """
        Queues: [!Ref Queue]
        PolicyDocument:
          Statement: [{Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: sqs:SendMessage, Resource: "*"}]
    """,
    "notification": """
        Event: s3:ObjectCreated:*
        Queue: !GetAtt Queue.Arn
    """,
}

_INDENTS = {"notification": 12, "variables": 10, "event": 12, "events": 8, "more": 2}


def template(unique: str, handler: str, **sections: str) -> str:
    """The template's text: a queue with a function behind it, a dead-letter queue, a bucket and a table.

    `unique` is in every name. A section is YAML with any indentation: `queue`, `bucket`, `function` add properties to
    these; `table`, `policy`, `notification` replace the default; `event` adds to the function's SQS event, `events`
    adds events, `variables` environment variables, `more` resources; `globals` and `conditions` are one line each.
    """
    places = dict.fromkeys(("queue", "bucket", "table", "policy", "function", *_INDENTS), "") | _DEFAULTS
    if unknown := sections.keys() - places.keys():
        raise ValueError(f"the template has no place for {', '.join(sorted(unknown))}")
    text = _TEXT
    for place, default in places.items():
        section = textwrap.dedent(sections.get(place, default)).strip("\n")
        flow = place in ("globals", "conditions")
        text = text.replace("{" + place + "}", section if flow else textwrap.indent(section, " " * _indent(place)))
    return text.replace("{handler}", handler).replace("{unique}", unique)


def _indent(place: str) -> int:
    return _INDENTS.get(place, 6)


def proves(*paths: str) -> Callable[[Test], Test]:
    """Names the properties of a template that a test demonstrates.

    `tests/simulator/twin/test_twin_properties.py` gives them their names, and reads this in the tests' sources.
    """
    assert paths
    return lambda test: test
