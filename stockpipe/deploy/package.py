"""The Lambda artifact: trimmed wheels for the target, the handlers, compiled files; as a directory or as a zip.

It imports only the standard library and pip, so that `sam build` can run it with any Python:
`python -m stockpipe.deploy.package --directory DIR --python 3.13 --arch arm64`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.base.errors import CouldNotFinish, InputError, StockpipeError
from simulator.base.files import require_writable, write_whole
from simulator.base.folders import OwnFolder
from stockpipe.deploy.interpreters import find_interpreter
from stockpipe.deploy.targets import ARCHITECTURES, PYTHONS, Target, default_python, select_requirements
from stockpipe.deploy.trimming import trim

ZIP_LIMIT_BYTES = 50 * 1024 * 1024
"""The limit for a zip given to Lambda directly, as in the console (Lambda Developer Guide, "Lambda quotas")."""
UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
"""The limit for the unpacked zip with all layers."""
TASK_ROOT = "/var/task"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest instant that a zip can hold, used for every file of every build."""
UNCOMPILED_COST = "a cold start then costs about 2.5 times the processor time (`stockpipe docs performance`)"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A top-level entry of the artifact: a package, a module or its metadata."""

    name: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Package:
    """A built zip. `sha256` is the file's, in hexadecimal; `compiled` says whether it has compiled files."""

    file: Path
    target: Target
    sha256: str
    zip_bytes: int
    unzipped_bytes: int
    compiled: bool
    parts: tuple[Part, ...]


def build_package(output: Path, target: Target, *, interpreter: Path | None = None, report: Report) -> Package:
    """Build the zip at `output`; the same inputs give the same bytes. `report` receives each step in a few words.

    Raises `InputError` for what cannot be built or exceeds Lambda's limits, `CouldNotFinish` when pip fails or the disk
    is full. `output` is only ever replaced by a complete zip.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        require_writable(output)
        with OwnFolder() as scratch:
            directory, zipped = scratch.path / "content", scratch.path / "package.zip"
            compiled = build_directory(directory, target, interpreter=interpreter, report=report)
            report("packing")
            write_zip(directory, zipped)
            package = _describe(directory, zipped, output, target, compiled)
            refuse_oversize(package.zip_bytes, package.unzipped_bytes)
            write_whole(output, zipped.read_bytes())
    except OSError as error:
        raise CouldNotFinish(f"{output} cannot be written: {error.strerror or error}") from None
    return package


def build_directory(directory: Path, target: Target, *, interpreter: Path | None = None, report: Report) -> bool:
    """Fill `directory` with the artifact's content; true if it has compiled files. Raises like `build_package`."""
    compiler = find_interpreter(target.python, interpreter)
    directory.mkdir(parents=True, exist_ok=True)
    report(f"wheels for Python {target.python} on {target.architecture}")
    _install_wheels(directory, target)
    report("trimming")
    trim(directory)
    _copy_handlers(directory)
    if compiler is None:
        report(
            f"warning: Python {target.python} is not installed here, so there are no compiled files: "
            f"{UNCOMPILED_COST}; install it, or pass one with --interpreter"
        )
        return False
    report("compiling")
    _compile(directory, compiler)
    return True


