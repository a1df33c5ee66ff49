"""deploy, status, verify, redrive, invoke and destroy against an engine: what they ask, do, print and leave.

The engine is moto, whose green stack proves little; what AWS is asked for in requests and events is proven in
`tests/deploy`. The package is a tiny zip, because moto runs no function.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from aiobotocore.session import AioSession
from click.testing import Result
from typer.testing import CliRunner

from fakes.clock import InstantClock
from simulator.base.clients import offline_session
from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.commands import cloud, deploy, destroy, invoke, redrive, status, verify
from stockpipe.deploy import aws, cloudformation, package, transform, verification

ARTIFACTS = "stockpipe-artifacts-123456789012-us-east-1"
Stockpipe = Callable[..., Result]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the package holds; a test may change it between two deployments."""
    content = {"handler.py": b"one"}

    def build(output: Path, target: Any, *, interpreter: Path | None, report: Callable[[str], None]) -> package.Package:
        with zipfile.ZipFile(output, "w") as archive:
            for name, text in content.items():
                archive.writestr(zipfile.ZipInfo(name), text)
        data = output.read_bytes()
        return package.Package(output, target, hashlib.sha256(data).hexdigest(), len(data), len(data), True, ())

    monkeypatch.setattr(package, "build_package", build)
    return content


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there to answer questions."""
    monkeypatch.setattr(cloud, "can_ask", lambda: True)


@pytest.fixture
def client(aws_engine: str) -> Iterator[Callable[[str], Any]]:
    """A plain client of the engine, which is emptied before and after."""
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    reset(aws_engine)
    yield lambda service: session.client(service, endpoint_url=aws_engine)
    reset(aws_engine)


def reset(aws_engine: str) -> None:
    """Empty the engine."""
    urllib.request.urlopen(urllib.request.Request(f"{aws_engine}/moto-api/reset", method="POST")).close()


@pytest.fixture(scope="module")
def session() -> AioSession:
    """One for all commands of this file, which otherwise spend their time on reading botocore's models again."""
    return offline_session()


@pytest.fixture(scope="module")
def remembered() -> Callable[..., dict[str, Any]]:
    """The serverless transform, done once for each document and its parameters."""
    known: dict[str, str] = {}
    translate = transform.translate

    def translated(template: Any, parameters: Any, region: str) -> dict[str, Any]:
        key = json.dumps([template, dict(parameters), region])
        if key not in known:
            known[key] = json.dumps(translate(template, parameters, region))
        answer: dict[str, Any] = json.loads(known[key])
        return answer

    return translated


@pytest.fixture
def stockpipe(
    aws_engine: str,
    client: Any,
    built: dict[str, bytes],
    session: AioSession,
    remembered: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Stockpipe:
    """Run a command against the engine; `answer` is typed at its questions."""
    monkeypatch.setattr(verification, "SETTLE_S", 0.0)
    monkeypatch.setattr(aws, "offline_session", lambda: session)
    monkeypatch.setattr(transform, "translate", remembered)
    app = typer.Typer()
    for module in (deploy, status, invoke, verify, redrive, destroy):
        name = module.__name__.rpartition(".")[2]
        app.command(name)(getattr(module, name))

    def run(*arguments: str, answer: str = "", stack: str = "quotes") -> Result:
        return CliRunner().invoke(app, [*arguments, "--stack", stack, "--endpoint-url", aws_engine], input=answer)

    return run


@pytest.fixture
def deployed(stockpipe: Stockpipe) -> Stockpipe:
    """The same, with a stack that stands."""
    done = stockpipe("deploy", "--yes", "--local-transform")
    assert done.exit_code == 0, (done.output, done.exception)
    return stockpipe


def test_first_deployment_makes_everything(stockpipe: Stockpipe, client: Any) -> None:
    """Account and region are said, the bucket is made, the package goes up by its hash, changes and next steps show."""
    done = stockpipe("deploy", "--yes", "--local-transform", "--parameter", "FileCount=3")
    assert done.exit_code == 0, done.exception
    assert "account 123456789012, region us-east-1, as arn:" in done.stderr
    assert f"created bucket {ARTIFACTS}" in done.stderr
    assert "  Add     StockQueue  AWS::SQS::Queue" in done.stderr
    assert "CREATE_COMPLETE" in done.stderr
    assert "  stockpipe invoke --stack quotes --endpoint-url " in done.stderr
    function = client("lambda").get_function_configuration(FunctionName="GeneratorLambda")
    assert str(function["Environment"]["Variables"]["FILE_COUNT"]) == "3"
    (stored,) = client("s3").list_objects_v2(Bucket=ARTIFACTS)["Contents"]
    content = client("s3").get_object(Bucket=ARTIFACTS, Key=stored["Key"])["Body"].read()
    assert stored["Key"] == f"lambda/{hashlib.sha256(content).hexdigest()}.zip"
    assert client("s3").get_public_access_block(Bucket=ARTIFACTS)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]


