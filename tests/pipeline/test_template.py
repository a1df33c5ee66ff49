"""The template: accepted in both forms, complete in its settings, safe in its defaults, twice in one account."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.counts import ConsumerCounts
from pipeline.functions import ConsumerSettings, GeneratorSettings
from pipeline.settings import PREFIXES
from simulator.stack import intrinsics, model, template
from simulator.stack.packaged import packaged_template
from stockpipe.deploy import transform

SETTINGS = {
    "GeneratorLambda": {"BUCKET_NAME", "KEY_PREFIX", "FILE_COUNT", "ROWS_PER_FILE", "TICKER_COUNT", "SEED"},
    "ConsumerLambda": {
        "TABLE_NAME",
        "TICKER_COLUMN",
        "TIMESTAMP_COLUMN",
        "TIMESTAMP_FORMAT",
        "TIME_ZONE",
        "DELIMITER",
        "DECIMAL_SEPARATOR",
        "SKIP_LINES",
        "COMMENT",
        "COLUMN_NAMES",
        "ENCODING",
        "NULL_VALUES",
        "NUMBERS",
        "REJECTED_PREFIX",
        "KEY_PREFIX",
        "OBJECT_CONCURRENCY",
        "WRITE_CONCURRENCY",
        "WRITE_RATE",
        "BATCH_WRITER",
    },
}
DEFAULT_NAMES = {
    "GeneratorLambda": ("FunctionName", "GeneratorLambda"),
    "ConsumerLambda": ("FunctionName", "ConsumerLambda"),
    "StockQueue": ("QueueName", "StockQueue"),
    "StockDLQ": ("QueueName", "StockDLQ"),
    "StockData": ("TableName", "StockData"),
}
SECOND_STACK = {
    "GeneratorName": "OtherGenerator",
    "ConsumerName": "OtherConsumer",
    "TableName": "OtherData",
    "QueueName": "OtherQueue",
    "DeadLetterQueueName": "OtherDLQ",
}
NAME_PROPERTIES = ("FunctionName", "TableName", "QueueName", "BucketName", "LogGroupName", "AlarmName", "DashboardName")
METRICS = {
    "generator": {"FilesWritten", "RowsGenerated", "BytesWritten"},
    "consumer": {
        "MessagesReceived",
        "MessagesFailed",
        "ObjectsIngested",
        "ObjectsUnreadable",
        "ObjectsGone",
        "ObjectsSkipped",
        "RowsRead",
        "RowsWritten",
        "RowsRejected",
        "RowsDuplicate",
        "RowsUnanswered",
        "BytesRead",
        "BatchWrites",
        "UnprocessedItems",
        "ThrottledRequests",
    },
}

Resolved = dict[str, dict[str, Any]]
RUN_CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"


@pytest.fixture(scope="session")
def template_file() -> Path:
    """The template as shipped."""
    return packaged_template()


@pytest.fixture(scope="session")
def translated(template_file: Path) -> dict[str, Any]:
    """The result of the serverless transform."""
    sam = transform.with_code(template.load(template_file).document, "artifacts", "lambda/code.zip")
    return transform.translate(sam, {}, "us-east-1")


@pytest.fixture(scope="session")
def resolve(template_file: Path) -> Callable[..., Resolved]:
    """The SAM form resolved; a reference to a resource becomes `<Name>` or `<Name.Attribute>`."""

    def resolved(stack_name: str = "stockpipe", parameters: Mapping[str, str] | None = None) -> Resolved:
        document = intrinsics.Document(template_file.read_text(), "template.yaml", parameters or {}, stack_name, {})
        document.reference = lambda name, attribute: f"<{name}.{attribute}>" if attribute else f"<{name}>"
        conditional = {
            name: resource
            for name, resource in document.resources.items()
            if "Condition" not in resource or document.condition(resource["Condition"])
        }
        return {name: document.resolve(resource) for name, resource in conditional.items()}

    return resolved


@pytest.fixture(scope="session")
def findings(
    template_file: Path, translated: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[str]]:
    """All of cfn-lint's findings, hints included, by document; one run for all of them, because it starts slowly.

    `broken` is the translated form with a schedule in the wrong number.
    """
    directory = tmp_path_factory.mktemp("lint")
    broken = copy.deepcopy(translated)
    broken["Parameters"]["ScheduleExpression"]["Default"] = "rate(1 minutes)"
    documents = {"sam.yaml": template_file.read_text(), "translated.json": json.dumps(translated)}
    for name, text in {**documents, "broken.json": json.dumps(broken)}.items():
        (directory / name).write_text(text)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            RUN_CFN_LINT,
            "--include-checks",
            "I",
            "--format",
            "parseable",
            "--",
            *directory.iterdir(),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).splitlines()
    assert all(str(directory) in line for line in said), said
    return lambda name: [line for line in said if f"/{name}:" in line]


def test_sam_form_passes_cfn_lint(findings: Callable[[str], list[str]]) -> None:
    """cfn-lint finds nothing in the SAM form, not even a hint."""
    assert findings("sam.yaml") == []


def test_translated_form_passes_cfn_lint(findings: Callable[[str], list[str]]) -> None:
    """cfn-lint finds nothing in the result of the serverless transform."""
    assert findings("translated.json") == []


def test_translated_form_shows_what_the_sam_form_hides(findings: Callable[[str], list[str]]) -> None:
    """A rate in the wrong number is found in the translated form: the second lint is worth its time."""
    assert any("'minutes' is not one of" in line for line in findings("broken.json"))


def test_simulator_reads_every_resource(template_file: Path) -> None:
    """The twin's loader knows every resource type and intrinsic that the template uses."""
    stack = template.load(template_file)
    assert {"GeneratorLambda", "ConsumerLambda"} == set(stack.functions)


