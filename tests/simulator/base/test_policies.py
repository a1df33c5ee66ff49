"""What a queue's policy allows S3, statement by statement."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.base.policies import allows_anyone, allows_s3, read_policy

QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
BUCKET = "arn:aws:s3:::the.bucket"
S3 = {"Service": "s3.amazonaws.com"}


def statement(**changes: Any) -> dict[str, Any]:
    """A statement that allows S3 to send to the queue, with members changed; None leaves one out."""
    whole = {"Effect": "Allow", "Principal": S3, "Action": "sqs:SendMessage", "Resource": QUEUE, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def allowed(*statements: Any) -> bool:
    """Whether a policy with these statements allows the bucket's events."""
    return allows_s3({"Statement": list(statements)}, QUEUE, BUCKET, "123456789012")


@pytest.mark.parametrize("policy", [None, {}, {"Statement": None}, {"Statement": []}])
def test_without_a_statement_nothing_is_allowed(policy: Any) -> None:
    """Policy evaluation logic: by default, all requests are implicitly denied."""
    assert not allows_s3(policy, QUEUE, BUCKET, "123456789012")


def test_a_statement_need_not_be_in_a_list() -> None:
    """IAM JSON policy elements: Statement is one statement or an array of them."""
    assert allows_s3({"Statement": statement()}, QUEUE, BUCKET, "123456789012")
    assert allowed("no statement", statement())


def test_an_explicit_deny_wins() -> None:
    """Policy evaluation logic: an explicit deny overrides an allow, in any order; one for others does not."""
    deny = statement(Effect="Deny")
    assert not allowed(statement(), deny)
    assert not allowed(deny, statement())
    assert not allowed(deny)
    assert allowed(statement(), statement(Effect="Deny", Resource=QUEUE + "-dlq"))


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ["123456789012", "*"]}, True),
        ({"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]}, True),
        ({"Service": "sns.amazonaws.com"}, False),
        ({"AWS": "123456789012"}, False),
        ({"AWS": "123456789012", "Service": "s3.amazonaws.com"}, True),
        ("s3.amazonaws.com", False),
        (None, False),
    ],
)
def test_the_principal_is_s3_or_everyone(principal: Any, expected: bool) -> None:
    """IAM JSON policy elements: Principal is `*`, or names accounts and services."""
    assert allowed(statement(Principal=principal)) is expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("*", True),
        ("sqs:*", True),
        ("SQS:sendMESSAGE", True),
        ("sqs:Send?essage", True),
        (["sqs:ReceiveMessage", "sqs:SendMessage"], True),
        ("sqs:ReceiveMessage", False),
        ("sqs:Send", False),
        ("SendMessage", False),
        (None, False),
    ],
)
def test_the_action_is_to_send(action: Any, expected: bool) -> None:
    """IAM JSON policy elements: Action is case-insensitive, with `*` and `?`."""
    assert allowed(statement(Action=action)) is expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (None, True),
        ("*", True),
        ("arn:aws:sqs:*:123456789012:ord*", True),
        ([QUEUE + "-dlq", QUEUE], True),
        (QUEUE + "-dlq", False),
        (QUEUE.upper(), False),
    ],
)
def test_the_resource_is_the_queue(resource: Any, expected: bool) -> None:
    """IAM JSON policy elements: Resource, case-sensitive; a queue's policy without one is about the queue."""
    assert allowed(statement(Resource=resource)) is expected


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("StringEquals", "aws:SourceArn", BUCKET, True),
        ("StringEquals", "AWS:SOURCEARN", ["another", BUCKET], True),
        ("StringEquals", "aws:SourceArn", "*", False),
        ("StringEquals", "aws:SourceAccount", "123456789012", True),
        ("StringEquals", "aws:SourceAccount", "000000000000", False),
        ("StringEquals", "aws:PrincipalTag/team", "*", False),
        ("StringEqualsIfExists", "aws:PrincipalTag/team", "red", True),
        ("StringEqualsIfExists", "aws:SourceAccount", "000000000000", False),
        ("StringEqualsIgnoreCase", "aws:SourceArn", BUCKET.upper(), True),
        ("StringEqualsIgnoreCase", "aws:SourceArn", ["another", BUCKET], True),
        ("StringEqualsIgnoreCase", "aws:SourceArn", "another", False),
        ("StringNotEquals", "aws:SourceArn", "another", True),
        ("StringNotEquals", "aws:SourceArn", ["another", BUCKET], False),
        ("StringNotEquals", "aws:PrincipalTag/team", "red", True),
        ("StringNotEqualsIfExists", "aws:SourceArn", BUCKET, False),
        ("StringLike", "aws:SourceArn", ["another", "arn:aws:s3:::the.*"], True),
        ("StringLike", "aws:SourceArn", "arn:aws:s3:::other*", False),
        ("StringNotLike", "aws:SourceArn", "arn:aws:s3:::the.*", False),
        ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::the.bucke?", True),
        ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::the.bucket?", False),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:the.bucket", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::the*", True),
        ("ArnNotEquals", "aws:SourceArn", "arn:aws:s3:::the*", False),
        ("Bool", "aws:SecureTransport", "true", True),
        ("Bool", "aws:SecureTransport", "false", False),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:s3:::the*", False),
        ("StringNotEqualsIgnoreCase", "aws:SourceArn", "another", True),
        ("Bool", "aws:SecureTransport", True, True),
        ("Null", "aws:SourceArn", "false", True),
        ("Null", "aws:SourceArn", True, False),
        ("Null", "aws:PrincipalTag/team", "true", True),
    ],
)
def test_a_condition_is_about_the_bucket_its_account_and_the_connection(
    operator: str, key: str, values: Any, expected: bool
) -> None:
    """Condition operators: any value of a key matches; a missing key satisfies `Not` and `IfExists`."""
    assert allowed(statement(Condition={operator: {key: values}})) is expected


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"),
        ("StringEquals", "aws:SourceOrgID", "o-1"),
        ("StringNotEquals", "aws:SourceOrgID", "o-1"),
        ("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-1/*"),
    ],
)
def test_what_cannot_be_evaluated_here_never_refuses(operator: str, key: str, value: str) -> None:
    """An allow applies and a deny does not, unless another condition decides; for anyone, neither applies."""
    doubtful: dict[str, Any] = {operator: {key: value}}
    assert allowed(statement(Condition=doubtful))
    assert allowed(statement(), statement(Effect="Deny", Condition=doubtful))
    assert not allowed(statement(Condition={**doubtful, "ArnLike": {"aws:SourceArn": "another"}}))
    assert not allows_anyone({"Statement": statement(Principal="*", Condition=doubtful)}, "sqs:SendMessage", QUEUE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Action": None, "NotAction": "sqs:DeleteQueue"}, True),
        ({"Action": None, "NotAction": "sqs:send*"}, False),
        ({"Action": None, "NotAction": ["sqs:DeleteQueue", "sqs:send*"]}, False),
        ({"Condition": {"Null": {"aws:SourceArn": ["true", "false"]}}}, True),
        ({"Resource": None, "NotResource": QUEUE + "-dlq"}, True),
        ({"Resource": None, "NotResource": "*"}, False),
    ],
)
def test_an_element_may_say_what_it_is_not_about(changes: dict[str, Any], expected: bool) -> None:
    """IAM JSON policy elements: NotAction, NotResource and Null, each with one value or several."""
    assert allowed(statement(**changes)) is expected


