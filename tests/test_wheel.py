"""The built wheel: what ships inside, and that it works with nothing of the checkout beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def tracked() -> list[str]:
    """The files of the checkout that git knows, by their path from its top."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy of the tracked sources, without a network."""
    sources = tmp_path_factory.mktemp("sources")
    for name in tracked():
        target = sources / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, sources],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_template_scenarios_and_assets_ship(wheel: Path) -> None:
    """Everything that is read at run time is inside, the documentation too; tests and benchmarks are not."""
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {"cli.py", "pipeline/template.yaml", "simulator/run/scenarios/burst.yaml", "pipeline/py.typed"} <= names
    packages = ("pipeline/", "simulator/", "stockpipe/")
    assert {name for name in tracked() if name.startswith(packages)} <= names
    pages = {Path(name).name for name in tracked() if Path(name).match("docs/*.md") and name.count("/") == 1}
    assert {f"stockpipe/docs/{page}" for page in pages} <= names
    assert not {name.split("/")[0] for name in names} & {"tests", "benchmarks", "docs"}


def test_installed_wheel_runs_the_loop(wheel: Path, tmp_path: Path) -> None:
    """From the unpacked wheel alone, away from the checkout, the loop runs and is proven."""
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    script = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
        "from stockpipe import __main__ as started\n"
        f"assert started.__file__.startswith({str(unpacked)!r})\n"
        "started.main()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script, "simulate", "--ticks", "1", "--files", "2", "--rows", "10", "--ui", "quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(unpacked), "HOME": str(tmp_path)},
        timeout=60,
    )

    assert (ended.returncode, ended.stdout.strip()) == (0, "verdict exact"), ended.stderr
