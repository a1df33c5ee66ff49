"""Dead-letter queue redrive: StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask, which moto lacks.

Source: Amazon SQS API Reference of the three, Developer Guide "Configure a dead-letter queue redrive". A moved message
is a new one: it has a new id and sent instant, and its receive count starts again.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from simulator.base.limits import SQS_MOVE_RATE_PER_S, SQS_MOVE_TASKS_ACTIVE, SQS_MOVE_TASKS_LISTED
from simulator.store.moto import state as moto_state
from simulator.store.moto.application import LeftToMoto
from simulator.store.moto.scope import StoreContext
from simulator.store.sqs.moto_queue import add, depot_of, new_message
from simulator.store.sqs.rules import check_range
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Response, Routed, json_response

_STEP_S = 0.05


@dataclass(slots=True)
class MoveTask:
    """One redrive: from a dead-letter queue to `destination_arn` or, without one, to where each message came from."""

    handle: str
    source_arn: str
    destination_arn: str | None
    rate_per_s: int | None
    to_move: int
    started_at: float
    moved: int = 0
    status: Literal["RUNNING", "COMPLETED", "CANCELLED", "FAILED"] = "RUNNING"
    failure: str | None = None

    def listed(self) -> dict[str, Any]:
        """The task in the form of ListMessageMoveTasks."""
        shown = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source_arn,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.rate_per_s,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure,
            "StartedTimestamp": int(self.started_at * 1000),
        }
        return {name: value for name, value in shown.items() if value is not None}


class MoveTasks:
    """All move tasks of one store; the running ones are tasks of its event loop."""

    def __init__(self, store: StoreContext) -> None:
        self._store = store
        self._tasks: list[MoveTask] = []
        self._running: set[asyncio.Task[None]] = set()

    def answer(self, routed: Routed) -> Response:
        """The answer to one of the three operations. Raises `AwsError`, and `LeftToMoto` for any other."""
        operation = {
            "StartMessageMoveTask": self._start,
            "ListMessageMoveTasks": self._list,
            "CancelMessageMoveTask": self._cancel,
        }.get(routed.operation)
        if operation is None:
            raise LeftToMoto
        if routed.is_query:
            raise AwsError(
                "AWS.SimpleQueueService.UnsupportedOperation",
                f"{routed.operation} is served to clients of the JSON protocol; use a newer SDK.",
            )
        return json_response(routed, orjson.dumps(operation(routed)))

    def _start(self, routed: Routed) -> dict[str, Any]:
        parameters = routed.parameters or {}
        source_arn, destination_arn = parameters.get("SourceArn"), parameters.get("DestinationArn")
        rate = parameters.get("MaxNumberOfMessagesPerSecond")
        source = _queue(source_arn, "SourceArn")
        if not any(queue.dead_letter_queue is source for queue in moto_state.queues(routed.home).values()):
            raise AwsError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if destination_arn is not None:
            _queue(destination_arn, "DestinationArn")
        check_range(parameters, "MaxNumberOfMessagesPerSecond", SQS_MOVE_RATE_PER_S)
        running = [task for task in self._tasks if task.status == "RUNNING"]
        if any(task.source_arn == source_arn for task in running):
            raise AwsError(
                "AWS.SimpleQueueService.UnsupportedOperation",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given "
                "time.",
            )
        if len(running) >= SQS_MOVE_TASKS_ACTIVE:
            raise AwsError("OverLimit", "The maximum number of active message move tasks is reached.", status=403)
        identity = {"taskId": self._store.requests.uuid(), "sourceArn": source_arn}
        handle = base64.b64encode(orjson.dumps(identity)).decode()
        ready = depot_of(source).counts(self._store.now_ms())[0]
        task = MoveTask(handle, str(source_arn), destination_arn, rate, ready, self._store.clock.now())
        self._tasks.append(task)
        running_task = asyncio.get_running_loop().create_task(self._run(task, source))
        self._running.add(running_task)
        running_task.add_done_callback(self._running.discard)
        return {"TaskHandle": handle}

    def _list(self, routed: Routed) -> dict[str, Any]:
        parameters = routed.parameters or {}
        source_arn = parameters.get("SourceArn")
        _queue(source_arn, "SourceArn")
        check_range(parameters, "MaxResults", (1, SQS_MOVE_TASKS_LISTED), f"Must be 1 to {SQS_MOVE_TASKS_LISTED}.")
        of_queue = [task for task in reversed(self._tasks) if task.source_arn == source_arn]
        return {"Results": [task.listed() for task in of_queue[: parameters.get("MaxResults", 1)]]}

    def _cancel(self, routed: Routed) -> dict[str, Any]:
        handle = (routed.parameters or {}).get("TaskHandle")
        for task in self._tasks:
            if task.handle == handle and task.status == "RUNNING":
                task.status = "CANCELLED"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise _not_found("Task does not exist.")

    async def _run(self, task: MoveTask, source: Any) -> None:
        rate_per_s = task.rate_per_s or SQS_MOVE_RATE_PER_S[1]
        while task.status == "RUNNING":
            due = max(1, int((self._store.clock.now() - task.started_at) * rate_per_s))
            while task.status == "RUNNING" and task.moved < due:
                self._move_one(task, source)
            await self._store.clock.sleep(_STEP_S)

    def _move_one(self, task: MoveTask, source: Any) -> None:
        """Move one message, or record why the task is over."""
        if task.destination_arn is not None and moto_state.queue_by_arn(task.destination_arn) is None:
            task.status, task.failure = "FAILED", "AWS.SimpleQueueService.NonExistentQueue"
            return
        now_ms = self._store.now_ms()
        held = depot_of(source).carry_off(now_ms)
        if held is None:
            task.status = "COMPLETED"
            return
        old = held.message
        origin = task.destination_arn or old.__dict__.get("dead_letter_source_arn")
        target = moto_state.queue_by_arn(origin) or source
        message = new_message(self._store, old.body, system_attributes=old.system_attributes)
        message.message_attributes = old.message_attributes
        if target is source:
            # A message that never came from another queue has nowhere to go back to.
            task.status, task.failure = "FAILED", "CouldNotDetermineMessageSource"
        else:
            task.moved += 1
        add(target, message, now_ms)


def _queue(arn: Any, name: str) -> Any:
    queue = moto_state.queue_by_arn(arn)
    if queue is None or queue.fifo_queue:
        raise _not_found(f"The resource that you specified for the {name} parameter doesn't exist.")
    return queue


def _not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, status=404)
