"""`stockpipe check`, on the pipeline's own template and on broken ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.stack.packaged import packaged_template

PACKAGED = packaged_template().read_text(encoding="utf-8")


def check(*arguments: str) -> tuple[int, str]:
    """Exit code and all output."""
    ended = CliRunner().invoke(app, ["check", *arguments])
    return ended.exit_code, ended.output


def test_own_template_is_clean() -> None:
    """The template that ships is refused for nothing and advised against for nothing."""
    code, said = check()

    assert code == 0
    assert "0 refused by AWS, 0 advised against" in said


def test_refusal_has_aws_own_words_and_the_line() -> None:
    """A visibility timeout below the function's timeout: AWS's sentence, the resource, the line, exit code 2."""
    code, said = check("--parameter", "VisibilityTimeout=30")

    assert code == 2
    assert "refused: ConsumerLambdaBatch: Queue visibility timeout: 30 seconds is less than Function timeout" in said
    assert said.splitlines()[0].startswith("pipeline/template.yaml:")


def test_advice_is_no_refusal() -> None:
    """A visibility timeout under six function timeouts is AWS's advice: exit code 0, and 1 only with --strict."""
    code, said = check("--parameter", "VisibilityTimeout=120")

    assert code == 0
    assert "advice: " in said
    assert check("--parameter", "VisibilityTimeout=120", "--strict")[0] == 1
    assert check("--strict")[0] == 0
    assert check("--parameter", "VisibilityTimeout=30", "--strict")[0] == 2


THEIRS = """Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeOut: 60
      KmsMasterKeyId: alias/aws/sqs
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      Tracing: Active
      Events:
        Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
        Web: {Type: Api, Properties: {Path: /, Method: get}}
  Page:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.page, Runtime: nodejs22.x}
  Topic:
    Type: AWS::SNS::Topic
"""


def test_any_template_has_each_finding_on_a_line(tmp_path: Path) -> None:
    """File, line, one of three words, resource and sentence; what is refused is not in the other list as well."""
    file = tmp_path / "theirs.yaml"
    file.write_text(THEIRS, encoding="utf-8")
    code, said = check("--template", str(file))
    assert code == 2
    lines = [line.removeprefix(f"{file}:") for line in said.splitlines()]
    assert [line.split(": ")[:3] for line in lines] == [
        ["6", "refused", "Orders"],
        ["3", "advice", "Orders"],
        ["15", "advice", "WorkerBatch"],
        ["3", "not simulated", "Orders"],
        ["8", "not simulated", "Worker"],
        ["17", "not simulated", "Page"],
        ["20", "not simulated", "Topic"],
        [" 1 refused by AWS, 2 advised against, 4 not simulated"],
    ]
    assert lines[0].endswith("Encountered unsupported property VisibilityTimeOut; did you mean 'VisibilityTimeout'?")
    assert lines[3].endswith("Orders: KmsMasterKeyId")
    assert "Tracing" in lines[4]
    assert "Events.Web (a trigger of type Api is not simulated)" in lines[4]
    assert lines[5].endswith("Page: its handler is in nodejs22.x; only Python handlers run here")


def test_what_cannot_run_here_is_no_failure_of_a_check(tmp_path: Path) -> None:
    """It is not simulated: exit code 0; a run says it, and does not begin."""
    file = tmp_path / "theirs.yaml"
    text = THEIRS.replace("      VisibilityTimeOut: 60\n", "").replace("python3.13", "go1.x")
    file.write_text(text, encoding="utf-8")
    code, said = check("--template", str(file))
    assert code == 0
    assert "not simulated: Worker: its handler is in go1.x; only Python handlers run here\n" in said


FILTERS = """            FilterCriteria:
              Filters:
                - Pattern: '{"body": {"Records": "all"}}'
"""


@pytest.fixture
def filtering(tmp_path: Path) -> Path:
    """The pipeline's template with a filter that AWS refuses."""
    own = Path("pipeline/template.yaml").read_text(encoding="utf-8")
    before, line, after = own.partition("            FunctionResponseTypes: ")
    assert line
    (tmp_path / "filtering.yaml").write_text(before + FILTERS + line + after, encoding="utf-8")
    return tmp_path / "filtering.yaml"


