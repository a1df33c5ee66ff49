"""Changes one decision of the product at a time, and reports the changes that no test notices: `make mutants`.

It changes the pure cores, as pyproject.toml lists them, and `pipeline/`; with arguments, only those files.

It collects a room's tests once and runs them once to learn which test reaches which line. Each mutant is then a fork
in which the functions' code is replaced and the tests that reach it run, the quickest first, until one fails. A mutant
of code that runs at import gets a fork that has not imported our code yet. Only code in the tests' own process counts.

Exit code 1: a survivor has no reason in docs/mutants.md, or a reason is for no survivor; 2: the tests themselves fail.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import hypothesis
import pytest
from changes import Mutant, mutants_of
from forks import KILLED, LEFT, SURVIVED, TIMED_OUT, Forks, limit_time
from scope import ROOT, reasons, targets

ELSEWHERE = ("tests/pipeline/test_template.py", "tests/pipeline/test_pipeline_cold_start.py")
SERVED = {"lenient_store", "moto_endpoint", "aws_engine"}
"""The test files and the fixtures that reach the product in another process, or take seconds where others do not."""
LEARNING_S = 300
OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--assert=plain"]
OURS = tuple(str(ROOT / name) for name in ("pipeline", "simulator", "stockpipe", "tests", "cli.py"))


def tests_of(file: str) -> list[str]:
    """The test files that are named after a file; where there is none, those of its room."""
    path = Path(file)
    room = ROOT / "tests" / path.parent
    named = [*room.glob(f"test_{path.stem}.py"), *room.glob(f"test_{path.stem}_*.py")]
    found = sorted(str(test.relative_to(ROOT)) for test in named or room.glob("test_*.py"))
    return [test for test in found if test not in ELSEWHERE]


def run_until_one_fails(session: pytest.Session, items: list[pytest.Item], took_s: dict[str, float]) -> str:
    """Whether these tests notice the mutant. One that takes far longer than before ends the process."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        limit_time(took_s[item.nodeid])
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return KILLED
    return SURVIVED


