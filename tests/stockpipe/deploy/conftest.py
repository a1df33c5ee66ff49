"""The package for this machine, built once, offline, from the installed distributions."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stockpipe.deploy import package
from stockpipe.deploy.targets import PYTHONS, Target, select_requirements


@pytest.fixture(scope="session")
def machine_target() -> Target:
    """The Lambda runtime most like this machine."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    architecture = {"aarch64": "arm64", "x86_64": "x86_64"}.get(platform.machine())
    if sys.platform != "linux" or architecture is None or python not in PYTHONS:
        pytest.skip("no wheel for Lambda is installed on this machine")
    return Target(python, architecture)


@pytest.fixture(scope="session")
def wheels(machine_target: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of wheels, packed again from what is installed: pip needs no network for them."""
    directory = tmp_path_factory.mktemp("wheels")
    requirements = Path(package.__file__).with_name("requirements.txt").read_text()
    for requirement in select_requirements(requirements, machine_target.python):
        repack_wheel(importlib.metadata.distribution(requirement.partition("==")[0]), directory)
    return directory


@pytest.fixture(scope="session")
def offline_pip(wheels: Path) -> Iterator[None]:
    """Pip finds only these wheels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(wheels))
        yield


@pytest.fixture(scope="session")
def built(
    offline_pip: None, machine_target: Target, tmp_path_factory: pytest.TempPathFactory
) -> tuple[package.Package, list[str]]:
    """The package for this machine and the steps reported while it was built."""
    steps: list[str] = []
    output = tmp_path_factory.mktemp("package") / "stockpipe.zip"
    return package.build_package(output, machine_target, report=steps.append), steps


@pytest.fixture(scope="session")
def task_root(built: tuple[package.Package, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked as on Lambda."""
    directory = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built[0].file) as archive:
        archive.extractall(directory)
    return directory


def repack_wheel(distribution: importlib.metadata.Distribution, directory: Path) -> None:
    """Write the wheel that an installed distribution came from, as far as an installation needs it."""
    files = [
        file
        for file in distribution.files or []
        if ".." not in file.parts and "__pycache__" not in file.parts and file.name not in {"RECORD", "INSTALLER"}
    ]
    tags = [
        line.removeprefix("Tag: ").split("-")
        for line in (distribution.read_text("WHEEL") or "").splitlines()
        if line.startswith("Tag: ")
    ]
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))
    name = distribution.name.replace("-", "_").replace(".", "_")
    metadata = next(file.parts[0] for file in files if file.name == "METADATA")
    with zipfile.ZipFile(directory / f"{name}-{distribution.version}-{tag}.whl", "w") as archive:
        for file in files:
            archive.write(str(file.locate()), file.as_posix())
        archive.writestr(f"{metadata}/RECORD", "".join(f"{file.as_posix()},,\n" for file in files))
