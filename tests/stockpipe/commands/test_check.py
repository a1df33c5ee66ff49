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
    """A visibility timeout under six function timeouts is AWS's advice: told, exit code 0."""
    code, said = check("--parameter", "VisibilityTimeout=120")

    assert code == 0
    assert "advice: " in said


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


@pytest.mark.parametrize("text", ["", "a: [", "Resources: {A: {Type: AWS::X::Y}}"])
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
