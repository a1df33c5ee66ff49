"""`stockpipe load-test`, as a user starts it: against the twin, a sink, another engine and a deployed stack."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import boto3
import pytest
from typer.testing import CliRunner

from cli import app
from simulator.base.errors import ExitCode, InputError
from simulator.load.measure.result import Result
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.outlet import exit_code, parameters
from stockpipe.commands.load_test.run import resolve

Stockpipe = Callable[..., Any]
RUN_KEYS = {
    "schema", "command", "versions", "options", "seed", "started_at", "ended_at", "interrupted", "endpoint",
    "duration_s", "resources", "generated", "queue", "consumer", "table", "latency_s", "throughput", "audit", "bounds",
}  # fmt: skip
LOAD_KEYS = {"planned", "sent", "dropped", "generator_lag_s", "ceiling", "bottleneck", "series"}


def test_a_load_test_measures_proves_and_reports(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """Twenty objects in a second: all stored and proven, every key of the summary there, the page whole and offline."""
    page = tmp_path / "load.html"
    done = stockpipe(
        "load-test", "--rate", "20/s", "--duration", "1s", "--rows", "30", "--seed", "3", "--slo", "p99<1m",
        "--slo", "dropped<1", "--report", str(page), "--summary", "-",
    )  # fmt: skip
    assert done.code == 0, done.err
    summary = done.summary
    assert set(summary) >= RUN_KEYS | LOAD_KEYS
    assert summary["schema"] == "stockpipe.load/1"
    assert (summary["planned"], summary["sent"], summary["stored"], summary["dropped"]) == (20, 20, 20, 0)
    assert summary["generated"]["rows"] == summary["table"]["rows_written"] == 600
    assert summary["audit"]["verdict"] == "exact"
    assert summary["audit"]["stored_rows"] == 600
    stored = summary["latency_s"]["planned_to_stored"]
    assert stored["count"] == 20
    assert 0 < stored["p50"] <= stored["p90"] <= stored["p99"] <= stored["max"]
    assert summary["latency_s"]["object_to_stored"]["p50"] <= stored["max"]
    assert summary["latency_s"]["handler"]["count"] == summary["consumer"]["invocations"] > 0
    assert summary["generator_lag_s"]["count"] == 20
    assert summary["ceiling"]["share"] > 0
    assert summary["bottleneck"]["evidence"]
    series = summary["series"]
    assert len({len(series[name]) for name in ("t_s", "planned_per_s", "stored_per_s", "backlog")}) == 1
    assert sum(series["stored_per_s"]) * series["slot_s"] == pytest.approx(20)
    assert [judged["held"] for judged in summary["slo"]] == [True, True]
    assert summary["cost"]["usd_per_million_rows"] > 0.6
    assert "this machine" in summary["cost"]["durations"]
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)\s*=\s*["']?https?:|@import|url\(""", text)
    assert "20 of 20 objects stored" in text
    typed = "stockpipe load-test --rate 20/s --duration 1s --rows 30 --seed 3 --slo 'p99<1m' --slo 'dropped<1' --repo"
    assert summary["command_line"].startswith(typed)
    assert escape(summary["command_line"]) in text
    assert summary["machine"]["cores"] == os.cpu_count()
    assert {name: len(each["p99"]) for name, each in summary["stretches"].items()} == {
        "planned_to_stored": 5, "object_to_stored": 5, "send": 5, "handler": summary["consumer"]["invocations"] // 4,
    }  # fmt: skip
    assert max(series["backlog"]) == summary["backlog"]["peak"]
    assert summary["throughput"]["rows_per_s_mean"] <= summary["throughput"]["rows_per_s_max"]
    assert "audit exact" in done.err


def test_a_sink_keeps_counts_only(stockpipe: Stockpipe) -> None:
    """The handlers alone: rows counted, no audit, a missed threshold ends with 1 and is named."""
    done = stockpipe(
        "load-test", "--target", "sink", "--sink-latency", "2ms", "--ramp", "10/s..50/s", "--duration", "1s",
        "--rows", "5", "--slo", "rows_per_s>1000000", "--summary", "-", "--ui", "quiet",
    )  # fmt: skip
    assert done.code == 1, done.err
    assert done.summary["audit"] is None
    assert done.summary["stored"] == done.summary["planned"] == 30
    assert done.summary["table"]["rows_written"] == 150
    assert done.summary["throughput"]["rows_per_s_mean"] > 0
    assert not done.summary["bottleneck"]["measures_the_emulator"]
    assert "missed rows_per_s>1000000" in done.err


