"""What AWS refuses when a stack is deployed, in its own words, and what its pages advise against. Pure.

A violation would fail the deployment; advice is sound to read and safe to ignore. Texts are those of the services as
far as they are known; sources stand at each rule.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.base import limits
from simulator.stack.model import EventSourceMapping, Function, Notification, Queue, Stack
from simulator.stack.names import refused_key_filters, refused_names
from simulator.stack.patterns import shown
from simulator.stack.schedule import ScheduleExpressionError, parse


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one resource; `line` is the resource's in the template, if known."""

    logical_id: str
    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found: `violations` AWS refuses, `advice` it does not."""

    violations: tuple[Finding, ...]
    advice: tuple[Finding, ...]


Said = Iterator[tuple[str, str]]
"""Logical id and sentence."""


def examine(stack: Stack) -> Findings:
    """Hold the stack against every rule, in the template's order."""
    return Findings(_collect(stack, _REFUSED), _collect(stack, _ADVISED))


def _collect(stack: Stack, rules: Sequence[Callable[[Stack], Said]]) -> tuple[Finding, ...]:
    found = [Finding(logical_id, text, _line(stack, logical_id)) for rule in rules for logical_id, text in rule(stack)]
    return tuple(sorted(found, key=lambda finding: finding.line or 0))


def _line(stack: Stack, logical_id: str) -> int | None:
    """The resource's line; a function's event (a mapping, a schedule) is found at its function."""
    event = stack.mappings.get(logical_id) or stack.schedules.get(logical_id)
    return stack.lines.get(logical_id) or (stack.lines.get(event.function) if event else None)


# Refused

_UNABLE = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided"
)


def _function_settings(stack: Stack) -> Said:
    """Ranges: Lambda API reference, CreateFunction. Variables: Developer Guide, configuration-envvars."""
    for function in stack.functions.values():
        managed = function.logical_id in _managed(stack)
        timeout_s = limits.FUNCTION_TIMEOUT_S_MANAGED if managed else limits.FUNCTION_TIMEOUT_S
        yield from _range(function.logical_id, "timeout", function.timeout_s, *timeout_s)
        yield from _range(function.logical_id, "memorySize", function.memory_mb, *limits.FUNCTION_MEMORY_MB)
        reserved = sorted(_RESERVED_VARIABLES & function.environment.keys())
        if reserved:
            yield (
                function.logical_id,
                f"{_UNABLE} contains reserved keys that are currently not supported for modification. Reserved keys "
                f"used in this request: {', '.join(reserved)}",
            )
        size = sum(len(name.encode()) + len(value.encode()) for name, value in function.environment.items())
        if size > limits.ENVIRONMENT_BYTES:
            yield function.logical_id, f"{_UNABLE} exceeded the {limits.ENVIRONMENT_BYTES // 1024}KB limit"
        retries = function.asynchronous.maximum_retries
        yield from _range(function.logical_id, "maximumRetryAttempts", retries, *limits.ASYNC_RETRIES)
        age_s = function.asynchronous.maximum_event_age_s
        yield from _range(function.logical_id, "maximumEventAgeInSeconds", age_s, *limits.ASYNC_EVENT_AGE_S)


def _runtimes(stack: Stack) -> Said:
    """Developer Guide, lambda-runtimes; API reference, CreateFunction. Python's alone: no other is run here."""
    known = (*limits.PYTHON_RUNTIMES_ENDED, *limits.PYTHON_RUNTIMES, *limits.PYTHON_RUNTIMES_UNCONFIRMED)
    for function in stack.functions.values():
        if function.runtime.startswith("python") and function.runtime.removeprefix("python") not in known:
            yield (
                function.logical_id,
                f"1 validation error detected: Value '{function.runtime}' at 'runtime' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(f'python{version}' for version in known)}]",
            )


def _unreserved_concurrency(stack: Stack) -> Said:
    """Developer Guide, configuration-concurrency: reserving must leave 100 to the rest of the account."""
    total = 0
    for function in stack.functions.values():
        total += function.reserved_concurrency or 0
        left = limits.ACCOUNT_CONCURRENCY - total
        if function.reserved_concurrency and left < limits.UNRESERVED_CONCURRENCY_MINIMUM:
            yield (
                function.logical_id,
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{limits.UNRESERVED_CONCURRENCY_MINIMUM}].",
            )


