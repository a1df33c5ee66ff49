"""What the shells complete, and how the completion gets into them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import shellingham
from typer.testing import CliRunner

import cli
from simulator.base import files
from stockpipe.commands import completion, parameters

ROOT = Path(__file__).resolve().parents[3]


def ran(*words: str, **env: str) -> tuple[int, str]:
    """The exit code of `stockpipe` with these words, and everything it prints."""
    ended = CliRunner().invoke(cli.app, words, prog_name="stockpipe", env=env)
    return ended.exit_code, ended.output


def values(line: str) -> list[str]:
    """What bash offers in place of the last word of a command line."""
    words = line.split(" ")
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    code, said = ran(**{completion.REQUEST: "complete_bash"}, **asked)
    assert code == 0
    return said.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("stockpipe s", ["simulate", "store", "status"]),
        ("stockpipe --v", ["--version"]),
        ("stockpipe --show-completion z", []),
        ("stockpipe simulate --dr", ["--drain-timeout"]),
        ("stockpipe verify --no", ["--no-pause"]),
        ("stockpipe simulate --scenario bu", ["burst"]),
        ("stockpipe simulate --parameter TickerC", ["TickerCount=", "TickerColumn="]),
        ("stockpipe simulate --ui pl", ["plain"]),
        ("stockpipe package --arch ", ["arm64", "x86_64"]),
        ("stockpipe load-test --accept ", ["overwritten"]),
        ("stockpipe simulate --slo rejected", ["rejected"]),
        ("stockpipe load-test --slo p99", ["p99", "p999"]),
        ("stockpipe docs bo", ["bounds"]),
        ("stockpipe simulate --source q", []),
        ("stockpipe simulate --template q", []),
        ("stockpipe simulate --hold q", []),
        ("stockpipe inspect q", []),
        ("stockpipe nothing --u", []),
        ("stockpipe simulate --ui x", []),
        ("stockpipe simulate --parameters nowhere.json --dr", ["--drain-timeout"]),
    ],
)
def test_what_may_come_next_is_offered(line: str, found: list[str]) -> None:
    """Commands, options, choices and names; nothing where a file may be, which the shell itself offers."""
    assert values(line) == found


def test_parameters_are_those_of_the_template_that_is_named(tmp_path: Path) -> None:
    """Also of one without resources or a default, as somebody is writing it."""
    (tmp_path / "t.yaml").write_text("Mappings:\n  M: 1\nParameters:\n  Mine: {Type: String}\n  Other: {}\n")
    assert values(f"stockpipe simulate --template {tmp_path}/t.yaml --parameter ") == ["Mine=", "Other="]


def test_no_pipe_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each press of the key would wait for its writer, or take what a terminal has to say."""
    read: list[Path] = []
    for module in (files, parameters):
        monkeypatch.setattr(module, "read_bounded", lambda file, _: read.append(file) or b"")
    os.mkfifo(tmp_path / "pipe")
    pipes = f"--template {tmp_path}/pipe --parameters {tmp_path}/pipe"
    assert values(f"stockpipe simulate {pipes} --parameter ") == []
    assert values(f"stockpipe simulate {pipes} --dr") == ["--drain-timeout"]
    assert read == []


def test_an_answer_has_one_line_per_value_and_no_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meaning of several lines would be several values, and a traceback would land in what somebody types."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv(completion.REQUEST, "complete_fish")
    answers: list[str] = []

    def answered(**_: str) -> None:
        asked = {"_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": "stockpipe load-test --"}
        answers.append(CliRunner().invoke(app, prog_name="stockpipe", env=asked).output)
        raise ValueError("of ours")

    app = cli.app
    monkeypatch.setattr(cli, "take_streams", lambda: None)
    monkeypatch.setattr(cli, "app", answered)
    cli.run()
    lines = answers[0].splitlines()
    assert "--rate\tHow many objects to send per second (or per minute: 30/m), by the clock." in lines
    assert all(line.startswith("--") and line.count("\t") == 1 for line in lines)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    """The script as it is printed, with the program that it calls."""
    program = tmp_path / "stockpipe"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m stockpipe "$@"\n')
    program.chmod(0o755)
    _, printed = ran("--show-completion", "bash")
    script = (
        f"{printed}\nCOMP_WORDS=(stockpipe simulate --ui pl)\nCOMP_CWORD=3\n"
        f'_stockpipe_completion {program}\necho "${{COMPREPLY[@]}}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert (done.stdout, done.stderr) == ("plain\n", "")


@pytest.mark.parametrize(("shell", "started"), [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", None)])
def test_it_is_installed_once(shell: str, started: str | None, tmp_path: Path) -> None:
    """Into a file of its own, which the shell's start-up file reads; both are named, and what was there stays."""
    if started:
        (tmp_path / started).write_text("alias a=b")
    _, printed = ran("--show-completion", shell)
    for _ in range(2):
        code, said = ran("--install-completion", shell, HOME=str(tmp_path))
        assert code == 0
    file = Path(said.split("'")[1])
    assert file.is_relative_to(tmp_path)
    assert file.read_text().strip() == printed.strip()
    if started:
        assert f"'{tmp_path / started}' reads it" in said
        lines = [line for line in (tmp_path / started).read_text().splitlines() if line]
        assert (lines[0], len(lines)) == ("alias a=b", len(set(lines)))


def test_a_start_up_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    """One line says why, and another what to do instead."""
    (tmp_path / ".bashrc").write_bytes(b"alias a=\xff")
    code, said = ran("--install-completion", "bash", HOME=str(tmp_path))
    assert (code, len(said.splitlines())) == (2, 2)
    assert "add to your start-up file what `stockpipe --show-completion bash` prints" in said
    assert (tmp_path / ".bashrc").read_bytes() == b"alias a=\xff"


def test_a_home_that_cannot_be_written_is_one_line_with_a_way_out(tmp_path: Path) -> None:
    """As every failure of the system, and with the script as another way."""
    (tmp_path / ".bashrc").mkdir()
    code, said = ran("--install-completion", "bash", HOME=str(tmp_path))
    assert (code, said.splitlines()) == (
        3,
        [
            f"stockpipe: {tmp_path}/.bashrc: Is a directory",
            "  hint: add to your start-up file what `stockpipe --show-completion bash` prints",
        ],
    )


def test_the_shell_in_use_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is named; what cannot be found, and what has no completion, is one line with a way out."""
    monkeypatch.setattr(shellingham, "detect_shell", lambda: ("fish", "/bin/fish"))
    assert ran("--show-completion") == ran("--show-completion", "fish") == ran("--show-completion=fish")
    assert ran("--show-completion", "tcsh") == (
        2,
        "stockpipe: there is no completion for 'tcsh'\n"
        "  hint: choose from 'bash', 'zsh', 'fish', 'powershell' or 'pwsh'\n",
    )
    assert ran("--show-completion", "zsh", "fish")[0] == 2

    def unknown() -> None:
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", unknown)
    assert ran("--install-completion") == (
        2,
        "stockpipe: it is not clear which shell is in use\n  hint: name it, as in --install-completion bash\n",
    )
