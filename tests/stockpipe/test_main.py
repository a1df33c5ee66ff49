"""How the command line starts: light, and over our own modules wherever it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("unmeasured")

CONSOLE_SCRIPT = str(Path(sys.executable).with_name("stockpipe"))
OURS = ("pipeline", "simulator", "commands", "deploy")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A directory whose modules have our names, or those that our packages had, and fail when they are imported."""
    for name in OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a module of the user was imported')\n")
    (tmp_path / "cli.py").write_text("raise SystemExit('a module of the user was imported')\n")
    return tmp_path


SCRIPT = (CONSOLE_SCRIPT,)
MODULE = (sys.executable, "-m", "stockpipe")
LITTLE = ("--rows", "5", "--ui", "quiet")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((*SCRIPT, "--help"), "Usage: stockpipe [OPTIONS]"),
        ((*MODULE, "--help"), "Usage: stockpipe [OPTIONS]"),
        ((*SCRIPT, "check"), "0 refused by AWS"),
        ((*MODULE, "simulate", "--ticks", "1", "--files", "2", *LITTLE), "verdict exact"),
        pytest.param(
            (*SCRIPT, "simulate", "--ticks", "1", "--files", "2", "--runtime", "process", *LITTLE),
            "verdict exact",
            marks=pytest.mark.skipif(not sys.platform.startswith("linux"), reason="awslambdaric has no wheel here"),
        ),
        ((*MODULE, "load-test", "--rate", "5/s", "--duration", "1s", "--target", "sink", *LITTLE), "no audit"),
    ],
    ids=["script", "module", "check", "inline", "process", "load-test"],
)
def test_a_users_modules_of_our_names_are_left_alone(foreign: Path, command: tuple[str, ...], said: str) -> None:
    """Neither the working directory nor PYTHONPATH stands in for our modules, in any of our processes."""
    ended = subprocess.run(
        command,
        cwd=foreign,
        env=os.environ | {"PYTHONPATH": str(foreign)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
    assert said in ended.stdout


def test_the_package_itself_is_light() -> None:
    """Importing stockpipe loads nothing that the command line or a user's tests may not want."""
    script = (
        "import sys; before = set(sys.modules); import stockpipe\n"
        "heavy = {'aiohttp', 'botocore', 'boto3', 'moto', 'rich', 'typer', 'asyncio', 'simulator', 'pipeline', 'cli'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))\n"
    )

    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"
