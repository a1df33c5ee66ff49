"""What AWS's services accept but its documentation advises against. Pure."""

from __future__ import annotations

from urllib.parse import quote_plus, unquote_plus

from simulator.base import limits
from simulator.base.shown import visible
from simulator.base.words import counted
from simulator.stack.model import Sentences, Stack
from simulator.stack.settings import may_invoke, section


def _unconfirmed(stack: Stack) -> Sentences:
    """AWS's API model of November 2026 (CreateFunction) allows more than the Developer Guide's quotas."""
    managed = stack.managed()
    for name, function in stack.functions.items():
        if name in managed:
            said = "on Managed Instances (CapacityProviderConfig) one environment handles several invocations at once"
            yield name, f"{said}, and other limits apply; the simulator runs it as an ordinary function"
            continue
        for what, value, confirmed, (_, most) in (
            ("a timeout of {:,} s", function.timeout_s, limits.FUNCTION_TIMEOUT_S_CONFIRMED, limits.FUNCTION_TIMEOUT_S),
            ("{:,} MB of memory", function.memory_mb, limits.FUNCTION_MEMORY_MB_CONFIRMED, limits.FUNCTION_MEMORY_MB),
        ):
            if confirmed < value <= most:
                said = f"AWS's API model allows {what.format(value)}, but more than {confirmed:,} is not confirmed for"
                yield name, f"{said} ordinary functions: your Region may refuse it"
        version = function.runtime.removeprefix("python")
        if version in limits.PYTHON_RUNTIMES_UNCONFIRMED:
            yield name, f"AWS's API model lists {function.runtime}, but it is not confirmed that Lambda offers it"
        elif version in limits.PYTHON_RUNTIMES_ENDED:
            yield name, f"{function.runtime} has reached its end: Lambda no longer creates functions with it"


def _short_visibility(stack: Stack) -> Sentences:
    """Developer Guide, services-sqs-configure: at least six times the function's timeout (and the window)."""
    for mapping, queue, function in stack.mapped():
        wanted_s = 6 * function.timeout_s + mapping.window_s
        if function.timeout_s <= queue.visibility_timeout_s < wanted_s:
            wanted = f"six timeouts{' and the window' if mapping.window_s else ''} ({wanted_s} s)"
            said = f"a slow batch is delivered twice: {queue.visibility_timeout_s} s of visibility, not {wanted}"
            yield queue.logical_id, said


def _redrive(stack: Stack) -> Sentences:
    """Developer Guide, services-sqs-configure (five receives or more); SQS Developer Guide, dead-letter queues."""
    for _, queue, _ in stack.mapped():
        if queue.redrive is None:
            said = "a message that always fails is retried until it expires: there is no dead-letter queue"
            yield queue.logical_id, said
        elif (receives := queue.redrive.maximum_receives) < 5:
            yield queue.logical_id, f"throttles alone may dead-letter messages: maxReceiveCount {receives} is below 5"
    for queue in stack.queues.values():
        dead_letters = stack.queues.get(queue.redrive.dead_letter_queue) if queue.redrive else None
        if dead_letters is not None and dead_letters.retention_s <= queue.retention_s:
            said = f"messages keep their first send time and may expire on arrival: {dead_letters.retention_s} s"
            yield dead_letters.logical_id, f"{said}, no longer than in {queue.logical_id}; 1209600 s (14 days) is safe"


def _reserved_concurrency(stack: Stack) -> Sentences:
    """Developer Guide, services-sqs-scaling and configuration-concurrency."""
    for mapping, _, function in stack.mapped():
        reserved = function.reserved_concurrency
        if reserved is None:
            continue
        wanted = mapping.maximum_concurrency or limits.MAPPING_INITIAL_CONCURRENCY
        if reserved < wanted:
            batches = f"{counted(wanted, 'batch', 'batches')} of {mapping.logical_id}; lower its MaximumConcurrency"
            said = f"throttled batches use up receives: reserved concurrency {reserved} is below the {batches}"
            yield function.logical_id, said


def _filters(stack: Stack) -> Sentences:
    """Developer Guide, invocation-eventfiltering and with-sqs-filtering."""
    for name, mapping in stack.mappings.items():
        by_default, at_most = limits.MAPPING_FILTERS
        if by_default < len(mapping.filters) <= at_most:
            yield name, f"{len(mapping.filters)} filters: AWS allows {by_default}, and up to {at_most} only on request"
        for number, pattern in enumerate(mapping.filters):
            where = f"FilterCriteria.Filters[{number}]"
            if unknown := sorted({path.split(".")[0] for path in pattern.paths()} - {"body"}):
                said = f"{where} filters on {', '.join(map(visible, unknown))}, but only the body of a queue's message"
                yield name, f"{said} can be filtered: every message lacks the rest"
            if pattern.repeated:
                yield name, f"{where} names {visible(pattern.repeated[0])} more than once: only the last one counts"


def _silent_losses(stack: Stack) -> Sentences:
    """Developer Guide, services-sqs-errorhandling and invocation-async; S3 User Guide, EventNotifications."""
    polled_only = {mapping.function for mapping in stack.mappings.values()}
    polled_only -= {schedule.function for schedule in stack.schedules.values()}
    polled_only -= {each.target for bucket in stack.buckets.values() for each in bucket.notifications}
    for name in sorted(polled_only):
        function = stack.functions.get(name)
        if function and (function.asynchronous.dead_letter_arn or function.asynchronous.on_failure_arn):
            said = "failed messages never reach the function's dead-letter queue or on-failure destination"
            yield name, f"{said}, which are for asynchronous events: set the queue's redrive policy"
    for mapping in stack.mappings.values():
        if not mapping.reports_batch_item_failures and mapping.batch_size > 1:
            yield mapping.logical_id, "one bad message makes its whole batch come back: set ReportBatchItemFailures"
    for bucket in stack.buckets.values():
        for name in sorted({each.target for each in bucket.notifications} & stack.queues.keys()):
            most, needed = stack.queues[name].maximum_message_bytes, limits.S3_NOTIFICATION_BYTES
            if most < needed:
                said = f"larger notifications are lost: MaximumMessageSize {most} is below the {needed} bytes"
                yield name, f"{said} that one may have"


def _key_spelling(stack: Stack) -> Sentences:
    """S3 User Guide, notification-how-to-filtering: a filter has keys as events have them, and no wildcards."""
    for bucket in stack.buckets.values():
        for text in dict.fromkeys(text for each in bucket.notifications for text in (each.prefix, each.suffix)):
            written = quote_plus(unquote_plus(text), safe="/")
            if "*" in text:
                why = f"'*' is not a wildcard in a filter: '{text}' matches only keys with that character"
            elif written != text:
                why = f"S3 compares keys as its events write them: '{text}' matches none on AWS, '{written}' does"
            else:
                continue
            yield bucket.logical_id, why, "NotificationConfiguration"


def _unpermitted_rules(stack: Stack) -> Sentences:
    """EventBridge User Guide, eb-use-resource-based: without a permission, a rule's invocations only fail."""
    for name, schedule in stack.schedules.items():
        is_rule = section(stack.document, "Resources", name).get("Type") == "AWS::Events::Rule"
        if is_rule and schedule.enabled and not may_invoke(stack, "events"):
            yield name, f"no AWS::Lambda::Permission lets EventBridge invoke {schedule.function}: it never will"


ADVISED = (
    _unconfirmed,
    _short_visibility,
    _redrive,
    _reserved_concurrency,
    _filters,
    _silent_losses,
    _key_spelling,
    _unpermitted_rules,
)
"""The rules: each takes a stack and yields what it advises against."""