def test_default_names_are_the_documented_ones(resolve: Callable[..., Any]) -> None:
    """Functions, queues and table have the names that scripts rely on."""
    resources = resolve()
    assert {
        logical_id: resources[logical_id]["Properties"][field] for logical_id, (field, _) in DEFAULT_NAMES.items()
    } == {logical_id: name for logical_id, (_, name) in DEFAULT_NAMES.items()}


def test_every_setting_is_a_parameter(template_file: Path) -> None:
    """Each variable of the handlers comes from a parameter, except the names of bucket and table, from the resource."""
    functions = template.load(template_file).document["Resources"]
    parameters = template.load(template_file).document["Parameters"]
    for function, settings in SETTINGS.items():
        variables = functions[function]["Properties"]["Environment"]["Variables"]
        assert set(variables) == settings
        by_resource = {"BUCKET_NAME": "StockBucket", "TABLE_NAME": "StockData"}
        for name, value in variables.items():
            assert value == {"Ref": by_resource[name]} if name in by_resource else value["Ref"] in parameters


def test_an_unset_setting_means_the_default_of_its_parameter(template_file: Path) -> None:
    """The handlers, the template and the simulator have the same defaults, each in its own place."""
    functions = template.load(template_file).functions
    given = functions["GeneratorLambda"].environment
    assert GeneratorSettings.from_environ(given) == GeneratorSettings.from_environ(
        {"BUCKET_NAME": given["BUCKET_NAME"]}
    )
    given = functions["ConsumerLambda"].environment
    assert ConsumerSettings.from_environ(given) == ConsumerSettings.from_environ({"TABLE_NAME": given["TABLE_NAME"]})
    assert model.PREFIXES == PREFIXES


def test_every_figure_is_a_parameter(template_file: Path) -> None:
    """Timeouts, sizes, batch, window, concurrency, visibility and receive count are parameters."""
    resources = template.load(template_file).document["Resources"]
    batch = resources["ConsumerLambda"]["Properties"]["Events"]["Batch"]["Properties"]
    queue = resources["StockQueue"]["Properties"]
    for value in (
        *(resources[logical_id]["Properties"][field] for logical_id in SETTINGS for field in ("Timeout", "MemorySize")),
        batch["BatchSize"],
        batch["MaximumBatchingWindowInSeconds"],
        batch["ScalingConfig"]["MaximumConcurrency"],
        queue["VisibilityTimeout"],
        queue["RedrivePolicy"]["maxReceiveCount"],
    ):
        assert list(value) == ["Ref"]