@pytest.mark.parametrize(
    "command", [("check",), ("simulate", "--ticks", "1"), ("load-test", "--duration", "1s")], ids=lambda each: each[0]
)
def test_a_filter_that_aws_refuses_stops_every_command(filtering: Path, command: tuple[str, ...]) -> None:
    """Before anything runs: AWS's sentence with file and line in one line, and exit code 2."""
    ended = CliRunner().invoke(app, [*command, "--template", str(filtering)])

    assert ended.exit_code == 2
    (line,) = [line for line in ended.output.splitlines() if "Invalid filter pattern definition." in line]
    assert re.search(r'filtering\.yaml:[0-9]+: .*Filters\[0\]: "Records" must be an object or an array', line)


@pytest.mark.parametrize("text", ["", "a: [", "Resources: {A: {Type: 5}}"])
def test_unreadable_template_is_one_line(tmp_path: Path, text: str) -> None:
    """What is no template of ours is one line, exit code 2."""
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")

    code, said = check("--template", str(tmp_path / "t.yaml"))

    assert code == 2
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("TimestampFormat=%Q", "ConsumerLambda: TIMESTAMP_FORMAT='%Q' is not a strptime format"),
        ("Encoding=cp1253x", "ConsumerLambda: ENCODING='cp1253x' is not a text encoding that Python knows"),
        ("Delimiter=:", "ConsumerLambda: DELIMITER=':' is not one of auto, comma, semicolon, tab, bar"),
        ("TickerCount=1", "GeneratorLambda: TICKER_COUNT=1 is too few"),
    ],
)
def test_a_setting_with_which_a_function_would_fail_at_init_is_named(parameter: str, said: str) -> None:
    """In the function's own words, with its line in the template; exit code 2."""
    more = ("--parameter", "RowsPerFile=100000") if parameter.startswith("Ticker") else ()
    code, output = check("--parameter", parameter, *more)

    assert code == 2
    assert re.search(rf"^pipeline/template.yaml:[0-9]+: fails at init: {re.escape(said)}", output, re.MULTILINE)
    assert "0 refused by AWS, 0 advised against, 1 failing, 17 not simulated" in output


@pytest.mark.parametrize("command", [("simulate", "--ticks", "1"), ("load-test", "--duration", "1s")])
def test_no_run_begins_with_a_setting_that_fails_at_init(command: tuple[str, ...]) -> None:
    """One line that names the setting, the parameter that sets it, and exit code 2."""
    ended = CliRunner().invoke(app, [*command, "--parameter", "Numbers=lenient", "--parameter", "TimestampFormat=%Q"])

    assert ended.exit_code == 2
    line, hint = ended.output.strip().splitlines()
    assert "fails at init: ConsumerLambda: TIMESTAMP_FORMAT='%Q' is not a strptime format" in line
    assert hint == "  hint: --parameter TimestampFormat=... sets it"
    for wrong, near in {
        "Delimiter=semicolo": "Delimiter=semicolon",
        "TimeZone=Asia/Tokio": "TimeZone=Asia/Tokyo",
    }.items():
        ended = CliRunner().invoke(app, [*command, "--parameter", wrong])
        assert ended.output.splitlines()[1:] == [f"  hint: write --parameter {near}"]


HOSTILE = "a\\e[31m\\u202e\\u2028\\r\\n\\x9b"
SHOWN = r"a\x1b[31m\u202e\u2028\r\n\x9b"


def test_a_template_does_not_steer_the_terminal(tmp_path: Path) -> None:
    """What is refused, advised, not simulated and named in errors is shown with its control characters made visible."""
    text = PACKAGED.replace('"${StockQueue}-x"', "x")
    named = text.replace("      QueueName: !Ref QueueName\n", f'      QueueName: "{HOSTILE}"\n', 1)
    assert named != text
    unread = named.replace("      QueueName:", f'      "{HOSTILE}": 1\n      QueueName:', 1)
    file = tmp_path / "t\x1b[31m.yaml"
    file.write_text(unread, encoding="utf-8")
    code, said = check("--template", str(file))
    assert code == 2
    assert f"in length: '{SHOWN}'" in said
    assert f"StockQueue: Encountered unsupported property {SHOWN}" in said
    assert all(line.isprintable() for line in said.split("\n"))
    assert "t\\x1b[31m.yaml: 2 refused by AWS" in said


def test_a_parameter_does_not_steer_the_terminal() -> None:
    """In the error that shows it, on one line."""
    for value in ("\x1b[31m", "two\nlines", "\u202e", "\u2028"):
        code, said = check("--parameter", f"VisibilityTimeout={value}")
        assert code == 2
        assert said.count("\n") == 1
        assert said.strip("\n").isprintable()