def write_zip(directory: Path, file: Path) -> None:
    """The directory as a zip whose bytes depend only on names and contents."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(directory.rglob("*"), key=lambda entry: entry.relative_to(directory).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16  # Lambda's user must be able to read it
                archive.writestr(entry, path.read_bytes(), compresslevel=9)


def refuse_oversize(zip_bytes: int, unzipped_bytes: int) -> None:
    """Raise `InputError` if Lambda would refuse the size."""
    limits = ((unzipped_bytes, UNZIPPED_LIMIT_BYTES, "unpacked"), (zip_bytes, ZIP_LIMIT_BYTES, "zipped"))
    for size, limit, what in limits:
        if size > limit:
            over = f"over Lambda's limit of {limit / 1e6:.1f} MB"
            raise InputError(f"the package is {size / 1e6:.1f} MB {what}, {over}; nothing was written")


def _install_wheels(directory: Path, target: Target) -> None:
    if importlib.util.find_spec("pip") is None:
        raise InputError(f"{sys.executable} has no pip, which downloads the wheels", hint="run: python -m ensurepip")
    text = Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8")
    options = [
        "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--no-compile", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", target.python, "--target", str(directory),
    ]  # fmt: skip
    for platform in target.platforms:
        options += ["--platform", platform]
    command = [sys.executable, "-m", "pip", "install", *options, *select_requirements(text, target.python)]
    # What a killed pip leaves in its temporary directories is removed with ours.
    with OwnFolder() as scratch:
        environ = {**os.environ, "TMPDIR": str(scratch.path)}
        _run(command, environ, "pip cannot download the wheels: {} (it needs access to a package index)")


def _copy_handlers(directory: Path) -> None:
    # From beside this package, not from wherever the import system finds a `pipeline` first: a user may have one, too.
    source = Path(__file__).resolve().parents[2] / "pipeline"
    if not source.is_dir():
        raise InputError(f"the package 'pipeline', which contains the handlers, is not in {source.parent}")
    for file in sorted(source.rglob("*.py")):
        copy = directory / "pipeline" / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _compile(directory: Path, interpreter: Path) -> None:
    # Unchecked hashes: Lambda sets no file times that a check could rely on, and /var/task is read-only.
    command = [str(interpreter), "-S", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    environ = {"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}  # the order of a set would affect the file
    place = ["-s", str(directory), "-p", TASK_ROOT, str(directory)]
    _run([*command, *place], environ, f"{interpreter} cannot compile the package: {{}}")


def _run(command: list[str], environ: dict[str, str] | None, failed: str) -> None:
    """Run it to its end. Raises `CouldNotFinish` with `failed`, where `{}` is its last error."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)  # noqa: S603
    if done.returncode:
        output = (done.stdout + done.stderr).strip().splitlines()
        errors = [line.removeprefix("ERROR: ") for line in output if line.startswith("ERROR: ")] or output
        raise CouldNotFinish(failed.format(errors[-1] if errors else "no reason given"))


def _describe(directory: Path, zipped: Path, output: Path, target: Target, compiled: bool) -> Package:
    sizes: dict[str, list[int]] = {}
    for file in directory.rglob("*"):
        if file.is_file():
            sizes.setdefault(file.relative_to(directory).parts[0], []).append(file.stat().st_size)
    parts = tuple(Part(name, len(sizes[name]), sum(sizes[name])) for name in sorted(sizes))
    content = zipped.read_bytes()
    return Package(
        file=output,
        target=target,
        sha256=hashlib.sha256(content).hexdigest(),
        zip_bytes=len(content),
        unzipped_bytes=sum(part.size_bytes for part in parts),
        compiled=compiled,
        parts=parts,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m stockpipe.deploy.package`: fill a directory, as `sam build` requires. Returns the exit code."""
    program = "python -m stockpipe.deploy.package"
    parser = argparse.ArgumentParser(prog=program, description="Fill a directory for Lambda.")
    parser.add_argument("--directory", type=Path, required=True, help="where to put the content; created if missing")
    parser.add_argument("--python", default=default_python(), choices=PYTHONS, help="Lambda's Python")
    parser.add_argument("--arch", default="arm64", choices=sorted(ARCHITECTURES), help="Lambda's processor")
    parser.add_argument("--interpreter", type=Path, help="a Python of the same minor version, to compile files")
    given = parser.parse_args(arguments)

    def report(line: str) -> None:
        print(line, file=sys.stderr)  # noqa: T201

    try:
        build_directory(given.directory, Target(given.python, given.arch), interpreter=given.interpreter, report=report)
    except StockpipeError as error:
        report(f"error: {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
