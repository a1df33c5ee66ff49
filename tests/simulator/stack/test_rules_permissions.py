"""Who may invoke a function: plain resources need a permission, SAM's events bring their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.stack.model import Stack
from simulator.stack.rules import examine

FUNCTION = """
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      {Handler: app.handler, Runtime: python3.13, CodeUri: src/%s}
%s
  Other: {Type: "AWS::S3::Bucket"}
"""
PERMISSION = """
  P:
    Type: AWS::Lambda::Permission
    Properties: {Action: "lambda:InvokeFunction", FunctionName: !Ref F, Principal: %s}
"""
BUCKET = """
  B:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration:
        LambdaConfigurations: [{Event: "s3:ObjectCreated:*", Function: !GetAtt F.Arn}]
"""
RULE = """
  R:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 minute), Targets: [{Id: one, Arn: !GetAtt F.Arn}]}
"""
SAM = ", Events: {E: {Type: S3, Properties: {Bucket: !Ref Other, Events: ['s3:ObjectCreated:*']}}, " + (
    "T: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}}"
)


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        (BUCKET, True),
        (BUCKET + PERMISSION % "events.amazonaws.com", True),
        (BUCKET + PERMISSION % "s3.amazonaws.com", False),
        (BUCKET + PERMISSION % '!Sub "s3.${AWS::URLSuffix}"', False),
    ],
)
def test_a_bucket_needs_a_permission_for_a_function(load_text: Callable[..., Stack], more: str, refused: bool) -> None:
    """Without one, S3 refuses the notification."""
    found = examine(load_text(FUNCTION % ("", more))).violations
    said = "Unable to validate the following destination configurations: no AWS::Lambda::Permission lets S3 invoke F"
    assert [each.text for each in found] == ([said] if refused else [])


@pytest.mark.parametrize(
    ("more", "advised"),
    [
        (RULE, True),
        (RULE + PERMISSION % "events.amazonaws.com", False),
        (RULE.replace("{ScheduleE", "{State: DISABLED, ScheduleE"), False),
    ],
)
def test_a_rule_needs_a_permission_for_a_function(load_text: Callable[..., Stack], more: str, advised: bool) -> None:
    """EventBridge accepts the rule, and nothing ever happens, as with a disabled one, of which that is expected."""
    found = examine(load_text(FUNCTION % ("", more)))
    said = "no AWS::Lambda::Permission lets EventBridge invoke F: it never will"
    assert (found.violations, [each.text for each in found.advice]) == ((), [said] if advised else [])


def test_the_events_of_a_serverless_function_bring_their_permissions(load_text: Callable[..., Stack]) -> None:
    """SAM makes them."""
    found = examine(load_text(FUNCTION % (SAM, "")))
    assert (found.violations, found.advice) == ((), ())
