"""Everything that may refuse a request before it is carried out, service by service."""

from __future__ import annotations

from simulator.base.clock import Clock
from simulator.store.dynamodb.batch_writes import check_body
from simulator.store.dynamodb.items import check_item
from simulator.store.s3 import rules as s3_rules
from simulator.store.s3.rates import S3Rates
from simulator.store.sqs import rules as sqs_rules
from simulator.store.sqs.moto_queue import depot_of, queue_of
from simulator.store.wire.messages import Routed


class Guards:
    """The rules of one store; `strict`: AWS's where moto lacks them, `rates`: S3's request rates."""

    def __init__(self, clock: Clock, *, strict: bool, rates: bool) -> None:
        self._clock = clock
        self._strict = strict
        self._rates = S3Rates() if rates else None

    def check(self, routed: Routed) -> None:
        """Raise `AwsError` where AWS would refuse."""
        if routed.service == "s3" and self._rates is not None:
            self._rates.admit(routed.request, self._clock.now())
        if not self._strict:
            return
        if routed.service == "s3":
            s3_rules.check_request(routed)
        elif routed.parameters is None:
            return
        elif routed.service == "sqs":
            queue = queue_of(routed.parameters)
            depot = None if queue is None or queue.fifo_queue else depot_of(queue)
            sqs_rules.check_request(routed.operation, routed.parameters, queue, depot, self._clock.now() * 1000)
        elif routed.operation == "BatchWriteItem":
            check_body(len(routed.request.body))
        elif routed.operation == "PutItem" and isinstance(routed.parameters.get("Item"), dict):
            check_item(routed.parameters["Item"])
