"""What policies of queues and buckets allow S3, or anyone, to do: the part of IAM's language that they use. Pure.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"; an explicit deny
wins, and without an allow the answer is no.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_LIKE = {"StringLike", "ArnLike", "ArnEquals"}
_NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotEquals": "ArnLike"}


def allows_s3(policy: Mapping[str, Any] | None, queue_arn: str, bucket_arn: str, account: str) -> bool:
    """Whether `s3.amazonaws.com` may call sqs:SendMessage on the queue for events of this bucket."""
    context = {"aws:sourcearn": bucket_arn, "aws:sourceaccount": account, "aws:securetransport": "true"}
    effects = _effects(policy, _names_s3, "sqs:SendMessage", queue_arn, context)
    return "Allow" in effects and "Deny" not in effects


def allows_anyone(policy: Mapping[str, Any] | None, action: str, arn: str, effect: str = "Allow") -> bool:
    """Whether an anonymous caller may do that; with the effect `Deny`, whether it is forbidden."""
    effects = _effects(policy, _names_anyone, action, arn, {"aws:sourceip": "127.0.0.1"})
    return effect in effects and (effect == "Deny" or "Deny" not in effects)


def read_policy(text: str | bytes | None) -> Mapping[str, Any] | None:
    """A policy from its JSON; None if that is not a policy."""
    try:
        read = json.loads(text) if text else None
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _effects(
    policy: Mapping[str, Any] | None,
    names: Callable[[Any], bool],
    action: str,
    arn: str,
    context: Mapping[str, str],
) -> set[Any]:
    """The effects of the statements that apply."""
    return {
        statement.get("Effect")
        for statement in _listed((policy or {}).get("Statement"))
        if isinstance(statement, Mapping)
        and names(statement.get("Principal"))
        and any(_like(str(each).lower(), action.lower()) for each in _listed(statement.get("Action")))
        and any(_like(str(each), arn) for each in _listed(statement.get("Resource", "*")))
        and all(
            _condition_holds(operator, str(key).lower(), _listed(values), context)
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        )
    }


def _names_anyone(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and "*" in _listed(principal.get("AWS")))


def _names_s3(principal: Any) -> bool:
    if _names_anyone(principal):
        return True
    return isinstance(principal, Mapping) and "s3.amazonaws.com" in _listed(principal.get("Service"))


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