def _mapping_settings(stack: Stack) -> Said:
    """Developer Guide, services-sqs-parameters and services-sqs-scaling; API reference, CreateEventSourceMapping."""
    for name, mapping in stack.mappings.items():
        yield from _range(name, "batchSize", mapping.batch_size, *limits.MAPPING_BATCH_SIZE)
        yield from _range(name, "maximumBatchingWindowInSeconds", mapping.window_s, *limits.MAPPING_WINDOW_S)
        if mapping.batch_size > limits.MAPPING_BATCH_SIZE_WITHOUT_WINDOW and mapping.window_s < 1:
            yield (
                name,
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
                f"{limits.MAPPING_BATCH_SIZE_WITHOUT_WINDOW}",
            )
        if mapping.maximum_concurrency is not None:
            concurrency, bounds = mapping.maximum_concurrency, limits.MAPPING_MAXIMUM_CONCURRENCY
            yield from _range(name, "scalingConfig.maximumConcurrency", concurrency, *bounds)
            if mapping.provisioned is not None:
                yield name, "ScalingConfig.MaximumConcurrency and ProvisionedPollerConfig cannot be used together"
        if (pollers := mapping.provisioned) is not None:
            config = "provisionedPollerConfig"
            yield from _range(name, f"{config}.minimumPollers", pollers.minimum, *limits.PROVISIONED_POLLERS_MINIMUM)
            yield from _range(name, f"{config}.maximumPollers", pollers.maximum, *limits.PROVISIONED_POLLERS_MAXIMUM)
            if pollers.minimum > pollers.maximum:
                yield name, "MinimumPollers must not be greater than MaximumPollers"


def _filter_criteria(stack: Stack) -> Said:
    """Developer Guide, invocation-eventfiltering; API reference, Filter."""
    for name, mapping in stack.mappings.items():
        for number, pattern in enumerate(mapping.filters):
            if pattern.refusal:
                yield name, f"Invalid filter pattern definition. FilterCriteria.Filters[{number}]: {pattern.refusal}"
        if len(mapping.filters) > limits.MAPPING_FILTERS[1]:
            yield name, f"it has {len(mapping.filters)} filters, of {limits.MAPPING_FILTERS[1]} at most"


def _mapping_conflicts(stack: Stack) -> Said:
    """Developer Guide, services-sqs-configure; API reference, CreateEventSourceMapping: ResourceConflictException."""
    pairs: set[tuple[str, str]] = set()
    for mapping, queue, function in _mapped(stack):
        if queue.visibility_timeout_s < function.timeout_s:
            yield (
                mapping.logical_id,
                f"Queue visibility timeout: {queue.visibility_timeout_s} seconds is less than Function timeout: "
                f"{function.timeout_s} seconds",
            )
        if (mapping.queue, mapping.function) in pairs:
            yield (
                mapping.logical_id,
                f'An event source mapping with SQS arn (" {queue.arn} ") and function (" {function.name} ") already '
                "exists. Please update or delete the existing mapping.",
            )
        pairs.add((mapping.queue, mapping.function))


def _schedules(stack: Stack) -> Said:
    """EventBridge User Guide, eb-create-rule-schedule."""
    for schedule in stack.schedules.values():
        try:
            parse(schedule.expression, schedule.kind)
        except ScheduleExpressionError as error:
            yield schedule.logical_id, str(error)
        try:
            json.loads(schedule.input or "{}")
        except ValueError as error:
            yield schedule.logical_id, f"Input must be JSON: {error}"


def _queue_settings(stack: Stack) -> Said:
    """SQS Developer Guide, quotas; API reference, SetQueueAttributes."""
    for queue in stack.queues.values():
        for attribute, value, (low, high) in (
            ("VisibilityTimeout", queue.visibility_timeout_s, limits.SQS_VISIBILITY_TIMEOUT_S),
            ("MessageRetentionPeriod", queue.retention_s, limits.SQS_RETENTION_S),
            ("DelaySeconds", queue.delay_s, limits.SQS_DELAY_S),
            ("ReceiveMessageWaitTimeSeconds", queue.receive_wait_s, limits.SQS_RECEIVE_WAIT_S),
            ("MaximumMessageSize", queue.maximum_message_bytes, limits.SQS_MESSAGE_BYTES),
        ):
            if not low <= value <= high:
                yield queue.logical_id, f"Invalid value for the parameter {attribute}."
        if queue.redrive and not 1 <= queue.redrive.maximum_receives <= limits.QUEUE_RECEIVES:
            yield (
                queue.logical_id,
                f"Value {queue.redrive.maximum_receives} for parameter RedrivePolicy is invalid. Reason: Invalid "
                f"value for maxReceiveCount: {queue.redrive.maximum_receives}, valid values are from 1 to "
                f"{limits.QUEUE_RECEIVES} both inclusive.",
            )


