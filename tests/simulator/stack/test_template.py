"""template.yaml -> Stack: what is read, what is listed as ignored, and what is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.stack.model import Notification, Redrive, Stack
from simulator.stack.patterns import read_pattern
from simulator.stack.template import TemplateError, load

Load = Callable[..., Stack]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Load a template from text, with parameters as keyword arguments."""

    def load_text(text: str, **parameters: str) -> Stack:
        file = tmp_path / "t.yaml"
        file.write_text(text, encoding="utf-8")
        return load(file, parameters)

    return load_text


QUEUE = """
Resources:
  Q:
    Type: AWS::SQS::Queue
    Properties:
"""


def test_own_template_has_the_names_of_the_contract() -> None:
    """The pipeline's template declares its resources under the public names, connected from bucket to table."""
    stack = load()

    assert [function.name for function in stack.functions.values()] == ["GeneratorLambda", "ConsumerLambda"]
    assert stack.functions["GeneratorLambda"].handler == "pipeline.generator.handler"
    assert stack.functions["ConsumerLambda"].handler == "pipeline.consumer.handler"
    assert stack.queues["StockQueue"].name == "StockQueue"
    assert stack.queues["StockQueue"].redrive == Redrive("StockDLQ", 5)
    assert stack.queues["StockDLQ"].retention_s == 14 * 86_400
    assert (stack.tables["StockData"].partition_key, stack.tables["StockData"].sort_key) == (("PK", "S"), ("SK", "S"))
    assert stack.tables["StockData"].provisioned_units is None
    (bucket,) = stack.buckets.values()
    assert bucket.notifications == (Notification("StockQueue", ("s3:ObjectCreated:*",), "stocks/", ""),)
    (schedule,) = stack.schedules.values()
    assert (schedule.function, schedule.expression) == ("GeneratorLambda", "rate(1 minute)")
    (mapping,) = stack.mappings.values()
    assert (mapping.function, mapping.queue) == ("ConsumerLambda", "StockQueue")
    assert mapping.reports_batch_item_failures


@pytest.mark.parametrize(
    ("parameter", "value", "read"),
    [
        ("BatchSize", "7", lambda stack: stack.mappings["ConsumerLambdaBatch"].batch_size),
        ("BatchingWindow", "3", lambda stack: stack.mappings["ConsumerLambdaBatch"].window_s),
        ("MaximumConcurrency", "9", lambda stack: stack.mappings["ConsumerLambdaBatch"].maximum_concurrency),
        ("VisibilityTimeout", "77", lambda stack: stack.queues["StockQueue"].visibility_timeout_s),
        ("MaxReceiveCount", "4", lambda stack: stack.queues["StockQueue"].redrive.maximum_receives),
        ("ConsumerTimeout", "8", lambda stack: stack.functions["ConsumerLambda"].timeout_s),
        ("ConsumerMemory", "256", lambda stack: stack.functions["ConsumerLambda"].memory_mb),
        ("GeneratorTimeout", "9", lambda stack: stack.functions["GeneratorLambda"].timeout_s),
        ("GeneratorMemory", "300", lambda stack: stack.functions["GeneratorLambda"].memory_mb),
        ("ScheduleExpression", "rate(5 minutes)", lambda stack: stack.schedules["GeneratorLambdaTick"].expression),
        ("TableName", "Other", lambda stack: stack.functions["ConsumerLambda"].environment["TABLE_NAME"]),
        ("BucketName", "my-bucket", lambda stack: stack.functions["GeneratorLambda"].environment["BUCKET_NAME"]),
        ("QueueName", "OtherQueue", lambda stack: stack.queues["StockQueue"].name),
        ("DeadLetterQueueName", "OtherDLQ", lambda stack: stack.queues["StockDLQ"].name),
        ("ConsumerName", "Eater", lambda stack: stack.functions["ConsumerLambda"].name),
        ("GeneratorName", "Maker", lambda stack: stack.functions["GeneratorLambda"].name),
        *[
            (name, value, lambda stack, key=key: stack.functions["GeneratorLambda"].environment[key])
            for name, value, key in [
                ("KeyPrefix", "other/", "KEY_PREFIX"),
                ("FileCount", "5", "FILE_COUNT"),
                ("RowsPerFile", "6", "ROWS_PER_FILE"),
                ("TickerCount", "7", "TICKER_COUNT"),
                ("Seed", "8", "SEED"),
            ]
        ],
        *[
            (name, value, lambda stack, key=key: stack.functions["ConsumerLambda"].environment[key])
            for name, value, key in [
                ("TickerColumn", "name", "TICKER_COLUMN"),
                ("TimestampColumn", "when", "TIMESTAMP_COLUMN"),
                ("TimestampFormat", "%d.%m.%Y", "TIMESTAMP_FORMAT"),
                ("RejectedPrefix", "bad/", "REJECTED_PREFIX"),
                ("ObjectConcurrency", "2", "OBJECT_CONCURRENCY"),
                ("WriteConcurrency", "3", "WRITE_CONCURRENCY"),
                ("WriteRate", "100", "WRITE_RATE"),
                ("BatchWriter", "aiobotocore", "BATCH_WRITER"),
            ]
        ],
    ],
)
def test_every_setting_is_a_parameter(parameter: str, value: str, read: Callable[[Stack], object]) -> None:
    """Each setting, timeout, size, window, concurrency, visibility and receive count follows its parameter."""
    assert str(read(load(None, {parameter: value}))) == value
    assert str(read(load())) != value


