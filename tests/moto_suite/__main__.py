"""Runs moto's own tests of SQS, S3 and DynamoDB against stock moto and against the store, and compares.

The tests come from moto's source distribution, in the installed version; they are unpacked below `build/`. Stock moto
and the store each answer on their own port, and both are tested at the same time. If stock moto passes a test and the
store fails it, the test must be in `known.yaml`, which says for each what AWS does.

Exit code 1: a test fails only with the store and is not known, or a known one no longer fails; 2: they could not run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from moto_suite.outcomes import Outcome, compare, counts, read_known, read_report

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "moto-suite"
KNOWN = Path(__file__).parent / "known.yaml"
FOLDERS = ("test_sqs", "test_s3", "test_dynamodb")
SERVERS = ("stock moto", "the store")
START_S = 60.0
LONGEST_S = 1_800
DOES_NOT_RUN = "not network and not requires_docker"
# Their tests start servers of their own, some on a fixed port, and ask no other.
OWN_SERVERS = ("*/test_server.py", "*/test_multiple_accounts_server.py", "*/test_s3_bucket_policy.py")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make moto-suite", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "selected", nargs="*", help=f"folders or files below moto's tests/; all of {', '.join(FOLDERS)}"
    )
    parser.add_argument("-k", dest="expression", default="", help="only the tests that pytest's -k chooses")
    options = parser.parse_args()
    selected = [f"tests/{name}" for name in options.selected or FOLDERS]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    suite = unpacked(version("moto"))
    reports: dict[str, dict[str, Outcome]] = {}

    def run(server: str) -> None:
        with served(server) as endpoint:
            reports[server] = tested(server, endpoint, suite, selected, options.expression)

    with progress():
        threads = [threading.Thread(target=run, args=(server,), daemon=True) for server in SERVERS]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            end_all()
    if len(reports) < len(SERVERS) or not all(reports.values()):
        print("moto's tests did not finish; pytest's output is in", BUILD, file=sys.stderr)
        return 2
    whole = not options.selected and not options.expression
    return report_of(reports["stock moto"], reports["the store"], whole=whole)


def report_of(stock: dict[str, Outcome], store: dict[str, Outcome], *, whole: bool) -> int:
    """Print what was found, and return the exit code. The list is compared only with a `whole` run."""
    listed = read_known(KNOWN.read_text(encoding="utf-8"))
    known = {name: why for name, why in listed.items() if whole or name in stock}
    verdict = compare(stock, store, known)
    skipped = Counter(outcome.text for outcome in stock.values() if outcome.result == "skipped")
    for reason, times in skipped.most_common():
        print(f"skipped {times}: {reason[:150]}")
    for name in verdict.known:
        print(f"known   {name}: {known[name]}")
    for name in verdict.new:
        print(f"NEW     {name}: {store[name].text[:300] if name in store else 'not run'}")
    for name in verdict.gone:
        print(f"GONE    {name}: it no longer fails only with the store; remove it from {KNOWN.name}")
    print(f"stock moto: {counts(stock)}")
    print(f"the store:  {counts(store)}")
    print(f"{len(verdict.new)} new, {len(verdict.known)} known, {len(verdict.gone)} gone")
    return 0 if verdict.good else 1


# What is started; whoever ends this program ends them.
_started: list[subprocess.Popen[str]] = []
_tested: Counter[str] = Counter()


def unpacked(moto_version: str) -> Path:
    """The folder with moto's `tests/`."""
    folder = BUILD / f"moto-{moto_version}"
    if not (folder / "tests" / "test_sqs").is_dir():
        BUILD.mkdir(parents=True, exist_ok=True)
        wanted = ["--no-deps", "--no-binary", "moto", f"moto=={moto_version}"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(BUILD), *wanted]
        subprocess.run(command, check=True)
        shutil.rmtree(folder, ignore_errors=True)
        with tarfile.open(BUILD / f"moto-{moto_version}.tar.gz") as archive:
            needed = (["tests"], ["pyproject.toml"])
            tests = [each for each in archive.getmembers() if each.name.split("/")[1:2] in needed]
            archive.extractall(BUILD, members=tests, filter="data")
    return folder


@contextlib.contextmanager
def served(server: str) -> Iterator[str]:
    """A server on a free port, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = {"stock moto": ["moto.server", "-p"], "the store": ["moto_suite.served"]}[server]
    with (BUILD / f"{server.replace(' ', '-')}.log").open("w") as log:
        process = start([sys.executable, "-m", *program, str(port)], log, PYTHONPATH=path_of_the_programs())
        try:
            wait_for(port, process)
            yield f"http://localhost:{port}"
        finally:
            end(process)


def tested(server: str, endpoint: str, suite: Path, selected: list[str], expression: str) -> dict[str, Outcome]:
    """Run the tests against that endpoint, and return pytest's report."""
    name = server.replace(" ", "-")
    report = BUILD / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", DOES_NOT_RUN, "--tb=short"]
    command += ["-o", "addopts=", f"--junit-xml={report}", f"--rootdir={suite}", "-v", *selected]
    command += [f"--ignore-glob={name}" for name in OWN_SERVERS]
    command += ["-k", expression] if expression else []
    settings = {"TEST_SERVER_MODE": "true", "TEST_SERVER_MODE_ENDPOINT": endpoint}
    process = start(command, subprocess.PIPE, cwd=suite, **settings)
    with (BUILD / f"{name}-tests.log").open("w") as log:
        for line in process.stdout or ():
            log.write(line)
            _tested[server] += "%]" in line
    process.wait(LONGEST_S)
    return read_report(report.read_text(encoding="utf-8")) if report.exists() else {}


def start(command: list[str], output: object, cwd: Path = ROOT, **variables: str) -> subprocess.Popen[str]:
    """A process in its own group, without the user's AWS variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    environment |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    environment |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **variables}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=environment,
        text=True, start_new_session=True,
    )  # type: ignore[call-overload]  # fmt: skip
    _started.append(process)
    return process  # type: ignore[no-any-return]


def path_of_the_programs() -> str:
    """The environment in which the store and this program can be imported."""
    return os.pathsep.join((str(ROOT), str(ROOT / "tests")))


def end(process: subprocess.Popen[str]) -> None:
    """End a process with everything that it started, and reap it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_all() -> None:
    """End all processes."""
    for process in _started:
        end(process)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    """Wait until somebody listens there. Raises `SystemExit` if the process ends first, or nobody does."""
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"{process.args!r} did not start; its output is in {BUILD}")


@contextlib.contextmanager
def progress() -> Iterator[None]:
    """Print how many tests are done every few seconds, until the block ends."""
    done = threading.Event()

    def show() -> None:
        while not done.wait(5):
            print(" ".join(f"{server}: {_tested[server]} tests;" for server in SERVERS), flush=True)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
