"""`stockpipe simulate`, run as a user runs it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli import app
from fakes.signatures import signed
from simulator.base.errors import InputError
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import resolve

Stockpipe = Callable[..., Any]
Start = Callable[..., Any]

SMALL = ("--files", "3", "--rows", "20", "--ui", "quiet")
ENDLESS = ("--duration", "0s", "--ready", "ready.json", "--summary", "-", *SMALL)

KEYS = {
    "schema",
    "command",
    "versions",
    "options",
    "seed",
    "started_at",
    "ended_at",
    "interrupted",
    "endpoint",
    "duration_s",
    "resources",
    "generated",
    "queue",
    "consumer",
    "table",
    "latency_s",
    "throughput",
    "audit",
    "deliveries",
    "invariants",
    "bounds",
    "failures",
    "rejections",
    "tick_failures",
    "next_steps",
    "skipped_steps",
    "faults",
    "observations",
    "machine",
}


@pytest.mark.usefixtures("unmeasured")
def test_loop_ends_with_an_exact_audit(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """Two ticks run through the whole loop; standard output is the JSON alone, and every row is accounted for.

    A profile that names nothing, a foreign Region, endpoint and proxy in the shell change nothing about a run.
    """
    ended = stockpipe(
        *("simulate", "--ticks", "2", "--speed", "120", "--seed", "7", "--summary", "-", *SMALL),
        AWS_PROFILE="nonsense",
        AWS_DEFAULT_REGION="eu-north-1",
        AWS_REGION="eu-north-1",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        HTTP_PROXY="http://127.0.0.1:9",
        http_proxy="http://127.0.0.1:9",
    )

    summary = ended.summary
    assert (ended.code, summary["audit"]["verdict"]) == (0, "exact")
    assert set(summary) == KEYS
    assert summary["generated"] == {"invocations": 2, "files": 6, "rows": 120, "bytes": summary["generated"]["bytes"]}
    assert summary["generated"]["bytes"] > 0
    assert summary["audit"]["stored_rows"] == summary["audit"]["expected_rows"] == summary["table"]["rows_written"]
    assert (summary["queue"]["sent"], summary["queue"]["deleted"], summary["queue"]["remaining"]) == (6, 6, 0)
    assert (summary["seed"], summary["options"]["ticks"], summary["interrupted"]) == (7, 2, False)
    assert summary["failures"] == summary["rejections"] == summary["next_steps"] == []
    assert f"endpoint {summary['endpoint']}" in ended.err.splitlines()


@pytest.mark.parametrize("compressed", [False, True])
def test_real_file_runs_through_the_loop(
    stockpipe: Stockpipe, tmp_path: Path, vega_stocks: Path, compressed: bool
) -> None:
    """`stocks.csv` of vega-datasets, plain or gzipped: 560 rows sent, 560 stored, compared cell by cell."""
    source = tmp_path / ("stocks.csv.gz" if compressed else "stocks.csv")
    source.write_bytes(gzip.compress(vega_stocks.read_bytes()) if compressed else vega_stocks.read_bytes())

    ended = stockpipe(
        "simulate",
        "--source",
        str(source),
        "--parameter",
        "TimestampFormat=%b %d %Y",
        "--ui",
        "quiet",
        "--summary",
        "-",
    )

    summary = ended.summary
    assert (ended.code, summary["audit"]["verdict"]) == (0, "exact")
    assert summary["generated"] == {"invocations": 0, "files": 1, "rows": 560, "bytes": source.stat().st_size}
    assert (summary["audit"]["parsed_rows"], summary["audit"]["stored_rows"]) == (560, 560)


@pytest.mark.usefixtures("unmeasured")
def test_parameters_change_what_happens(stockpipe: Stockpipe) -> None:
    """A batch size of one gives an invocation an object, and a maximum concurrency of two is never exceeded."""
    ended = stockpipe(
        "simulate",
        "--ticks",
        "1",
        "--summary",
        "-",
        "--parameter",
        "BatchSize=1",
        "--parameter",
        "MaximumConcurrency=2",
        "--files",
        "12",
        "--rows",
        "20",
        "--ui",
        "quiet",
    )

    summary = ended.summary
    # The test event of the notification is a message too.
    assert summary["consumer"]["invocations"] == 13
    assert summary["consumer"]["concurrency_max"] <= 2


def test_poisoned_object_ends_in_the_dead_letter_queue(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """The lesson of poison, sped up: the broken object comes with good ones, which are stored, and is given up.

    Its neighbours are in the same invocation, and it alone is reported. The step about a second receive, which never
    comes, is named.
    """
    fast = ("VisibilityTimeout=4", "ConsumerTimeout=4", "MaxReceiveCount=1", "WriteRate=30")
    parameters = (word for parameter in fast for word in ("--parameter", parameter))
    size = ("--ticks", "1", "--files", "60", "--rows", "3")
    ended = stockpipe(
        *("simulate", "--scenario", "poison", *parameters, *size, "--logs", "logs", "--ui", "quiet", "--summary", "-")
    )
    summary = ended.summary
    assert (ended.code, summary["audit"]["verdict"]) == (0, "exact"), ended.err
    assert summary["queue"]["dead_lettered"] == summary["audit"]["dead_lettered"]["objects"] == 1
    assert (summary["consumer"]["batch_item_failures"], summary["audit"]["stored_rows"]) == (1, 182)
    assert [step["step"] for step in summary["skipped_steps"]] == [4]
    logs = [file.read_text(encoding="utf-8") for file in (tmp_path / "logs" / "ConsumerLambda").iterdir()]
    metrics = [json.loads(line) for log in logs for line in log.splitlines()]
    (failing,) = [document for document in metrics if document.get("MessagesFailed")]
    assert (failing["MessagesFailed"], failing["ObjectsIngested"] >= 1) == (1, True)


@pytest.mark.usefixtures("unmeasured")
def test_endless_run_ends_normally_by_one_signal(start: Start) -> None:
    """With --duration 0s one SIGTERM is the normal end: drained, audited, exit code 0."""
    running = start("simulate", *ENDLESS)
    ready = running.wait_ready()
    assert set(ready["resources"]) == {"bucket", "queue_url", "dlq_url", "table", "buckets", "queues", "tables"}
    running.signal(signal.SIGTERM)

    ended = running.finish()
    assert (ended.code, ended.summary["audit"]["verdict"], ended.summary["interrupted"]) == (0, "exact", False)


@pytest.mark.usefixtures("unmeasured")
def test_interrupted_run_says_so_and_is_proven(start: Start) -> None:
    """One Ctrl-C before the end that was asked for: drained, audited, exit code 130."""
    running = start("simulate", "--ready", "ready.json", "--summary", "-", *SMALL)
    running.wait_ready()
    running.signal(signal.SIGINT)

    ended = running.finish()
    assert (ended.code, ended.summary["audit"]["verdict"], ended.summary["interrupted"]) == (130, "exact", True)


def test_second_signal_ends_at_once(start: Start) -> None:
    """A second Ctrl-C abandons the run: unproven, exit code 1, and what was done so far is told."""
    running = start("simulate", *ENDLESS, "--no-schedule")
    ready = running.wait_ready()
    # A message that nobody can receive yet keeps the queue from draining.
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    sqs = session.client("sqs", endpoint_url=ready["endpoint"])
    sqs.send_message(QueueUrl=ready["resources"]["queue_url"], MessageBody="{}", DelaySeconds=900)
    running.signal_until_it_ends(signal.SIGINT)

    ended = running.finish()
    assert (ended.code, ended.summary["audit"]["verdict"]) == (1, "unproven")
    assert "Traceback" not in ended.err


def test_interrupted_run_that_is_unproven_ends_with_1(start: Start) -> None:
    """A message that is still to be received when the drain is over: no proof, which outweighs the interruption."""
    running = start(
        "simulate", "--drain-timeout", "1s", "--no-schedule", "--ready", "ready.json", "--summary", "-", *SMALL
    )
    ready = running.wait_ready()
    url = f"{ready['endpoint']}/{ready['resources']['bucket']}/stocks/broken.csv"
    headers = {"Authorization": signed("s3")}
    urllib.request.urlopen(urllib.request.Request(url, b"ticker,price\n", headers, method="PUT")).close()
    running.signal(signal.SIGINT)

    ended = running.finish()
    audit = ended.summary["audit"]
    assert (ended.code, audit["verdict"], ended.summary["interrupted"]) == (1, "unproven", True)
    assert audit["pending"]["objects"] == 1


def test_row_that_nobody_sent_is_a_difference(start: Start) -> None:
    """An item that no object explains: everything drained and ended as asked, and still exit code 1."""
    running = start("simulate", *ENDLESS, "--no-schedule")
    ready = running.wait_ready()
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    table = session.client("dynamodb", endpoint_url=ready["endpoint"])
    table.put_item(TableName=ready["resources"]["table"], Item={"PK": {"S": "A"}, "SK": {"S": "2026-01-01"}})
    running.signal(signal.SIGTERM)

    ended = running.finish()
    audit = ended.summary["audit"]
    assert (ended.code, audit["verdict"], audit["extra"], ended.summary["interrupted"]) == (1, "differs", 1, False)


@pytest.mark.usefixtures("unmeasured")
def test_reader_that_goes_away_changes_no_exit_code(start: Start) -> None:
    """`simulate --summary - | head -1`: what nobody reads is dropped without a word, and the run was proven."""
    running = start("simulate", "--ticks", "1", "--ready", "ready.json", "--summary", "-", *SMALL)
    running.process.stdout.close()
    running.process.stdout = None

    ended = running.finish()
    assert (ended.code, "Traceback" in ended.err, "Broken pipe" in ended.err) == (0, False, False)


def test_killed_store_is_told_at_once(start: Start) -> None:
    """When the store's process dies the run ends with one line, a summary of what was done, and exit code 3."""
    running = start("simulate", *ENDLESS)
    running.wait_ready()
    for pid in running.children():
        os.kill(pid, signal.SIGKILL)

    ended = running.finish()
    assert ended.code == 3
    assert ended.summary["audit"]["verdict"] == "unproven"
    (line,) = [line for line in ended.err.splitlines() if line.startswith("stockpipe: ")]
    assert "store" in line
    assert "Traceback" not in ended.err


