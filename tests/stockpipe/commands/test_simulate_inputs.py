"""What `simulate` sends to an application that is not the pipeline: files as they are, messages, an event."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes import declare
from simulator.base import limits
from simulator.base.errors import InputError
from simulator.run.sources import Inputs
from simulator.stack import template
from simulator.stack.model import Bucket, Notification, Redrive, Stack
from stockpipe.commands.simulate.inputs import chosen_inputs
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import resolve

Write = Callable[[str, str], Path]


def notifying(logical_id: str, *notifications: Notification) -> Bucket:
    """A bucket."""
    return Bucket(logical_id, logical_id.lower(), "arn", notifications=notifications)


def application(**changes: Any) -> Stack:
    """A queue and a bucket that feed one function each."""
    queue, bucket = (
        declare.queue("Orders"),
        notifying("Uploads", Notification("Reader", ("s3:ObjectCreated:*",), "in/")),
    )
    functions = {"Consumer": declare.function(), "Reader": declare.function("Reader")}
    plain: dict[str, Any] = {
        "functions": functions,
        "queues": {"Orders": queue},
        "buckets": {"Uploads": bucket},
        "mappings": {"Mapping": declare.mapping(queue="Orders")},
    }
    return declare.stack(**plain | changes)


def chosen(stack: Stack, **options: Any) -> Inputs:
    """The inputs that these options give."""
    return chosen_inputs(SimulateOptions(**options), stack)[0]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(name, text)`: a file below a fresh folder."""

    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_nothing_is_sent_without_being_asked_for() -> None:
    """Then the schedules fire, or the user sends."""
    assert not chosen(application())


def test_files_are_put_as_they_are_below_the_prefix(write: Write) -> None:
    """Whatever their names and contents; hidden files of a folder are left out, and a file alone has its own name."""
    for name in ("a.json", "deep/_b.csv", ".DS_Store"):
        write(f"data/{name}", "anything")
    alone = write("c.bin", "")
    inputs = chosen(application(), sources=(alone.parent / "data",), paths=(alone,))
    assert (inputs.bucket, [file.key for file in inputs.files]) == (
        "uploads",
        ["in/a.json", "in/deep/_b.csv", "in/c.bin"],
    )


def test_a_prefix_is_written_as_its_event_writes_it(write: Write) -> None:
    """S3 compares it with the encoded key; files that the suffix does not match are told of."""
    bucket = notifying("Uploads", Notification("Reader", ("s3:ObjectCreated:*",), "dt%3D1/", ".csv"))
    files = (write("a.csv", ""), write("b.txt", ""))
    inputs, said = chosen_inputs(SimulateOptions(sources=files), application(buckets={"Uploads": bucket}))
    assert [file.key for file in inputs.files] == ["dt=1/a.csv", "dt=1/b.txt"]
    assert said == ("1 file put without effect: Uploads only tells of '*.csv'",)


def test_a_file_goes_where_its_suffix_is_heard_of(write: Write) -> None:
    """Each below the prefix of the first notification of new objects that has it."""
    created = ("s3:ObjectCreated:Put",)
    bucket = notifying(
        "Uploads",
        Notification("Reader", ("s3:ObjectRemoved:*",), "gone/"),
        Notification("Reader", created, "csv/", ".csv"),
        Notification("Orders", created, "json/", ".json"),
    )
    files = tuple(write(name, "") for name in ("a.csv", "b.json", "c.txt"))
    inputs, said = chosen_inputs(SimulateOptions(sources=files), application(buckets={"Uploads": bucket}))
    assert [file.key for file in inputs.files] == ["csv/a.csv", "json/b.json", "csv/c.txt"]
    assert said == ("1 file put without effect: Uploads only tells of '*.csv' or '*.json'",)


