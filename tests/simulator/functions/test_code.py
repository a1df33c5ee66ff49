"""Where each function's code is, what pip adds to it, and what is said about code that is not there."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fakes import declare
from simulator.base.children import ChildProcess
from simulator.base.errors import CouldNotFinish, InputError, Interrupted
from simulator.functions import code
from simulator.functions.runtimes import Code
from simulator.stack.model import Function, Stack

HANDLER = "def handler(event, context): return 1\n"
POWERTOOLS_1 = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPython:37"
POWERTOOLS = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV{}-python313-x86_64:18"


class Pip:
    """Stands for pip: notes what it is to install, and leaves a file; or fails."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fails: BaseException | str | None = None
        self.brings: dict[str, str] = {}

    def __call__(self, wanted: list[str], at: Path, folder: Path) -> str | None:
        """Fill the folder."""
        assert at.is_dir()
        self.asked.append(wanted)
        (folder / "installed.py").write_text("")
        write(folder, self.brings)
        if isinstance(self.fails, BaseException):
            raise self.fails
        return self.fails


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "stockpipe" / "code"


@pytest.fixture
def pip(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Pip:
    """In place of pip."""
    del cache
    fake = Pip()
    monkeypatch.setattr(code, "pip_install", fake)
    return fake


@pytest.fixture
def source(tmp_path: Path, cache: Path) -> Path:
    """A folder with the module of a handler."""
    del cache
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(HANDLER)
    return tmp_path / "src"


def write(folder: Path, files: dict[str, str]) -> None:
    """Put these files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def prepared(*functions: Function, said: list[str] | None = None, **options: Any) -> dict[str, Code]:
    """The code of these functions."""
    stack = Stack("stack", {}, {each.logical_id: each for each in functions}, {}, {}, {}, {}, {})
    lines = [] if said is None else said
    return dict(code.prepare(stack, also=functions, progress=lines.append, **options))


def function(name: str = "F", **changes: Any) -> Function:
    """A function whose handler is `app.handler` in `src`."""
    return declare.function(name, **{"handler": "app.handler", "code": Path("src"), **changes})


def zipped(path: Path, **modules: str) -> Path:
    """A zip with these modules."""
    with zipfile.ZipFile(path, "w") as package:
        for name, text in modules.items():
            package.writestr(f"{name}.py", text)
    return path


def test_code_without_requirements_runs_where_it_is(source: Path, pip: Pip) -> None:
    """The folder itself is run, whole or by its one module, and nothing is installed or kept."""
    (source / "requirements.txt").write_text("# nothing\n\n")
    assert prepared(function()) == {"F": Code(source)}
    assert prepared(function(code=Path("src/app.py"))) == {"F": Code(source)}
    assert pip.asked == []


def test_requirements_are_installed_once(source: Path, pip: Pip, cache: Path) -> None:
    """Functions that ask for the same share what pip installs, until the text changes; each installation is said."""
    (source / "requirements.txt").write_text("pydantic\n")
    shutil.copytree(source, source.parent / "other")
    said: list[str] = []
    both = (function(), function("G", code=Path("other")))
    first = prepared(*both, said=said)
    assert first["F"].packages == first["G"].packages
    assert [each.name for each in first["F"].packages[0].iterdir()] == ["installed.py"]
    assert said == ["installing src/requirements.txt for F ..."]
    (source / "app.py").write_text(HANDLER + "# edited\n")
    assert prepared(*both) == first
    (source / "requirements.txt").write_text("pydantic>2\n")
    assert prepared(*both)["F"] != first["F"]
    assert pip.asked == [["-r", "requirements.txt"]] * 2
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("-r more.txt\n", "more.txt"),
        ("-c more.txt\npydantic\n", "more.txt"),
        ("./lib\n", "lib/lib/__init__.py"),
        ("lib @ file:./lib\n", "lib/pyproject.toml"),
        ("./lib-1-py3-none-any.whl\n", "lib-1-py3-none-any.whl"),
    ],
)
def test_what_requirements_name_here_is_part_of_them(source: Path, pip: Pip, text: str, changed: str) -> None:
    """If a file or a folder changes that the requirements name, they are installed again."""
    (source / "requirements.txt").write_text(text)
    (source / changed).parent.mkdir(parents=True, exist_ok=True)
    for content in ("one", "one", "two"):
        (source / changed).write_text(content)
        prepared(function())
    assert len(pip.asked) == 2


def test_nothing_is_installed_without_build(source: Path, pip: Pip) -> None:
    """`--no-build` runs what is there."""
    (source / "requirements.txt").write_text("pydantic\n")
    assert prepared(function(layers=(POWERTOOLS.format(3),)), build=False) == {"F": Code(source)}
    assert pip.asked == []


def test_a_built_folder_is_not_built_again(source: Path, pip: Pip) -> None:
    """What `sam build` has made holds its packages already, beside a copy of the requirements."""
    (source / "requirements.txt").write_text("pydantic\n")
    (source / "pydantic-2.0.dist-info").mkdir()
    assert prepared(function()) == {"F": Code(source)}
    assert pip.asked == []


def test_layers(source: Path, pip: Pip, tmp_path: Path) -> None:
    """A layer's `python` folder comes after the code, its requirements and AWS's own layers are installed."""
    (tmp_path / "layer" / "python" / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    (tmp_path / "layer" / "requirements.txt").write_text("requests\n")
    (tmp_path / "plain").mkdir()
    said: list[str] = []
    of_aws = (POWERTOOLS.format(2), POWERTOOLS.format(3), POWERTOOLS_1)
    layers = (tmp_path / "layer", tmp_path / "plain", *of_aws, "arn:x:layer:Mine:1")
    found = prepared(function(layers=layers), said=said)["F"]
    python = tmp_path / "layer" / "python"
    assert found.root == source
    assert found.layers == (python / "lib" / "python3.12" / "site-packages", python, tmp_path / "plain")
    assert len(found.packages) == 4
    assert pip.asked == [
        ["-r", "requirements.txt"],
        ["aws-lambda-powertools[all]>=2,<3"],
        ["aws-lambda-powertools[all]>=3,<4"],
        ["aws-lambda-powertools[pydantic]<2"],
    ]
    assert said[-1] == "F: the layer arn:x:layer:Mine:1 is not simulated"


@pytest.mark.parametrize(
    ("version", "where", "way_out"),
    [
        ("1.29.165", "cache", "require boto3 1.28 or newer, or use this installation's with --no-build"),
        ("1.30.1", "src", "require boto3 1.28 or newer"),
        ("0.104.0", "src", "require boto3 1.28 or newer"),
        ("1.31.0", "cache", None),
        ("1.31.0", "src", None),
        ("2.0.0", "src", None),
    ],
)
def test_a_botocore_that_would_call_aws_is_refused(
    source: Path, pip: Pip, version: str, where: str, way_out: str | None
) -> None:
    """Before 1.31 botocore ignores AWS_ENDPOINT_URL: it must not run here, wherever it comes from."""
    (source / "requirements.txt").write_text("boto3\n")
    module = {"botocore/__init__.py": f"import os\n__version__ = '{version}'\n"}
    pip.brings = module if where == "cache" else {}
    if where == "src":
        write(source, module)
    if way_out is None:
        assert prepared(function())
        return
    with pytest.raises(InputError) as refused:
        prepared(function())
    assert str(refused.value) == f"F: its botocore {version} is too old to stay away from AWS; {way_out}"
    if where == "cache":
        assert prepared(function(), build=False)


def test_a_zip_is_unpacked_once(source: Path, cache: Path) -> None:
    """A zip's content is in the cache, and a changed zip is another one."""
    for text in (HANDLER, HANDLER, HANDLER + "\n"):
        root = prepared(function(code=zipped(source.parent / "code.zip", app=text)))["F"].root
        assert (root / "app.py").read_text() == text
        assert root.parent == cache
    assert len(list(cache.iterdir())) == 2


def test_code_in_the_template_is_a_module(cache: Path) -> None:
    """The text of `InlineCode` or `ZipFile` is `index.py`."""
    root = prepared(function(code=None, source=HANDLER, handler="index.handler"))["F"].root
    assert root.parent == cache
    assert (root / "index.py").read_text() == HANDLER


def test_the_pipelines_own_run_from_this_installation(source: Path) -> None:
    """They are left out, unless the code that is named has their handlers; others run from it, whatever is theirs."""
    own = function("Own", handler="pipeline.consumer.handler", is_own=True)
    assert prepared(own, function()).keys() == {"F"}
    assert prepared(own, function(code=None), override=source) == {"F": Code(source)}
    (source / "pipeline").mkdir()
    (source / "pipeline" / "consumer.py").write_text(HANDLER)
    assert prepared(own, override=source) == {"Own": Code(source)}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"code": Path("gone")}, "F: 'gone' is neither a folder nor a zip of code; --code PATH runs the code in"),
        ({"code": None}, "F: its code is not on this machine; --code PATH runs the code in"),
        ({"layers": (Path("gone"),)}, "F: the layer 'gone' is neither a folder nor a zip of code"),
        ({"handler": "ap.handler"}, "F: there is no module 'ap' in 'src'; did you mean 'app'?"),
        ({"handler": "app/main.handler"}, "F: there is no module 'app/main' in 'src'; choose from 'app'"),
        ({"code": None, "source": HANDLER}, "F: there is no module 'app' in the template's text, which is 'index'"),
    ],
)
def test_code_that_is_not_there(source: Path, changes: dict[str, Any], line: str) -> None:
    """Each is one line with a way out; several functions are named together."""
    del source
    wrong = function(**changes)
    with pytest.raises(InputError) as refused:
        prepared(wrong)
    assert str(refused.value).startswith(line)
    with pytest.raises(InputError) as refused:
        prepared(wrong, dataclasses.replace(wrong, logical_id="G"), function("H"))
    assert [each[:3] for each in refused.value.lines] == ["F: ", "G: "]


