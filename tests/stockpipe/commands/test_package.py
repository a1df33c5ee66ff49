"""`stockpipe package`: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from simulator.base.errors import InputError
from stockpipe.commands.package import package as command
from stockpipe.deploy import package
from stockpipe.deploy.targets import Target


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The command with a build that gives a fixed result at once."""

    def build(output: Path, target: Target, *, interpreter: Path | None, report: package.Report) -> package.Package:
        report("packing")
        parts = (package.Part("aiohttp", 3, 5000), package.Part("pipeline", 2, 1500))
        return package.Package(output, target, "ab" * 32, 2500, 6500, True, parts)

    monkeypatch.setattr(package, "build_package", build)
    app = typer.Typer()
    app.command()(command)
    return app


def test_content_is_listed_with_sizes(app: typer.Typer) -> None:
    """Standard output has each part with its bytes, the largest first, the totals and the hash; steps go elsewhere."""
    done = CliRunner().invoke(app, ["--output", "x.zip", "--python", "3.13"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["5,000", "3", "aiohttp"]
    assert lines[1].split() == ["1,500", "2", "pipeline"]
    assert lines[2].split()[:2] == ["6,500", "5"]
    assert lines[3].split()[:2] == ["2,500", "x.zip,"]
    assert lines[4] == "sha256 " + "ab" * 32
    assert done.stderr == "packing\n"


def test_json_is_all_there_is_on_standard_output(app: typer.Typer) -> None:
    """With --json a script reads the same figures."""
    done = CliRunner().invoke(app, ["--json", "--arch", "x86_64", "--python", "3.12"])
    written = json.loads(done.stdout)
    assert written["schema"] == "stockpipe.package/1"
    assert (written["python"], written["architecture"], written["zip_bytes"], written["compiled"]) == (
        "3.12",
        "x86_64",
        2500,
        True,
    )
    assert written["parts"][0] == {"name": "aiohttp", "files": 3, "size_bytes": 5000}


def test_unknown_python_is_an_input_error(app: typer.Typer) -> None:
    """A Python that Lambda does not offer is wrong usage, in one line."""
    done = CliRunner().invoke(app, ["--python", "2.7"])
    assert isinstance(done.exception, InputError)
    assert "choose one of 3.11" in str(done.exception)
