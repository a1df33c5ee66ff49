"""What AWS refuses when a stack is deployed, in its own words. Pure; each rule names its source.

The texts are those of the services, as far as we know them.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from simulator.base import limits
from simulator.base.documents import DocumentError, from_json
from simulator.stack.model import Notification, Queue, Sentences, Stack
from simulator.stack.names import refused_key_filters, refused_names
from simulator.stack.schedule import ScheduleExpressionError, parse

_UNABLE = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided"
)

_VARIABLE = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")


def _function_settings(stack: Stack) -> Sentences:
    """Ranges: Lambda API reference, CreateFunction. Variables: Developer Guide, configuration-envvars."""
    managed = stack.managed()
    for function in stack.functions.values():
        is_managed = function.logical_id in managed
        timeout_s = limits.FUNCTION_TIMEOUT_S_MANAGED if is_managed else limits.FUNCTION_TIMEOUT_S
        yield from _range(function.logical_id, "timeout", function.timeout_s, *timeout_s)
        yield from _range(function.logical_id, "memorySize", function.memory_mb, *limits.FUNCTION_MEMORY_MB)
        if (concurrency := function.reserved_concurrency) is not None:
            # `_unreserved_concurrency` reports a value that is too high.
            yield from _range(function.logical_id, "reservedConcurrentExecutions", concurrency, 0, concurrency)
        reserved = sorted(_RESERVED_VARIABLES & function.environment.keys())
        if reserved:
            yield (
                function.logical_id,
                f"{_UNABLE} contains reserved keys that are currently not supported for modification. Reserved keys "
                f"used in this request: {', '.join(reserved)}",
            )
        for name in sorted(function.environment.keys() - _RESERVED_VARIABLES):
            if not _VARIABLE.fullmatch(name):
                yield (
                    function.logical_id,
                    f"1 validation error detected: '{name}' at 'environment.variables' failed to satisfy constraint: "
                    f"Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
                    f"{_VARIABLE.pattern}]",
                )
        size = sum(len(name.encode()) + len(value.encode()) for name, value in function.environment.items())
        if size > limits.ENVIRONMENT_BYTES:
            yield function.logical_id, f"{_UNABLE} exceeded the {limits.ENVIRONMENT_BYTES // 1024}KB limit"
        retries = function.asynchronous.maximum_retries
        yield from _range(function.logical_id, "maximumRetryAttempts", retries, *limits.ASYNC_RETRIES)
        age_s = function.asynchronous.maximum_event_age_s
        yield from _range(function.logical_id, "maximumEventAgeInSeconds", age_s, *limits.ASYNC_EVENT_AGE_S)


def _runtimes(stack: Stack) -> Sentences:
    """Developer Guide, lambda-runtimes; API reference, CreateFunction. Python only: the simulator runs no other."""
    known = (*limits.PYTHON_RUNTIMES_ENDED, *limits.PYTHON_RUNTIMES, *limits.PYTHON_RUNTIMES_UNCONFIRMED)
    for function in stack.functions.values():
        if function.runtime.lower().startswith("python") and function.runtime.removeprefix("python") not in known:
            yield (
                function.logical_id,
                f"1 validation error detected: Value '{function.runtime}' at 'runtime' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(f'python{version}' for version in known)}]",
            )


def _unreserved_concurrency(stack: Stack) -> Sentences:
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


def _mapping_settings(stack: Stack) -> Sentences:
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


def _filter_criteria(stack: Stack) -> Sentences:
    """Developer Guide, invocation-eventfiltering; API reference, Filter."""
    for name, mapping in stack.mappings.items():
        for number, pattern in enumerate(mapping.filters):
            if pattern.refusal:
                yield name, f"Invalid filter pattern definition. FilterCriteria.Filters[{number}]: {pattern.refusal}"
        if len(mapping.filters) > limits.MAPPING_FILTERS[1]:
            yield name, f"it has {len(mapping.filters)} filters; at most {limits.MAPPING_FILTERS[1]} are allowed"


def _mapping_conflicts(stack: Stack) -> Sentences:
    """Developer Guide, services-sqs-configure; API reference, CreateEventSourceMapping: ResourceConflictException."""
    pairs: set[tuple[str, str]] = set()
    for mapping, queue, function in stack.mapped():
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


def _schedules(stack: Stack) -> Sentences:
    """EventBridge User Guide, eb-create-rule-schedule."""
    for schedule in stack.schedules.values():
        try:
            parse(schedule.expression, schedule.kind)
        except ScheduleExpressionError as error:
            yield schedule.logical_id, str(error)
        try:
            from_json((schedule.input or "{}").encode())
        except DocumentError as error:
            yield schedule.logical_id, f"Input {error}"


def _queue_settings(stack: Stack) -> Sentences:
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


def _table_settings(stack: Stack) -> Sentences:
    """API reference, AttributeDefinition and ProvisionedThroughput; Developer Guide, warm-throughput."""
    for table in stack.tables.values():
        for _, kind in filter(None, (table.partition_key, table.sort_key)):
            if kind not in ("B", "N", "S"):
                yield (
                    table.logical_id,
                    f"1 validation error detected: Value '{kind}' at 'attributeDefinitions.attributeType' failed to "
                    "satisfy constraint: Member must satisfy enum value set: [B, N, S]",
                )
        for member, units in zip(
            ("readCapacityUnits", "writeCapacityUnits"), table.provisioned_units or (), strict=False
        ):
            yield from _range(table.logical_id, f"provisionedThroughput.{member}", units, 1, limits.TABLE_UNITS)
        for member, warm, least in (
            ("ReadUnitsPerSecond", table.warm_read_units, limits.ON_DEMAND_NEW_TABLE_READ_UNITS),
            ("WriteUnitsPerSecond", table.warm_write_units, limits.ON_DEMAND_NEW_TABLE_WRITE_UNITS),
        ):
            if warm is not None and table.provisioned_units is None and warm < least:
                yield (
                    table.logical_id,
                    f"One or more parameter values were invalid: Requested {member} for WarmThroughput for table is "
                    f"lower than initial throughput for OnDemand: {warm} is less than {least}",
                )


def _notifications(stack: Stack) -> Sentences:
    """S3 User Guide, grant-destinations-permissions-to-s3 and notification-how-to-filtering."""
    for bucket in stack.buckets.values():
        if (count := len(bucket.notifications)) > (most := limits.BUCKET_NOTIFICATIONS):
            yield bucket.logical_id, f"{count} event notifications; a bucket may have at most {most}"
            continue
        for notification in bucket.notifications:
            for event in sorted(set(notification.events) - limits.S3_EVENTS):
                yield bucket.logical_id, f"The event '{event}' is not supported for notifications"
            queue = stack.queues.get(notification.target)
            if queue is not None and not _s3_may_send(queue):
                yield bucket.logical_id, "Unable to validate the following destination configurations"
        if any(_overlap(first, other) for first, other in itertools.combinations(bucket.notifications, 2)):
            yield (
                bucket.logical_id,
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
                "are overlapping for the same event type.",
            )


REFUSED = (
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
    _table_settings,
    _notifications,
)
"""The rules: each takes a stack and yields what it refuses."""
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


def _range(logical_id: str, member: str, value: int, low: int, high: int) -> Sentences:
    """AWS's sentence for a number outside its range."""
    if low <= value <= high:
        return
    side, bound = ("greater", low) if value < low else ("less", high)
    yield (
        logical_id,
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have "
        f"value {side} than or equal to {bound}",
    )


def _s3_may_send(queue: Queue) -> bool:
    """Whether a statement of the queue's policy allows S3 to send. Conditions are not checked."""
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
    """Whether two rules may both apply to one object and one event."""
    same_event = any(_event_overlap(left, right) for left in first.events for right in other.events)
    prefixes = first.prefix.startswith(other.prefix) or other.prefix.startswith(first.prefix)
    suffixes = first.suffix.endswith(other.suffix) or other.suffix.endswith(first.suffix)
    return same_event and prefixes and suffixes


def _event_overlap(left: str, right: str) -> bool:
    return left == right or any(
        wide.endswith("*") and narrow.startswith(wide[:-1]) for wide, narrow in ((left, right), (right, left))
    )
