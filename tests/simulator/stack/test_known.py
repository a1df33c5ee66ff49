"""Names that no resource has, names that are missing, and types that need SAM's transform."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes import declare
from simulator.stack.known import known_names
from simulator.stack.model import Stack
from simulator.stack.rules import examine
from simulator.stack.template import load

SAM = "AWS::Serverless-2016-10-31"


def refused(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What is refused of the functions and other resources in this document."""
    resources = document["Resources"]
    functions = {name: declare.function(name) for name in resources if "Function" in str(resources[name]["Type"])}
    stack = declare.stack(document=document, functions=functions, lines=dict.fromkeys(resources, 1))
    return [(each.logical_id, each.text) for each in examine(stack).violations]


def function(**properties: Any) -> dict[str, Any]:
    """A template with one function and its transform."""
    return {"Transform": SAM, "Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": properties}}}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """A template with one other resource."""
    return {"Resources": {"R": {"Type": kind, "Properties": properties}}}


@pytest.mark.parametrize(
    ("document", "who", "said"),
    [
        (function(Events={"B": {"Type": "SQS"}}), "FB", "Missing required property 'Queue'."),
        (
            function(TimeOut=3),
            "F",
            "property TimeOut not defined for resource of type AWS::Serverless::Function; did you mean 'Timeout'?",
        ),
        (
            function(Events={"B": {"Type": "SQS", "Properties": {"Queue": "q", "FunctionResponseType": []}}}),
            "FB",
            "property FunctionResponseType not defined for resource of type SQS; did you mean 'FunctionResponseTypes'?",
        ),
        (
            function(Events={"T": {"Type": "Schedule", "Properties": {"Xyz": "x"}}}),
            "FT",
            "property Xyz not defined for resource of type Schedule",
        ),
        (
            function(Events={"U": {"Type": "S3", "Properties": {"Bucket": "photos", "Events": "s3:ObjectCreated:*"}}}),
            "FU",
            "S3 events must reference an S3 bucket in the same template.",
        ),
        (
            {**function(), "Globals": {"Function": {"TimeOut": 3}}},
            "Globals",
            "'TimeOut' is not a supported property of 'Function'; did you mean 'Timeout'?",
        ),
        (
            resource("AWS::SQS::Queue", VisibilityTimeOut=3),
            "R",
            "Encountered unsupported property VisibilityTimeOut; did you mean 'VisibilityTimeout'?",
        ),
        (resource("AWS::S3::Bucket", Colour="red"), "R", "Encountered unsupported property Colour"),
        (resource("AWS::SQS::QueuePolicy", Queues=[]), "R", "#: required key [PolicyDocument] not found"),
        (resource("AWS::Lambda::EventSourceMapping"), "R", "#: required key [FunctionName] not found"),
    ],
)
def test_a_name_that_there_is_not_or_must_be_is_refused(document: dict[str, Any], who: str, said: str) -> None:
    """In SAM's words where SAM reads the properties, else in CloudFormation's, with the name that was meant."""
    found = refused(document)
    assert (who, said) == found[0]
    assert all("required" in text.lower() for _, text in found[1:])


@pytest.mark.parametrize(
    "document",
    [
        function(Timeout=3, Events={"A": {"Type": "Api", "Properties": {"Any": 1}}, "S": {"Type": {"Ref": "X"}}}),
        {**function(), "Globals": {"Function": {"Timeout": 3}, "Api": {"Any": 1}}},
        resource("AWS::SNS::Topic", Colour="red"),
        resource("AWS::SQS::QueuePolicy", **{"Fn::Transform": {"Name": "AWS::Include"}}),
    ],
)
def test_what_is_not_known_here_is_not_judged(document: dict[str, Any]) -> None:
    """Other types, other events, and properties that a macro adds."""
    assert refused(document) == []


def test_an_event_of_a_bucket_in_the_template_is_sound() -> None:
    """SAM refuses only one of a bucket elsewhere."""
    properties = {"Bucket": {"Ref": "Photos"}, "Events": "s3:ObjectCreated:*"}
    document = function(Events={"U": {"Type": "S3", "Properties": properties}})
    document["Resources"]["Photos"] = {"Type": "AWS::S3::Bucket"}
    assert refused(document) == []


