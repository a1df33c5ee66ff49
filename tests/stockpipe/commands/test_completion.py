"""What the shells complete, and how the completion gets into them."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from simulator.base.errors import InputError
from stockpipe.commands import completion
from stockpipe.commands.completion import Completable, offered

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = {
    str(each.name): Completable(each.callback.kind, inspect.getdoc(each.callback) or "")  # type: ignore[union-attr]
    for each in cli.app.registered_commands
}


def values(line: str, shell: str = "bash") -> list[str]:
    """What may stand in place of the last word of a command line; bash's own cut at `=` is a blank around it."""
    return [value for value, _ in offered(line.split(" ")[1:], COMMANDS, shell)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("stockpipe s", ["simulate", "store", "status"]),
        ("stockpipe --v", ["--version"]),
        ("stockpipe --show-completion z", ["zsh"]),
        ("stockpipe simulate --dr", ["--drain-timeout"]),
        ("stockpipe verify --no", ["--no-pause"]),
        ("stockpipe destroy --keep", ["--keep-artifacts"]),
        ("stockpipe simulate --scenario bu", ["burst"]),
        ("stockpipe simulate --parameter TickerC", ["TickerCount=", "TickerColumn="]),
        ("stockpipe simulate --ui pl", ["plain"]),
        ("stockpipe simulate --ui = pl", ["plain"]),
        ("stockpipe package --arch ", ["arm64", "x86_64"]),
        ("stockpipe load-test --accept ", ["overwritten"]),
        ("stockpipe simulate --hold --ui q", ["quiet"]),
        ("stockpipe simulate --slo rejected", ["rejected"]),
        ("stockpipe load-test --slo p99", ["p99", "p999"]),
        ("stockpipe docs bo", ["bounds"]),
        ("stockpipe simulate --source q", []),
        ("stockpipe simulate --hold q", []),
        ("stockpipe nothing --u", []),
        ("stockpipe simulate --ui x", []),
    ],
)
def test_what_may_come_next_is_offered(line: str, found: list[str]) -> None:
    """Commands, options, choices and names; nothing where a file may be, which the shell itself offers."""
    assert values(line) == found


def test_other_shells_take_option_and_value_as_one_word() -> None:
    """Bash cuts at the sign; a meaning is as short as a line of a menu."""
    assert values("stockpipe simulate --ui=pl", "zsh") == ["--ui=plain"]
    meanings = [meaning for _, meaning in offered([""], COMMANDS, "zsh")]
    assert all(0 < len(meaning) <= 60 for meaning in meanings)


def test_parameters_are_those_of_the_template_that_is_named(tmp_path: Path) -> None:
    """Without a parser, and nothing of other sections."""
    (tmp_path / "t.yaml").write_text("Mappings:\n  M: 1\nParameters:\n  Mine: {Type: String}\n  Other:\n    Type: x\n")
    assert values(f"stockpipe simulate --template {tmp_path}/t.yaml --parameter ") == ["Mine=", "Other="]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    """The script as it is printed, with the program that it calls."""
    program = tmp_path / "stockpipe"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli "$@"\n')
    program.chmod(0o755)
    script = (
        f"{completion.script('bash')}\nCOMP_WORDS=(stockpipe simulate --ui pl)\nCOMP_CWORD=3\n"
        f'_stockpipe_completion {program}\necho "${{COMPREPLY[@]}}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert (done.stdout, done.stderr) == ("plain\n", "")


@pytest.mark.parametrize(("shell", "started"), [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", None)])
def test_it_is_installed_once(shell: str, started: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a file of its own, which the shell's start-up file reads; what was there stays."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    if started:
        (tmp_path / started).write_text("alias a=b")
    for _ in range(2):
        ended = CliRunner().invoke(cli.app, ["--install-completion", shell])
        assert ended.exit_code == 0
    file = next(
        path for path in tmp_path.rglob("*") if path.is_file() and "stockpipe" in str(path.relative_to(tmp_path))
    )
    assert file.read_text() == f"{completion.script(shell)}\n"
    if started:
        first, line = (tmp_path / started).read_text().splitlines()
        assert (first, f"source {file}" in line) == ("alias a=b", True)


def test_the_shell_in_use_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is named; a name is left as it is."""
    monkeypatch.setattr(completion, "_shell_in_use", lambda: "fish")
    assert CliRunner().invoke(cli.app, ["--show-completion"]).stdout == f"{completion.script('fish')}\n"
    assert completion.with_shell(["--show-completion", "zsh"]) == ["--show-completion", "zsh"]
    assert completion.with_shell(["simulate", "--ui"]) == ["simulate", "--ui"]
    with pytest.raises(InputError, match=r"no completion for 'tcsh'; choose from 'bash', 'zsh' or 'fish'"):
        completion.script("tcsh")
