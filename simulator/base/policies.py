"""What policies of queues and buckets allow S3, or anyone, to do: the part of IAM's language that they use. Pure.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"; an explicit deny
wins, and without an allow the answer is no. The store and the deployment rules decide by the same words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_UNKNOWN_KEYS = "aws:sourceorg"  # S3 sends its organization's id and paths, which are not known here


def allows_s3(policy: Mapping[str, Any] | None, queue_arn: str, bucket_arn: str, account: str) -> bool:
    """Whether `s3.amazonaws.com` may call sqs:SendMessage on the queue for events of this bucket.

    A condition that cannot be evaluated here is taken to allow it.
    """
    context = {"aws:sourcearn": bucket_arn, "aws:sourceaccount": account, "aws:securetransport": "true"}
    effects = _effects(policy, _names_s3, "sqs:SendMessage", queue_arn, context, in_doubt="Allow")
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
    in_doubt: str | None = None,
) -> set[str]:
    """The effects of the statements that apply; one whose conditions are in doubt applies if its effect is that."""
    return {
        effect
        for statement in _listed((policy or {}).get("Statement"))
        if isinstance(statement, Mapping)
        and names(statement.get("Principal"))
        and _covers(statement, "Action", action.lower(), str.lower)
        and _covers(statement, "Resource", arn, str)
        and _conditions_hold(statement, context, (effect := str(statement.get("Effect"))) == in_doubt)
    }


def _covers(statement: Mapping[str, Any], element: str, wanted: str, fold: Callable[[str], str]) -> bool:
    """Whether `Action` or `Resource` covers it, or `NotAction` or `NotResource` does not; every resource by default."""
    if f"Not{element}" in statement:
        return not any(_like(fold(str(each)), wanted) for each in _listed(statement[f"Not{element}"]))
    given = statement.get(element, "*" if element == "Resource" else None)
    return any(_like(fold(str(each)), wanted) for each in _listed(given))


def _conditions_hold(statement: Mapping[str, Any], context: Mapping[str, str], in_doubt: bool) -> bool:
    held = [
        _condition_holds(str(operator), str(key).lower(), _listed(values), context)
        for operator, keys in _members(statement.get("Condition"))
        for key, values in _members(keys)
    ]
    return all(in_doubt if each is None else each for each in held)


def _names_anyone(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and "*" in _listed(principal.get("AWS")))


def _names_s3(principal: Any) -> bool:
    if _names_anyone(principal):
        return True
    return isinstance(principal, Mapping) and "s3.amazonaws.com" in _listed(principal.get("Service"))


def _condition_holds(operator: str, key: str, values: list[Any], context: Mapping[str, str]) -> bool | None:
    """Whether a condition holds; None if that is not known here."""
    base, optional = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    actual, negated = context.get(key), "Not" in base
    if base == "Null":
        return any(str(value).lower() == str(actual is None).lower() for value in values)
    compare = _COMPARISONS.get(base.replace("Not", ""))
    if compare is None or key.startswith(_UNKNOWN_KEYS):
        return None
    return optional or negated if actual is None else any(compare(str(value), actual) for value in values) != negated


def _like(pattern: str, text: str) -> bool:
    """Whether a text is like a pattern with `*` and `?`, in time that its stars do not multiply."""
    first, *others = [re.escape(part).replace(r"\?", ".") for part in pattern.split("*")]
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    last = f".*{others[-1]}" if others else ""
    return re.fullmatch(first + middle + last, text, re.DOTALL) is not None


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda value, actual: value.lower() == actual.lower(),
    "Bool": lambda value, actual: value.lower() == actual,
    **dict.fromkeys(("StringLike", "ArnLike", "ArnEquals"), _like),
}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _members(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else ()
