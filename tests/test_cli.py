"""The command line as a whole: what is documented, what help says, how errors leave."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import cli
from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.commands import reference

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = (
    "simulate",
    "load-test",
    "compare",
    "store",
    "check",
    "package",
    "deploy",
    "status",
    "invoke",
    "verify",
    "redrive",
    "destroy",
)
NAMES = [str(command.name) for command in cli.app.registered_commands]


def test_commands_are_those_of_the_contract() -> None:
    """Every public command is there, and no other."""
    assert sorted(NAMES) == sorted(CONTRACT)


def test_commands_page_is_fresh() -> None:
    """docs/commands.md says what the commands say; `make reference` writes it anew."""
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")

    assert written == reference.markdown(cli.app), "stale: run make reference"


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example_and_every_option(name: str) -> None:
    """Each command's help shows an example of itself, and each option says what it means."""
    shown = CliRunner().invoke(cli.app, [name, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})

    assert shown.exit_code == 0
    assert re.search(rf"stockpipe {name}\b", shown.output.split("Options")[-1]), "no example"
    page = reference.markdown(cli.app).split(f"## stockpipe {name}\n")[1].split("\n## ")[0]
    options = re.findall(r"(?m)^\| `((?:[^`])+)` \| *(.*?) *\|$", page)
    assert options or "| `" not in page
    assert all(meaning for _, meaning in options), options


def test_readme_names_only_commands_that_exist() -> None:
    """Each `stockpipe NAME` of the README and the guides is a command."""
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for block in re.findall(r"(?ms)^```\w*\n(.*?)^```", file.read_text(encoding="utf-8")):
            for name in re.findall(r"(?m)^\s*stockpipe ([a-z][a-z-]*)", block):
                assert name in NAMES, f"{file.name}: stockpipe {name}"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("the template is odd"), 2, "the template is odd"),
        (CouldNotFinish("the store died"), 3, "the store died"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "x.json"), 3, "the disk is full: x.json"),
        (PermissionError(errno.EACCES, "Permission denied", "x.json"), 3, "x.json: Permission denied"),
    ],
)
def test_errors_become_one_line_and_a_code(error: BaseException, code: int, said: str) -> None:
    """Whose fault it was decides the exit code; the text is one line on standard error."""
    app = typer.Typer(cls=cli.Commands)

    @app.command("work")
    def work() -> None:
        raise error

    @app.command("other")
    def other() -> None:
        pass

    ended = CliRunner().invoke(app, ["work"])

    assert ended.exit_code == code
    assert ended.stderr.strip() == f"stockpipe: {said}" or ended.stderr.strip().startswith(f"stockpipe: {said}")
    assert len(ended.stderr.strip().splitlines()) == 1


def test_defect_of_ours_is_not_disguised() -> None:
    """An exception that is none of ours keeps its traceback: it is a defect to report, not a user's mistake."""
    app = typer.Typer(cls=cli.Commands)

    @app.command("work")
    def work() -> None:
        raise ZeroDivisionError

    @app.command("other")
    def other() -> None:
        pass

    assert isinstance(CliRunner().invoke(app, ["work"]).exception, ZeroDivisionError)


def test_version_is_the_packages() -> None:
    """--version prints the name and the installed version."""
    shown = CliRunner().invoke(cli.app, ["--version"])

    assert re.fullmatch(r"stockpipe \d+\.\d+\.\d+", shown.output.strip())


def test_closed_pipe_ends_quietly() -> None:
    """`stockpipe ... | head` ends without a traceback when the reader has gone."""
    script = "import cli, sys; sys.argv = ['stockpipe', 'simulate', '--scenario', 'list']; cli.app()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()

    assert "Traceback" not in said


def test_help_imports_nothing_heavy() -> None:
    """Help must answer at once: no AWS client, no server, no scientific package is imported for it."""
    script = (
        "import sys, cli\n"
        "from typer.testing import CliRunner\n"
        "CliRunner().invoke(cli.app, ['--help'])\n"
        "heavy = {'boto3', 'botocore', 'aiobotocore', 'aioboto3', 'aiohttp', 'moto', 'asyncio', 'yaml', 'hdrh'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)

    assert shown.stdout.strip() == "[]"
