"""What AWS refuses when a stack is deployed, in its own words. Pure; each rule names its source.

The texts are those of the services, as far as we know them.
"""

from __future__ import annotations

import itertools
import re
from fnmatch import fnmatchcase

from simulator.base import limits
from simulator.base.documents import DocumentError, from_json
from simulator.base.policies import allows_s3
from simulator.stack.constraints import broken, is_known, out_of_range
from simulator.stack.known import known_names, refused_properties, refused_types
from simulator.stack.model import Notification, ProvisionedPollers, Sentences, Stack
from simulator.stack.names import refused_names
from simulator.stack.schedule import ScheduleExpressionError, parse
from simulator.stack.settings import may_invoke, properties_of, section
from simulator.stack.tables import refused_tables

_VARIABLES = "Environment.Variables"
_UNABLE = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided"
)
_NOTIFIED = "NotificationConfiguration"
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # the language of S3's API
_VARIABLE = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")


def _function_settings(stack: Stack) -> Sentences:
    """Ranges: Lambda API reference, CreateFunction. Variables: Developer Guide, configuration-envvars."""
    managed, reserved_names = stack.managed(), known_names()["ReservedVariables"].keys()
    for logical_id, function in stack.functions.items():
        timeout_s = limits.FUNCTION_TIMEOUT_S_MANAGED if logical_id in managed else limits.FUNCTION_TIMEOUT_S
        concurrency, asynchronous = function.reserved_concurrency, function.asynchronous
        for member, value, (low, high) in (
            ("timeout", function.timeout_s, timeout_s),
            ("memorySize", function.memory_mb, limits.FUNCTION_MEMORY_MB),
            # `_unreserved_concurrency` reports a value that is too high.
            ("reservedConcurrentExecutions", concurrency, (0, concurrency or 0)),
            ("maximumRetryAttempts", asynchronous.maximum_retries, limits.ASYNC_RETRIES),
            ("maximumEventAgeInSeconds", asynchronous.maximum_event_age_s, limits.ASYNC_EVENT_AGE_S),
        ):
            yield from out_of_range(logical_id, member, value, low, high)
        if reserved := sorted(reserved_names & function.environment.keys()):
            said = f"{_UNABLE} contains reserved keys that are currently not supported for modification. Reserved keys"
            yield logical_id, f"{said} used in this request: {', '.join(reserved)}", f"{_VARIABLES}.{reserved[0]}"
        for name in sorted(function.environment.keys() - reserved_names):
            if not _VARIABLE.fullmatch(name):
                said = f"1 validation error detected: '{name}' at 'environment.variables' failed to satisfy constraint"
                rule = f"Member must satisfy regular expression pattern: {_VARIABLE.pattern}"
                yield logical_id, f"{said}: Map keys must satisfy constraint: [{rule}]", f"{_VARIABLES}.{name}"
        size = sum(len(name.encode()) + len(value.encode()) for name, value in function.environment.items())
        if size > limits.ENVIRONMENT_BYTES:
            yield logical_id, f"{_UNABLE} exceeded the {limits.ENVIRONMENT_BYTES // 1024}KB limit"


def _runtimes(stack: Stack) -> Sentences:
    """Developer Guide, lambda-runtimes; API reference, CreateFunction. Python only: the simulator runs no other."""
    known = (*limits.PYTHON_RUNTIMES_ENDED, *limits.PYTHON_RUNTIMES, *limits.PYTHON_RUNTIMES_UNCONFIRMED)
    for function in stack.functions.values():
        if function.runtime.lower().startswith("python") and function.runtime.removeprefix("python") not in known:
            wrong = f"satisfy enum value set: [{', '.join(f'python{version}' for version in known)}]"
            yield function.logical_id, broken(function.runtime, "runtime", wrong), "Runtime"


def _unreserved_concurrency(stack: Stack) -> Sentences:
    """Developer Guide, configuration-concurrency: reserving must leave 100 to the rest of the account."""
    left, least = limits.ACCOUNT_CONCURRENCY, limits.UNRESERVED_CONCURRENCY_MINIMUM
    name = "ReservedConcurrentExecutions"
    for function in stack.functions.values():
        left -= function.reserved_concurrency or 0
        if function.reserved_concurrency and left < least:
            said = f"Specified {name} for function decreases account's UnreservedConcurrentExecution"
            yield function.logical_id, f"{said} below its minimum value of [{least}].", name


def _mapping_settings(stack: Stack) -> Sentences:
    """Developer Guide, services-sqs-parameters and services-sqs-scaling; API reference, CreateEventSourceMapping."""
    for name, mapping in stack.mappings.items():
        pollers = mapping.provisioned or ProvisionedPollers()
        for member, value, (low, high) in (
            ("batchSize", mapping.batch_size, limits.MAPPING_BATCH_SIZE),
            ("maximumBatchingWindowInSeconds", mapping.window_s, limits.MAPPING_WINDOW_S),
            ("scalingConfig.maximumConcurrency", mapping.maximum_concurrency, limits.MAPPING_MAXIMUM_CONCURRENCY),
            ("provisionedPollerConfig.minimumPollers", pollers.minimum, limits.PROVISIONED_POLLERS_MINIMUM),
            ("provisionedPollerConfig.maximumPollers", pollers.maximum, limits.PROVISIONED_POLLERS_MAXIMUM),
        ):
            yield from out_of_range(name, member, value, low, high)
        if mapping.batch_size > (most := limits.MAPPING_BATCH_SIZE_WITHOUT_WINDOW) and mapping.window_s < 1:
            said = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than"
            yield name, f"{said} {most}", "BatchSize"
        if mapping.maximum_concurrency is not None and mapping.provisioned is not None:
            said = "ScalingConfig.MaximumConcurrency and ProvisionedPollerConfig cannot be used together"
            yield name, said, "ScalingConfig"
        if pollers.minimum > pollers.maximum:
            yield name, "MinimumPollers must not be greater than MaximumPollers", "ProvisionedPollerConfig"


