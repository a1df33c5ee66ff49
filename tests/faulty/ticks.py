"""Clocks: something for each tick of the schedule."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError
from shared import ARCHIVE, client, count, count_once, hasty, put, put_if

s3, dynamodb = client("s3"), client("dynamodb")


# An object for each tick


def puts(event: Any, context: Any) -> None:
    """Well: the object has the name of its tick, however often and late it is put."""
    s3.put_object(Bucket=ARCHIVE, Key=event["time"], Body=event["time"])


def puts_and_looks_away(event: Any, context: Any) -> None:
    """Flaw: an object more or less."""
    with suppress(BotoCoreError):
        hasty("s3").put_object(Bucket=ARCHIVE, Key=event["time"], Body=event["time"])


def puts_another(event: Any, context: Any) -> None:
    """Flaw: what failed is taken for not done, and is done again under another name."""
    for _ in range(3):
        try:
            hasty("s3").put_object(Bucket=ARCHIVE, Key=uuid.uuid4().hex, Body=event["time"])
        except BotoCoreError:
            continue
        return
    raise RuntimeError("S3 is away")


def puts_by_the_clock(event: Any, context: Any) -> None:
    """Flaw: a tick is taken for the minute in which it runs."""
    minute = datetime.fromtimestamp(time.time() // 60 * 60, UTC)
    s3.put_object(Bucket=ARCHIVE, Key=f"{minute:%Y-%m-%dT%H:%M:%SZ}", Body=event["time"])


# How many ticks there were, and the last one


def counts_once(event: Any, context: Any) -> None:
    """Well: a tick is the time that it is for."""
    count_once(dynamodb, "ticks", event["time"])


def counts(event: Any, context: Any) -> None:
    """Flaw: an invocation is taken for a tick."""
    count(dynamodb, "ticks")


def keeps_the_latest(event: Any, context: Any) -> None:
    """Well: the latest tick is the one of the latest time."""
    put_if(dynamodb, "tick", "attribute_not_exists(id) OR due < :due", due=event["time"])


def keeps_the_last(event: Any, context: Any) -> None:
    """Flaw: the tick that runs last is taken for the latest."""
    put(dynamodb, "tick", due=event["time"])