def _notifications(stack: Stack) -> Said:
    """S3 User Guide, grant-destinations-permissions-to-s3 and notification-how-to-filtering."""
    for bucket in stack.buckets.values():
        if (count := len(bucket.notifications)) > (most := limits.BUCKET_NOTIFICATIONS):
            yield bucket.logical_id, f"{count} event notifications; a bucket takes at most {most}"
            continue
        for notification in bucket.notifications:
            for event in sorted(set(notification.events) - limits.S3_EVENTS):
                yield bucket.logical_id, f"The event '{event}' is not supported for notifications"
            queue = stack.queues.get(notification.queue)
            if queue is not None and not _s3_may_send(queue):
                yield bucket.logical_id, "Unable to validate the following destination configurations"
        if any(_overlap(first, other) for first, other in itertools.combinations(bucket.notifications, 2)):
            yield (
                bucket.logical_id,
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
                "are overlapping for the same event type.",
            )


# Advice


def _unconfirmed(stack: Stack) -> Said:
    """AWS's API model of November 2026 (CreateFunction) takes more than the Developer Guide's quotas say."""
    for name, function in stack.functions.items():
        if name in _managed(stack):
            yield (
                name,
                "on Managed Instances (CapacityProviderConfig) one environment serves several invocations at once, and "
                "other limits hold; the simulator runs it as an ordinary function",
            )
            continue
        for what, value, confirmed in (
            ("a timeout of {:,} s", function.timeout_s, limits.FUNCTION_TIMEOUT_S_CONFIRMED),
            ("{:,} MB of memory", function.memory_mb, limits.FUNCTION_MEMORY_MB_CONFIRMED),
        ):
            if value > confirmed:
                yield (
                    name,
                    f"AWS's API model takes {what.format(value)}, but more than {confirmed:,} is not confirmed for "
                    "ordinary functions: your Region may refuse it",
                )
        version = function.runtime.removeprefix("python")
        if version in limits.PYTHON_RUNTIMES_UNCONFIRMED:
            yield name, f"AWS's API model lists {function.runtime}, but that Lambda offers it is not confirmed"
        elif version in limits.PYTHON_RUNTIMES_ENDED:
            yield name, f"{function.runtime} has reached its end: Lambda no longer creates functions with it"


def _short_visibility(stack: Stack) -> Said:
    """Developer Guide, services-sqs-configure: at least six times the function's timeout (and the window)."""
    for mapping, queue, function in _mapped(stack):
        wanted_s = 6 * function.timeout_s + mapping.window_s
        if function.timeout_s <= queue.visibility_timeout_s < wanted_s:
            yield (
                queue.logical_id,
                f"a visibility timeout of {queue.visibility_timeout_s} s is less than six times the function's timeout"
                f"{' plus the window' if mapping.window_s else ''}: while one attempt is throttled or retried, the "
                f"message is delivered again; AWS advises at least {wanted_s} s",
            )


def _redrive(stack: Stack) -> Said:
    """Developer Guide, services-sqs-configure (five receives or more); SQS Developer Guide, dead-letter queues."""
    for _, queue, _ in _mapped(stack):
        if queue.redrive is None:
            yield queue.logical_id, "no dead-letter queue: a message that always fails is retried until it expires"
        elif queue.redrive.maximum_receives < 5:
            yield (
                queue.logical_id,
                f"maxReceiveCount {queue.redrive.maximum_receives}: throttled deliveries count as receives too, so "
                "sound messages may reach the dead-letter queue; AWS advises at least 5",
            )
    for queue in stack.queues.values():
        dead_letters = stack.queues.get(queue.redrive.dead_letter_queue) if queue.redrive else None
        if dead_letters is not None and dead_letters.retention_s <= queue.retention_s:
            yield (
                dead_letters.logical_id,
                f"it keeps messages {dead_letters.retention_s} s, no longer than {queue.logical_id} does: a message "
                "keeps its first send time when it is moved, and may expire on arrival; 1209600 s (14 days) is safe",
            )


def _reserved_concurrency(stack: Stack) -> Said:
    """Developer Guide, services-sqs-scaling and configuration-concurrency."""
    for mapping, _, function in _mapped(stack):
        reserved = function.reserved_concurrency
        if reserved is None:
            continue
        wanted = mapping.maximum_concurrency or limits.MAPPING_INITIAL_CONCURRENCY
        if reserved < wanted:
            yield (
                function.logical_id,
                f"reserved concurrency {reserved} is below the {wanted} batches the mapping {mapping.logical_id} has "
                "in hand: the rest is throttled, and each throttled delivery counts as a receive; set the mapping's "
                "MaximumConcurrency instead",
            )


def _filters(stack: Stack) -> Said:
    """Developer Guide, invocation-eventfiltering and with-sqs-filtering."""
    for name, mapping in stack.mappings.items():
        by_default, at_most = limits.MAPPING_FILTERS
        if by_default < len(mapping.filters) <= at_most:
            yield name, f"{len(mapping.filters)} filters: AWS takes {by_default}, and up to {at_most} only by request"
        for number, pattern in enumerate(mapping.filters):
            where = f"FilterCriteria.Filters[{number}]"
            if unknown := sorted({path.split(".")[0] for path in pattern.paths()} - {"body"}):
                yield (
                    name,
                    f"{where} asks for {', '.join(map(shown, unknown))}, but only the body of a queue's message can be "
                    "filtered: what it asks for is absent from every message",
                )
            if pattern.repeated:
                yield name, f"{where} names {shown(pattern.repeated[0])} more than once: only the last one counts"


