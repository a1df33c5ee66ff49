"""The command line as a whole: what is documented, what help says, how errors leave."""

from __future__ import annotations

import errno
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import cli
import reference
from simulator.base.errors import CouldNotFinish, InputError, OutOfMemory

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = (
    "simulate",
    "explore",
    "docs",
    "load-test",
    "compare",
    "store",
    "check",
    "package",
    "deploy",
    "status",
    "inspect",
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
        (OSError(errno.EFBIG, "File too large"), 3, "File too large"),
        (MemoryError(), 3, "out of memory: "),
        (OutOfMemory(3), 3, "out of memory: "),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 3, "out of memory: "),
        (RuntimeError("can't start new thread"), 3, "out of memory: "),
        (SystemError("error return without exception set"), 3, "out of memory: "),
        (ImportError("x.so: failed to map segment from shared object"), 3, "out of memory: "),
        (InputError("two\nlines\x1b[31m"), 2, r"two\nlines\x1b[31m"),
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
    assert all(line.startswith("  hint: ") for line in ended.stderr.strip().splitlines()[1:])


@pytest.mark.parametrize(
    "defect", [ZeroDivisionError(), RuntimeError("odd"), SystemError("odd"), ImportError("no such module")]
)
def test_defect_of_ours_is_not_disguised(defect: Exception) -> None:
    """An exception that is none of ours keeps its traceback: it is a defect to report, not a user's mistake."""
    app = typer.Typer(cls=cli.Commands)

    @app.command("work")
    def work() -> None:
        raise defect

    @app.command("other")
    def other() -> None:
        pass

    assert CliRunner().invoke(app, ["work"]).exception is defect


def test_an_error_of_several_lines_says_each() -> None:
    """A line for each file, say; what a user wrote in one does not make two of it."""
    app = typer.Typer(cls=cli.Commands)

    @app.command("work")
    def work() -> None:
        raise InputError("first", "  sec\nond")

    @app.command("other")
    def other() -> None:
        pass

    assert CliRunner().invoke(app, ["work"]).stderr == "stockpipe: first\n  sec\\nond\n"


def test_the_way_out_is_a_line_of_its_own() -> None:
    """Behind what is wrong, which stays one line, and behind the other lines where there are several."""
    assert InputError("odd", hint="write even").lines == ("odd", "  hint: write even")
    assert InputError("two", "  one", hint="x").lines == ("two", "  one", "  hint: x")
    assert str(InputError.about("--x: ", InputError("odd", hint="write even"))) == "--x: odd; write even"


def test_help_has_panels_and_no_types_of_python() -> None:
    """What belongs together is together, and what follows an option is in words that one would write."""
    for arguments in ([], *([name] for name in NAMES)):
        shown = CliRunner().invoke(cli.app, [*arguments, "--help"], env={"COLUMNS": "120", "NO_COLOR": "1"}).output
        assert not re.search(r"<[a-z]+|\[x[<>]|<=x|list\[|typing", shown), arguments
    for panel in cli.PANELS:
        assert f"─ {panel} ─" in CliRunner().invoke(cli.app, ["--help"], env={"NO_COLOR": "1"}).output


def test_a_command_without_memory_says_so(tmp_path: Path) -> None:
    """More data than the process may hold: one line, exit code 3."""
    (tmp_path / "big.json").write_text(f"[{'12345,' * 4_000_000}0]", encoding="utf-8")
    bytes_ = 256 * 1024 * 1024
    ended = subprocess.run(
        [sys.executable, "-m", "stockpipe", "compare", *[str(tmp_path / "big.json")] * 2],
        capture_output=True,
        text=True,
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_)),
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("stockpipe: out of memory: ")
    assert ended.stderr.count("\n") == 1


NOISY = """
import atexit, sys
import cli
from simulator.stack import template

def work(*_):
    atexit.register(lambda: print("Task was destroyed but it is pending!", file=sys.stderr))
    raise {error}

template.load = work
cli.run()
"""


