"""Whether a queue's policy lets S3 send to it: the part of IAM's policy language that such policies use. Pure.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"; an explicit deny
wins, and without an allow the answer is no.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LIKE = {"StringLike", "ArnLike", "ArnEquals"}
_NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotEquals": "ArnLike"}


def allows_s3(policy: Mapping[str, Any] | None, queue_arn: str, bucket_arn: str, account: str) -> bool:
    """Whether `s3.amazonaws.com` may call sqs:SendMessage on the queue for events of this bucket."""
    context = {"aws:sourcearn": bucket_arn, "aws:sourceaccount": account, "aws:securetransport": "true"}
    effects = {
        statement.get("Effect")
        for statement in _listed((policy or {}).get("Statement"))
        if isinstance(statement, Mapping) and _applies(statement, queue_arn, context)
    }
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Any], queue_arn: str, context: Mapping[str, str]) -> bool:
    return (
        _names_s3(statement.get("Principal"))
        and any(_like(str(action).lower(), "sqs:sendmessage") for action in _listed(statement.get("Action")))
        and any(_like(str(resource), queue_arn) for resource in _listed(statement.get("Resource", "*")))
        and all(
            _condition_holds(operator, str(key).lower(), _listed(values), context)
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        )
    )


def _names_s3(principal: Any) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    return "*" in _listed(principal.get("AWS")) or "s3.amazonaws.com" in _listed(principal.get("Service"))


def _condition_holds(operator: str, key: str, values: list[Any], context: Mapping[str, str]) -> bool:
    base, optional = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    actual = context.get(key)
    if actual is None:
        return optional or base in _NEGATED
    if base in _NEGATED:
        return not _condition_holds(_NEGATED[base], key, values, context)
    if base in _LIKE:
        return any(_like(str(value), actual) for value in values)
    if base == "StringEqualsIgnoreCase":
        return any(str(value).lower() == actual.lower() for value in values)
    return base in ("StringEquals", "Bool") and any(str(value) == actual for value in values)


def _like(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
