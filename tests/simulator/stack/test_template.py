"""template.yaml -> Stack: what is read, what is listed as ignored, and what is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.stack.model import Index, Notification, Redrive, Stack
from simulator.stack.patterns import read_pattern
from simulator.stack.template import TemplateError, load

Load = Callable[..., Stack]


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
    assert stack.tables["StockData"].keys == (("PK", "S"), ("SK", "S"))
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
        (QUEUE + "      VisibilityTimeout: soon", "t.yaml:6: Q: VisibilityTimeout: must be a whole number"),
        (QUEUE + "      FifoQueue: perhaps", "t.yaml:6: Q: FifoQueue: must be true or false, not 'perhaps'"),
        (QUEUE + "      DelaySeconds: !Ref Nothing", "t.yaml:6: 'Nothing' is neither a resource nor a parameter"),
        (QUEUE + "      DelaySeconds: !Guess x", "t.yaml:6: Fn::Guess is not supported here"),
        (QUEUE + "      QueueName: !Ref Q.Arn", "t.yaml:6: 'Q.Arn' is neither a resource nor a parameter"),
        (QUEUE + "      DelaySeconds: !GetAtt Q.Size", "t.yaml:6: Q.Size of a AWS::SQS::Queue is not known here"),
        (QUEUE + "      RedrivePolicy: '{'", "t.yaml:6: Q: RedrivePolicy: is not JSON"),
        (QUEUE + "      RedrivePolicy: '[]'", "t.yaml:6: Q: RedrivePolicy: must be a mapping"),
        (QUEUE + "      QueueName: a\n      QueueName: b", "t.yaml:7: the key 'QueueName' occurs twice in one mapping"),
        (QUEUE + "      QueueName: !Ref Q", "t.yaml:3: Q: its name depends on itself"),
        (QUEUE + "      DelaySeconds: !If [Nope, 1, 2]", "t.yaml:6: there is no condition 'Nope'"),
        (
            "Mappings: {M: {a: {b: {c: d}}}}" + QUEUE + "      DelaySeconds: !FindInMap [M, a, b]",
            "t.yaml:6: the mapping M.a.b must be text, a number or a list of them",
        ),
        (
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: python3.13}\n",
            "t.yaml:4: F: Handler is required",
        ),
        (
            "Resources:\n  Q: {Type: AWS::SQS::Queue}\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n"
            "      NotificationConfiguration:\n        QueueConfigurations:\n"
            "          - {Event: 's3:ObjectCreated:*', Queue: !Ref Q}\n",
            "t.yaml:8: B: NotificationConfiguration.QueueConfigurations[0].Queue: must be an ARN, like !GetAtt Q.Arn",
        ),
        (
            "Conditions: {C: !Equals [!Ref Q, a]}\nResources:\n  Q: {Type: AWS::SQS::Queue, Condition: C}\n",
            "t.yaml:1: Q of a AWS::SQS::Queue is not known here",
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
      VisibilityTimeout: !Sub ["${AWS::NoValue}${Seconds}", {Seconds: !If [Both, 11, 12]}]
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


def test_missing_parameters_are_told_at_once(load_text: Load) -> None:
    """The line is the first one's, and the hint can be pasted."""
    text = "Parameters: {A: {Type: String},\n  B: {Type: String, Default: b}, C: {Type: Number}}\n" + QUEUE.rstrip()
    with pytest.raises(TemplateError, match=r"t\.yaml:1: parameters 'A', 'C' have no default and no value") as refused:
        load_text(text)
    assert refused.value.hint == "add --parameter A=VALUE --parameter C=VALUE"
    with pytest.raises(TemplateError, match=r"t\.yaml:2: parameter 'C' has no default and no value"):
        load_text(text, A="a")
    assert load_text(text, A="a", C="3").parameters == {"A": "a", "B": "b", "C": "3"}


def value(written: str) -> str:
    """A template whose queue has this name."""
    parameters = (
        "{L: {Type: CommaDelimitedList, Default: 'a, b'}, S: {Type: AWS::SSM::Parameter::Value<String>, Default: /p}}"
    )
    return (
        f"Parameters: {parameters}\nResources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {written}}}}}}}"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("!Base64 hello", "aGVsbG8="),
        ("!Select [1, !GetAZs '']", "us-east-1b"),
        ("{Fn::Length: [a, b]}", "2"),
        ("{Fn::ToJsonString: {a: [1, !Ref AWS::Region]}}", '{"a": [1, "us-east-1"]}'),
        ("!Join ['+', !Ref L]", "a+b"),
        ("!Ref S", "/p"),
        ("!ImportValue shared", "stockpipe-Q"),
        ("!Transform {Name: AWS::Include}", "stockpipe-Q"),
    ],
)
def test_rarer_functions_and_parameters_resolve(load_text: Load, written: str, read: str) -> None:
    """What can be computed is; where only AWS knows a name, the resource has the one that it would have without."""
    assert load_text(value(written)).queues["Q"].name == read


