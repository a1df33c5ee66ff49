"""The package: what is in it, that it is the same twice, and what it refuses."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import marshal
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from types import CodeType

import botocore.session
import pytest
from packaging.requirements import Requirement

from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.deploy import interpreters, package, trimming
from stockpipe.deploy.targets import PYTHONS, Target, select_requirements

ROOT = Path(__file__).parents[3]
Built = tuple[package.Package, list[str]]
MIB = 1024 * 1024


def requirements() -> str:
    """The file that the package is built from."""
    return Path(package.__file__).with_name("requirements.txt").read_text()


def test_package_is_small(built: Built) -> None:
    """Zipped it stays under 8 MB, and it reports its own size."""
    assert built[0].zip_bytes == built[0].file.stat().st_size < 8_000_000


def test_every_module_is_compiled_for_lambda(built: Built, task_root: Path) -> None:
    """Each source has an unchecked compiled file, made by this minor version and naming /var/task."""
    assert built[0].compiled
    sources = list(task_root.rglob("*.py"))
    assert sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        head = compiled.read_bytes()[:16]
        assert head[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(head[4:8], "little") == 0b01
    code = marshal.loads(next(task_root.glob("pipeline/__pycache__/rows.*.pyc")).read_bytes()[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == "/var/task/pipeline/rows.py"


def test_content_is_handlers_and_their_services_alone(task_root: Path) -> None:
    """It has the pipeline's modules unchanged, botocore's models of S3 and DynamoDB, and nothing else."""
    for source in (ROOT / "pipeline").glob("*.py"):
        assert (task_root / "pipeline" / source.name).read_bytes() == source.read_bytes()
    assert {folder.name for folder in (task_root / "botocore" / "data").iterdir() if folder.is_dir()} == set(
        trimming.SERVICES
    )
    assert not {"simulator", "stockpipe", "moto", "boto3", "rich", "bin"} & {
        entry.name for entry in task_root.iterdir()
    }


def test_it_can_be_built_by_a_bare_python(tmp_path: Path) -> None:
    """`sam build` runs it with any Python: it imports the standard library and our own modules, nothing installed."""
    script = (
        "import sys; before = set(sys.modules)\n"
        "import stockpipe.deploy.package\n"
        "files = [getattr(sys.modules[name], '__file__', None) or '' for name in set(sys.modules) - before]\n"
        "print([file for file in files if 'site-packages' in file])\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (shown.stdout.strip(), shown.stderr) == ("[]", "")


def test_a_pipeline_of_the_users_own_is_not_packed(tmp_path: Path) -> None:
    """The handlers are those beside this package, whatever `pipeline` the working directory has."""
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").write_text("raise SystemExit('not ours')")
    script = (
        "from pathlib import Path; from stockpipe.deploy import package; package._copy_handlers(Path('packed'))\n"
        "print(sorted(path.name for path in Path('packed/pipeline').iterdir()) == "
        f"sorted(path.name for path in Path({str(ROOT)!r}, 'pipeline').glob('*.py')))"
    )
    shown = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (shown.stdout.strip(), shown.stderr) == ("True", "")


def test_licences_stay(task_root: Path) -> None:
    """Each distribution keeps its metadata and its licence."""
    for metadata in task_root.glob("*.dist-info"):
        assert (metadata / "METADATA").is_file()
    assert list(task_root.glob("aiohttp-*.dist-info/licenses/LICENSE*"))


def test_parts_add_up(built: Built, task_root: Path) -> None:
    """The listed parts are the whole content."""
    made = built[0]
    assert sum(part.size_bytes for part in made.parts) == made.unzipped_bytes
    assert sum(part.files for part in made.parts) == len(zipfile.ZipFile(made.file).namelist())
    assert {part.name for part in made.parts} == {entry.name for entry in task_root.iterdir()}


def test_entries_carry_no_time_and_are_readable(built: Built) -> None:
    """Names are sorted, times are the zip's first, and everyone may read."""
    entries = zipfile.ZipFile(built[0].file).infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_steps_are_reported(built: Built) -> None:
    """A build reports what it is doing, in order."""
    assert [step.split()[0] for step in built[1]] == ["wheels", "trimming", "compiling", "packing"]