def _silent_losses(stack: Stack) -> Said:
    """Developer Guide, services-sqs-errorhandling and invocation-async; S3 User Guide, EventNotifications."""
    polled = {mapping.function for mapping in stack.mappings.values()}
    scheduled = {schedule.function for schedule in stack.schedules.values()}
    for name in sorted(polled - scheduled):
        function = stack.functions.get(name)
        if function and (function.asynchronous.dead_letter_arn or function.asynchronous.on_failure_arn):
            yield (
                name,
                "a dead-letter queue or on-failure destination of the function is for asynchronous events; for a "
                "queue's messages it is never used: set the redrive policy of the queue",
            )
    for mapping in stack.mappings.values():
        if not mapping.reports_batch_item_failures and mapping.batch_size > 1:
            yield mapping.logical_id, "without ReportBatchItemFailures one bad message makes its whole batch come back"
    for bucket in stack.buckets.values():
        for name in sorted({each.queue for each in bucket.notifications} & stack.queues.keys()):
            queue = stack.queues[name]
            if queue.maximum_message_bytes < limits.S3_NOTIFICATION_BYTES:
                yield (
                    queue.logical_id,
                    f"MaximumMessageSize {queue.maximum_message_bytes} is below the {limits.S3_NOTIFICATION_BYTES} "
                    "bytes a notification may have: larger ones are lost",
                )


_REFUSED = (
    refused_names,
    refused_key_filters,
    _function_settings,
    _runtimes,
    _unreserved_concurrency,
    _mapping_settings,
    _filter_criteria,
    _mapping_conflicts,
    _schedules,
    _queue_settings,
    _notifications,
)
_ADVISED = (_unconfirmed, _short_visibility, _redrive, _reserved_concurrency, _filters, _silent_losses)
_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
    }
)


def _range(logical_id: str, member: str, value: int, low: int, high: int) -> Said:
    """AWS's sentence for a number outside its range."""
    if low <= value <= high:
        return
    side, bound = ("greater", low) if value < low else ("less", high)
    yield (
        logical_id,
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have "
        f"value {side} than or equal to {bound}",
    )


def _managed(stack: Stack) -> set[str]:
    """The functions that run on Managed Instances, which the twin does not simulate."""
    return {each.logical_id for each in stack.ignored if each.property.partition(".")[0] == "CapacityProviderConfig"}


def _mapped(stack: Stack) -> Iterator[tuple[EventSourceMapping, Queue, Function]]:
    for mapping in stack.mappings.values():
        if mapping.queue in stack.queues and mapping.function in stack.functions:
            yield mapping, stack.queues[mapping.queue], stack.functions[mapping.function]


def _s3_may_send(queue: Queue) -> bool:
    """Whether a statement of the queue's policy allows S3 to send. Conditions are taken on trust."""
    return any(
        isinstance(statement, dict)
        and statement.get("Effect") == "Allow"
        and _names(statement.get("Principal"), "Service") & {"s3.amazonaws.com", "*"}
        and {action.lower() for action in _names(statement.get("Action"))} & {"sqs:sendmessage", "sqs:*", "*"}
        for statement in _statements(queue.policy)
    )


def _statements(policy: Any) -> list[Any]:
    found = (policy or {}).get("Statement", [])
    return found if isinstance(found, list) else [found]


def _names(value: Any, key: str = "") -> set[str]:
    """The strings of a policy element: one, a list, or those under `key` (an AWS principal of `*` is everyone)."""
    if isinstance(value, dict):
        return _names(value.get(key)) | ({"*"} & _names(value.get("AWS")))
    if isinstance(value, str):
        return {value}
    return {str(each) for each in value} if isinstance(value, list) else set()


def _overlap(first: Notification, other: Notification) -> bool:
    """Two rules that may both hold for one object and one event."""
    same_event = any(_event_overlap(left, right) for left in first.events for right in other.events)
    prefixes = first.prefix.startswith(other.prefix) or other.prefix.startswith(first.prefix)
    suffixes = first.suffix.endswith(other.suffix) or other.suffix.endswith(first.suffix)
    return same_event and prefixes and suffixes


def _event_overlap(left: str, right: str) -> bool:
    return left == right or any(
        wide.endswith("*") and narrow.startswith(wide[:-1]) for wide, narrow in ((left, right), (right, left))
    )