@pytest.mark.parametrize("handler", ["app.handler", "app/main.handler", "app.main.handler", "nothing"])
def test_modules_and_packages_of_handlers(source: Path, handler: str) -> None:
    """A module, one in a package by either spelling, and what only fails at init are all let through."""
    (source / "app").mkdir()
    (source / "app" / "main.py").write_text(HANDLER)
    assert prepared(function(handler=handler))


@pytest.mark.parametrize("path", ["gone", "src/app.py", "x" * 5_000, "a\0b"])
def test_named_code_that_is_none(source: Path, path: str) -> None:
    """`--code` takes a folder or a zip; anything else is one line, with the command that makes one."""
    del source
    with pytest.raises(InputError, match="neither a folder nor a zip of code; `stockpipe package"):
        prepared(function(), override=Path(path))


@pytest.mark.parametrize("damage", ["content", "password"])
def test_a_damaged_zip_is_one_line(cache: Path, tmp_path: Path, damage: str) -> None:
    """A zip whose content does not match its checksums, or that needs a password, is named; nothing of it is kept."""
    package = zipped(tmp_path / "package.zip", app=HANDLER)
    text = bytearray(package.read_bytes())
    if damage == "content":
        text[text.index(b"return")] ^= 1
    else:
        text[6] |= 1
        text[text.index(b"PK\x01\x02") + 8] |= 1
    package.write_bytes(text)
    with pytest.raises(InputError, match=r"package\.zip cannot be unpacked: "):
        prepared(function(), override=package)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("failure", ["No matching distribution found for nosuch", Interrupted()])
