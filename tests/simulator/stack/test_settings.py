"""The template parameter behind a function's variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes import declare
from simulator.stack import template
from simulator.stack.model import Schedule, Stack
from simulator.stack.settings import line_of, may_invoke, parameter_behind, parameters_behind, properties_of

TEMPLATE = """
Parameters:
  One: {{Type: String, Default: a}}
  Two: {{Type: String, Default: b}}
Conditions: {{Given: !Not [!Equals [!Ref Two, ""]]}}
Globals: {{Function: {{Environment: {{Variables: {{SHARED: !Ref Two, OWN: !Ref Two}}}}}}}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Environment: {{Variables: {{OWN: fixed, IT: {value}}}}}
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{{AttributeName: PK, AttributeType: S}}]
      KeySchema: [{{AttributeName: PK, KeyType: HASH}}]
"""


def test_the_pipelines_own_settings() -> None:
    """The template maps them; a resource decides the table's name."""
    found = parameters_behind(template.load(), "ConsumerLambda")
    assert found["TICKER_COLUMN"] == "TickerColumn"
    assert found["WRITE_RATE"] == "WriteRate"
    assert "TABLE_NAME" not in found


@pytest.mark.parametrize(
    ("value", "parameter"),
    [
        ("!Ref One", "One"),
        ('!Sub "${One}"', "One"),
        ('!Sub "x-${One}-y"', "One"),
        ('!Sub ["${V}", {V: !Ref One}]', "One"),
        ('!Sub ["${V}-${One}", {V: x}]', "One"),
        ('!Sub ["${One}-${Two}", {One: x}]', "Two"),
        ("!If [Given, !Ref One, !Ref AWS::NoValue]", "One"),
        ('!Join ["", [!Ref One]]', "One"),
        ('!Sub "${One}${Two}"', None),
        ("!If [Given, !Ref One, !Ref Two]", None),
        ('!Sub "${!One}"', None),
        ("!Ref T", None),
        ("fixed", None),
    ],
)
def test_a_parameter_in_an_expression(tmp_path: Path, value: str, parameter: str | None) -> None:
    """It alone decides the value; conditions only choose. A function's own variable replaces a shared one."""
    file = tmp_path / "t.yaml"
    file.write_text(TEMPLATE.format(value=value), encoding="utf-8")
    found = parameters_behind(template.load(file), "F")
    assert found == {"SHARED": "Two", **({"IT": parameter} if parameter else {})}


def test_a_function_without_variables_has_none(tmp_path: Path) -> None:
    """A variable that the template does not declare has none either."""
    file = tmp_path / "t.yaml"
    file.write_text("Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Handler: a.b, Runtime: p}}}")
    stack = template.load(file)
    assert parameters_behind(stack, "F") == parameters_behind(stack, "Nobody") == {}


def test_properties_of_the_pipelines_own_resources() -> None:
    """It covers a function, a queue, and a mapping that is a function's event; a fixed value has no parameter."""
    stack = template.load()
    (mapping,) = stack.mappings
    scaling = ("ScalingConfig", "MaximumConcurrency")
    assert parameter_behind(stack, "ConsumerLambda", "Timeout") == "ConsumerTimeout"
    assert parameter_behind(stack, "ConsumerLambda", "ReservedConcurrentExecutions") == "ReservedConcurrency"
    assert parameter_behind(stack, "ConsumerLambda", "Runtime") == "PythonVersion"
    assert parameter_behind(stack, "StockQueue", "VisibilityTimeout") == "VisibilityTimeout"
    assert parameter_behind(stack, mapping, *scaling) == "MaximumConcurrency"
    assert parameter_behind(stack, "StockQueue", "MessageRetentionPeriod") is None
    assert parameter_behind(stack, "StockQueue", "Runtime") is None
    assert parameter_behind(stack, mapping, "Enabled") is None
    assert parameter_behind(stack, "Nobody", "Enabled") is None


def test_a_mapping_that_is_a_resource_of_its_own(tmp_path: Path) -> None:
    """In CloudFormation's plain form it has the properties itself."""
    file = tmp_path / "t.yaml"
    file.write_text(
        "Parameters: {On: {Type: String, Default: 'true'}}\n"
        "Resources:\n"
        "  F: {Type: 'AWS::Serverless::Function', Properties: {Handler: a.b, Runtime: p}}\n"
        "  Q: {Type: 'AWS::SQS::Queue'}\n"
        "  M:\n"
        "    Type: AWS::Lambda::EventSourceMapping\n"
        "    Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn, Enabled: !Ref On}\n",
        encoding="utf-8",
    )
    assert parameter_behind(template.load(file), "M", "Enabled") == "On"


def test_a_section_has_no_parameter_of_its_own() -> None:
    """Only what is in it has one, even if it is the only one."""
    stack = template.load()
    (mapping,) = stack.mappings
    assert parameter_behind(stack, mapping, "ScalingConfig") is None


PLACES = """Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 3
    Environment:
      Variables:
        SHARED: x
Resources:
  Q: {Type: AWS::SQS::Queue}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Timeout: 4
      Events:
        Batch:
          Type: SQS
          Properties:
            Queue: !GetAtt Q.Arn
            ScalingConfig:
              MaximumConcurrency: 5
        Tick:
          Type: Schedule
          Properties:
            Schedule: rate(1 hour)
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("F",), 10),
        (("F", "Timeout"), 15),
        (("F", "Environment", "Variables", "SHARED"), 7),
        (("F", "Environment", "Variables", "OTHER"), 6),
        (("F", "MemorySize"), 10),
        (("FBatch",), 18),
        (("FBatch", "ScalingConfig", "MaximumConcurrency"), 22),
        (("FTick",), 24),
        (("FTick", "Schedule"), 26),
        (("Nobody",), None),
        (("Nobody", "Timeout"), None),
    ],
)
def test_the_line_of_a_property(tmp_path: Path, where: tuple[str, ...], line: int | None) -> None:
    """Where the nearest thing is that the template has: a function's own property before a shared one."""
    file = tmp_path / "t.yaml"
    file.write_text(PLACES, encoding="utf-8")
    assert line_of(template.load(file), *where) == line


def test_an_event_without_a_line_has_its_functions() -> None:
    """A mapping or a schedule that is declared elsewhere than in its function, for example."""
    schedule = Schedule("Tick", "tick", "Consumer", "rate(1 hour)", "rule", "arn")
    stack = declare.stack(mappings={"Mapping": declare.mapping()}, schedules={"Tick": schedule}, lines={"Consumer": 7})
    assert [line_of(stack, name) for name in ("Mapping", "Tick", "Nobody")] == [7, 7, None]


def test_properties_as_written_are_a_mapping() -> None:
    """Of what the template does not have, an empty one."""
    assert properties_of(template.load(), "Nobody") == {}


def test_a_permission_is_one_for_a_service() -> None:
    """Any of the template's permissions may be it; another resource with a principal is none."""

    def principals(kind: str, *names: str) -> Stack:
        resources = {f"P{name}": {"Type": kind, "Properties": {"Principal": f"{name}.amazonaws.com"}} for name in names}
        return declare.stack(document={"Resources": resources})

    assert may_invoke(principals("AWS::Lambda::Permission", "events", "s3"), "s3")
    assert not may_invoke(principals("AWS::Lambda::Permission", "events"), "s3")
    assert not may_invoke(principals("AWS::SNS::Topic", "s3"), "s3")
