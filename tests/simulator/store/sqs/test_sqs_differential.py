"""Random sequences of SQS calls get the same answers from stock moto and from the store without AWS's rules."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_numbers = itertools.count()
_queues = st.sampled_from(["main", "dead"])
_handles = st.integers(0, 7)
_seconds = st.sampled_from([0, 30])
_limits = st.integers(1, 10)
STEPS = st.one_of(
    st.tuples(st.just("send"), _queues, st.text("ab<&\u20ac", min_size=1, max_size=5), _seconds),
    st.tuples(st.just("send_batch"), st.lists(st.text("xyz", min_size=1, max_size=3), min_size=1, max_size=4)),
    st.tuples(st.just("receive"), _queues, _limits, _seconds),
    st.tuples(st.just("delete"), _handles),
    st.tuples(st.just("delete_batch"), st.lists(_handles, min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("visibility"), _handles, _seconds),
    st.tuples(st.just("counts"), _queues),
    st.tuples(st.just("attribute_message")),
    st.tuples(st.just("mistake"), st.sampled_from(["handle", "limit", "queue", "batch"])),
)


class _Side:
    """One of the two servers, with the handles that it gave out in order."""

    def __init__(self, server: Any, name: str) -> None:
        self._server = server
        self._handles: list[tuple[str, str]] = []
        dead_url = self._create(f"{name}-dead", {})
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}-dead"
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})
        self._urls = {"main": self._create(f"{name}-main", {"RedrivePolicy": policy}), "dead": dead_url}

    def _create(self, name: str, attributes: dict[str, str]) -> str:
        status, answer = self._server.json("sqs", "CreateQueue", {"QueueName": name, "Attributes": attributes})
        assert status == 200, answer
        return str(answer["QueueUrl"])

    def do(self, operation: str, **parameters: Any) -> Any:
        status, answer = self._server.json("sqs", operation, parameters)
        for message in answer.get("Messages", ()):
            self._handles.append((parameters["QueueUrl"], message["ReceiptHandle"]))
        return status, _comparable(answer)

    def handle(self, number: int) -> dict[str, str]:
        if number >= len(self._handles):
            return {"QueueUrl": self._urls["main"], "ReceiptHandle": "never-given"}
        url, handle = self._handles[number]
        return {"QueueUrl": url, "ReceiptHandle": handle}

    def step(self, step: Any) -> Any:
        kind, *arguments = step if isinstance(step, tuple) else (step,)
        return getattr(self, f"_{kind}")(*arguments)

    def _send(self, queue: str, body: str, delay: int) -> Any:
        return self.do("SendMessage", QueueUrl=self._urls[queue], MessageBody=body, DelaySeconds=delay)

    def _send_batch(self, bodies: list[str]) -> Any:
        entries = [{"Id": f"e{number}", "MessageBody": body} for number, body in enumerate(bodies)]
        return self.do("SendMessageBatch", QueueUrl=self._urls["main"], Entries=entries)

    def _attribute_message(self) -> Any:
        attributes = {"colour": {"DataType": "String", "StringValue": "red"}}
        return self.do("SendMessage", QueueUrl=self._urls["main"], MessageBody="m", MessageAttributes=attributes)

    def _receive(self, queue: str, limit: int, seconds: int) -> Any:
        return self.do(
            "ReceiveMessage",
            QueueUrl=self._urls[queue],
            MaxNumberOfMessages=limit,
            VisibilityTimeout=seconds,
            AttributeNames=["ApproximateReceiveCount", "SenderId"],
            MessageAttributeNames=["All"],
        )

    def _delete(self, number: int) -> Any:
        return self.do("DeleteMessage", **self.handle(number))

    def _delete_batch(self, numbers: list[int]) -> Any:
        chosen = [self.handle(number) for number in numbers]
        entries = [
            {"Id": f"e{number}", "ReceiptHandle": each["ReceiptHandle"]}
            for number, each in enumerate(chosen)
            if each["QueueUrl"] == self._urls["main"]
        ]
        return self.do("DeleteMessageBatch", QueueUrl=self._urls["main"], Entries=entries)

    def _visibility(self, number: int, seconds: int) -> Any:
        return self.do("ChangeMessageVisibility", VisibilityTimeout=seconds, **self.handle(number))

    def _counts(self, queue: str) -> Any:
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        return self.do("GetQueueAttributes", QueueUrl=self._urls[queue], AttributeNames=names)

    def _mistake(self, kind: str) -> Any:
        url = self._urls["main"]
        if kind == "handle":
            return self.do("DeleteMessage", QueueUrl=url, ReceiptHandle="no-such-handle")
        if kind == "limit":
            return self.do("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=11)
        if kind == "queue":
            return self.do("SendMessage", QueueUrl=url + "-gone", MessageBody="m")
        return self.do("SendMessageBatch", QueueUrl=url, Entries=[])


def _comparable(answer: Any) -> Any:
    """The answer without what each server generates itself."""
    if isinstance(answer, dict):
        return {
            key: "..." if key in ("MessageId", "ReceiptHandle") else _comparable(value) for key, value in answer.items()
        }
    if isinstance(answer, list):
        return [_comparable(each) for each in answer]
    return "..." if isinstance(answer, str) and "receipt handle" in answer else answer


@given(steps=st.lists(STEPS, min_size=4, max_size=24))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_of_queue_calls_is_answered_as_by_stock_moto(twins: Any, steps: list[Any]) -> None:
    """Sends, receives, deletes, redrive, counts and mistakes: order, counts and texts are moto's."""
    name = f"d{next(_numbers)}"
    stock, store = _Side(twins.stock, name), _Side(twins.store, name)
    for step in steps:
        assert store.step(step) == stock.step(step), step
