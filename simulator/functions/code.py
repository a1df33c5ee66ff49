"""The code that a template names, ready to run: each function's files, and what pip adds to them, as `sam build` does.

Handlers run from the user's own folders. A cache keeps what pip installs, by what asked for it, and unpacked zips; an
entry is complete or not there, even if a build is interrupted or runs twice at once.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import sys
import sysconfig
import tempfile
import zipfile
import zlib
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.machinery import all_suffixes
from pathlib import Path

from simulator.base import interrupts, limits
from simulator.base.children import ChildProcess
from simulator.base.errors import CouldNotFinish, InputError
from simulator.base.nearest import did_you_mean
from simulator.functions.runtimes import Code
from simulator.stack.model import Function, Stack
from simulator.stack.wiring import flow

Progress = Callable[[str], None]
_ELSEWHERE = "--code PATH runs the code in another folder or zip"
# AWS's own layers, by ARN or SSM parameter; only their names are the same in all of AWS's partitions.
_KNOWN_LAYERS = {
    "PowertoolsPythonV3|powertools/python": "aws-lambda-powertools[all]>=3,<4",
    "PowertoolsPythonV2": "aws-lambda-powertools[all]>=2,<3",
    "PowertoolsPython:": "aws-lambda-powertools[pydantic]<2",
    "AWSSDKPandas|AWSDataWrangler": "awswrangler",
}


def prepare(
    stack: Stack, *, override: Path | None = None, build: bool = True, also: Iterable[Function] = (), progress: Progress
) -> Mapping[str, Code]:
    """The code of each function that something invokes, and of those in `also`, by logical id.

    `override` (a folder or a zip) is the code of all functions. The pipeline's own run from this installation, and are
    left out, unless `override` has their handlers. Without `build` nothing is installed. `progress` gets a line before
    each installation. Call it where no event loop runs. Raises `InputError` for everything that is not there, or if
    pip fails; `CouldNotFinish` if the cache cannot be written; `Interrupted`.
    """
    code: dict[str, Code] = {}
    faults = []
    try:
        named = None if override is None else _folder(override, "")
        for name, function in {each.logical_id: each for each in (*flow(stack).functions, *also)}.items():
            if function.is_own and (named is None or not _has_handler(function, Code(named))):
                continue
            try:
                found = Code(named or _own_folder(function), tuple(_layer_folders(function)))
                sources = (found.root, *function.layers) if build else ()
                packages = (_installed(name, source, progress) for source in sources)
                code[name] = Code(found.root, found.layers, tuple(filter(None, packages)))
                _require_handler(function, code[name], override or function.code)
                _require_endpoint(name, code[name])
            except InputError as fault:
                faults.append(fault)
    except OSError as error:
        where, why = error.filename or _cache(), error.strerror or error
        raise CouldNotFinish(f"{where}: {why}", hint="XDG_CACHE_HOME names another folder for the cache") from None
    if faults:
        raise faults[0] if len(faults) == 1 else InputError(*map(str, faults))
    return code


def _own_folder(function: Function) -> Path:
    if function.code is not None:
        return _folder(function.code, f"{function.logical_id}: ")
    if function.source is None:
        raise InputError(f"{function.logical_id}: its code is not on this machine", hint=_ELSEWHERE)
    source = function.source.encode()
    return _cached((b"source", source), lambda folder: (folder / "index.py").write_bytes(source))


def _folder(path: Path, whose: str) -> Path:
    """The folder itself, that of a module, or one with a zip's content."""
    is_file = os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a name that is too long
    try:
        if is_file and zipfile.is_zipfile(path):
            return _cached((b"zip", path.read_bytes()), lambda folder: shutil.unpack_archive(path, folder, "zip"))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path} cannot be unpacked: {error}") from None
    if os.path.isdir(path):  # noqa: PTH112 - the same
        return path.resolve()
    if is_file and whose and path.suffix == ".py":
        return path.resolve().parent
    hint = _ELSEWHERE if whose else "`stockpipe package --output FILE` makes a zip"
    raise InputError(f"{whose}'{path}' is neither a folder nor a zip of code", hint=hint)


def _layer_folders(function: Function) -> Iterator[Path]:
    """Where Python looks in the layers that the template declares: Lambda Developer Guide, "Layers" (python-layers)."""
    for layer in function.layers:
        if isinstance(layer, Path):
            content = _folder(layer, f"{function.logical_id}: the layer ")
            python = content / "python" if (content / "python").is_dir() else content
            yield from (*python.glob("lib/python3*/site-packages"), python)


def _has_handler(function: Function, code: Code) -> bool:
    """Whether the module or package of the handler is there. A handler that names none fails at init."""
    module, names_module, _ = function.handler.rpartition(".")
    paths = [folder / module.replace(".", "/") for folder in (code.root, *code.layers, *code.packages)]
    return not names_module or any(Path(f"{path}{end}").exists() for path in paths for end in ("", *all_suffixes()))