def test_queue_policy_names_the_bucket_that_notifies() -> None:
    """The policy's condition is the bucket's exact ARN, derived or given, though no Ref connects the two."""
    for parameters in ({}, {"BucketName": "given"}):
        stack = load(None, parameters)
        policy = stack.queues["StockQueue"].policy
        assert policy is not None
        (bucket,) = stack.buckets.values()
        assert policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"] == bucket.arn


def test_unacted_properties_are_listed(load_text: Load) -> None:
    """A property that the twin does not act on is listed with its path; one that it acts on is not."""
    stack = load_text(QUEUE + "      VisibilityTimeout: 5\n      KmsMasterKeyId: k\n")

    assert [(entry.logical_id, entry.property) for entry in stack.ignored] == [("Q", "KmsMasterKeyId")]
    assert stack.queues["Q"].visibility_timeout_s == 5


def test_resource_without_effect_is_listed(load_text: Load) -> None:
    """An alarm changes nothing about a row: it is accepted, and reported."""
    stack = load_text(QUEUE + "      DelaySeconds: 1\n  A: {Type: AWS::CloudWatch::Alarm}\n")

    assert [entry.logical_id for entry in stack.ignored] == ["A"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.yaml:1: not a CloudFormation template"),
        ("a: [", "t.yaml:1: not YAML"),
        ("Resources: {}", "t.yaml: it declares no Resources"),
        ("Resources:\n  A: 5", "t.yaml:2: A: a resource needs a Type"),
        ("Resources:\n  A:\n    Type: AWS::EC2::VPC", "t.yaml:3: A: AWS::EC2::VPC is not supported by the simulator"),
        (QUEUE + "      VisibilityTimeout: soon", "t.yaml:6: Q: VisibilityTimeout: must be a whole number"),
        (QUEUE + "      FifoQueue: true", "t.yaml:6: Q: FifoQueue: FIFO queues are not supported"),
        (QUEUE + "      DelaySeconds: !Ref Nothing", "t.yaml:6: 'Nothing' is neither a resource nor a parameter"),
        (QUEUE + "      DelaySeconds: !GetAZs x", "t.yaml:6: Fn::GetAZs is not supported here"),
        (QUEUE + "      QueueName: a\n      QueueName: b", "t.yaml:7: the key 'QueueName' occurs twice in one mapping"),
        (QUEUE + "      QueueName: !Ref Q", "t.yaml:3: Q: its name depends on itself"),
        (QUEUE + "      DelaySeconds: !If [Nope, 1, 2]", "t.yaml:6: there is no condition 'Nope'"),
        (
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: a.b\n"
            "      Runtime: python3.13\n      Events:\n        E:\n          Type: Kinesis\n",
            "t.yaml:9: F: Events.E.Type: a trigger of type Kinesis is not supported by the simulator",
        ),
        (
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: python3.13}\n",
            "t.yaml:4: F: Handler is required",
        ),
        (
            "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      NotificationConfiguration:\n"
            "        QueueConfigurations:\n          - {Event: 's3:ObjectCreated:*', Queue: 'arn:other'}\n",
            "t.yaml:7: B: NotificationConfiguration.QueueConfigurations[0].Queue: arn:other is not an AWS::SQS::Queue",
        ),
    ],
)
def test_malformed_template_names_line_and_resource(load_text: Load, text: str, message: str) -> None:
    """What cannot be used is one line that names file, line, resource and property."""
    with pytest.raises(TemplateError) as refused:
        load_text(text)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Nope": "1"}, "has no parameter 'Nope'; "),
        ({"FileCount": "x"}, "parameter FileCount=x: must be a number"),
        ({"FileCount": "0"}, "parameter FileCount=0: must be at least 1"),
        ({"FileCount": "10001"}, "parameter FileCount=10001: must be at most 10000"),
        ({"PythonVersion": "2.7"}, "parameter PythonVersion=2.7: must be one of '3.11'"),
    ],
)
def test_parameters_are_checked_as_cloudformation_does(parameters: dict[str, str], message: str) -> None:
    """Unknown names, non-numbers, and values beyond their bounds are refused by name."""
    with pytest.raises(TemplateError, match=message.replace("(", r"\(")):
        load(None, parameters)