def test_second_build_as_sam_does_it_is_the_same(
    offline_pip: None, built: Built, machine_target: Target, tmp_path: Path
) -> None:
    """The directory that `sam build` uses, built elsewhere and later, gives the very same zip, byte for byte."""
    directory, again = tmp_path / "artifacts", tmp_path / "again.zip"
    target = ["--python", machine_target.python, "--arch", machine_target.architecture]
    assert package.main(["--directory", str(directory), *target]) == 0
    package.write_zip(directory, again)
    assert hashlib.sha256(again.read_bytes()).hexdigest() == built[0].sha256
    assert again.read_bytes() == built[0].file.read_bytes()


def test_missing_wheel_is_named(offline_pip: None, machine_target: Target, tmp_path: Path) -> None:
    """If the index has no wheel for the target, one line says which, and no file is left."""
    other = Target(machine_target.python, "arm64" if machine_target.architecture == "x86_64" else "x86_64")
    with pytest.raises(CouldNotFinish, match="pip cannot download the wheels: No matching distribution found for "):
        package.build_package(tmp_path / "out.zip", other, report=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_output_that_cannot_be_written_is_named(machine_target: Target, tmp_path: Path) -> None:
    """A path below a file is refused in one line, before any wheel is downloaded."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CouldNotFinish, match=r"file/out\.zip cannot be written"):
        package.build_package(tmp_path / "file" / "out.zip", machine_target, report=lambda _: None)


@pytest.mark.parametrize(
    ("zip_bytes", "unzipped_bytes", "word"),
    [(50 * MIB + 1, 60 * MIB, "zipped"), (10 * MIB, 250 * MIB + 1, "unpacked"), (50 * MIB, 250 * MIB, None)],
)
def test_lambda_limits_are_kept(zip_bytes: int, unzipped_bytes: int, word: str | None) -> None:
    """A byte over 50 MiB zipped or 250 MiB unpacked is refused; the limit itself is not."""
    if word is None:
        package.refuse_oversize(zip_bytes, unzipped_bytes)
    else:
        with pytest.raises(InputError, match=f"MB {word}, over Lambda's limit"):
            package.refuse_oversize(zip_bytes, unzipped_bytes)


def test_requirements_are_closed_and_those_of_the_constraints() -> None:
    """For each Python that Lambda offers, the list is aiobotocore, zone data and their dependencies, all pinned."""
    constraints = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().lower().replace("_", "-").splitlines()
        if "==" in line
    )
    for python in PYTHONS:
        listed = dict(line.split("==") for line in select_requirements(requirements(), python))
        needed: set[str] = set()
        pending = ["aiobotocore", "tzdata"]
        while pending:
            name = pending.pop()
            needed.add(name)
            environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
            pending += [
                requirement.name.lower().replace("_", "-")
                for requirement in map(Requirement, importlib.metadata.requires(name) or [])
                if (requirement.marker is None or requirement.marker.evaluate(environment))
                and requirement.name.lower().replace("_", "-") not in needed
            ]
        normal = {name.lower().replace("_", "-"): version for name, version in listed.items()}
        assert set(normal) == needed
        assert normal == {name: constraints[name] for name in normal}


def test_interpreter_of_another_minor_is_refused() -> None:
    """Compiled files of another minor version would be silently ignored, so the interpreter is refused and named."""
    other = next(minor for minor in PYTHONS if minor != f"3.{sys.version_info.minor}")
    with pytest.raises(InputError, match=rf"is CPython 3\.{sys.version_info.minor}; .* need CPython {other}"):
        interpreters.find_interpreter(other, Path(sys.executable))
    with pytest.raises(InputError, match="is not a CPython that runs here"):
        interpreters.find_interpreter(other, Path("/nonexistent/python"))


def test_own_interpreter_is_found() -> None:
    """The running interpreter is used for its own minor version."""
    assert interpreters.find_interpreter(f"3.{sys.version_info.minor}") == Path(sys.executable)


def test_interpreter_is_searched_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python3.Y` on the path is used only if it reports that it is a released CPython 3.Y."""
    other = next(minor for minor in PYTHONS if minor != f"3.{sys.version_info.minor}")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    stand_in = tmp_path / f"python{other}"
    assert interpreters.find_interpreter(other) is None
    for words, found in ((f"cpython final {other}", stand_in), (f"cpython candidate {other}", None)):
        stand_in.write_text(f"#!/bin/sh\necho {words}\n")
        stand_in.chmod(0o755)
        assert interpreters.find_interpreter(other) == found


def test_without_an_interpreter_there_are_no_compiled_files_and_a_warning(
    offline_pip: None, machine_target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is still built, and one line says what the missing files cost."""
    monkeypatch.setattr(package, "find_interpreter", lambda python, given: None)
    monkeypatch.setattr(package, "_install_wheels", lambda directory, target: None)
    steps: list[str] = []
    assert not package.build_directory(tmp_path, machine_target, report=steps.append)
    assert list(tmp_path.rglob("*.pyc")) == []
    assert "about 2.5 times the processor time" in steps[-1]


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("botocore/data/s3/2006-03-01/service-2.json.gz", True),
        ("botocore/data/s3/2006-03-01/paginators-1.json", False),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("botocore/cacert.pem", True),
        ("aiohttp/_http_parser.pyx", False),
        ("aiohttp/_http_parser.cpython-313-aarch64-linux-gnu.so", True),
        ("bin/jp.py", False),
        ("wrapt-1.17.3.dist-info/RECORD", False),
        ("wrapt-1.17.3.dist-info/licenses/LICENSE", True),
        ("multidict/__init__.pyi", False),
        ("pipeline/__pycache__/rows.cpython-311.pyc", False),
    ],
)
def test_what_is_left_out(path: str, needed: bool) -> None:
    """Models of other services, sources of compiled modules, stubs and pip's records are left out; the rest stays."""
    assert trimming.is_needed(PurePosixPath(path)) is needed


def test_endpoints_keep_every_partition(task_root: Path) -> None:
    """The short list of endpoints has every partition and region, each with the services in use."""
    partitions = json.loads((task_root / "botocore/data/endpoints.json").read_text())["partitions"]
    assert {"aws", "aws-cn", "aws-us-gov"} <= {partition["partition"] for partition in partitions}
    assert {name for partition in partitions for name in partition["services"]} == set(trimming.SERVICES)


def test_models_lose_their_prose_alone(task_root: Path) -> None:
    """The models in use have every operation and shape of botocore's own, without their documentation."""
    for service, version in (("s3", "2006-03-01"), ("dynamodb", "2012-08-10")):
        short = json.loads((task_root / "botocore/data" / service / version / "service-2.json").read_text())
        full = botocore.session.Session().get_component("data_loader").load_service_model(service, "service-2", version)
        assert short["operations"].keys() == full["operations"].keys()
        assert short["shapes"].keys() == full["shapes"].keys()
        assert '"documentation":"' not in json.dumps(short["shapes"], separators=(",", ":"))


def test_documentation_is_prose_and_no_member() -> None:
    """A member that is called documentation stays; text under that name is removed, however deep."""
    model = {
        "members": {"documentation": {"shape": "Text", "documentation": "prose"}},
        "list": [{"documentation": "p"}],
    }
    assert trimming.without_documentation(model) == {"members": {"documentation": {"shape": "Text"}}, "list": [{}]}
