"""A template whose variables point elsewhere: the run stays here, is exact, and says what its handlers do not see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.stack.packaged import packaged_template

pytestmark = pytest.mark.usefixtures("unmeasured")

Stockpipe = Callable[..., Any]
ELSEWHERE = 'AWS_ENDPOINT_URL_S3: "http://192.0.2.1", AWS_ENDPOINT_URL_DYNAMODB: "http://192.0.2.1"'
SAID = "its handler does not see AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_S3, https_proxy"


@pytest.fixture
def template(tmp_path: Path) -> str:
    """The pipeline's own, with such variables for every function."""
    text = packaged_template().read_text(encoding="utf-8")
    globals_ = (
        f'Globals:\n  Function:\n    Environment: {{Variables: {{{ELSEWHERE}, https_proxy: "http://192.0.2.1:3"}}}}\n'
    )
    assert text.count("Globals:\n  Function:\n") == 1
    file = tmp_path / "elsewhere.yaml"
    file.write_text(text.replace("Globals:\n  Function:\n", globals_), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(("runtime", "ui"), [("inline", "plain"), ("process", "quiet")])
def test_a_run_stays_on_this_machine(stockpipe: Stockpipe, template: str, runtime: str, ui: str) -> None:
    """Every row is stored here; a quiet run says so on standard error, another among its events."""
    small = ("--ticks", "1", "--files", "2", "--rows", "3", "--runtime", runtime)
    ended = stockpipe("simulate", "--template", template, *small, "--ui", ui)
    assert ended.code == 0, ended.err
    for function in ("GeneratorLambda", "ConsumerLambda"):
        assert f"{function}: {SAID}" in (ended.err if ui == "quiet" else ended.out)


def test_a_load_test_stays_on_this_machine(stockpipe: Stockpipe, template: str) -> None:
    """As a run does."""
    ended = stockpipe(
        "load-test", "--template", template, "--rate", "2/s", "--duration", "1s", "--rows", "3", "--ui", "quiet"
    )
    assert ended.code == 0, ended.err
    assert f"stockpipe: ConsumerLambda: {SAID}" in ended.err


def test_check_lists_them(template: str) -> None:
    """Among what is not simulated; AWS takes them."""
    ended = CliRunner().invoke(app, ["check", "--template", template])
    assert ended.exit_code == 0
    assert "Environment.Variables.AWS_ENDPOINT_URL_S3" in ended.output
    assert "Environment.Variables.https_proxy" in ended.output