@pytest.mark.parametrize(("error", "lines"), [("MemoryError", 1), ("KeyboardInterrupt", 2)])
def test_the_line_of_a_command_without_memory_is_the_last_word(error: str, lines: int) -> None:
    """What Python says of an event loop that could not end is noise; of any other end it would be on a defect."""
    source = NOISY.replace("{error}", error)
    ended = subprocess.run([sys.executable, "-c", source, "check"], capture_output=True, text=True, cwd=ROOT)
    assert ended.stderr.startswith("stockpipe: ")
    assert ended.stderr.count("\n") == lines


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        ("simulate --duraton 3s", "'stockpipe simulate' has no option '--duraton'", "did you mean '--duration'?"),
        ("simulate --qq", "'stockpipe simulate' has no option '--qq'", "`stockpipe simulate --help` lists its options"),
        ("simulate --port x", "--port: 'x' is not a whole number", "`stockpipe simulate --help` lists its options"),
        (
            "simulate --rows 0",
            "--rows: '0' is too small; the least is 1",
            "`stockpipe simulate --help` lists its options",
        ),
        (
            "store --port 70000",
            "--port: '70000' is not between 0 and 65535",
            "`stockpipe store --help` lists its options",
        ),
        (
            "simulate --ui plane",
            "--ui: 'plane' is not one of 'auto', 'live', 'plain' or 'quiet'",
            "did you mean 'plain'?",
        ),
        (
            "simulate --ui",
            "the option '--ui' of 'stockpipe simulate' needs a value",
            "write --ui auto|live|plain|quiet",
        ),
        (
            "simulate --hold=3",
            "the option '--hold' of 'stockpipe simulate' does not take a value",
            "`stockpipe simulate --help`",
        ),
        ("chekc", "there is no command 'chekc'", "did you mean 'stockpipe check'?"),
        ("zzz", "there is no command 'zzz'", "`stockpipe --help` lists the commands"),
        ("deploy", "'stockpipe deploy' needs the option '--stack'", "`stockpipe deploy --help` shows an example"),
        ("compare a", "'stockpipe compare' needs the argument 'B.json'", "`stockpipe compare --help` shows an example"),
        ("check x", "'stockpipe check' does not take the argument 'x'", "`stockpipe check --help` lists its options"),
        ("docs bonds", "there is no page 'bonds' in the documentation", "did you mean 'bounds'?"),
    ],
)
def test_a_wrong_word_is_one_line_with_a_way_out(arguments: str, said: str, hint: str) -> None:
    """What is wrong with it, and on a line of its own what to write instead; exit code 2."""
    ended = CliRunner().invoke(cli.app, arguments.split(), prog_name="stockpipe")
    assert ended.exit_code == 2
    first, second = ended.stderr.splitlines()
    assert first == f"stockpipe: {said}"
    assert second.startswith(f"  hint: {hint}")


def test_version_is_the_packages() -> None:
    """--version prints the name and the installed version."""
    shown = CliRunner().invoke(cli.app, ["--version"])

    assert re.fullmatch(r"stockpipe \d+\.\d+\.\d+", shown.output.strip())


OUTPUTS = ("--help", "--version", "", "simulate --help", "simulate --scenario list", "check")


def shell(redirected: str, **environ: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `stockpipe ...` with redirections, in a process of its own."""
    command = f"{sys.executable} -m stockpipe {redirected}"
    environ = {**os.environ, "PYTHONUNBUFFERED": "", **environ}
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", OUTPUTS)
def test_an_output_that_cannot_be_written_is_one_line(arguments: str, unbuffered: str) -> None:
    """Whatever was to be printed, on a full disk it is exit code 3 and one line, however Python buffers."""
    code, _, errors = shell(f"{arguments} > /dev/full", PYTHONUNBUFFERED=unbuffered)

    assert (code, errors) == (
        3,
        "stockpipe: the disk is full: standard output\n  hint: free some space and run again\n",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_errors_that_cannot_be_written_keep_their_code() -> None:
    """There is nowhere to say it, and the exit code still says whose fault it was."""
    assert shell("simulate --durable 2> /dev/full") == (2, "", "")
    assert shell("check --template /nowhere.yaml 2> /dev/full") == (2, "", "")


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("arguments", OUTPUTS)
def test_a_reader_that_has_gone_changes_nothing(arguments: str) -> None:
    """`stockpipe ... | head`: what nobody reads is dropped without a word, and the exit code is that of the work."""
    code = shell(f"{arguments} > /dev/null")[0]
    with subprocess.Popen(
        [sys.executable, "-m", "stockpipe", *arguments.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (code, "")


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_nobody_there(closed: str) -> None:
    """Without standard input, output or error a command does what it does, and nothing else gets their numbers."""
    assert shell(f"check {closed}")[0] == 0
    assert shell(f"check --template /nowhere.yaml {closed}")[0] == 2
    code, _, errors = shell(f"simulate --ticks 1 --files 1 --rows 1 --ui quiet {closed}")
    assert (code, "Traceback" in errors) == (0, False)


def test_surroundings_that_are_odd_are_none_of_its_business(tmp_path: Path) -> None:
    """No home, no temporary directory, no locale, a dumb terminal, a working directory that was deleted: it runs."""
    odd = "HOME=/nowhere TMPDIR=/nowhere TERM=dumb LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 COLUMNS=x LINES=-1"
    for number, (command, code) in enumerate(
        {
            "simulate --ticks 1 --files 1 --rows 1 --ui live": 0,
            "simulate --ticks 1 --files 1 --rows 1 --summary s.json": 2,
        }.items()
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        script = f"cd {directory} && rmdir {directory} && {odd} {sys.executable} -m stockpipe {command}"
        environ = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environ)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert done.stderr.startswith("stockpipe: 's.json' cannot be written: the working directory no longer exists")


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