def test_missing_template_is_one_line(tmp_path: Path) -> None:
    """A path that does not exist is a message, not a traceback."""
    with pytest.raises(TemplateError, match="there is no template"):
        load(tmp_path / "none.yaml")


def test_intrinsics_resolve(load_text: Load) -> None:
    """Sub, Join, Select, Split, FindInMap, If, And, Or, Not and NoValue give what CloudFormation gives."""
    stack = load_text(
        """
Parameters: {Stage: {Type: String, Default: prod}}
Mappings: {Delays: {prod: {Seconds: 9}}}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Both: !And [{Condition: Prod}, !Not [!Equals [a, b]]]
  Neither: !Or [!Equals [a, b], !Equals [c, d]]
Resources:
  Q:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Join ["-", [!Ref Stage, !Select [1, !Split [",", "x,y"]], !Sub "${AWS::Region}-${!kept}"]]
      DelaySeconds: !FindInMap [Delays, !Ref Stage, Seconds]
      VisibilityTimeout: !If [Both, 11, 12]
      MessageRetentionPeriod: {"Fn::If": [Neither, 60, !Ref "AWS::NoValue"]}
  Gone: {Type: AWS::SQS::Queue, Condition: Neither}
"""
    )

    queue = stack.queues["Q"]
    assert queue.name == "prod-y-us-east-1-${kept}"
    assert (queue.delay_s, queue.visibility_timeout_s, queue.retention_s) == (9, 11, 345_600)
    assert "Gone" not in stack.queues


def test_plain_event_source_mapping_is_read(load_text: Load) -> None:
    """The CloudFormation form of a mapping means the same as SAM's event."""
    stack = load_text(
        """
Resources:
  Q: {Type: AWS::SQS::Queue}
  F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.13, FunctionName: eater}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref F
      EventSourceArn: !GetAtt Q.Arn
      BatchSize: 3
      FilterCriteria: {Filters: [{Pattern: '{"body": {"a": [1]}}'}]}
      ProvisionedPollerConfig: {MinimumPollers: 3, MaximumPollers: 4}
"""
    )

    mapping = stack.mappings["M"]
    assert (mapping.function, mapping.queue, mapping.batch_size) == ("F", "Q", 3)
    assert mapping.provisioned is not None
    assert (mapping.provisioned.minimum, mapping.provisioned.maximum) == (3, 4)
    assert mapping.filters == (read_pattern('{"body": {"a": [1]}}'),)
    assert stack.ignored == ()


def test_defaults_of_a_run_give_way_to_parameters() -> None:
    """A run's seed replaces the template's default, and gives way to a parameter that was set."""
    assert load(None, {}, defaults={"Seed": "5"}).parameters["Seed"] == "5"
    assert load(None, {"Seed": "6"}, defaults={"Seed": "5"}).parameters["Seed"] == "6"
    assert "Other" not in load(None, {}, defaults={"Other": "5"}).parameters


def test_document_has_intrinsics_in_their_long_form(load_text: Load) -> None:
    """CloudFormation gets the template as written, in a form that JSON can express."""
    stack = load_text(
        """
Conditions: {A: !Equals [a, a], B: !And [!Condition A, !Not [!Condition C]], C: !Condition D, D: !Equals [a, b]}
Resources:
  Q: {Type: AWS::SQS::Queue, Condition: B, Properties: {QueueName: !If [B, !Ref "AWS::StackName", no]}}
Outputs: {Arn: {Value: !GetAtt Q.Arn}, Day: {Value: 2026-11-22}}
"""
    )
    assert stack.queues["Q"].name == stack.name
    assert stack.document["Conditions"]["B"] == {"Fn::And": [{"Condition": "A"}, {"Fn::Not": [{"Condition": "C"}]}]}
    assert stack.document["Resources"]["Q"]["Properties"] == {
        "QueueName": {"Fn::If": ["B", {"Ref": "AWS::StackName"}, False]}
    }
    assert stack.document["Outputs"] == {"Arn": {"Value": {"Fn::GetAtt": ["Q", "Arn"]}}, "Day": {"Value": "2026-11-22"}}