def _require_handler(function: Function, code: Code, path: Path | None) -> None:
    if not _has_handler(function, code):
        module = function.handler.rpartition(".")[0]
        files = (file.relative_to(code.root) for end in ("*.py", "*/*.py") for file in code.root.glob(end))
        hint = did_you_mean(module, (".".join(file.with_suffix("").parts) for file in files), _ELSEWHERE)
        where = f"in '{path}'" if path else "in the template's text, which is 'index'"
        raise InputError(f"{function.logical_id}: there is no module '{module}' {where}", hint=hint)


def _require_endpoint(whose: str, code: Code) -> None:
    """AWS_ENDPOINT_URL keeps a handler away from AWS; botocore reads it since 1.31.0 (its CHANGELOG)."""
    for folder in (code.root, *code.packages, *code.layers):
        with suppress(FileNotFoundError, NotADirectoryError):
            text = (folder / "botocore" / "__init__.py").read_text(errors="replace")
            found = re.search(r"(?m)^__version__ = ['\"]((\d+)\.(\d+)[^'\"]*)", text)
            if found and (int(found[2]), int(found[3])) < (1, 31):
                or_ours = ", or use this installation's with --no-build" if folder in code.packages else ""
                hint = f"require boto3 1.28 or newer{or_ours}"
                raise InputError(f"{whose}: its botocore {found[1]} is too old to stay away from AWS", hint=hint)
            return


def _installed(whose: str, source: Path | str, progress: Progress) -> Path | None:
    """The folder of what pip installs for a folder of code, for a layer's, or in place of one of AWS's own layers."""
    if isinstance(source, str):
        known = next((package for names, package in _KNOWN_LAYERS.items() if re.search(names, source)), None)
        if known is None:
            progress(f"{whose}: the layer {source} is not simulated")
            return None
        what, wanted, at, asked = known, [known], Path.cwd(), [known.encode()]
    else:
        file = source / "requirements.txt"
        # With metadata of packages beside it, it is installed already.
        if not file.is_file() or any(source.glob("*.dist-info")):
            return None
        what, wanted, at, asked = os.path.relpath(file), ["-r", file.name], source, list(_asked(file, set()))
        if not re.search(rb"(?m)^\s*[^#\s]", asked[0]):
            return None

    def fill(folder: Path) -> None:
        progress(f"installing {what} for {whose} ...")
        if (error := pip_install(wanted, at, folder)) is not None:
            hint = f"--no-build runs without it; {_ELSEWHERE}"
            raise InputError(f"{whose}: {what} cannot be installed: {error}", hint=hint)

    platform = f"{sys.implementation.cache_tag} {sysconfig.get_platform()}"
    return _cached((b"packages", platform.encode(), *asked), fill)


def _asked(file: Path, seen: set[Path]) -> Iterator[bytes]:
    """The text of a file of requirements, and the content of all files and folders here that it names."""
    seen.add(file)
    yield (text := file.read_bytes())
    for word in re.split(r"[\s=@;\[\]]+", text.decode(errors="replace").replace("file:", "")):
        path = file.parent / word
        with suppress(OSError):
            if path.is_file() and path.suffix == ".txt" and path not in seen:
                yield from _asked(path, seen)
            elif "/" in word or word == ".":
                named = (*path.glob("*.toml"), *path.glob("*.cfg"), *path.rglob("*.py"))
                for each in sorted(named) if path.is_dir() else (path,):
                    yield from (str(each).encode(), each.read_bytes())


def pip_install(wanted: list[str], at: Path, folder: Path) -> str | None:
    """Fill the folder by pip, run in `at` with this Python and the user's own settings; returns why it failed.

    A signal ends it and all that it started, and raises `Interrupted`.
    """
    log = folder.with_name("log")
    options = ("--quiet", "--no-input", "--disable-pip-version-check", "--target", str(folder))
    environ = {**os.environ, "TMPDIR": str(folder.parent)}  # which is removed, with what a killed pip leaves

    async def work() -> int:
        with log.open("wb") as output:
            command = (sys.executable, "-P", "-m", "pip", "install", *options, *wanted)
            streams = {"stdin": DEVNULL, "stdout": output, "stderr": output}
            child = await ChildProcess.start(*command, cwd=at, env=environ, **streams)
            try:
                return await child.wait()
            finally:
                await child.end()

    before = [(number, signal.getsignal(number)) for number in interrupts.SIGNALS]
    try:
        failed = interrupts.run(work())
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] or ["no reason given"]
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")] or said
    return errors[-1] if failed else None


def _cached(parts: Iterable[bytes], fill: Callable[[Path], object]) -> Path:
    """The cache's folder for these parts, which `fill` fills if it is new; the oldest ones are removed then."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    folder = _cache() / digest.hexdigest()[:32]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="building-", dir=folder.parent) as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            fill(made)
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # another run was faster
                    raise
        with suppress(FileNotFoundError):
            for old in sorted(folder.parent.iterdir(), key=lambda each: each.stat().st_mtime)[: -limits.CODE_CACHED]:
                shutil.rmtree(old, ignore_errors=True)
    os.utime(folder)
    return folder


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "stockpipe" / "code"
