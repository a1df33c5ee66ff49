"""The rules of docs/design.md that a program can check: where things are, who may import whom, who reads time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp

from simulator.base.errors import ExitCode

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "simulator", "stockpipe")
LONGEST = 450
ABOUT_THE_WHOLE = {
    "test_cli.py",
    "test_dependencies.py",
    "test_design.py",
    "test_fidelity.py",
    "test_fuzz.py",
    "test_habits.py",
    "test_moto_suite.py",
    "test_mutants.py",
    "test_planted.py",
    "test_examples.py",
    "test_readme.py",
    "test_wheel.py",
}
"""The tests at the top of tests/: of cli.py, docs/, what is built, and the project's habits, mutants and fuzzer."""
ABOUT_ROOMS = {"tests/simulator/test_aws_models.py"}
"""Those of one package that are about several of its rooms."""
READS_TIME = {
    "simulator/base/clock.py": "it is the clock",
    "simulator/base/usage.py": "processor time of this process",
    "simulator/functions/runtimes/bootstrap.py": "a fault sets the clock that a handler sees",
    "simulator/load/sink/server.py": "a socket's latency is the loop's own time",
    "simulator/load/sink/sqs.py": "a receive that waits ends by the loop's own time",
    "simulator/proof/scan.py": "lets others run: asyncio.sleep(0)",
    "simulator/store/front/faulty.py": "what takes effect late does so by the time of the loop it runs on",
    "simulator/store/front/application.py": "how long an answer took, for the counters",
    "simulator/store/sqs/long_poll.py": "the store's long poll waits by the time of the loop it runs on",
    **dict.fromkeys(
        (
            f"simulator/world/{name}.py"
            for name in ("direct", "fibers", "playback", "runtime", "sockets", "wire", "world")
        ),
        "a world's loop has the only time that there is in it",
    ),
    "simulator/world/pins.py": "it gives a world its time in place of the machine's",
}
"""The files of the simulator and the commands that read time or wait for it by themselves, and why."""
TIME = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|thread_time)(_ns)?|time\.(sleep|localtime)"
    r"|datetime\.(datetime\.(now|utcnow|today)|date\.today)|asyncio\.(sleep|timeout|timeout_at|wait_for)"
    r"|.*loop(\(\))?\.(time|call_later|call_at)"
)
MAKES_CHANCE = {
    "pipeline/chance.py": "it is where the handlers' chance comes from",
    "simulator/base/chance.py": "it is where all other chance comes from",
    "simulator/world/pins.py": "it gives a world its chance in place of the machine's",
}
"""The files that name Python's own sources of chance, and why."""
CHANCE = re.compile(r"(random|secrets|uuid)\..+|os\.urandom")
MOTOS = "moto's own objects are its only way in"
SETS_FROM_OUTSIDE = {
    "cli.py": "typer's parameters, as the help shows them",
    "simulator/functions/runtimes/bootstrap.py": "sys.argv, which AWS's runtime client reads",
    "simulator/functions/runtimes/imports.py": "Python's own import, which a handler uses",
    "simulator/functions/runtimes/isolation.py": "Python's own environment and threads, which a handler uses",
    "simulator/stack/declared.py": "a value keeps its line in the template",
    "simulator/store/dynamodb/attribute_updates.py": MOTOS,
    "simulator/store/dynamodb/moto_table.py": MOTOS,
    "simulator/store/dynamodb/rows.py": MOTOS,
    "simulator/store/dynamodb/rules.py": "the context of decimal arithmetic",
    "simulator/store/front/application.py": MOTOS,
    "simulator/store/front/server.py": "aiohttp counts a writer's bytes",
    "simulator/store/moto/application.py": MOTOS,
    "simulator/store/moto/replacement.py": MOTOS,
    "simulator/store/s3/answers.py": MOTOS,
    "simulator/store/s3/moto_bucket.py": MOTOS,
    "simulator/store/sqs/moto_queue.py": MOTOS,
    "simulator/store/sqs/move_tasks.py": MOTOS,
    "simulator/world/fibers.py": "tasks of a loop whose fiber is killed",
    "stockpipe/commands/outputs.py": "the process's own streams",
    "stockpipe/commands/taking.py": "a command's signature, which the class of its options says",
    "stockpipe/deploy/package.py": "how zipfile is told a file's mode",
}
"""The files that set an attribute of an object whose class is elsewhere, and why."""
LOOSE_TASK = re.compile(r"^(asyncio\.)?(create_task|ensure_future)$|loop(\(\))?\.create_task$")
"""What makes a task outside a group: `group.create_task` is the group's."""


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


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """Every node of a file of the product."""
    return tuple(ast.walk(tree(file)))