def test_a_sink_that_is_not_drained_ends_with_1(stockpipe: Stockpipe) -> None:
    """A sink proves nothing by an audit: that it took everything in time is all there is, and here it did not."""
    done = stockpipe(
        "load-test", "--target", "sink", "--sink-latency", "150ms", "--rate", "20/s", "--duration", "1s", "--rows", "1",
        "--drain-timeout", "0s", "--summary", "-", "--ui", "quiet",
    )  # fmt: skip
    assert (done.summary["audit"], done.summary["backlog"]["drained"]) == (None, False)
    assert done.code == 1, done.err


@pytest.mark.parametrize(
    ("verdict", "drained", "held", "interrupted", "rate", "code"),
    [
        ("exact", True, True, False, None, ExitCode.DONE),
        (None, None, True, False, None, ExitCode.DONE),
        ("differs", True, True, False, None, ExitCode.NOT_PROVEN),
        ("unproven", True, True, True, None, ExitCode.NOT_PROVEN),
        (None, False, True, True, None, ExitCode.NOT_PROVEN),
        ("exact", True, False, True, None, ExitCode.NOT_PROVEN),
        ("exact", True, True, True, None, ExitCode.INTERRUPTED),
        ("exact", True, True, True, {"rate_per_s": None}, ExitCode.INTERRUPTED),
        ("exact", True, True, False, {"rate_per_s": None}, ExitCode.NOT_PROVEN),
        ("exact", True, True, False, {"rate_per_s": 9.0}, ExitCode.DONE),
        ("settled", True, True, False, None, ExitCode.DONE),
        ("pending", True, True, False, None, ExitCode.NOT_PROVEN),
    ],
)
def test_exit_code_says_what_matters_most(
    verdict: str | None, drained: bool | None, held: bool, interrupted: bool, rate: Any, code: ExitCode
) -> None:
    """What is not proven or not held outweighs an interruption, which outweighs a search without an answer."""
    summary = {
        "audit": {"verdict": verdict} if verdict in ("exact", "differs", "unproven") else None,
        "deliveries": {"verdict": verdict} if verdict in ("settled", "pending") else None,
        "backlog": {"drained": drained},
        "bounds": [{"held": True}, {"held": held}],
        "find_max": rate,
    }
    assert exit_code(summary, Result(interrupted=interrupted)) is code


def test_a_backlog_is_there_before_the_consumer_and_drains(stockpipe: Stockpipe) -> None:
    """All objects wait at once; nothing is stored before the last is put; the drain's rate is told."""
    done = stockpipe(
        "load-test", "--backlog", "120", "--rows", "1", "--audit", "sample", "--summary", "-", "--ui", "quiet"
    )
    assert done.code == 0, done.err
    backlog = done.summary["backlog"]
    assert backlog["peak"] == 120
    assert backlog["drained"] is True
    assert backlog["drain_objects_per_s"] > 0
    assert backlog["last_tenth_to_first"] > 0
    audit = done.summary["audit"]
    assert (audit["verdict"], audit["sampled"], audit["extra"]) == ("exact", {"objects": 20, "of": 120}, None)
    assert "verdict exact in a sample of 20 of 120 objects" in done.err.splitlines()