def test_later_deployments_change_what_they_must(deployed: Stockpipe, client: Any, built: dict[str, bytes]) -> None:
    """Without a change nothing goes up, and that is said; a parameter that is not given keeps its value."""
    done = deployed("deploy", "--yes", "--local-transform")
    assert done.exit_code == 0
    assert "was already uploaded" in done.stderr
    assert "stack quotes is up to date: nothing to change" in done.stderr
    assert deployed("deploy", "--yes", "--local-transform", "--parameter", "FileCount=7").exit_code == 0
    built["handler.py"] = b"two"
    done = deployed("deploy", "--yes", "--local-transform", "--parameter", "Seed=9")
    assert done.exit_code == 0, done.exception
    assert "  Modify  GeneratorLambda  AWS::Lambda::Function" in done.stderr
    variables = client("lambda").get_function_configuration(FunctionName="GeneratorLambda")["Environment"]["Variables"]
    assert (str(variables["FILE_COUNT"]), str(variables["SEED"])) == ("7", "9")


def test_no_is_an_answer(stockpipe: Stockpipe, client: Any, answers: None) -> None:
    """Declined, nothing is left: no change set, no empty stack; the exit code says that the end was not reached."""
    done = stockpipe("deploy", "--local-transform", answer="n\n")
    assert done.exit_code == 130
    assert "nothing was changed" in done.stderr
    assert [summary for summary in client("cloudformation").list_stacks()["StackSummaries"]
            if summary["StackStatus"] != "DELETE_COMPLETE"] == []  # fmt: skip


def test_nobody_to_ask_is_an_error_that_leaves_nothing(stockpipe: Stockpipe, client: Any) -> None:
    """In a script without --yes the change set is withdrawn and the option named."""
    done = stockpipe("deploy", "--local-transform")
    assert isinstance(done.exception, InputError)
    assert "add --yes" in str(done.exception)
    assert [summary for summary in client("cloudformation").list_stacks()["StackSummaries"]
            if summary["StackStatus"] != "DELETE_COMPLETE"] == []  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "stack", "words"),
    [
        ([], "Quotes", "'Quotes-data-123456789012-us-east-1' is not a bucket name"),
        ([], "my_quotes", "'my_quotes' is not a stack name"),
        (["--parameter", "FileCuont=1"], "quotes", "has no parameter 'FileCuont'"),
        (["--parameter", "BatchSize=20000"], "quotes", "parameter BatchSize=20000: must be at most 10000"),
        (["--parameter", "VisibilityTimeout=10"], "quotes", "AWS would refuse ConsumerLambdaBatch"),
        (["--parameter", "TimestampFormat=%Q"], "quotes", "ConsumerLambda would fail at init: TIMESTAMP_FORMAT='%Q'"),
        (["--template", "nowhere.yaml"], "quotes", "nowhere.yaml"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    stockpipe: Stockpipe, client: Any, arguments: list[str], stack: str, words: str
) -> None:
    """A bad name, parameter or template is one line, and no bucket exists afterwards."""
    done = stockpipe("deploy", "--yes", *arguments, stack=stack)
    assert isinstance(done.exception, InputError)
    assert words in str(done.exception)
    assert client("s3").list_buckets()["Buckets"] == []


def test_a_filter_that_aws_refuses_is_found_first(stockpipe: Stockpipe, client: Any, tmp_path: Path) -> None:
    """AWS's sentence with file and line, and no bucket exists afterwards."""
    own = Path("pipeline/template.yaml").read_text(encoding="utf-8")
    place = "            FunctionResponseTypes: "
    criteria = """            FilterCriteria: {Filters: [{Pattern: '{"body": []}'}]}\n"""
    filtering = tmp_path / "filtering.yaml"
    filtering.write_text(own.replace(place, criteria + place), encoding="utf-8")
    done = stockpipe("deploy", "--yes", "--template", str(filtering))
    assert isinstance(done.exception, InputError)
    words = "AWS would refuse ConsumerLambdaBatch: Invalid filter pattern definition. FilterCriteria.Filters[0]: Empty"
    assert re.search(rf"filtering\.yaml:[0-9]+: {re.escape(words)}", str(done.exception))
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("service", "call", "arguments", "words"),
    [
        ("sqs", "create_queue", {"QueueName": "StockDLQ"}, "'StockDLQ' already exists .*DeadLetterQueueName=NAME"),
        ("s3", "create_bucket", {"Bucket": "quotes-data-123456789012-us-east-1"}, "bucket 'quotes-.*BucketName=NAME"),
    ],
)  # fmt: skip
def test_taken_names_are_found_first(
    stockpipe: Stockpipe, client: Any, service: str, call: str, arguments: dict[str, Any], words: str
) -> None:
    """A name that something else has is told before the deployment, with the parameter that changes it."""
    getattr(client(service), call)(**arguments)
    done = stockpipe("deploy", "--yes")
    assert isinstance(done.exception, InputError)
    assert re.search(words, str(done.exception))


