"""What references give, and what is left out of a stack instead of being refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.stack.model import Stack
from simulator.stack.template import TemplateError

Load = Callable[..., Stack]

REFERENCES = """
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      InlineCode: x
      Environment: {Variables: {V: %s}}
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: b-1}}
  T: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: t-1}}
  Topic: {Type: AWS::SNS::Topic}
  Api: {Type: AWS::Serverless::Api}
  Secret: {Type: AWS::SecretsManager::Secret}
  Nested: {Type: AWS::CloudFormation::Stack}
  Odd: {Type: Custom}
"""


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("!Ref Q", "https://sqs.us-east-1.amazonaws.com/123456789012/q"),
        ("!GetAtt Q.QueueUrl", "https://sqs.us-east-1.amazonaws.com/123456789012/q"),
        ("!GetAtt Q.QueueName", "q"),
        ("!Ref B", "b-1"),
        ("!GetAtt B.RegionalDomainName", "b-1.s3.us-east-1.amazonaws.com"),
        ("!GetAtt T.Arn", "arn:aws:dynamodb:us-east-1:123456789012:table/t-1"),
        ("!Ref F.Version", "arn:aws:lambda:us-east-1:123456789012:function:stockpipe-F"),
        ("!Sub '${F.Alias}'", "arn:aws:lambda:us-east-1:123456789012:function:stockpipe-F"),
        ("!Ref Topic", "arn:aws:sns:us-east-1:123456789012:stockpipe-Topic"),
        ("!GetAtt Topic.TopicName", "stockpipe-Topic.TopicName"),
        ("!Ref Secret", "arn:aws:secretsmanager:us-east-1:123456789012:stockpipe-Secret"),
        ("!Ref Api", "stockpipe-Api"),
        ("!GetAtt Nested.Outputs.Url", "stockpipe-Nested.Outputs.Url"),
        ("!GetAtt Odd.Arn", "arn:aws:custom:us-east-1:123456789012:stockpipe-Odd"),
        ("!GetAtt FRole.Arn", "arn:aws:iam:us-east-1:123456789012:stockpipe-FRole"),
        ("!Sub 'https://${ServerlessRestApi}.x/Prod'", "https://stockpipe-ServerlessRestApi.x/Prod"),
        ("!Ref ApiProdStage", "stockpipe-ApiProdStage"),
    ],
)
def test_every_reference_gives_something(load_text: Load, written: str, given: str) -> None:
    """Simulated resources and what SAM adds to them have AWS's values, other resources plausible ones."""
    assert load_text(REFERENCES % written).functions["F"].environment["V"] == given


@pytest.mark.parametrize("written", ["!Ref Fs", "!GetAtt Q.Alias", "!GetAtt B.Size", "!Ref Q.Version"])
def test_what_aws_would_not_know_is_refused(load_text: Load, written: str) -> None:
    """A misspelt name, and an attribute that the resource does not have, stay errors."""
    with pytest.raises(TemplateError, match=r"is (neither a resource nor a parameter|.*not known here)"):
        load_text(REFERENCES % written)


def test_a_template_without_sam_has_nothing_made_by_sam(load_text: Load) -> None:
    """CloudFormation makes neither a role for a function nor an API."""
    for name in ("FRole", "ServerlessRestApi"):
        with pytest.raises(TemplateError, match=f"'{name}' is neither a resource nor a parameter"):
            load_text(
                "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Handler: a.b, Runtime: python3.13, "
                f"Environment: {{Variables: {{V: !Ref {name}}}}}}}}}}}"
            )


UNKNOWN = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Nowhere}}
  Fn::ForEach::Topics: [Name, [A, B], {"Topic${Name}": {Type: AWS::SNS::Topic}}]
  Role: {Type: AWS::IAM::Role}
  Mistaken: {Type: queue}
  Scaling: {Type: AWS::ApplicationAutoScaling::ScalingPolicy}
  Q: {Type: AWS::SQS::Queue, Properties: {Tags: [], KmsMasterKeyId: k}}
"""


def test_what_is_not_simulated_is_listed_with_reason_and_line(load_text: Load) -> None:
    """A resource of any other type is named, in the template's order, and nothing in it is resolved."""
    stack = load_text(UNKNOWN)
    assert [(each.line, each.logical_id, each.property, each.reason) for each in stack.ignored] == [
        (3, "Vpc", "AWS::EC2::VPC", "not simulated"),
        (4, "Fn::ForEach::Topics", "Fn::ForEach::Topics", "not simulated"),
        (5, "Role", "AWS::IAM::Role", "the store has no IAM"),
        (6, "Mistaken", "queue", "not simulated"),
        (7, "Scaling", "AWS::ApplicationAutoScaling::ScalingPolicy", "not simulated"),
        (8, "Q", "KmsMasterKeyId", "not simulated"),
    ]
    assert list(stack.queues) == ["Q"]


FIFO = """
Resources:
  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
  Standard:
    Type: AWS::SQS::Queue
    Properties:
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Fifo.Arn, maxReceiveCount: 3}
  F: {Type: AWS::Lambda::Function, Properties: {Handler: a.b, Runtime: python3.13}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Fifo.Arn, BatchSize: 7}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration: {QueueConfigurations: [{Event: "s3:ObjectCreated:*", Queue: !GetAtt Fifo.Arn}]}
Outputs: {Name: {Value: !GetAtt Fifo.QueueName}}
"""


def test_a_fifo_queue_is_left_out_with_what_depends_on_it(load_text: Load) -> None:
    """It is no queue of the stack, nor is anything polled from it, notified to it or given up to it."""
    stack = load_text(FIFO)
    assert (list(stack.queues), stack.mappings, stack.buckets["Bucket"].notifications) == (["Standard"], {}, ())
    assert stack.queues["Standard"].redrive is None
    assert {(each.logical_id, each.property): each.reason for each in stack.ignored} == {
        ("Fifo", "AWS::SQS::Queue"): "FIFO queues are not simulated",
        ("Standard", "RedrivePolicy"): "its deadLetterTargetArn is a FIFO queue",
        ("Mapping", "AWS::Lambda::EventSourceMapping"): "its EventSourceArn is a FIFO queue",
        ("Bucket", "NotificationConfiguration.QueueConfigurations[0]"): "its Queue is a FIFO queue",
    }