@pytest.mark.parametrize("broken", [{"Condition": []}, {"Condition": {"ArnLike": "x"}}, {"Effect": {"a": 1}}])
def test_a_statement_of_another_shape_is_no_error(broken: dict[str, Any]) -> None:
    """What people write may be anything; S3 is allowed by the other statement."""
    assert allowed(statement(**broken), statement())


def test_many_stars_take_no_time() -> None:
    """A pattern is matched without trying all ways to share a text between its stars."""
    assert not allowed(statement(Resource="*a" * 2_000 + "!"))
    assert allowed(statement(Resource="*r*" * 3 + "*s"))
    assert not allowed(statement(Resource="*r*x*s"))


def test_a_dot_in_a_pattern_is_a_dot() -> None:
    """Only `*` and `?` match other characters, `*` any number of them."""
    policy = {"Statement": statement(Condition={"ArnLike": {"aws:SourceArn": BUCKET}})}
    assert not allows_s3(policy, QUEUE, BUCKET.replace(".", "-"), "123456789012")


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceArn": BUCKET, "aws:SourceAccount": "000000000000"}},
        {"StringEquals": {"aws:SourceAccount": "000000000000"}, "ArnLike": {"aws:SourceArn": "*"}},
    ],
)
def test_all_conditions_hold(condition: Any) -> None:
    """Conditions with multiple operators or keys are evaluated with a logical AND."""
    assert not allowed(statement(Condition=condition))


@pytest.mark.parametrize(
    ("effects", "allowed_", "denied"),
    [
        ([], False, False),
        (["Allow"], True, False),
        (["Deny"], False, True),
        (["Allow", "Deny"], False, True),
    ],
)
def test_anyone_may_what_is_allowed_and_not_denied(effects: list[str], allowed_: bool, denied: bool) -> None:
    """A statement applies to every principal; an explicit deny wins, and can be asked for."""
    statements = [
        {"Effect": effect, "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"} for effect in effects
    ]
    policy = {"Statement": statements}
    assert allows_anyone(policy, "s3:GetObject", "arn:aws:s3:::b/k") == allowed_
    assert allows_anyone(policy, "s3:GetObject", "arn:aws:s3:::b/k", effect="Deny") == denied
    assert not allows_anyone(policy, "s3:PutObject", "arn:aws:s3:::b/k")
    assert not allows_anyone(policy, "s3:GetObject", "arn:aws:s3:::other/k")


@pytest.mark.parametrize(
    ("principal", "anyone"),
    [("*", True), ({"AWS": "*"}, True), ({"AWS": ["1", "*"]}, True), ({"AWS": "1"}, False), ({"Service": "*"}, False)],
)
def test_anyone_is_every_principal(principal: Any, anyone: bool) -> None:
    """S3's own service is not."""
    policy = {"Statement": {"Effect": "Allow", "Principal": principal, "Action": "s3:*"}}
    assert allows_anyone(policy, "s3:GetObject", "arn:aws:s3:::b/k") == anyone
    assert not allows_anyone(policy, "s3:GetObject", "x", effect="Deny")


@pytest.mark.parametrize(
    ("text", "policy"),
    [(None, None), ("", None), (b"", None), ("no JSON", None), ("[]", None), (b'{"a": 1}', {"a": 1}), ("{}", {})],
)
def test_a_policy_is_a_json_object(text: Any, policy: Any) -> None:
    """It may be text or bytes; anything else is not a policy."""
    assert read_policy(text) == policy