def test_parameters_are_all_used(template_file: Path) -> None:
    """No parameter is left without effect."""
    text = template_file.read_text()
    after = text[text.index("\nConditions:") :]
    unused = [
        name for name in template.load(template_file).document["Parameters"] if not re.search(rf"\b{name}\b", after)
    ]
    assert unused == []


def test_two_stacks_share_no_name(resolve: Callable[..., Any]) -> None:
    """A second stack with other names has no physical name in common with the first."""

    def names(resources: dict[str, Any]) -> set[tuple[str, str]]:
        return {
            (resource["Type"], resource["Properties"][field])
            for resource in resources.values()
            for field in NAME_PROPERTIES
            if field in resource["Properties"]
        }

    first, second = names(resolve()), names(resolve("other", SECOND_STACK))
    assert len(first) == len(second) == 14
    assert first & second == set()


def test_queue_policy_names_the_bucket_that_is_made(resolve: Callable[..., Any]) -> None:
    """The literal bucket name in the queue's policy is the bucket's own, derived or given."""
    for parameters in ({}, {"BucketName": "my-quotes"}):
        resources = resolve("stockpipe", parameters)
        (statement,) = resources["StockQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        bucket = resources["StockBucket"]["Properties"]["BucketName"]
        assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == f"arn:aws:s3:::{bucket}"


def test_alarms_watch_what_can_go_wrong(resolve: Callable[..., Any]) -> None:
    """Dead-letter queue, oldest message, consumer errors and throttles, generator failures: one alarm each."""
    watched = {
        (
            alarm["Properties"]["Namespace"],
            alarm["Properties"]["MetricName"],
            alarm["Properties"]["Dimensions"][0]["Value"],
        )
        for alarm in resolve().values()
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert watched == {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "<StockDLQ.QueueName>"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "<StockQueue.QueueName>"),
        ("AWS/Lambda", "Errors", "<ConsumerLambda>"),
        ("AWS/Lambda", "Throttles", "<ConsumerLambda>"),
        ("AWS/Lambda", "Errors", "<GeneratorLambda>"),
    }


@pytest.mark.parametrize(("topic", "actions"), [("", None), ("arn:aws:sns:us-east-1:123456789012:t", 1)])
def test_alarms_notify_a_topic_if_there_is_one(resolve: Callable[..., Any], topic: str, actions: int | None) -> None:
    """Without a topic the alarms are only visible; with one, each notifies it of the alarm and its end."""
    for alarm in resolve("stockpipe", {"AlarmTopicArn": topic}).values():
        if alarm["Type"] == "AWS::CloudWatch::Alarm":
            for field in ("AlarmActions", "OKActions"):
                assert alarm["Properties"].get(field) == ([topic] if actions else None)


def test_dashboard_shows_every_published_metric(resolve: Callable[..., Any]) -> None:
    """The dashboard is JSON, requests the handlers' metrics by their names and dimension, and misses none."""
    body = json.loads(resolve()["Dashboard"]["Properties"]["DashboardBody"])
    shown = [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]
    ours = {(metric[1], metric[3]) for metric in shown if metric[0] == "stockpipe"}
    assert {metric[2] for metric in shown if metric[0] == "stockpipe"} == {"FunctionName"}
    assert ours == {(name, "<GeneratorLambda>") for name in METRICS["generator"]} | {
        (name, "<ConsumerLambda>") for name in METRICS["consumer"]
    }


def test_the_consumer_publishes_these_metrics() -> None:
    """Their names are a contract: other people's alarms rely on them."""
    assert ConsumerCounts(bytes_read=7).metrics() == dict.fromkeys(METRICS["consumer"], 0) | {"BytesRead": 7}


def test_bucket_refuses_plain_http_and_the_public(resolve: Callable[..., Any]) -> None:
    """Access without TLS is denied on bucket and objects; the public is locked out; data is encrypted."""
    resources = resolve()
    (statement,) = resources["StockBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert statement["Resource"] == ["<StockBucket.Arn>", "<StockBucket.Arn>/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    bucket = resources["StockBucket"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]
    assert all(resources[queue]["Properties"]["SqsManagedSseEnabled"] for queue in ("StockQueue", "StockDLQ"))


def test_logs_end_and_are_json(resolve: Callable[..., Any], template_file: Path) -> None:
    """Each function logs JSON to its own group, which expires after the given days."""
    resources = resolve("stockpipe", {"LogRetentionDays": "7"})
    groups = {name: resource for name, resource in resources.items() if resource["Type"] == "AWS::Logs::LogGroup"}
    assert {group["Properties"]["RetentionInDays"] for group in groups.values()} == {"7"}
    used = {resources[logical_id]["Properties"]["LoggingConfig"]["LogGroup"] for logical_id in SETTINGS}
    assert used == {f"<{name}>" for name in groups}
    assert template.load(template_file).document["Globals"]["Function"]["LoggingConfig"]["LogFormat"] == "JSON"


def test_safety_is_a_parameter(resolve: Callable[..., Any]) -> None:
    """Backups, deletion protection and the expiry of objects follow their parameters."""
    plain = resolve()
    table = plain["StockData"]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": "true"}
    assert table["DeletionProtectionEnabled"] is False
    assert [rule["Id"] for rule in plain["StockBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]] == [
        "abandoned-uploads"
    ]
    kept = resolve("stockpipe", {"DeletionProtection": "true", "ObjectExpirationDays": "90"})
    assert kept["StockData"]["Properties"]["DeletionProtectionEnabled"] is True
    assert kept["StockBucket"]["Properties"]["LifecycleConfiguration"]["Rules"][1]["ExpirationInDays"] == "90"


def test_tracing_brings_its_permission(resolve: Callable[..., Any]) -> None:
    """A role may write traces exactly if tracing is active."""
    for tracing, expected in (("PassThrough", False), ("Active", True)):
        resources = resolve("stockpipe", {"Tracing": tracing})
        for role in ("GeneratorRole", "ConsumerRole"):
            statements = resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
            assert any(statement["Sid"] == "WriteTraces" for statement in statements) is expected


def test_everything_that_can_is_tagged(resolve: Callable[..., Any], template_file: Path) -> None:
    """Functions, roles, log groups, bucket, queues, table and alarms have the project's tag."""
    untaggable = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::CloudWatch::Dashboard"}
    for name, resource in resolve("stockpipe", {"Project": "quotes"}).items():
        if resource["Type"] == "AWS::Serverless::Function":
            continue
        tagged = resource["Properties"].get("Tags") == [{"Key": "project", "Value": "quotes"}]
        assert tagged is (resource["Type"] not in untaggable), name
    assert template.load(template_file).document["Globals"]["Function"]["Tags"] == {"project": {"Ref": "Project"}}


def test_sam_build_finds_its_method(template_file: Path) -> None:
    """Each function is built by `make build-<LogicalId>` in the directory that CodeUri names, by the same code."""
    makefile = (template_file.parent.parent / "Makefile").read_text()
    template_defaults = template.load(template_file).document["Parameters"]
    for name in SETTINGS:
        function = template.load(template_file).document["Resources"][name]
        assert function["Metadata"] == {"BuildMethod": "makefile"}
        assert function["Properties"]["CodeUri"] == ".."
        assert re.search(rf"^(build-\w+ )*build-{name}( build-\w+)*:", makefile, re.MULTILINE)
    assert f"PYTHON_VERSION ?= {template_defaults['PythonVersion']['Default']}" in makefile
    assert f"ARCHITECTURE ?= {template_defaults['Architecture']['Default']}" in makefile


def test_undeclared_parameter_is_named(template_file: Path) -> None:
    """A parameter that the template does not have is refused, and the message lists those it has."""
    with pytest.raises(intrinsics.TemplateError, match="has no parameter 'FileCuont'"):
        template.load(template_file, {"FileCuont": "1"})


def test_dashboard_shows_every_alarm(resolve: Callable[..., Any]) -> None:
    """The alarms on the dashboard are the stack's own, by the names they are given."""
    for parameters in ({}, {"AlarmPrefix": "quotes"}):
        resources = resolve("stockpipe", parameters)
        body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"])
        shown = {arn.rpartition(":")[2] for arn in body["widgets"][-1]["properties"]["alarms"]}
        assert shown == {
            resource["Properties"]["AlarmName"]
            for resource in resources.values()
            if resource["Type"] == "AWS::CloudWatch::Alarm"
        }