def _filter_criteria(stack: Stack) -> Sentences:
    """Developer Guide, invocation-eventfiltering; API reference, Filter."""
    where, (_, most) = "FilterCriteria", limits.MAPPING_FILTERS
    for name, mapping in stack.mappings.items():
        for number, pattern in enumerate(mapping.filters):
            if pattern.refusal:
                yield name, f"Invalid filter pattern definition. {where}.Filters[{number}]: {pattern.refusal}", where
        if (count := len(mapping.filters)) > most:
            yield name, f"it has {count} filters; at most {most} are allowed", where


def _mapping_conflicts(stack: Stack) -> Sentences:
    """Developer Guide, services-sqs-configure; API reference, CreateEventSourceMapping: ResourceConflictException."""
    pairs: set[tuple[str, str]] = set()
    for mapping, queue, function in stack.mapped():
        if queue.visibility_timeout_s < function.timeout_s:
            said = f"Queue visibility timeout: {queue.visibility_timeout_s} seconds is less than Function timeout"
            yield mapping.logical_id, f"{said}: {function.timeout_s} seconds"
        if (mapping.queue, mapping.function) in pairs:
            said = f'An event source mapping with SQS arn (" {queue.arn} ") and function (" {function.name} ")'
            yield mapping.logical_id, f"{said} already exists. Please update or delete the existing mapping."
        pairs.add((mapping.queue, mapping.function))


def _schedules(stack: Stack) -> Sentences:
    """EventBridge User Guide, eb-create-rule-schedule; Scheduler User Guide, schedule-types."""
    for schedule in stack.schedules.values():
        try:
            parse(schedule.expression, schedule.kind, schedule.time_zone)
        except ScheduleExpressionError as error:
            yield schedule.logical_id, str(error)
        try:
            from_json((schedule.input or "{}").encode())
        except DocumentError as error:
            yield schedule.logical_id, f"Input {error}", "Input"


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
                yield queue.logical_id, f"Invalid value for the parameter {attribute}.", attribute
        if queue.redrive and not 1 <= (receives := queue.redrive.maximum_receives) <= limits.QUEUE_RECEIVES:
            said = f"Value {receives} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount"
            valid = f"valid values are from 1 to {limits.QUEUE_RECEIVES} both inclusive."
            yield queue.logical_id, f"{said}: {receives}, {valid}", "RedrivePolicy.maxReceiveCount"


def _notifications(stack: Stack) -> Sentences:
    """S3 User Guide, grant-destinations-permissions-to-s3 and notification-how-to-filtering."""
    in_parts = any(each.property == "AWS::SQS::QueueInlinePolicy" for each in stack.ignored)
    for bucket in stack.buckets.values():
        if (count := len(bucket.notifications)) > (most := limits.BUCKET_NOTIFICATIONS):
            yield bucket.logical_id, f"{count} event notifications; a bucket may have at most {most}"
            continue
        # SAM permits what the events of its functions need.
        own = section(properties_of(stack, bucket.logical_id), _NOTIFIED).get("LambdaConfigurations")
        configured = stack.functions if own else ()
        for notification in bucket.notifications:
            for event in sorted(set(notification.events) - limits.S3_EVENTS):
                yield bucket.logical_id, f"The event '{event}' is not supported for notifications", _NOTIFIED
            if _NOT_IN_XML.search(notification.prefix + notification.suffix):
                said = "The XML you provided was not well-formed or did not validate against our published schema"
                yield bucket.logical_id, f"{said}: a filter rule has a control character", _NOTIFIED
            if notification.target in configured and not may_invoke(stack, "s3"):
                said = "Unable to validate the following destination configurations: no AWS::Lambda::Permission lets S3"
                yield bucket.logical_id, f"{said} invoke {notification.target}", _NOTIFIED
            queue = stack.queues.get(notification.target)
            if queue is None or in_parts or not is_known(str(queue.policy)):
                continue
            if not allows_s3(queue.policy, queue.arn, bucket.arn, limits.ACCOUNT_ID):
                said = f"Unable to validate the following destination configurations: the policy of {queue.logical_id}"
                why = f"does not let S3 send events of {bucket.arn} in account {limits.ACCOUNT_ID}"
                yield bucket.logical_id, f"{said} {why}", _NOTIFIED
        if any(itertools.starmap(_overlap, itertools.combinations(bucket.notifications, 2))):
            said = "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes"
            yield bucket.logical_id, f"{said} are overlapping for the same event type.", _NOTIFIED


REFUSED = (
    refused_types,
    refused_properties,
    refused_names,
    _function_settings,
    _runtimes,
    _unreserved_concurrency,
    _mapping_settings,
    _filter_criteria,
    _mapping_conflicts,
    _schedules,
    _queue_settings,
    refused_tables,
    _notifications,
)
"""The rules: each takes a stack and yields what it refuses."""


def _overlap(first: Notification, other: Notification) -> bool:
    """Whether two rules may both apply to one object and one event."""
    events = itertools.product(first.events, other.events)
    same_event = any(fnmatchcase(left, right) or fnmatchcase(right, left) for left, right in events)
    prefixes = first.prefix.startswith(other.prefix) or other.prefix.startswith(first.prefix)
    suffixes = first.suffix.endswith(other.suffix) or other.suffix.endswith(first.suffix)
    return same_event and prefixes and suffixes
