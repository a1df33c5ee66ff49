"""Everything that may refuse a request before it is carried out, service by service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.base.clock import Clock
from simulator.store.dynamodb.items import check_item
from simulator.store.moto import state as moto_state
from simulator.store.s3 import rules as s3_rules
from simulator.store.s3.moto_bucket import CurrentCause, may_notify
from simulator.store.s3.notifications import Cause
from simulator.store.s3.rates import S3Rates
from simulator.store.sqs import rules as sqs_rules
from simulator.store.sqs.moto_queue import QueueTime, depot_of
from simulator.store.wire.aws_errors import s3_request_ids
from simulator.store.wire.messages import Request
from simulator.store.wire.parameters import read_parameters


class Guards:
    """The rules of one store; `queue_of` finds the moto queue that parameters name."""

    def __init__(
        self, clock: Clock, queue_of: Callable[[Mapping[str, Any]], Any], *, strict: bool, rates: bool
    ) -> None:
        self._clock = clock
        self._queue_of = queue_of
        self._strict = strict
        self._rates = S3Rates() if rates else None

    def check(self, request: Request) -> None:
        """Raise `AwsError` where AWS would refuse; read the parameters on the way."""
        if request.service == "s3":
            self._check_s3(request)
            return
        if request.parameters is None:
            read_parameters(request)
        if not self._strict or request.parameters is None:
            return
        if request.service == "sqs":
            self._check_sqs(request.operation, request.parameters)
        elif request.service == "dynamodb" and request.operation == "PutItem":
            item = request.parameters.get("Item")
            if isinstance(item, dict):
                check_item(item)

    def _check_s3(self, request: Request) -> None:
        if self._rates is not None:
            self._rates.admit(request, self._clock.now())
        if not self._strict:
            return
        identity, extended = s3_request_ids()
        CurrentCause.cause = Cause(request.operation, identity, extended, _access_key(request))
        s3_rules.check_request(request, moto_state.buckets(), moto_state.queues(), may_notify)

    def _check_sqs(self, operation: str, parameters: Mapping[str, Any]) -> None:
        queue = self._queue_of(parameters)
        sqs_rules.check_request(operation, parameters, queue)
        if queue is None or queue.fifo_queue:
            return
        if operation == "ReceiveMessage":
            full = sqs_rules.in_flight_is_full(depot_of(queue), QueueTime.now_ms())
            if full:
                raise sqs_rules.over_limit()
        elif operation == "ChangeMessageVisibility":
            sqs_rules.check_visibility_change(parameters.get("ReceiptHandle"), depot_of(queue), QueueTime.now_ms())


def _access_key(request: Request) -> str:
    _, _, credential = request.headers.get("authorization", "").partition("Credential=")
    return credential.partition("/")[0] or "anonymous"
