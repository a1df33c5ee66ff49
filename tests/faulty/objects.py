"""Workers that do something with each object."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError
from shared import ARCHIVE, Event, client, code_of, count, count_once, events, events_of, hasty, put, put_if, read

s3, dynamodb = client("s3"), client("dynamodb")


def _store(each: Event, text: str) -> None:
    for number, line in enumerate(text.splitlines()):
        put(dynamodb, f"{each.key}/{number}", line=line)


# One row for each line


def stores(event: Any, context: Any) -> None:
    """Well: clients try again, rows have keys of their own, and whatever fails comes back."""
    for each in events(event):
        _store(each, read(s3, each))


def gives_way(event: Any, context: Any) -> None:
    """Flaw: if S3 is busy, it leaves the object for later, and there is no later."""
    for each in events(event):
        try:
            text = read(hasty("s3"), each)
        except ClientError as error:
            if code_of(error) == "SlowDown":
                return
            raise
        _store(each, text)


def takes_any_error_for_gone(event: Any, context: Any) -> None:
    """Flaw: every error means that there is no such object."""
    for each in events(event):
        try:
            text = read(hasty("s3"), each)
        except ClientError:
            continue
        _store(each, text)


def takes_short_for_whole(event: Any, context: Any) -> None:
    """Flaw: it stores the lines as they come, and takes the end of the connection for the end of the object."""
    for each in events(event):
        lines = s3.get_object(Bucket=each.bucket, Key=each.key)["Body"].iter_lines(1)
        try:
            for number, line in enumerate(lines):
                put(dynamodb, f"{each.key}/{number}", line=line.decode())
        except BotoCoreError:
            continue


def has_no_patience(event: Any, context: Any) -> None:
    """Flaw: it skips what S3 does not answer within two seconds."""
    for each in events(event):
        try:
            text = read(hasty("s3", 2), each)
        except ReadTimeoutError:
            continue
        _store(each, text)


def drops_old_events(event: Any, context: Any) -> None:
    """Flaw: an event older than a minute is taken for one that came before."""
    for each in events(event):
        if time.time() - datetime.fromisoformat(each.time).timestamp() < 60:
            _store(each, read(s3, each))


def stores_the_first_record(event: Any, context: Any) -> None:
    """Flaw: it knows messages with one record only."""
    for message in event["Records"]:
        for each in events_of(message)[:1]:
            _store(each, read(s3, each))


def stores_new_messages(event: Any, context: Any) -> None:
    """Flaw: it leaves a message that comes again to the one who had it first."""
    for message in event["Records"]:
        if message["attributes"]["ApproximateReceiveCount"] == "1":
            for each in events_of(message):
                _store(each, read(s3, each))


def drops_old_messages(event: Any, context: Any) -> None:
    """Flaw: a message that has waited for eight seconds is not worth it."""
    for message in event["Records"]:
        if time.time() - int(message["attributes"]["SentTimestamp"]) / 1000 < 8:
            for each in events_of(message):
                _store(each, read(s3, each))


def trusts_its_connection(event: Any, context: Any) -> None:
    """Flaw: it believes that a connection that breaks was its own doing, and goes on to the next object."""
    for each in events(event):
        try:
            text = read(hasty("s3"), each)
        except ConnectionClosedError:
            continue
        _store(each, text)


def takes_denied_for_final(event: Any, context: Any) -> None:
    """Flaw: what it may not read it never may."""
    for each in events(event):
        try:
            text = read(s3, each)
        except ClientError as error:
            if code_of(error) == "AccessDenied":
                continue
            raise
        _store(each, text)


def reports_to_nobody(event: Any, context: Any) -> dict[str, Any]:
    """Flaw: it says which messages failed, and nobody has asked for it: the mapping deletes them all."""
    failed = []
    for message in event["Records"]:
        try:
            for each in events_of(message):
                _store(each, read(s3, each))
        except ClientError:
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


# A copy of each object


def archives(event: Any, context: Any) -> None:
    """Well: what is gone has no copy, and no row says that it has one."""
    for each in events(event):
        try:
            text = read(s3, each)
        except s3.exceptions.NoSuchKey:
            continue
        s3.put_object(Bucket=ARCHIVE, Key=each.key, Body=text)
        put(dynamodb, each.key, archived="yes")


def archives_what_is_gone(event: Any, context: Any) -> None:
    """Flaw: an object that is not there must have been archived before."""
    for each in events(event):
        with suppress(s3.exceptions.NoSuchKey):
            s3.put_object(Bucket=ARCHIVE, Key=each.key, Body=read(s3, each))
        put(dynamodb, each.key, archived="yes")


def moves(event: Any, context: Any) -> None:
    """Well: the copy is there before the object goes; what is gone was moved."""
    for each in events(event):
        try:
            text = read(s3, each)
        except s3.exceptions.NoSuchKey:
            continue
        s3.put_object(Bucket=ARCHIVE, Key=each.key, Body=text)
        s3.delete_object(Bucket=each.bucket, Key=each.key)


def moves_the_other_way_round(event: Any, context: Any) -> None:
    """Flaw: for a moment the text is in its memory only."""
    for each in events(event):
        try:
            text = read(s3, each)
        except s3.exceptions.NoSuchKey:
            continue
        s3.delete_object(Bucket=each.bucket, Key=each.key)
        s3.put_object(Bucket=ARCHIVE, Key=each.key, Body=text)


# What each version of an object holds


def reads_one_version(event: Any, context: Any) -> None:
    """Well: both halves are of the version that the event is about; another one has another event."""
    for each in events(event):
        try:
            halves = [read(s3, each, Range=span, IfMatch=each.etag) for span in ("bytes=0-2", "bytes=3-")]
        except ClientError as error:
            if code_of(error) != "PreconditionFailed":
                raise
        else:
            put(dynamodb, f"{each.key} {each.sequencer}", text="".join(halves))


def reads_in_two_parts(event: Any, context: Any) -> None:
    """Flaw: between two reads, there may be another object of that name."""
    for each in events(event):
        halves = [read(s3, each, Range=span) for span in ("bytes=0-2", "bytes=3-")]
        put(dynamodb, f"{each.key} {each.sequencer}", text="".join(halves))


def keeps_the_newest(event: Any, context: Any) -> None:
    """Well: an event is older than another if its sequencer is."""
    for each in events(event):
        condition = "attribute_not_exists(id) OR sequencer < :sequencer"
        put_if(dynamodb, each.key, condition, etag=each.etag, sequencer=each.sequencer)


def keeps_the_last(event: Any, context: Any) -> None:
    """Flaw: the event that comes last is taken for the last."""
    for each in events(event):
        put(dynamodb, each.key, etag=each.etag)


# How often there was something new


def counts_once(event: Any, context: Any) -> None:
    """Well: an event is what its sequencer says, and is counted together with the mark that it is."""
    for each in events(event):
        count_once(dynamodb, each.key, each.sequencer)


def counts(event: Any, context: Any) -> None:
    """Flaw: each delivery counts."""
    for each in events(event):
        count(dynamodb, each.key)


def counts_messages(event: Any, context: Any) -> None:
    """Flaw: it knows that a message may come again, and not that there may be another one of the same event."""
    for message in event["Records"]:
        for each in events_of(message):
            count_once(dynamodb, each.key, message["messageId"])


def marks_then_counts(event: Any, context: Any) -> None:
    """Flaw: the mark that it was counted comes first, and may be its own from an attempt that went no further."""
    for each in events(event):
        if put_if(dynamodb, f"counted {each.sequencer}", "attribute_not_exists(id)"):
            count(dynamodb, each.key)
