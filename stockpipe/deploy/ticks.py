"""One tick by hand: invokes the generator with the event that EventBridge would send now."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from simulator.base.clock import iso
from stockpipe.deploy.aws import Aws
from stockpipe.deploy.deployed import Deployed


@dataclass(frozen=True, slots=True)
class TickResult:
    """The generator's answer. `error` is its error type and message, None if it succeeded."""

    time: str
    payload: Any
    error: str | None
    log: tuple[str, ...]


def scheduled_event(aws: Aws, rule: str | None, at: float) -> dict[str, Any]:
    """EventBridge's scheduled event for the second that contains `at` (EventBridge User Guide, "Scheduled events")."""
    partition = "aws-cn" if aws.region.startswith("cn-") else "aws-us-gov" if aws.region.startswith("us-gov") else "aws"
    return {
        "version": "0",
        "id": "stockpipe-invoke",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": aws.account,
        "time": iso(at, "seconds"),
        "region": aws.region,
        "resources": [f"arn:{partition}:events:{aws.region}:{aws.account}:rule/{rule}"] if rule else [],
        "detail": {},
    }


async def fire(aws: Aws, deployed: Deployed, at: float) -> TickResult:
    """Invoke the generator once, and wait for it. A failed invocation is returned as a value."""
    event = scheduled_event(aws, deployed.rule, at)
    sent = json.dumps(event).encode()
    answer = await (await aws.functions()).invoke(FunctionName=deployed.generator, LogType="Tail", Payload=sent)
    async with answer["Payload"] as body:
        text = (await body.read()).decode("utf-8", "replace")
    payload: Any = text
    with suppress(ValueError):
        payload = json.loads(text)
    error = text if answer.get("FunctionError") else None
    if error and isinstance(payload, dict):
        error = f"{payload.get('errorType', 'Error')}: {payload.get('errorMessage', '')}"
    tail = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
    return TickResult(event["time"], payload, error, tuple(tail.splitlines()))