def test_another_engine_is_loaded_and_proven(stockpipe: Stockpipe, aws_engine: str) -> None:
    """A stock moto server takes the same load; counts come from what was seen, and the audit reads the engine."""
    urllib.request.urlopen(urllib.request.Request(f"{aws_engine}/moto-api/reset", method="POST")).close()
    done = stockpipe(
        "load-test", "--endpoint-url", aws_engine, "--rate", "10/s", "--duration", "1s", "--rows", "5",
        "--drain-timeout", "50s", "--summary", "-", "--ui", "quiet",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.summary["audit"]["verdict"] == "exact"
    assert done.summary["table"]["rows_written"] == 50
    assert done.summary["queue"]["deleted"] >= 10
    # What the ceiling needed is gone again; the stack's own resources stay with the engine's owner.
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    tables = session.client("dynamodb", endpoint_url=aws_engine).list_tables()["TableNames"]
    assert tables == ["StockData"]


def sending(start: Any) -> Any:
    """A load test of ten minutes, once its first object is sent."""
    running = start(
        "load-test", "--rate", "20/s", "--duration", "10m", "--rows", "2", "--summary", "s.json", "--ui", "plain",
        "--every", "500ms",
    )  # fmt: skip

    def sent() -> bool:
        found = re.search(r" running sent=(\d+)", running.process.stdout.readline())
        return bool(found and int(found[1]) > 0)

    running.wait_for(sent, "the first object")
    return running


def test_ctrl_c_ends_the_load_drains_and_proves(start: Any, tmp_path: Path) -> None:
    """One signal: nothing new is sent, what was sent is stored and proven, exit 130, the summary says so."""
    running = sending(start)
    running.signal(signal.SIGINT)
    done = running.finish()
    summary = json.loads((tmp_path / "s.json").read_text())
    assert done.code == 130, done.err
    assert summary["interrupted"] is True
    assert 0 < summary["stored"] == summary["sent"] < 12_000
    assert summary["planned"] == summary["sent"] + summary["dropped"]
    assert summary["audit"]["verdict"] == "exact"


def test_a_second_ctrl_c_ends_at_once_and_still_says_what_was_seen(start: Any, tmp_path: Path) -> None:
    """Two signals: no drain and no audit, a summary that says so, and no traceback."""
    running = sending(start)
    running.signal(signal.SIGINT)
    running.signal(signal.SIGTERM)
    done = running.finish()
    summary = json.loads((tmp_path / "s.json").read_text())
    assert done.code == 1
    assert "Traceback" not in done.err
    assert (summary["interrupted"], summary["audit"]["verdict"]) == (True, "unproven")
    assert summary["sent"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "0/s"), "not a rate"),
        (("--rate", "fast"), "not a rate"),
        (("--rate", "99999/s"), "more than the generator can send"),
        (("--rate", "20000/s", "--duration", "1h"), "too many for one run"),
        (("--duration", "0s"), "is not between"),
        (("--duration", "30"), "not a duration"),
        (("--rows", "0"), "--rows"),
        (("--rows", "1000001"), "too many for one object"),
        (("--backlog", "0"), "--backlog"),
        (("--ramp", "10/s"), "not a ramp"),
        (("--ramp", "10/s..20"), "not a rate"),
        (("--ramp", "1/s..2/s", "--steps", "1/s,2/s"), "different loads"),
        (("--ramp", "1/s..2/s", "--rate", "5/s"), "'--rate' does not go with '--ramp'"),
        (("--find-max", "--poisson"), "'--poisson' does not go"),
        (("--target", "moon"), "not one of 'store' or 'sink'"),
        (("--target", "sink", "--endpoint-url", "http://127.0.0.1:1"), "name different targets"),
        (("--sink-latency", "5ms"), "goes with '--target sink'"),
        (("--region", "eu-west-1"), "goes with '--stack'"),
        (("--target", "sink", "--audit", "full"), "--target sink, which keeps no rows to audit"),
        (("--stack", "s", "--audit", "sample"), "run stockpipe verify --stack s"),
        (("--audit", "some"), "not one of 'full', 'sample' or 'none'"),
        (("--endpoint-url", "http://127.0.0.1:9"), "does not answer"),
        (("--endpoint-url", "localhost:4566"), "is not the URL of an endpoint"),
        (("--endpoint-url", "https://sqs.us-east-1.amazonaws.com"), "--stack NAME"),
        (("--slo", "p99<5"), "needs a unit"),
        (("--slo", "speed>9"), "there is no figure"),
        (("--slo", "rejected<1%", "--audit", "none"), "cannot be judged, because --audit none reads no rows"),
        (("--concurrency", "1"), "MaximumConcurrency"),
        (("--window", "500ms"), "is not a whole number of seconds"),
        (("--batch-size", "5", "--parameter", "BatchSize=6"), "set the same"),
        (("--stack", "s", "--memory", "512"), "cannot be given for a deployed stack"),
        (("--stack", "s", "--message", "m", "--to", "x"), "--message, --to cannot be given for a deployed stack"),
        (("--summary", "/nowhere/s.json"), "there is no directory"),
        (("--report", "-"), "'-' is not a file"),
        (("--template", "/nowhere.yaml"), "nowhere.yaml"),
        (("--ui", "loud"), "not one of"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_sent(arguments: tuple[str, ...], said: str) -> None:
    """Exit 2 with a line that says what is wrong; never a traceback."""
    done = CliRunner().invoke(app, ["load-test", *arguments], env={"COLUMNS": "300", "TERM": "dumb"})
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_short_options_override_the_template_for_one_run() -> None:
    """Concurrency, batch size, window and memory reach the stack that is run."""
    options = LoadTestOptions(concurrency=7, batch_size=20, window_s=2.0, memory_mb=512)
    stack, plan = resolve(options)
    (mapping,) = stack.mappings.values()
    assert (mapping.maximum_concurrency, mapping.batch_size, mapping.window_s) == (7, 20, 2)
    assert stack.functions["ConsumerLambda"].memory_mb == 512
    assert plan.window_s == 2.0
    assert parameters(options)["ConsumerMemory"] == "512"


def test_the_shapes_become_profiles() -> None:
    """Each option gives its profile; 20/s for 30 s is the default."""
    assert resolve(LoadTestOptions())[1].profile.total == 600
    assert resolve(LoadTestOptions(ramp=(10.0, 30.0), duration_s=10.0))[1].profile.total == 200
    assert resolve(LoadTestOptions(steps=(1.0, 3.0), duration_s=10.0))[1].profile.total == 20
    assert resolve(LoadTestOptions(rate_per_s=1.0, spike_per_s=10.0, duration_s=10.0))[1].profile.total == 28
    with pytest.raises(InputError, match="different loads"):
        resolve(LoadTestOptions(backlog=5, find_max=True))


# A deployed stack.

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "StockBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "deployed-data"}},
        "StockQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "StockQueue"}},
        "StockDLQ": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "StockDLQ"}},
        "StockData": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "StockData",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            },
        },
        "ConsumerLambda": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "ConsumerLambda",
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "def handler(event, context): pass"},
            },
        },
    }
}
GROUP = "/aws/lambda/ConsumerLambda"