def test_a_failed_installation_leaves_nothing(source: Path, pip: Pip, cache: Path, failure: Any) -> None:
    """What pip says is one line with ways out; after it, or after a signal, the next run installs anew."""
    (source / "requirements.txt").write_text("nosuch\n")
    pip.fails = failure
    with pytest.raises((InputError, Interrupted)) as ended:
        prepared(function())
    if isinstance(failure, str):
        said = f"F: src/requirements.txt cannot be installed: {failure}"
        assert ended.value.lines[0] == said
        assert "--no-build" in ended.value.lines[1]
    assert list(cache.iterdir()) == []
    pip.fails = None
    assert prepared(function())["F"].packages


def test_two_runs_may_install_at_once(source: Path, pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that ends later takes what the other has made."""
    (source / "requirements.txt").write_text("pydantic\n")
    earlier: list[Any] = []

    def overtaken(*arguments: Any) -> str | None:
        monkeypatch.setattr(code, "pip_install", pip)
        earlier.append(prepared(function()))
        return pip(*arguments)

    monkeypatch.setattr(code, "pip_install", overtaken)
    assert prepared(function()) == earlier[0]


def test_the_cache_forgets_what_is_oldest(source: Path, pip: Pip, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps a bounded number of installations, those used last."""
    monkeypatch.setattr("simulator.base.limits.CODE_CACHED", 2)
    used = []
    for age, text in enumerate(("a", "b", "a", "c")):
        (source / "requirements.txt").write_text(text)
        used += [each.name for each in prepared(function())["F"].packages]
        assert (cache / used[-1]).stat().st_mtime > 4  # it was used now
        os.utime(cache / used[-1], (age, age))
    assert {each.name for each in cache.iterdir()} == {used[0], used[3]}
    assert len(pip.asked) == 3


def test_a_relative_cache_is_in_the_working_directory(
    source: Path, pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pip and the handlers run in other folders."""
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.chdir(tmp_path)
    (source / "requirements.txt").write_text("pydantic\n")
    (packages,) = prepared(function())["F"].packages
    assert packages.is_relative_to(tmp_path.resolve() / "here")


def test_an_installation_leaves_the_commands_signals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes after it stops the run, as before."""

    class Done:
        async def wait(self) -> int:
            return 0

        async def end(self) -> None: ...

    async def start(*_: Any, **__: Any) -> Done:
        return Done()

    def handler(*_: object) -> None: ...

    monkeypatch.setattr(ChildProcess, "start", start)
    before = signal.signal(signal.SIGTERM, handler)
    try:
        assert code.pip_install([], tmp_path, tmp_path / "made") is None
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_cache_that_cannot_be_written(source: Path, pip: Pip, tmp_path: Path) -> None:
    """It is named, with the variable that moves it."""
    (source / "requirements.txt").write_text("pydantic\n")
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(CouldNotFinish, match="XDG_CACHE_HOME names another folder"):
        prepared(function())
    assert pip.asked == []


def test_pip_installs_a_wheel(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip itself installs a local wheel beside nothing else, although the folder has a module that pip would import."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with zipfile.ZipFile(source / "mine-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mine.py", "WHO = 'mine'\n")
        wheel.writestr("mine-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        wheel.writestr("mine-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("mine-1.0.dist-info/RECORD", "mine.py,,\n")
    (source / "logging.py").write_text("raise SystemExit('not this one')\n")
    (source / "requirements.txt").write_text("./mine-1.0-py3-none-any.whl\n")
    (packages,) = prepared(function())["F"].packages
    assert (packages / "mine.py").read_text() == "WHO = 'mine'\n"
    assert not list(tmp_path.glob("cache/stockpipe/code/building-*"))
