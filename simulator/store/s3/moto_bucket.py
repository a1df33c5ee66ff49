"""moto's bucket with its keys in order, and with S3's events as S3 sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.base.limits import S3_EVENTS, S3_NOTIFICATION_BYTES
from simulator.base.policies import allows_s3
from simulator.store.moto import state as moto_state
from simulator.store.moto.replacement import Replacement
from simulator.store.moto.scope import SCOPE
from simulator.store.s3.keys import indexed_keys
from simulator.store.s3.notifications import Sequencers, record, test_event, written
from simulator.store.sqs.moto_queue import add, depot_of, new_message

_HELD_BACK = {"notification-out-of-order", "notification-together"}
_WAITS = {"notification-late", *_HELD_BACK}


def _install_depth() -> None:
    from moto.s3 import models
    from moto.s3.utils import _VersionedKeyStore

    own_init = models.FakeBucket.__init__
    keys_class = indexed_keys(_VersionedKeyStore, models.FakeDeleteMarker)

    def initialise(self: Any, *arguments: Any, **named: Any) -> None:
        own_init(self, *arguments, **named)
        self.keys = keys_class()

    models.FakeBucket.__init__ = initialise  # type: ignore[method-assign]


def _install_events() -> None:
    from moto.s3 import notifications

    own_send_event, own_send_test_event = notifications.send_event, notifications.send_test_event
    sequencers = Sequencers()

    def send_event(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
        configuration = bucket.notification_configuration
        if configuration is None or _not_sent_by_s3(str(event_name.value), key):
            return
        scope, event = SCOPE.get(), str(event_name.value).removeprefix("s3:")
        at = scope.store.clock.now()
        for notification in configuration.queue:
            if notification.matches(event_name, written(key.name)):
                sequencer = sequencers.next(at)
                body = record(bucket, key, event, notification.id, scope.routed, sequencer, at)
                _send(bucket, notification.arn, body, account_id)
        if configuration.cloud_function or configuration.topic or configuration.event_bridge is not None:
            with _without_queues(configuration):
                own_send_event(account_id, event_name, bucket, key)

    def send_test_event(account_id: str, bucket: Any) -> None:
        scope = SCOPE.get()
        configuration = bucket.notification_configuration
        for arn in dict.fromkeys(each.arn for each in configuration.queue):
            _deliver(bucket, arn, test_event(bucket.name, scope.routed, scope.store.clock.now()), account_id)
        with _without_queues(configuration):
            own_send_test_event(account_id, bucket)

    # They include events that moto's own list is too old for.
    notifications.S3NotificationEvent.is_event_valid = S3_EVENTS.__contains__  # type: ignore[method-assign, assignment]
    notifications.send_event = send_event
    notifications.send_test_event = send_test_event


@contextmanager
def _without_queues(configuration: Any) -> Iterator[None]:
    """Leave other destinations to moto; the queues already have their events."""
    queues, configuration.queue = configuration.queue, []
    try:
        yield
    finally:
        configuration.queue = queues


def _not_sent_by_s3(event: str, key: Any) -> bool:
    """Whether only moto sends this: its functions for multipart uploads and tags have events of their own."""
    if event == "s3:ObjectCreated:Put" and key.multipart is not None:
        return True
    return event == "s3:ObjectTagging:Put" and SCOPE.get().routed.operation != "PutObjectTagging"


def _send(bucket: Any, queue_arn: str, body: str, account_id: str) -> None:
    """Deliver an event after the time that it is on its way, and as a fault wants it."""
    store = SCOPE.get().store
    late_s, queue = store.notified_s(), moto_state.queue_by_arn(queue_arn)
    held_back = bucket.__dict__.setdefault("_stockpipe_held_back", {})
    earlier, earlier_kind = held_back.pop(queue_arn, (None, ""))
    depot = depot_of(queue) if earlier is not None and queue is not None else None
    if depot is not None and earlier_kind == "notification-together" and depot.hasten(earlier, store.now_ms() + 1):
        earlier.message.body = _together(earlier.message.body, body)
        return
    fault = store.plane.at("s3.notification", store.clock.now())
    kind, argument = (fault.kind, fault.argument) if fault is not None else ("", 0.0)
    waits_s = argument if kind in _WAITS else 0.0
    sent = _deliver(bucket, queue_arn, body, account_id, late_s + waits_s)
    if kind == "notification-twice":
        _deliver(bucket, queue_arn, body, account_id, late_s + argument)
    if depot is not None and sent is not None:
        depot.hasten(earlier, max(sent.due_ms, store.now_ms()) + 1)
    if kind in _HELD_BACK and sent is not None:
        held_back[queue_arn] = sent, kind


def _together(first: str, second: str) -> str:
    """One message with the records of two."""
    records = [*json.loads(first)["Records"], *json.loads(second)["Records"]]
    return json.dumps({"Records": records}, separators=(",", ":"))


def _deliver(bucket: Any, queue_arn: str, body: str, account_id: str, after_s: float = 0.0) -> Any:
    """Put an event into a queue; returns what its depot holds now, if it has one.

    As in S3, the event is lost if the queue is missing, refuses it, or has too small a limit.
    """
    queue = moto_state.queue_by_arn(queue_arn)
    if queue is None or queue.fifo_queue or not may_notify(queue, bucket.arn, account_id):
        return None
    if len(body) > min(S3_NOTIFICATION_BYTES, queue.maximum_message_size):
        return None
    store = SCOPE.get().store
    message = new_message(store, body, queue.delay_seconds + after_s)
    if "_stockpipe_depot" in queue.__dict__:
        return add(queue, message, store.now_ms())
    queue.add_message(message)
    return None


def may_notify(queue: Any, bucket_arn: str, account_id: str) -> bool:
    """Whether the queue's policy lets S3 send this bucket's events; cached until the policy is set again."""
    policy = queue.__dict__.get("_policy_json")
    remembered = queue.__dict__.setdefault("_stockpipe_allowed", {})
    # AddPermission adds a statement in place.
    statements = len((policy or {}).get("Statement", ()))
    known = remembered.get(bucket_arn)
    if known is None or known[0] is not policy or known[1] != statements:
        known = policy, statements, allows_s3(policy, queue.queue_arn, bucket_arn, account_id)
        remembered[bucket_arn] = known
    return bool(known[2])


DEPTH = Replacement("s3.depth", _install_depth)
EVENTS = Replacement("s3.events", _install_events)