def test_two_stacks_live_side_by_side(deployed: Stockpipe, client: Any) -> None:
    """A second stack with names of its own stands beside the first."""
    names = {
        "GeneratorName": "G2",
        "ConsumerName": "C2",
        "TableName": "Table2",
        "QueueName": "Q2",
        "DeadLetterQueueName": "D2",
    }
    arguments = [word for name, value in names.items() for word in ("--parameter", f"{name}={value}")]
    done = deployed("deploy", "--yes", "--local-transform", *arguments, stack="second")
    assert done.exit_code == 0, done.exception
    assert sorted(client("dynamodb").list_tables()["TableNames"]) == ["StockData", "Table2"]


def test_engine_without_the_transform_is_found_out(stockpipe: Stockpipe) -> None:
    """A green stack without its functions is no success; status shows its state and measures nothing."""
    done = stockpipe("deploy", "--yes")
    assert isinstance(done.exception, CouldNotFinish)
    assert "without GeneratorLambda, ConsumerLambda" in str(done.exception)
    assert "--local-transform" in str(done.exception)
    assert "quotes CREATE_COMPLETE" in stockpipe("status").stdout
    assert json.loads(stockpipe("status", "--json").stdout)["state"] == "CREATE_COMPLETE"


class FailingCreation:
    """CloudFormation when a creation fails: one cause, what it cancelled, and a stack that then can be deleted."""

    def __init__(self) -> None:
        self.deleted = False
        self.states = ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"]
        self.clock = InstantClock()

    async def cloudformation(self) -> FailingCreation:
        """The client is this object."""
        return self

    async def execute_change_set(self, **_: Any) -> None:
        """Nothing fails yet."""

    async def delete_stack(self, **_: Any) -> None:
        """What is left goes."""
        self.deleted = True
        self.states = ["DELETE_COMPLETE"]

    async def describe_stacks(self, **_: Any) -> dict[str, Any]:
        """The next state."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"Stacks": [{"StackId": "id", "StackName": "quotes", "StackStatus": state}]}

    async def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        """None before."""
        return {"StackEvents": []}

    def get_paginator(self, _: str) -> FailingCreation:
        """Events come in one page."""
        return self

    async def paginate(self, **_: Any) -> Any:
        """The newest first, as AWS lists them."""
        reasons = ["Resource creation cancelled", "StockData already exists", "Resource creation cancelled"]
        yield {
            "StackEvents": [
                {
                    "EventId": f"e{number}",
                    "Timestamp": datetime(2026, 11, 22, tzinfo=UTC),
                    "LogicalResourceId": "StockData",
                    "ResourceType": "AWS::DynamoDB::Table",
                    "ResourceStatus": "CREATE_FAILED",
                    "ResourceStatusReason": reason,
                }
                for number, reason in enumerate(reasons)
            ]
        }


@pytest.mark.parametrize("clean_up", [True, False])
async def test_failed_creation_shows_its_first_cause(clean_up: bool) -> None:
    """The cause is told, not what it cancelled; what is left goes if asked, or the command for it is named."""
    aws = FailingCreation()
    change_set = cloudformation.ChangeSet("arn", "id", "CREATE")
    options = deploy.DeployOptions(stack="quotes", clean_up=clean_up)
    with pytest.raises(CouldNotFinish) as failed:
        await deploy._execute(aws, change_set, options)  # type: ignore[arg-type]
    assert "failed at StockData (AWS::DynamoDB::Table): StockData already exists" in str(failed.value)
    assert aws.deleted is clean_up
    assert ("nothing is left" if clean_up else "stockpipe destroy --stack quotes") in str(failed.value)


def test_status_is_text_and_json(deployed: Stockpipe, client: Any) -> None:
    """Queues, schedule and the figures that the handlers publish; a figure that does not exist is null."""
    client("sqs").send_message(QueueUrl=queue_url(client, "StockQueue"), MessageBody="{}")
    status = json.loads(deployed("status", "--json").stdout)
    assert status["schema"] == "stockpipe.status/1"
    assert status["state"] == "CREATE_COMPLETE"
    assert status["schedule"] == "rate(1 minute)"
    assert status["queue"] == {"name": "StockQueue", "visible": 1, "in_flight": 0, "delayed": 0, "oldest_age_s": None}
    assert status["rows_written"] is None
    now = datetime.now(UTC) - timedelta(minutes=2)
    for namespace, metric, function, value in (
        ("stockpipe", "RowsWritten", "ConsumerLambda", 120),
        ("AWS/Lambda", "Invocations", "GeneratorLambda", 1),
    ):
        dimensions = [{"Name": "FunctionName", "Value": function}]
        datum = {"MetricName": metric, "Value": value, "Dimensions": dimensions, "Timestamp": now}
        client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])
    status = json.loads(deployed("status", "--json").stdout)
    assert status["rows_written"] == 120
    assert abs(datetime.fromisoformat(status["last_tick_at"]) - now) <= timedelta(minutes=1)
    # moto runs no function, so that the tick fails: one line with the function's error.
    done = deployed("invoke", "--time", "2026-11-22T09:30:00Z")
    assert isinstance(done.exception, CouldNotFinish)
    assert str(done.exception).startswith("the tick of 2026-11-22T09:30:00Z failed: ")
    text = deployed("status").stdout
    assert "queue                1 visible, 0 in flight, 0 delayed" in text
    assert "rows written         120 in the last hour" in text


def test_unknown_stack_is_named(stockpipe: Stockpipe) -> None:
    """Every command but deploy says that there is no such stack, and what makes it."""
    for command in ("status", "invoke", "verify", "redrive", "destroy"):
        done = stockpipe(command, stack="nothing")
        assert isinstance(done.exception, InputError)
        assert "the stack 'nothing' does not exist in us-east-1 of account 123456789012" in str(done.exception)


CSV = b"ticker,timestamp,close\nAAPL,2026-01-02T10:00:00Z,1.5\n"
ITEM = {"PK": {"S": "AAPL"}, "SK": {"S": "2026-01-02T10:00:00.000000Z"}, "close": {"N": "1.5"}}


def test_verify_tells_missing_from_proven_from_unproven(deployed: Stockpipe, client: Any, answers: None) -> None:
    """The cost comes first and may be declined; then a verdict.

    A missing row is named, rows that are there are exact, what still waits cannot be judged; and the schedule, paused
    meanwhile, runs on afterwards.
    """
    client("s3").put_object(Bucket="quotes-data-123456789012-us-east-1", Key="stocks/a.csv", Body=CSV)
    done = deployed("verify", "--free", "0", answer="n\n")
    assert done.exit_code == 130
    assert "this reads 1 object (53 bytes)" in done.stderr
    assert "verdict" not in done.stdout

    done = deployed("verify", "--no-pause")
    assert done.exit_code == 1
    assert "missing          1" in done.stdout
    assert "verdict          differs" in done.stdout
    assert "AAPL" in done.stderr

    client("dynamodb").put_item(TableName="StockData", Item=ITEM)
    done = deployed("verify", "--json")
    assert done.exit_code == 0, done.exception
    written = json.loads(done.stdout)
    assert (written["verdict"], written["expected_rows"], written["stored_rows"]) == ("exact", 1, 1)
    assert "the schedule is paused" in done.stderr
    (rule,) = client("events").list_rules()["Rules"]
    assert rule["State"] == "ENABLED"

    done = deployed("verify", "--no-pause", "--parameter", "TickerColumn=ticker")
    assert done.exit_code == 0
    assert "the audit reads objects with TICKER_COLUMN='ticker'; the deployed" in done.stderr

    client("sqs").send_message(QueueUrl=queue_url(client, "StockQueue"), MessageBody="{}")
    done = deployed("verify", "--wait", "0s", "--no-pause")
    assert done.exit_code == 1
    assert "verdict          unproven" in done.stdout
    assert "use --wait to wait longer" in done.stderr


def queue_url(client: Any, name: str) -> str:
    """Where a queue is."""
    return str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def dead_letter(client: Any, key: str) -> str:
    """A message about an object in the dead-letter queue; its id."""
    body = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]}
    sent = client("sqs").send_message(QueueUrl=queue_url(client, "StockDLQ"), MessageBody=json.dumps(body))
    return str(sent["MessageId"])


def log(client: Any, message_id: str, reason: str) -> None:
    """A line of the consumer's log about a message."""
    logs = client("logs")
    logs.create_log_stream(logGroupName="/aws/lambda/ConsumerLambda", logStreamName=message_id)
    line = json.dumps({"level": "ERROR", "message": "message failed", "messageId": message_id, "reason": reason})
    logs.put_log_events(
        logGroupName="/aws/lambda/ConsumerLambda",
        logStreamName=message_id,
        logEvents=[{"timestamp": int(time.time() * 1000), "message": line}],
    )