def test_what_a_template_does_not_make_is_not_judged(load_text: Callable[..., Stack]) -> None:
    """A resource that its condition leaves out, and what a macro repeats."""
    text = """
Conditions: {Never: !Equals [a, b]}
Resources:
  Q: {Type: AWS::SQS::Queue}
  Fn::ForEach::Queues: [Each, [a, b], {Q$Each: {Type: AWS::SQS::Queue, Properties: {Colour: red}}}]
  R: {Type: AWS::SQS::Queue, Condition: Never, Properties: {Colour: red}}
"""
    assert examine(load_text(text)).violations == ()
    assert examine(load_text(text.replace("Condition: Never, ", ""))).violations != ()


def test_a_finding_has_the_line_of_its_property(tmp_path: Path) -> None:
    """In the resource, in an event of it, and in what functions share."""
    lines = [
        f"Transform: {SAM}",
        "Globals:",
        "  Function:",
        "    Handler: a.b",
        "    MemorySise: 128",
        "Resources:",
        "  Q:",
        "    Type: AWS::SQS::Queue",
        "    Properties:",
        "      DelaySecond: 1",
        "  F:",
        "    Type: AWS::Serverless::Function",
        "    Properties:",
        "      Runtime: python3.13",
        "      Events:",
        "        Batch:",
        "          Type: SQS",
        "          Properties:",
        "            Queue: !GetAtt Q.Arn",
        "            BatchSise: 1",
    ]
    (tmp_path / "t.yaml").write_text("\n".join(lines), encoding="utf-8")
    found = examine(load(tmp_path / "t.yaml")).violations
    assert [(each.logical_id, each.line) for each in found] == [("Globals", 5), ("Q", 10), ("FBatch", 20)]


@pytest.mark.parametrize("transform", [SAM, ["AWS::LanguageExtensions", SAM], [{"Name": SAM}]])
def test_a_transform_may_be_one_of_several(transform: Any) -> None:
    """A text, a list of texts, or mappings."""
    assert refused({**function(), "Transform": transform}) == []


@pytest.mark.parametrize("transform", [None, "AWS::LanguageExtensions", [], 5, {"Name": "Mine"}])
def test_without_sams_transform_there_are_no_serverless_types(transform: Any) -> None:
    """CloudFormation names them all at once."""
    resources = {**function()["Resources"], "T": {"Type": "AWS::Serverless::SimpleTable"}}
    (found,) = refused({"Transform": transform, "Resources": resources})
    assert found[0] == "F"
    assert found[1].startswith("Unrecognized resource types: [AWS::Serverless::Function, AWS::Serverless::SimpleTable]")


def test_the_names_are_cloudformations() -> None:
    """As the schemas that come with cfn-lint have them, but for what nobody can set."""
    found = importlib.util.find_spec("cfnlint")
    assert found is not None
    assert found.origin is not None
    schemas = Path(found.origin).parent / "data" / "schemas"
    files = json.loads((schemas / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    plain = [kind for kind in known_names() if kind.startswith("AWS::") and "Serverless" not in kind]
    for kind in plain:
        schema = json.loads((schemas / "resources" / f"{files[kind]}.json").read_text(encoding="utf-8"))
        fixed = {path.removeprefix("/properties/") for path in schema.get("readOnlyProperties", ())}
        required = schema.get("required", ())
        assert known_names()[kind] == {name: name in required for name in schema["properties"] if name not in fixed}, (
            kind
        )


def test_the_names_are_sams() -> None:
    """As its translator has them."""
    from samtranslator.model import sam_resources as sam
    from samtranslator.model.eventsources import pull, push
    from samtranslator.model.eventsources.scheduler import SchedulerEventSource
    from samtranslator.plugins.globals.globals import Globals

    theirs = {
        "AWS::Serverless::Function": sam.SamFunction,
        "AWS::Serverless::SimpleTable": sam.SamSimpleTable,
        "S3": push.S3,
        "SQS": pull.SQS,
        "Schedule": push.Schedule,
        "ScheduleV2": SchedulerEventSource,
    }
    for kind, model in theirs.items():
        assert known_names()[kind] == {name: each.required for name, each in model.property_types.items()}, kind
    shared = Globals.supported_properties["AWS::Serverless::Function"]
    assert known_names()["Globals.Function"] == dict.fromkeys(shared, False)
    assert all(kind in theirs or "Serverless" not in kind for kind in known_names())