@pytest.mark.usefixtures("unmeasured")
def test_killed_command_takes_its_store_with_it(start: Start) -> None:
    """Even SIGKILL of the command leaves no store behind."""
    running = start("simulate", *ENDLESS)
    running.wait_ready()
    assert running.children()
    running.signal(signal.SIGKILL)

    assert running.finish().code == -signal.SIGKILL


def test_hold_keeps_the_store_up(start: Start, tmp_path: Path) -> None:
    """With --hold the endpoint still answers after the summary, until a signal."""
    running = start("simulate", "--ticks", "1", "--hold", "--ready", "ready.json", "--summary", "out.json", *SMALL)
    ready = running.wait_ready()
    summary_file = tmp_path / "out.json"
    running.wait_for(lambda: summary_file.exists() and summary_file.stat().st_size > 0, "the summary")
    listing = f"{ready['endpoint']}/{ready['resources']['bucket']}"
    with urllib.request.urlopen(urllib.request.Request(listing, headers={"Authorization": signed("s3")})) as answer:
        assert b"stocks/" in answer.read()
    running.signal(signal.SIGTERM)

    assert running.finish().code == 0
    assert json.loads(summary_file.read_text(encoding="utf-8"))["audit"]["verdict"] == "exact"


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_full_disk_is_one_line(stockpipe: Stockpipe) -> None:
    """A summary that cannot be written because the disk is full: one line, exit code 3."""
    ended = stockpipe("simulate", "--ticks", "1", "--summary", "/dev/full", *SMALL)

    assert ended.code == 3
    assert "the disk is full" in ended.err
    assert "Traceback" not in ended.err