def dotted(node: ast.expr) -> str:
    """A name or an attribute as it is written."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ast.unparse(node)


@cache
def names_used(file: Path, *, as_types: bool = True) -> frozenset[str]:
    """Every name and attribute that is read, under its full name whatever it was imported as.

    Without `as_types` those in annotations are left out.
    """
    known: dict[str, str] = {}
    used: set[str] = set()
    types: set[ast.AST] = set()
    if not as_types:
        hints = (getattr(node, part, None) for node in nodes(file) for part in ("annotation", "returns"))
        types = {part for hint in hints if hint is not None for part in ast.walk(hint)}
    for node in nodes(file):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in nodes(file):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load) and node not in types:
            first, dot, rest = dotted(node).partition(".")
            used.add(f"{known.get(first, first)}{dot}{rest}")
    return frozenset(used)


def test_tests_mirror_the_tree() -> None:
    """A test of a package is in the directory of its room, and its name begins with a file's, a room's or its own."""
    strays = {file.name for file in (ROOT / "tests").glob("test_*.py")} - ABOUT_THE_WHOLE
    for file in sorted((ROOT / "tests").glob("*/**/test_*.py")):
        room = ROOT / file.parent.relative_to(ROOT / "tests")
        files = {path.stem.strip("_") for path in room.glob("*") if path.name != "__init__.py"}
        about = file.stem.removeprefix("test_")
        named = any(about == name or about.startswith(f"{name}_") for name in (room.name, *files) if name)
        if not named or not (room / "__init__.py").is_file():
            strays.add(str(file.relative_to(ROOT)))
    assert strays == ABOUT_ROOMS


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
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    pairs = {
        tuple(sorted((module, imported)))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if module in graph.find_modules_directly_imported_by(imported)
    }
    assert pairs == set()


def test_no_file_is_longer_than_a_head_can_hold() -> None:
    """At most 450 lines; where there is more, the meaning splits somewhere."""
    lengths = {str(file): len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in product()}
    assert {file: lines for file, lines in lengths.items() if lines > LONGEST} == {}


def test_every_room_says_what_it_is() -> None:
    """A package's docstring is its sign on the door, and docs/design.md has a line for it."""
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    for room in rooms():
        assert ast.get_docstring(tree(room / "__init__.py")), f"{room}/__init__.py says nothing"
        assert f"`{room.as_posix()}/`" in design, f"docs/design.md does not name {room}"
    for named in re.findall(r"`([\w./-]+(?:/|\.py|\.yaml|\.toml))`", design):
        places = (ROOT, *(ROOT / package for package in PACKAGES), ROOT / "simulator" / "load")
        assert any((place / named).exists() for place in places), f"docs/design.md names {named}"


def test_only_the_clock_reads_time() -> None:
    """In the simulator an instant is an argument or comes from a `Clock`; who reads time all the same says why."""
    reading = {
        str(file)
        for file in product()
        if file.parts[0] in ("simulator", "stockpipe") and any(map(TIME.fullmatch, names_used(file)))
    }
    assert reading == set(READS_TIME)


def test_chance_comes_from_one_place() -> None:
    """Numbers come from streams with names and seeds, identifiers from a stream: a run can be had again."""
    making = {str(file) for file in product() if any(map(CHANCE.fullmatch, names_used(file, as_types=False)))}
    assert making == set(MAKES_CHANCE)


def test_exit_codes_are_of_one_enum() -> None:
    """A command ends with an `ExitCode`, never with a bare number, and the README explains each."""
    bare = []
    for file in product():
        for node in nodes(file):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Exit", "SystemExit"):
                bare += [f"{file}:{node.lineno}" for code in node.args if isinstance(code, ast.Constant)]
    assert bare == []
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("The exit code")[2].partition("\n\n")[0]
    assert [int(number) for number in re.findall(r"\b\d+\b", readme)] == sorted(ExitCode)


def test_options_are_fields_of_a_dataclass() -> None:
    """No command's function has an option among its parameters: name, type, help and default are in one place."""
    stray = []
    for file in product():
        if file.parts[:2] == ("stockpipe", "commands"):
            functions = (node for node in nodes(file) if isinstance(node, ast.FunctionDef))
            for function in functions:
                parameters = ast.unparse(function.args)
                if "typer.Option" in parameters or "typer.Argument" in parameters:
                    stray.append(f"{file}:{function.lineno}")
    assert stray == []


def test_every_task_has_an_owner() -> None:
    """A task is made in a task group, or its maker keeps it or awaits it at once; else nobody would hear of its end."""
    loose = []
    for file in product():
        parents = {child: node for node in nodes(file) for child in ast.iter_child_nodes(node)}
        for node in nodes(file):
            if isinstance(node, ast.Call) and LOOSE_TASK.search(ast.unparse(node.func)):
                parent = parents[node]
                kept = isinstance(parent, ast.Assign) and ast.unparse(parent.targets[0]) != "_"
                if not kept and not isinstance(parent, ast.Call | ast.Await | ast.Set | ast.List | ast.Tuple):
                    loose.append(f"{file}:{node.lineno}")
    assert loose == []


def test_child_processes_live_by_one_rule() -> None:
    """Programs are started by `base/children.py`, and worlds, which need what is loaded, by `explore/forks.py`."""
    starts = re.compile(
        r"(asyncio|subprocess|os)\.(create_subprocess_\w+|Popen|run|call|check_\w+|spawn\w+|fork\w*|system)"
    )
    starting = {
        str(file)
        for file in product()
        if file.parts[0] == "simulator" and any(map(starts.fullmatch, names_used(file) - {"asyncio.run"}))
    }
    assert starting == {"simulator/base/children.py", "simulator/explore/forks.py"}


def attributes_set(file: Path) -> Iterator[tuple[str, bool]]:
    """Every attribute that is set, and whether it is set on `self` or `cls`; what is only added to is left out."""
    added = {id(node.target) for node in nodes(file) if isinstance(node, ast.AugAssign)}
    for node in nodes(file):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and id(node) not in added:
            yield node.attr, isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def test_an_attribute_is_set_where_its_class_is() -> None:
    """What an object needs it is given when it is made; later its own methods set its attributes, or its own file."""
    strays = set()
    for file in product():
        fields = {
            node.target.id
            for node in nodes(file)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }
        set_here = set(attributes_set(file))
        declared = fields | {name for name, own in set_here if own}
        if any(not own and name not in declared for name, own in set_here):
            strays.add(str(file))
    assert strays == set(SETS_FROM_OUTSIDE)
