"""`stockpipe check`, on the pipeline's own template and on broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app


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


@pytest.mark.parametrize("text", ["", "a: [", "Resources: {A: {Type: AWS::X::Y}}"])
def test_unreadable_template_is_one_line(tmp_path: Path, text: str) -> None:
    """What is no template of ours is one line, exit code 2."""
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")

    code, said = check("--template", str(tmp_path / "t.yaml"))

    assert code == 2
    assert len(said.strip().splitlines()) == 1