def test_files_go_to_the_bucket_that_no_function_knows(write: Write) -> None:
    """The other one is written by a function."""
    buckets = {name: notifying(name, Notification("Reader", ("s3:ObjectCreated:*",))) for name in ("Between", "First")}
    consumer = declare.function(environment={"TARGET": "s3://between/out"})
    stack = application(buckets=buckets, functions={"Consumer": consumer, "Reader": declare.function("Reader")})
    assert chosen(stack, sources=(write("a", ""),)).bucket == "first"


def test_files_need_a_bucket_that_notifies(write: Write) -> None:
    """Otherwise nothing would ever happen."""
    with pytest.raises(InputError, match="--source: the template has no notifying bucket for it"):
        chosen(application(buckets={"Silent": notifying("Silent")}), sources=(write("a", ""),))
    deaf = notifying("Deaf", Notification("Reader", ("s3:ObjectRemoved:*",)))
    with pytest.raises(InputError, match="--source: the template has no notifying bucket for it"):
        chosen(application(buckets={"Deaf": deaf}), sources=(write("a", ""),))


def test_what_aws_refuses_comes_before_what_the_input_lacks(write: Write) -> None:
    """A bucket that SAM does not accept is why no bucket notifies, and is what the line says."""
    write("src/app.py", "")
    text = """
    Transform: AWS::Serverless-2016-10-31
    Resources:
      Reader:
        Type: AWS::Serverless::Function
        Properties:
          {Handler: app.handler, Runtime: python3.13, CodeUri: src/, Events:
            {Put: {Type: S3, Properties: {Bucket: somebody-elses, Events: 's3:ObjectCreated:*'}}}}
    """
    options = SimulateOptions(template=write("template.yaml", text), sources=(write("a.txt", ""),))
    with pytest.raises(InputError, match="S3 events must reference an S3 bucket in the same template"):
        resolve(options)


def test_each_line_is_a_message(write: Write) -> None:
    """A JSON string is its text, other JSON is sent as it is written, and blank lines are nothing."""
    file = write("m.jsonl", '"plain \\u00e9"\n\n  {"a":  1}\n[1, 2]\n')
    inputs = chosen(application(), messages=(file,))
    assert (inputs.queue, inputs.messages) == ("Orders", ("plain é", '{"a":  1}', "[1, 2]"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n{"a": }\n', "--send: line 2 of '.*' is not JSON: Expecting value"),
        ('""\n', "--send: line 1 of '.*' is no message: SQS takes 1 to 1,048,576 bytes"),
        ("\n", r"--send: there is no message in '.*m\.jsonl'"),
        ('"\\ud800"\n', r"line 1 of '.*' is no message: SQS takes no character U\+D800"),
        ('"a\\u0000"\n', r"line 1 of '.*' is no message: SQS takes no character U\+0000"),
        (json.dumps("x" * (limits.SQS_MESSAGE_BYTES[1] + 1)), "line 1 of '.*' is no message"),
        ("[" * 5_000, "line 1 of '.*' is nested too deeply"),
    ],
)
def test_what_is_no_message_is_refused(write: Write, text: str, said: str) -> None:
    """Before anything starts, in one line with the number of the line."""
    with pytest.raises(InputError, match=said):
        chosen(application(), messages=(write("m.jsonl", text),))


def test_the_largest_message_is_taken(write: Write) -> None:
    """A mebibyte, which is what SQS takes."""
    file = write("m.jsonl", json.dumps("x" * limits.SQS_MESSAGE_BYTES[1]))
    assert len(chosen(application(), messages=(file,)).messages[0]) == 1_048_576


def test_messages_enter_where_data_enters(write: Write) -> None:
    """A polled dead-letter queue and a queue that a function writes to are not meant, unless they are asked for."""
    queues = {
        "Written": declare.queue("Written"),
        "Dead": declare.queue("Dead"),
        "Source": declare.queue("Source", redrive=Redrive("Dead", 3)),
    }
    mappings = {name: declare.mapping(logical_id=name, queue=name) for name in queues}
    consumer = declare.function(environment={"OUTPUT": "https://sqs/Written"})
    stack = application(queues=queues, mappings=mappings, functions={"Consumer": consumer, "Reader": consumer})
    file = write("m.jsonl", "1\n")
    assert chosen(stack, messages=(file,)).queue == "Source"
    assert chosen(stack, messages=(file,), to="Dead").queue == "Dead"