@pytest.fixture
def deployed(aws_engine: str) -> Iterator[Callable[[str], Any]]:
    """A stack named `live` in a stock moto server, as clients of it; empty again afterwards."""

    def reset() -> None:
        urllib.request.urlopen(urllib.request.Request(f"{aws_engine}/moto-api/reset", method="POST")).close()

    reset()
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=aws_engine)
        return clients[service]

    client("cloudformation").create_stack(StackName="live", TemplateBody=json.dumps(TEMPLATE))
    arn = "arn:aws:sqs:us-east-1:123456789012:StockQueue"
    client("s3").put_bucket_notification_configuration(
        Bucket="deployed-data",
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    url = client("sqs").get_queue_url(QueueName="StockQueue")["QueueUrl"]
    client("sqs").purge_queue(QueueUrl=url)  # S3's test event
    yield client
    reset()


class Consumer(threading.Thread):
    """What the deployed consumer does, as far as a load test sees it: takes messages, writes its log lines.

    The first `failing` of the messages end in the dead-letter queue.
    """

    def __init__(self, client: Callable[[str], Any], failing: int = 0) -> None:
        super().__init__(daemon=True)
        self.failing = failing
        self.sqs, self.logs = client("sqs"), client("logs")
        self.ended = threading.Event()
        self.logs.create_log_group(logGroupName=GROUP)
        self.logs.create_log_stream(logGroupName=GROUP, logStreamName="one")

    def run(self) -> None:
        """Until `ended`."""
        url, dead = (self.sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("StockQueue", "StockDLQ"))
        while not self.ended.is_set():
            answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", ()):
                for record in json.loads(message["Body"]).get("Records", ()):
                    if self.failing:
                        self.failing -= 1
                        self.sqs.send_message(QueueUrl=dead, MessageBody=message["Body"])
                        break
                    self.write(unquote_plus(record["s3"]["object"]["key"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def write(self, key: str) -> None:
        """The lines of one invocation."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        metrics = {"Namespace": "stockpipe", "Dimensions": [["FunctionName"]], "Metrics": [{"Name": "RowsWritten"}]}
        lines = [
            json.dumps({"timestamp": now, "level": "INFO", "message": "object stored", "key": key, "rows": 4}),
            json.dumps(
                {"_aws": {"Timestamp": 0, "CloudWatchMetrics": [metrics]}, "FunctionName": "C", "RowsWritten": 4}
            ),
            f"REPORT RequestId: {key}\tDuration: 20.00 ms\tBilled Duration: 20 ms\tMemory Size: 1024 MB",
        ]
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
        self.logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)


@pytest.mark.usefixtures("unmeasured")
def test_a_deployed_stack_is_loaded_and_watched_from_outside(
    stockpipe: Stockpipe, aws_engine: str, deployed: Callable[[str], Any]
) -> None:
    """The cost is told first; stored instants and durations come from log lines, the queue's figures from SQS."""
    consumer = Consumer(deployed)
    consumer.start()
    done = stockpipe(
        "load-test", "--stack", "live", "--endpoint-url", aws_engine, "--yes", "--rate", "5/s", "--duration", "1s",
        "--rows", "4", "--drain-timeout", "40s", "--summary", "-", "--ui", "quiet",
    )  # fmt: skip
    consumer.ended.set()
    consumer.join()
    assert done.code == 0, done.err
    assert re.search(r"5 objects with 20 rows in 1 s, about 0\.\d\d USD", done.err)
    summary = done.summary
    assert (summary["planned"], summary["sent"], summary["stored"]) == (5, 5, 5)
    assert summary["audit"] is None
    assert summary["ceiling"] is None
    assert summary["latency_s"]["planned_to_stored"]["count"] == 5
    assert summary["latency_s"]["handler"]["p50"] == pytest.approx(0.02, rel=0.01)
    assert summary["table"]["rows_written"] == 20
    assert summary["resources"]["bucket"] == "deployed-data"
    assert summary["cost"]["durations"] == "AWS Lambda"
    assert set(summary["cloudwatch"]) >= {"oldest_age_s_max", "throttles"}
    assert (summary["queue"]["dead_lettered"], summary["queue"]["remaining"]) == (0, 0)
    unseen = [summary["queue"]["received"], summary["queue"]["filtered"], summary["throughput"]["rows_per_s_max"]]
    unseen += [summary["consumer"][name] for name in ("throttles", "concurrency_max", "batch_item_failures")]
    assert unseen == [None] * 6


def test_dead_letters_of_a_deployed_stack_miss_the_bound(
    stockpipe: Stockpipe, aws_engine: str, deployed: Callable[[str], Any]
) -> None:
    """What the dead-letter queue held before is not of this load; what it gains is, and ends the drain."""
    consumer = Consumer(deployed, failing=2)
    dead = deployed("sqs").get_queue_url(QueueName="StockDLQ")["QueueUrl"]
    deployed("sqs").send_message(QueueUrl=dead, MessageBody="an older one")
    consumer.start()
    done = stockpipe(
        "load-test", "--stack", "live", "--endpoint-url", aws_engine, "--yes", "--rate", "5/s", "--duration", "1s",
        "--rows", "4", "--drain-timeout", "600s", "--summary", "-", "--ui", "quiet",
    )  # fmt: skip
    consumer.ended.set()
    consumer.join()
    assert done.code == 1, done.err
    summary = done.summary
    assert (summary["sent"], summary["stored"]) == (5, 3)
    assert (summary["queue"]["dead_lettered"], summary["queue"]["remaining"]) == (2, 0)
    bounds = [(each["bound"], each["value"], each["held"]) for each in summary["bounds"]]
    assert bounds == [("dead_lettered<1", 2, False)]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--stack", "none", "--yes"), 2, "the stack 'none' does not exist"),
        (("--stack", "live"), 2, "add --yes"),
        (("--stack", "live", "--yes", "--find-max"), 2, "only searches on this machine"),
    ],
)
def test_a_stack_that_cannot_be_loaded_is_told_before_anything_is_sent(
    arguments: tuple[str, ...], code: int, said: str, aws_engine: str, deployed: Callable[[str], Any]
) -> None:
    """No such stack, nobody to ask, a search: one line, and the bucket stays empty."""
    deployed("logs").create_log_group(logGroupName=GROUP)
    done = CliRunner().invoke(app, ["load-test", "--endpoint-url", aws_engine, *arguments])
    assert done.exit_code == code, done.output
    assert said in " ".join(done.output.split())
    assert "Contents" not in deployed("s3").list_objects_v2(Bucket="deployed-data")


def test_a_stack_whose_function_never_ran_says_what_to_do(aws_engine: str, deployed: Callable[[str], Any]) -> None:
    """Without a log group nobody could tell when an object is stored."""
    assert deployed("cloudformation").describe_stacks(StackName="live")["Stacks"]
    done = CliRunner().invoke(app, ["load-test", "--endpoint-url", aws_engine, "--stack", "live", "--yes"])
    assert done.exit_code == 2, done.output
    assert "has no log group '/aws/lambda/ConsumerLambda'" in " ".join(done.output.split())


def test_a_queue_with_other_peoples_messages_is_not_measured(aws_engine: str, deployed: Callable[[str], Any]) -> None:
    """Messages that are already there would be measured too: refused, with the way out."""
    deployed("logs").create_log_group(logGroupName=GROUP)
    url = deployed("sqs").get_queue_url(QueueName="StockQueue")["QueueUrl"]
    deployed("sqs").send_message(QueueUrl=url, MessageBody="somebody's")
    done = CliRunner().invoke(app, ["load-test", "--endpoint-url", aws_engine, "--stack", "live", "--yes"])
    assert done.exit_code == 3, done.output
    assert "holds 1 message, which would count too" in " ".join(done.output.split())