def test_logs_that_cannot_be_kept_are_told(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """What cannot be written under --logs is told; the run is proven all the same, and ends with exit code 3."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "GeneratorLambda").write_text("in the way", encoding="utf-8")

    ended = stockpipe("simulate", "--ticks", "1", "--logs", "logs", "--summary", "-", *SMALL)

    assert (ended.code, ended.summary["audit"]["verdict"]) == (3, "exact")
    assert "stockpipe: --logs: lines are missing" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--duration", "soon"), "'soon' is not a duration"),
        (("--speed", "0"), "--speed"),
        (("--ticks", "0"), "--ticks"),
        (("--ui", "fancy"), "'fancy' is not one of 'auto', 'live', 'plain' or 'quiet'"),
        (("--runtime", "docker"), "'docker' is not one of 'inline' or 'process'"),
        (("--capacity", "huge"), "'huge' is not one of 'aws' or 'unlimited'"),
        (("--start", "noon"), "'noon' is not a time"),
        (("--parameter", "FileCount"), "'FileCount' is not NAME=VALUE"),
        (("--parameter", "Nope=1"), "has no parameter 'Nope'"),
        (("--files", "20000"), "must be at most 10000"),
        (("--parameter", "VisibilityTimeout=1"), "AWS refuses it"),
        (("--template", "none.yaml"), "there is no template 'none.yaml'"),
        (("--scenario", "brust"), "there is no scenario 'brust'"),
        (("--source", "none.csv"), "none.csv"),
        (("lost.csv",), "'lost.csv' is given without --source"),
        (("--summary", "no/such/place.json"), "there is no directory"),
        (("--slo", "rejekted<1%"), "did you mean 'rejected'?"),
        (("--slo", "rows_per_s>5%"), "not a share"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: tuple[str, ...], said: str) -> None:
    """What cannot be used is named, nothing is started, the exit code is 2."""
    ended = CliRunner().invoke(app, ["simulate", "--ui", "quiet", *arguments])

    assert ended.exit_code == 2, ended.output
    assert said in " ".join(ended.stderr.replace("│", " ").split())
    assert ended.stdout == ""


def test_scenarios_are_listed() -> None:
    """Each with its title; nothing is started."""
    listed = CliRunner().invoke(app, ["simulate", "--scenario", "list"])

    assert listed.exit_code == 0
    assert "burst " in listed.stdout
    assert "stockpipe docs scenarios" in listed.stdout


@pytest.mark.usefixtures("unmeasured")
def test_what_the_functions_write_is_kept_and_printed(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """--logs has a file an environment with the platform's and the handler's lines.

    --tail prints them, line by line with its function and environment, beside the verdict.
    """
    ended = stockpipe("simulate", "--ticks", "1", "--tail", "--logs", "logs", *SMALL)

    lines = (ended.out + ended.err).splitlines()
    assert (ended.code, "verdict exact" in lines) == (0, True)
    for function in ("GeneratorLambda", "ConsumerLambda"):
        assert [line for line in lines if line.startswith(f"{function}[") and "platform.report" in line]
    (generator,) = (tmp_path / "logs" / "GeneratorLambda").iterdir()
    kept = [json.loads(line) for line in generator.read_text(encoding="utf-8").splitlines()]
    assert [line["type"] for line in kept if "type" in line][-1] == "platform.report"
    assert any("_aws" in line for line in kept)


def test_command_line_wins_over_scenario_and_defaults(tmp_path: Path) -> None:
    """An option that is given beats the scenario's, which beats the default."""
    file = tmp_path / "s.yaml"
    file.write_text(
        "title: s\nparameters: {FileCount: 4}\noptions: {ticks: 5, capacity: unlimited}\n", encoding="utf-8"
    )

    stack, plan = resolve(SimulateOptions(scenario=str(file), ticks=9, given={"ticks"}))
    assert (plan.ticks, plan.capacity, plan.speed, stack.parameters["FileCount"]) == (9, "unlimited", 12.0, "4")
    stack, plan = resolve(SimulateOptions(scenario=str(file), files=6, capacity="aws", given={"capacity"}))
    assert (plan.ticks, plan.capacity, stack.parameters["FileCount"]) == (5, "aws", "6")


@pytest.mark.parametrize(
    ("options", "duration_s", "ticks"),
    [
        (SimulateOptions(), 60.0, None),
        (SimulateOptions(duration_s=0.0), None, None),
        (SimulateOptions(ticks=3), None, 3),
        (SimulateOptions(ticks=3, duration_s=5.0, given={"duration_s"}), 5.0, 3),
    ],
)
def test_end_of_a_run(options: SimulateOptions, duration_s: float | None, ticks: int | None) -> None:
    """A minute by default; with ticks until they are done; 0s until interrupted."""
    _, plan = resolve(options)

    assert (plan.duration_s, plan.ticks) == (duration_s, ticks)


def test_seed_reaches_the_generator() -> None:
    """--seed is the seed of the run and of the generator alike."""
    stack, plan = resolve(SimulateOptions(seed=42))

    assert plan.seed == 42
    assert stack.functions["GeneratorLambda"].environment["SEED"] == "42"


def test_template_without_a_path_through_is_refused(tmp_path: Path) -> None:
    """A template with a queue and nothing else cannot be simulated, and the line says what is missing."""
    file = tmp_path / "t.yaml"
    file.write_text("Resources: {Q: {Type: AWS::SQS::Queue}}", encoding="utf-8")

    with pytest.raises(InputError, match="no queue, bucket or schedule that is simulated here invokes a function"):
        resolve(SimulateOptions(template=file))


@pytest.mark.usefixtures("unmeasured")
def test_copied_template_runs_as_its_own(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """A changed copy of the template changes what happens: another table name, another prefix."""
    from simulator.stack.packaged import packaged_template

    copy = tmp_path / "copy.yaml"
    shutil.copy(packaged_template(), copy)
    text = copy.read_text(encoding="utf-8").replace("Default: StockData", "Default: Quotes")
    copy.write_text(text.replace("Default: stocks/", "Default: quotes/"), encoding="utf-8")

    ended = stockpipe("simulate", "--template", str(copy), "--ticks", "1", "--summary", "-", *SMALL)

    assert (ended.code, ended.summary["resources"]["table"]) == (0, "Quotes")
    assert ended.summary["audit"]["stored_rows"] == 60