def test_redrive_shows_and_moves(deployed: Stockpipe, client: Any, answers: None) -> None:
    """Each message of the sample shows its object and the consumer's reason.

    Declined, all stay and are visible at once; with a yes all are back in the queue; an empty queue is no failure.
    """
    log(client, dead_letter(client, "stocks/bad+one.csv"), "no timestamp column")
    dead_letter(client, "stocks/other.csv")
    done = deployed("redrive", answer="n\n")
    assert done.exit_code == 130
    assert "StockDLQ holds 2 messages" in done.stderr
    assert "s3://b/stocks/bad one.csv  no timestamp column" in done.stdout
    assert "s3://b/stocks/other.csv  no reason in the log" in done.stdout
    done = deployed("redrive", "--yes")
    assert done.exit_code == 0, done.exception
    assert "moved 2 messages back to StockQueue" in done.stderr
    counts = client("sqs").get_queue_attributes(
        QueueUrl=queue_url(client, "StockQueue"), AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert counts["Attributes"]["ApproximateNumberOfMessages"] == "2"
    done = deployed("redrive")
    assert done.exit_code == 0
    assert "StockDLQ is empty: nothing to move" in done.stderr


def test_destroy_says_what_is_lost_and_wants_the_name(deployed: Stockpipe, client: Any, answers: None) -> None:
    """Another name than the stack's removes nothing; the right one removes it, objects and all, and the packages."""
    bucket = "quotes-data-123456789012-us-east-1"
    for number in range(3):
        client("s3").put_object(Bucket=bucket, Key=f"stocks/{number}.csv", Body=CSV)
    done = deployed("destroy", answer="quote\n")
    assert done.exit_code == 130
    assert f"3 objects in bucket {bucket}" in done.stderr
    assert "nothing was removed" in done.stderr
    done = deployed("destroy", answer="quotes\ny\n")
    assert done.exit_code == 0, done.exception
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("dynamodb").list_tables()["TableNames"] == []


def test_destroy_keeps_the_packages_unless_told(deployed: Stockpipe, client: Any) -> None:
    """With --yes alone the bucket of packages stays, and its removal is named."""
    done = deployed("destroy", "--yes")
    assert f"bucket {ARTIFACTS} is kept; --artifacts removes it" in done.stderr
    assert [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]] == [ARTIFACTS]


def test_protected_table_is_respected_and_named(stockpipe: Stockpipe, client: Any) -> None:
    """A table under deletion protection keeps the whole stack, and the line says how to lift it."""
    assert stockpipe("deploy", "--yes", "--local-transform", "--parameter", "DeletionProtection=true").exit_code == 0
    done = stockpipe("destroy", "--yes")
    assert isinstance(done.exception, InputError)
    assert "table 'StockData' has deletion protection" in str(done.exception)
    assert "--parameter DeletionProtection=false" in str(done.exception)
    assert client("dynamodb").list_tables()["TableNames"] == ["StockData"]
