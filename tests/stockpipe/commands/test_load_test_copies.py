"""`load-test --object` and `--message`: what is sent to another application, and what cannot be."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.base import limits
from simulator.base.errors import InputError
from simulator.load.plan.plan import Copies
from simulator.stack import template
from simulator.stack.model import Bucket, Notification, Queue, Stack
from stockpipe.commands.load_test.copies import copies_of
from stockpipe.commands.load_test.options import LoadTestOptions

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: orders}}
  Returns: {Type: AWS::SQS::Queue}
  Unread: {Type: AWS::SQS::Queue}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Runtime: python3.12
      Events:
        Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """One polled queue of three, and no bucket."""
    file = tmp_path / "template.yaml"
    file.write_text(TEMPLATE)
    return template.load(file, {})


def notifying(stack: Stack, *notifications: Notification) -> Stack:
    """The same stack with a bucket that notifies."""
    return replace(stack, buckets={"In": Bucket("In", "in-bucket", "arn:aws:s3:::in-bucket", False, notifications)})


def created(target: str, prefix: str = "", suffix: str = "") -> Notification:
    """A notification of every new object."""
    return Notification(target, ("s3:ObjectCreated:*",), prefix, suffix)


def sent(stack: Stack, tmp_path: Path, name: str, content: bytes = b"{n}", **options: Any) -> Copies | None:
    """What is sent of a file with this name; `kind` is the option's."""
    file, kind = tmp_path / name, options.pop("kind", "object_file")
    file.write_bytes(content)
    options[kind] = file
    return copies_of(LoadTestOptions(**options).replaced(given=frozenset(options)), stack)


def test_a_file_goes_below_the_prefix_and_keeps_its_name(stack: Stack, tmp_path: Path) -> None:
    """Of several notifications, it is the first whose suffix the name has; prefixes are spelt as in S3's events."""
    heard = notifying(stack, created("Orders", "a/", ".xml"), created("Orders", "in%3D/", ".json"))
    made = sent(heard, tmp_path, "order.json", b"\xff{n}")
    assert made is not None
    assert (made.unit, made.to, made.name, made.prefix, made.end) == (
        *("object", "In", "in-bucket", "in=/", "-order.json"),
    )
    assert b64decode(made.content) == b"\xff{n}"


def test_a_message_goes_to_the_queue_that_is_polled(stack: Stack, tmp_path: Path) -> None:
    """A queue that nothing polls is no choice."""
    made = sent(stack, tmp_path, "m.json", kind="message_file")
    assert made is not None
    assert (made.unit, made.to, made.name, made.prefix, made.end) == ("message", "Orders", "orders", "", "")


def test_of_several_queues_one_is_asked_for(stack: Stack, tmp_path: Path) -> None:
    """By its logical id or its name; without, the error lists them."""
    second = replace(stack.mappings["WorkerOrders"], logical_id="second", queue="Returns")
    several = replace(stack, mappings={**stack.mappings, "second": second})
    for to in ("Orders", "orders"):
        made = sent(several, tmp_path, "m", kind="message_file", to=to)
        assert made is not None
        assert made.to == "Orders"
    with pytest.raises(InputError, match="--message: which queue") as raised:
        sent(several, tmp_path, "m", kind="message_file")
    assert "'Orders' or 'Returns'" in (raised.value.hint or "")
    with pytest.raises(InputError, match="no queue 'Retruns'") as raised:
        sent(several, tmp_path, "m", kind="message_file", to="Retruns")
    assert raised.value.hint == "did you mean 'Returns'?"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rows": 5}, "'--rows' does not go with '--object'"),
        ({"audit": "sample"}, "'--audit' does not go with '--object'"),
        ({"target": "sink"}, "'--target sink' does not go with '--object'"),
        ({"message_file": Path("m")}, "'--message' does not go with '--object'"),
        ({"to": "Out"}, "no bucket 'Out'"),
    ],
)
def test_only_the_pipelines_rows_are_known(options: Any, said: str, stack: Stack, tmp_path: Path) -> None:
    """What counts rows, reads them or keeps nothing is refused with a file."""
    with pytest.raises(InputError, match=said):
        sent(notifying(stack, created("Orders")), tmp_path, "o.json", **options)


def test_no_audit_goes_with_a_file(stack: Stack, tmp_path: Path) -> None:
    """There is none in any case."""
    assert sent(stack, tmp_path, "m", kind="message_file", audit="none") is not None


@pytest.mark.parametrize(
    ("notifications", "said"),
    [
        ((), "the template has no bucket for it"),
        ((created("Unread"),), "the template has no bucket for it"),
        ((Notification("Orders", ("s3:ObjectRemoved:*",)),), "the template has no bucket for it"),
        ((created("Orders", suffix=".xml"),), "no function would hear of 'o.json': bucket In only tells of '*.xml'"),
    ],
)
def test_an_object_that_nothing_would_process_is_refused(
    notifications: tuple[Notification, ...], said: str, stack: Stack, tmp_path: Path
) -> None:
    """No notification of a put, none to a queue that is polled, or none with the file's suffix."""
    with pytest.raises(InputError) as raised:
        sent(notifying(stack, *notifications), tmp_path, "o.json")
    assert said in str(raised.value)


def test_a_backlog_needs_a_queue(stack: Stack, tmp_path: Path) -> None:
    """A bucket that invokes a function leaves nothing waiting for it."""
    invoking = notifying(stack, created("Worker"))
    assert sent(invoking, tmp_path, "o.json") is not None
    with pytest.raises(InputError, match="'--backlog' needs a queue"):
        sent(invoking, tmp_path, "o.json", backlog=5)


@pytest.mark.parametrize("content", [b"", b"\xff"])
def test_a_message_is_text(content: bytes, stack: Stack, tmp_path: Path) -> None:
    """SQS takes neither an empty message nor bytes that are not UTF-8."""
    with pytest.raises(InputError, match="is empty or not UTF-8"):
        sent(stack, tmp_path, "m", content, kind="message_file")


def test_a_file_is_bounded(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message by what its queue takes, an object by what is kept in memory."""
    small: Queue = replace(stack.queues["Orders"], maximum_message_bytes=9)
    with pytest.raises(InputError, match="has more than 9 bytes"):
        sent(replace(stack, queues={"Orders": small}), tmp_path, "m", b"x" * 10, kind="message_file")
    monkeypatch.setattr(limits, "LOAD_FILE_BYTES", 8)
    with pytest.raises(InputError, match="has more than 8 bytes"):
        sent(notifying(stack, created("Orders")), tmp_path, "o", b"x" * 10)


def test_the_pipelines_own_load_is_generated(stack: Stack) -> None:
    """It takes no file; another application needs one."""
    own = template.load(None, {})
    assert copies_of(LoadTestOptions(), own) is None
    for option, asked in (("--object", LoadTestOptions(object_file=Path("x"))), ("--to", LoadTestOptions(to="x"))):
        with pytest.raises(InputError, match=f"{option}: the pipeline's own load is generated"):
            copies_of(asked, own)
    for asked in (LoadTestOptions(), LoadTestOptions(to="Orders")):
        with pytest.raises(InputError, match="the template is not the pipeline's"):
            copies_of(asked, stack)