def test_several_queues_are_asked_about(write: Write) -> None:
    """The error names them; a name that none has gets the nearest."""
    queues = {name: declare.queue(name) for name in ("First", "Second")}
    mappings = {name: declare.mapping(logical_id=name, queue=name) for name in queues}
    stack, file = application(queues=queues, mappings=mappings), write("m.jsonl", "1\n")
    with pytest.raises(InputError, match="--send: which queue") as caught:
        chosen(stack, messages=(file,))
    assert caught.value.hint == "add --to NAME, one of 'First' or 'Second'"
    with pytest.raises(InputError, match="--to: the template has no queue 'Frist' for --send") as caught:
        chosen(stack, messages=(file,), to="Frist")
    assert caught.value.hint == "did you mean 'First'?"
    with pytest.raises(InputError, match="the template has no queue for it"):
        chosen(application(mappings={}), messages=(file,))


def test_an_event_invokes_a_function(write: Write) -> None:
    """The only one that something invokes, or the one that is named, even if nothing else invokes it."""
    event = write("e.json", '{"a": [1]}')
    alone = dataclasses.replace(application(), buckets={})
    inputs = chosen(alone, event=event)
    assert (inputs.function, inputs.event) == ("Consumer", {"a": [1]})
    assert chosen(alone, event=event, to="Reader").function == "Reader"
    with pytest.raises(InputError, match="--event: which function"):
        chosen(application(), event=event)


def test_an_event_may_go_to_either_function_of_the_pipeline(write: Write) -> None:
    """It has two, so that one must be named; its files are for its only bucket."""
    own, event = template.load(None, {}), write("e.json", "{}")
    with pytest.raises(InputError, match="--event: which function"):
        chosen(own, event=event)
    assert chosen(own, event=event, to="ConsumerLambda").function == "ConsumerLambda"
    with pytest.raises(InputError, match="'--to' only goes with --send and --event"):
        chosen(own, sources=(event,), to="StockBucket")


def test_what_is_no_event_is_refused(write: Write, tmp_path: Path) -> None:
    """One line: no file, no JSON, larger than Lambda takes, or a place for nothing."""
    with pytest.raises(InputError, match="--event: there is no file"):
        chosen(application(), event=tmp_path / "none", to="Reader")
    with pytest.raises(InputError, match=r"--event: '.*' is not JSON"):
        chosen(application(), event=write("e.json", "{"), to="Reader")
    with pytest.raises(InputError, match=r"--event: '.*' has more than 1,048,576 bytes"):
        chosen(application(), event=write("e.json", json.dumps("x" * 1_048_576)), to="Reader")
    with pytest.raises(InputError, match="'--to' only goes with --send and --event"):
        chosen(application(), to="Orders")


def test_what_only_the_pipeline_has_is_refused(write: Write) -> None:
    """A scenario, and a bound on rows: before anything starts, and by its own name."""
    file = write(
        "t.yaml",
        "Resources:\n  Q: {Type: AWS::SQS::Queue}\n"
        "  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: F, Runtime: python3.13, Handler: a.b}}\n"
        "  M: {Type: AWS::Lambda::EventSourceMapping, Properties: {EventSourceArn: !GetAtt Q.Arn, FunctionName: F}}",
    )
    with pytest.raises(InputError, match="the template is not the pipeline's"):
        resolve(SimulateOptions(template=file, scenario="burst"))
    with pytest.raises(InputError, match="'rejected<1' cannot be judged, because only the pipeline's rows are known"):
        resolve(SimulateOptions(template=file, slo=("rejected<1",)))
