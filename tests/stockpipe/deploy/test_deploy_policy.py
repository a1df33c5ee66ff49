"""The policy for the deploying user: every call that `deploy` makes, and what CloudFormation does on their behalf."""

from __future__ import annotations

import ast
import fnmatch
import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from simulator.stack.template import load
from stockpipe.deploy import transform

ROOT = Path(__file__).parents[3]
POLICY: dict[str, Any] = json.loads((ROOT / "docs" / "deployer-policy.json").read_text())
SERVICES = {
    "cloudformation": "cloudformation",
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "events": "events",
    "lambda": "lambda",
    "logs": "logs",
    "s3": "s3",
    "sqs": "sqs",
    "sts": "sts",
}
# Operations whose permission has another name (Service Authorization Reference).
OTHER_NAMES = {
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:DeleteObjects": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    "s3:PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
}
# What CloudFormation requires its caller to have to create and delete each type (the types' own schemas, `handlers`).
BY_CLOUDFORMATION = {
    "AWS::CloudWatch::Alarm": ("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"),
    "AWS::CloudWatch::Dashboard": (
        "cloudwatch:PutDashboard",
        "cloudwatch:DeleteDashboards",
        "cloudwatch:GetDashboard",
    ),
    "AWS::DynamoDB::Table": (
        "dynamodb:CreateTable",
        "dynamodb:DeleteTable",
        "dynamodb:DescribeTable",
        "dynamodb:UpdateTable",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:TagResource",
    ),
    "AWS::Events::Rule": (
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
        "events:DeleteRule",
        "events:DescribeRule",
    ),
    "AWS::IAM::Role": (
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:GetRole",
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:GetRolePolicy",
        "iam:TagRole",
        "iam:PassRole",
    ),
    "AWS::Lambda::EventSourceMapping": (
        "lambda:CreateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
    ),
    "AWS::Lambda::Function": (
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:GetFunction",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:TagResource",
        "s3:GetObject",
    ),
    "AWS::Lambda::Permission": ("lambda:AddPermission", "lambda:RemovePermission"),
    "AWS::Logs::LogGroup": (
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:PutRetentionPolicy",
        "logs:DescribeLogGroups",
        "logs:TagResource",
    ),
    "AWS::S3::Bucket": (
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:PutEncryptionConfiguration",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketNotification",
        "s3:PutLifecycleConfiguration",
        "s3:PutBucketTagging",
    ),
    "AWS::S3::BucketPolicy": ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy"),
    "AWS::SQS::Queue": (
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:SetQueueAttributes",
        "sqs:TagQueue",
    ),
    "AWS::SQS::QueuePolicy": ("sqs:SetQueueAttributes",),
}


def called_operations() -> set[str]:
    """`service:Operation` of every client call in `deploy` and in the audit that it runs."""
    session = botocore.session.Session()
    by_method: dict[str, str] = {}
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            by_method.setdefault(xform_name(operation), f"{service}:{operation}")
    # The same method exists in two services: deploy uses the first.
    by_method |= {"tag_resource": "", "delete_item": ""}
    found: set[str] = set()
    files = [
        *(ROOT / "stockpipe" / "deploy").glob("*.py"),
        ROOT / "simulator" / "proof" / "audit.py",
        ROOT / "simulator" / "proof" / "scan.py",
    ]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            method = node.func.attr
            if method == "get_paginator" and isinstance(node.args[0], ast.Constant):
                method = str(node.args[0].value)
            if by_method.get(method):
                found.add(by_method[method])
    return found


def allowed(action: str) -> bool:
    """Whether some statement of the policy allows the action."""
    return any(
        fnmatch.fnmatchcase(action, pattern) for statement in POLICY["Statement"] for pattern in statement["Action"]
    )


def test_every_call_that_we_make_is_allowed() -> None:
    """Each operation that the code calls has its permission in the policy."""
    operations = called_operations()
    assert {"cloudformation:CreateChangeSet", "s3:PutObject", "sqs:StartMessageMoveTask", "dynamodb:Scan"} <= operations
    missing = {
        action for operation in operations for action in OTHER_NAMES.get(operation, (operation,)) if not allowed(action)
    }
    assert missing == set()


def test_every_resource_can_be_made_and_removed() -> None:
    """Each resource type of the translated template has what CloudFormation requires from its caller."""
    sam = transform.with_code(load().document, "artifacts", "code.zip")
    types = {resource["Type"] for resource in transform.translate(sam, {}, "us-east-1")["Resources"].values()}
    assert types == set(BY_CLOUDFORMATION)
    assert [action for kind in types for action in BY_CLOUDFORMATION[kind] if not allowed(action)] == []


@pytest.mark.parametrize("statement", POLICY["Statement"], ids=lambda statement: statement["Sid"])
def test_no_statement_is_a_blank_cheque(statement: dict[str, Any]) -> None:
    """Every action is spelled out, roles are passed only to Lambda, and only actions without resources have none."""
    assert all("*" not in action for action in statement["Action"])
    assert statement["Action"] == sorted(statement["Action"])
    if "iam:PassRole" in statement["Action"]:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    if statement["Resource"] == "*":
        assert statement["Sid"] in {"WhoAmI", "Mappings", "AlarmsAndDashboard"}