def test_a_redrive_policy_may_be_json_text(load_text: Load) -> None:
    """CloudFormation takes it as a mapping and as text."""
    stack = load_text(
        QUEUE
        + '      RedrivePolicy: !Sub \'{"deadLetterTargetArn": "${D.Arn}", "maxReceiveCount": "4"}\'\n'
        + "  D: {Type: AWS::SQS::Queue}\n"
    )
    assert stack.queues["Q"].redrive == Redrive("D", 4)


def test_a_table_has_its_attributes_and_indexes(load_text: Load) -> None:
    """Keys come partition key first, names as CloudFormation writes them; what does not fit is left to the rules."""
    stack = load_text(
        """
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: n, AttributeType: N}]
      KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: undefined, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: G
          KeySchema: [{AttributeName: id, KeyType: RANGE}, {AttributeName: n, KeyType: HASH}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [a, true]}
      LocalSecondaryIndexes:
        - {IndexName: L, KeySchema: [{AttributeName: id, KeyType: HASH}], Projection: {ProjectionType: KEYS_ONLY}}
"""
    )
    table = stack.tables["T"]
    assert table.attributes == {"id": "S", "n": "N"}
    assert table.keys == (("id", "S"), ("undefined", "S"))
    assert table.indexes == (
        Index("G", True, ("n", "id"), "INCLUDE", ("a", "true")),
        Index("L", False, ("id",), "KEYS_ONLY"),
    )
    assert stack.ignored == ()


@pytest.mark.parametrize(
    ("properties", "key", "units"),
    [
        ("{}", ("id", "S"), None),
        ("{PrimaryKey: {Name: n, Type: Number}}", ("n", "N"), None),
        ("{ProvisionedThroughput: {ReadCapacityUnits: 3, WriteCapacityUnits: 4}}", ("id", "S"), (3, 4)),
    ],
)
def test_a_simple_table_is_a_table(
    load_text: Load, properties: str, key: tuple[str, str], units: tuple[int, int] | None
) -> None:
    """SAM's defaults: a text `id`, on demand unless throughput is given."""
    table = load_text(f"Resources: {{T: {{Type: AWS::Serverless::SimpleTable, Properties: {properties}}}}}").tables["T"]
    assert (table.keys, table.provisioned_units) == ((key,), units)
    assert table.attributes == dict([key])


def test_a_global_table_is_on_demand(load_text: Load) -> None:
    """Its provisioned capacity scales by itself, which is not simulated, and said."""
    properties = "KeySchema: [{AttributeName: id, KeyType: HASH}], WriteProvisionedThroughputSettings: {}"
    stack = load_text(f"Resources: {{T: {{Type: AWS::DynamoDB::GlobalTable, Properties: {{{properties}}}}}}}")
    assert (stack.tables["T"].keys, stack.tables["T"].provisioned_units) == ((("id", "S"),), None)
    assert [each.property for each in stack.ignored] == ["WriteProvisionedThroughputSettings"]


def test_a_policy_for_an_unknown_queue_is_listed(load_text: Load) -> None:
    """It belongs to a queue elsewhere."""
    stack = load_text("Resources: {P: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [x], PolicyDocument: {}}}}")
    assert [(each.property, each.reason) for each in stack.ignored] == [
        ("AWS::SQS::QueuePolicy", "x is not a queue in this template")
    ]


def test_functions_of_long_texts_stay_bounded(load_text: Load) -> None:
    """What a function joins or writes counts, also where the text itself was made by none."""
    long = "x" * 20_000
    for written in (
        f"!Join ['', [{', '.join(['*a'] * 2_000)}]]",
        f"{{Fn::ToJsonString: [{', '.join(['*a'] * 2_000)}]}}",
    ):
        with pytest.raises(TemplateError, match="characters of text in total"):
            load_text(
                f"Sid: &a {long}\nResources: {{Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {written}}}}}}}"
            )


def test_what_is_wrong_with_several_resources_is_said_at_once(load_text: Load) -> None:
    """One line each, and one about what several share."""
    with pytest.raises(TemplateError) as raised:
        load_text(
            "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Timeout: soon}}\nResources:\n"
            "  F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.13}}\n"
            "  Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: late}}\n"
            "  T: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST}}\n"
        )
    assert [line.partition(": ")[2].split(":")[0] for line in raised.value.lines] == ["Q", "F", "T"]