def by_place(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """A code object and all within it, by name and line."""
    yield (code.co_qualname, code.co_firstlineno), code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from by_place(constant)


class InOneProcess:
    """A plugin that keeps only tests that could notice a mutant, and runs the store in their process."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """After the collection."""
        fixtures = {item: set(getattr(item, "fixturenames", ())) for item in items}
        items[:] = [item for item in items if not SERVED & fixtures[item]]
        if any("store_endpoint" in fixtures[item] for item in items):
            store = importlib.import_module("simulator.store.store").Store
            store.open = importlib.import_module("inside").open_inside


class Room(InOneProcess):
    """The plugin for a pytest that collects a room's tests: it learns what they reach, then tries each mutant."""

    def __init__(self, mutants: list[Mutant], forks: Forks) -> None:
        self.mutants = mutants
        self.forks = forks
        self.tests = {mutant.file: tests_of(mutant.file) for mutant in mutants}
        self.files = [str(ROOT / file) for file in self.tests]
        self.imports = coverage.Coverage(config_file=False, data_file=None, include=self.files)
        self.imports.start()
        self.functions: dict[str, list[FunctionType]] = {file: [] for file in self.files}
        self.result: Any = {"failed": ["the collection of the tests"]}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests once."""
        self.imports.stop()
        if session.testsfailed:
            return True
        learner = Forks(1, self.forks.directory)
        learner.start(lambda: self.learn(session), functools.partial(setattr, self, "result"))
        learner.wait_all()
        if isinstance(self.result, dict) and not self.result["failed"]:
            for function in gc.get_objects():
                if isinstance(function, FunctionType) and function.__code__.co_filename in self.functions:
                    self.functions[function.__code__.co_filename].append(function)
            gc.freeze()
            self.try_all(session)
        return True

    def learn(self, session: pytest.Session) -> dict[str, Any]:
        """Run every test once: which lines it reaches, and how long it takes."""
        limit_time(LEARNING_S)
        tracer = coverage.Coverage(config_file=False, data_file=None, include=self.files)
        tracer.start()
        took_s: dict[str, float] = {}
        failed: list[str] = []
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            tracer.switch_context(item.nodeid)
            began = time.perf_counter()
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            took_s[item.nodeid] = time.perf_counter() - began
            if session.testsfailed > len(failed):
                failed.append(item.nodeid)
        tracer.stop()
        data = tracer.get_data()
        return {"took_s": took_s, "failed": failed, "reached": {f: data.contexts_by_lineno(f) for f in self.files}}

    def try_all(self, session: pytest.Session) -> None:
        """Try each mutant; the caller tries those that need a fresh import, with the tests to run."""
        items = {item.nodeid: item for item in session.items}
        verdicts = self.result["verdicts"] = dict[int, str]()
        chosen = self.result["chosen"] = dict[int, list[str]]()
        for number, mutant in enumerate(self.mutants):
            file = str(ROOT / mutant.file)
            imported = mutant.at_import or set(mutant.lines).intersection(self.imports.get_data().lines(file) or ())
            reached = self.result["reached"][file]
            tests = {test for line in (reached if imported else mutant.lines) for test in reached.get(line, ())}
            own = [test for test in tests if test.partition("::")[0] in self.tests[mutant.file]]
            chosen[number] = sorted(own, key=self.result["took_s"].__getitem__)
            verdicts[number] = LEFT if imported else SURVIVED
            if own and not imported:
                self.forks.start(
                    functools.partial(self.attempt, session, mutant, [items[test] for test in chosen[number]]),
                    functools.partial(verdicts.__setitem__, number),
                )
        self.forks.wait_all()
        self.result["modules"] = [
            name
            for name, module in list(sys.modules.items())
            if not str(getattr(module, "__file__", None)).startswith(OURS)
            and not name.startswith(("_pytest", "pytest"))
        ]

    def attempt(self, session: pytest.Session, mutant: Mutant, items: list[pytest.Item]) -> str:
        """In a child: put the mutant's code into the functions, and run tests."""
        code = mutant.apply()
        places = list(by_place(code))
        names = Counter(place for place, _ in places)
        try:
            for function in self.functions[code.co_filename]:
                place = function.__code__.co_qualname, function.__code__.co_firstlineno
                if names[place] != 1:
                    return LEFT
                function.__code__ = dict(places)[place]
        except ValueError:  # it no longer closes over the same names
            return LEFT
        return run_until_one_fails(session, items, self.result["took_s"])


class Anew(InOneProcess):
    """The plugin for a pytest that imports a mutant instead of its original."""

    def __init__(self, took_s: dict[str, float]) -> None:
        self.took_s = took_s
        self.verdict = KILLED

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests that reach the file. A test that is no longer collected counts as noticing the mutant."""
        items = {item.nodeid: item for item in session.items}
        if not session.testsfailed and items.keys() >= self.took_s.keys():
            self.verdict = run_until_one_fails(session, [items[test] for test in self.took_s], self.took_s)
        return True


def attempt_anew(mutant: Mutant, took_s: dict[str, float]) -> str:
    """In a child that has imported none of our code: import the mutant, and run tests."""
    code = mutant.apply()
    name = mutant.file.removesuffix(".py").replace("/", ".")

    class Loader(importlib.machinery.SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType:
            return code

    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, fullname: str, path: object, target: object = None) -> Any:
            if fullname == name:
                return importlib.util.spec_from_file_location(
                    name, code.co_filename, loader=Loader(name, code.co_filename)
                )
            return None

    sys.meta_path.insert(0, Finder())
    plugin = Anew(took_s)
    pytest.main([*OPTIONS, *sorted({test.partition("::")[0] for test in took_s})], plugins=[plugin])
    return plugin.verdict


def try_room(directory: str, mutants: list[Mutant], jobs: int, scratch: Path) -> dict[int, str]:
    """The verdict on each mutant of a room. Ends the program if the tests fail without a mutant."""

    def room() -> Any:
        plugin = Room(mutants, Forks(jobs, scratch))
        pytest.main([*OPTIONS, *sorted({test for tests in plugin.tests.values() for test in tests})], plugins=[plugin])
        return plugin.result

    results: list[Any] = []
    once = Forks(1, scratch)
    once.start(room, results.append, silent=False)
    once.wait_all()
    (result,) = results
    if not isinstance(result, dict) or result["failed"]:
        failed = result["failed"] if isinstance(result, dict) else result
        print(f"the tests of {directory} do not pass without a mutant: {failed}", file=sys.stderr)
        sys.exit(2)
    for name in result["modules"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    verdicts: dict[int, str] = result["verdicts"]
    forks = Forks(jobs, scratch)
    for number, mutant in enumerate(mutants):
        tests = result["chosen"][number]
        if verdicts[number] == LEFT:
            verdicts[number] = SURVIVED
            if tests:
                act = functools.partial(attempt_anew, mutant, {test: result["took_s"][test] for test in tests})
                forks.start(act, functools.partial(verdicts.__setitem__, number))
    forks.wait_all()
    return verdicts


def main() -> int:
    """Try every mutant of the named files, and compare the survivors with the reasons."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.splitlines()[0])
    parser.add_argument(
        "files", nargs="*", help="files or folders of the product (default: all pure cores and the pipeline)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    files = targets(*options.files)
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # it is enough to know that it fails
    hypothesis.settings.register_profile("mutants", derandomize=True, deadline=None, phases=phases)
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    os.chdir(ROOT)
    # Our packages come before test folders of the same names.
    sys.path.insert(0, str(ROOT))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    known = reasons()
    left_over = {reason for reason in known if reason[0] in files or (not options.files)}
    unexplained: list[Mutant] = []
    print("| file | mutants | killed | survive |")
    print("| --- | ---: | ---: | ---: |")
    rooms: dict[str, list[Mutant]] = {}
    for file in files:
        rooms.setdefault(str(Path(file).parent), []).extend(mutants_of(ROOT, file))
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        for directory, mutants in rooms.items():
            began = time.perf_counter()
            verdicts = try_room(directory, mutants, options.jobs, Path(scratch))
            for file in dict.fromkeys(mutant.file for mutant in mutants):
                here = [number for number, mutant in enumerate(mutants) if mutant.file == file]
                alive = [mutants[number] for number in here if verdicts[number] == SURVIVED]
                print(f"| `{file}` | {len(here)} | {len(here) - len(alive)} | {len(alive)} |", flush=True)
                total += Counter(verdicts[number] for number in here)
                unexplained += [mutant for mutant in alive if mutant.key not in known]
                left_over -= {mutant.key for mutant in alive}
            print(f"{directory}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    everything = total.total()
    print(f"| all | {everything} | {everything - total[SURVIVED]} | {total[SURVIVED]} |")
    print(f"\n{1 - total[SURVIVED] / max(1, everything):.1%} killed, {total[TIMED_OUT]} of them by the time limit")
    for mutant in unexplained:
        print(f"\nsurvives: {mutant.file}:{mutant.lines[0]}\n{mutant.scope}: {mutant.before} → {mutant.after}")
    for file, scope, before, after in sorted(left_over):
        print(f"\nexplained in docs/mutants.md, but it does not survive: {file}\n{scope}: {before} → {after}")
    return 1 if unexplained or left_over else 0


if __name__ == "__main__":
    sys.exit(main())
