"""What AWS or the engine refuses of a stack's resources: one line with the resource, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.stack.packaged import packaged_template

Stockpipe = Callable[..., Any]
COMMANDS = (("simulate", "--ticks", "1"), ("load-test", "--rate", "1/s", "--duration", "1s"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_name_that_aws_refuses_begins_no_run(command: tuple[str, ...]) -> None:
    """It is found with the template: exit code 2 and the parameter that sets it, before anything is started."""
    for parameter, who in (
        ("BucketName=My_Bucket", "StockBucket"),
        ("QueueName=stock queue", "StockQueue"),
        ("TableName=ab", "StockData"),
        ("ConsumerName=a b", "ConsumerLambda"),
    ):
        ended = CliRunner().invoke(app, [*command, "--parameter", parameter, "--ui", "quiet"])
        assert (ended.exit_code, ended.stdout) == (2, "")
        refused, hint = ended.stderr.splitlines()
        assert f"AWS refuses it: {who}: " in refused
        assert hint == f"  hint: --parameter {parameter.partition('=')[0]}=... sets it"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_policy_for_another_account_is_one_line(
    stockpipe: Stockpipe, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """S3 would refuse the notification when it is made: exit code 2, and nothing is started."""
    own = packaged_template().read_text(encoding="utf-8")
    text = own.replace(
        "StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}", 'StringEquals: {aws:SourceAccount: "1"}'
    )
    assert text != own
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    ended = stockpipe(*command, "--template", "t.yaml", "--ui", "quiet")
    lines = [line for line in ended.err.splitlines() if not line.startswith("endpoint ")]
    assert (ended.code, len(lines)) == (2, 1), ended.err
    assert lines[0].startswith("stockpipe: ")
    assert "Unable to validate the following destination configurations" in lines[0]
