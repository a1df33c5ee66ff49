"""The rules of docs/design.md that a program can check: where things are, who may import whom, who reads time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "simulator", "stockpipe")
LONGEST = 450
READS_TIME = {
    "simulator/base/clock.py": "it is the clock",
    "simulator/functions/runtimes/reports.py": "writes an instant that it was given",
    "simulator/proof/scan.py": "lets others run: asyncio.sleep(0)",
    "simulator/store/counting/ledger.py": "processor time of the store's own process",
    "simulator/store/front/application.py": "how long an answer took, for the ledger",
    "simulator/store/sqs/long_poll.py": "the store's long poll waits in real time",
}
"""The files of the simulator that may call what reads or waits for time, and why."""
TIME = re.compile(
    r"(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|process_time|sleep|gmtime|localtime)"
    r"|datetime\.(now|utcnow|today)|date\.today|asyncio\.sleep|loop\.time|get_running_loop\(\)\.time)"
)


@cache
def product() -> tuple[Path, ...]:
    """Every Python file of the product, by its path from the top."""
    found = [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return (Path("cli.py"), *found)


@cache
def tree(file: Path) -> ast.Module:
    """A file of the product, parsed."""
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def rooms() -> list[Path]:
    """Every package below the top ones."""
    return [file.parent for file in product() if file.name == "__init__.py" and len(file.parts) > 2]


def calls(file: Path) -> Iterator[tuple[int, str]]:
    """Every call: its line, and what is called, as text."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_tests_mirror_the_tree() -> None:
    """A test of a package is in the directory of its room, and its name begins with a file's, a room's or its own."""
    strays = []
    for package in PACKAGES:
        for file in sorted((ROOT / "tests" / package).rglob("test_*.py")):
            room = ROOT / file.parent.relative_to(ROOT / "tests")
            subjects = {room.name, *(path.stem.strip("_") for path in room.glob("*") if path.name != "__init__.py")}
            about = file.stem.removeprefix("test_")
            if not any(about == name or about.startswith(f"{name}_") for name in subjects if name):
                strays.append(str(file.relative_to(ROOT)))
    assert strays == []


def test_no_module_is_called_like_a_test() -> None:
    """Tests are found by their names, by pytest and by people; no file of the product has such a name."""
    assert [str(file) for file in product() if re.fullmatch(r"test_.*|.*_test", file.stem)] == []


def test_no_two_classes_share_a_name() -> None:
    """One word, one meaning: a public class's name says all by itself what it is."""
    named: dict[str, list[str]] = {}
    for file in product():
        for node in tree(file).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named.setdefault(node.name, []).append(str(file))
    assert {name: files for name, files in named.items() if len(files) > 1} == {}


def test_no_two_files_import_each_other() -> None:
    """Whoever reads a file can read what it needs first, imports for types and inside functions included."""
    graph = grimp.build_graph(*PACKAGES)
    pairs = {
        tuple(sorted((module, imported)))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if module in graph.find_modules_directly_imported_by(imported)
    }
    assert pairs == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_longer_than_a_head_can_hold(package: str) -> None:
    """At most 450 lines; where there is more, the meaning splits somewhere."""
    lengths = {str(file): len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in product()}
    assert {file: lines for file, lines in lengths.items() if lines > LONGEST and file.startswith(package)} == {}


def test_every_room_says_what_it_is() -> None:
    """A package's docstring is its sign on the door, and docs/design.md has a line for it."""
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    for room in rooms():
        assert ast.get_docstring(tree(room / "__init__.py")), f"{room}/__init__.py says nothing"
        assert f"`{room.as_posix()}/`" in design, f"docs/design.md does not name {room}"
    for named in re.findall(r"`((?:pipeline|simulator|stockpipe|tests|benchmarks|docs)/[\w./-]*)`", design):
        assert (ROOT / named).exists(), f"docs/design.md names {named}"


def test_only_the_clock_reads_time() -> None:
    """In the simulator an instant is an argument or comes from a `Clock`; who reads time all the same says why."""
    reading = {
        str(file)
        for file in product()
        if file.parts[0] in ("simulator", "stockpipe")
        for _, called in calls(file)
        if TIME.fullmatch(called)
    }
    assert reading == set(READS_TIME)


def test_every_task_has_an_owner() -> None:
    """A task is made in a task group, or its maker keeps it: a bare `asyncio.create_task(...)` is nobody's."""
    loose = [
        f"{file}:{node.lineno}"
        for file in product()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and re.search(r"^asyncio\.(create_task|ensure_future)$|loop(\(\))?\.create_task$", ast.unparse(node.value.func))
    ]
    assert loose == []
