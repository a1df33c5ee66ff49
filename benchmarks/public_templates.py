"""Runs SAM templates that other people published, with their own handlers: which of them run unchanged.

    python benchmarks/public_templates.py --at DIR              every template that is below DIR
    python benchmarks/public_templates.py --at DIR --only sqs   those whose name contains this text
    python benchmarks/public_templates.py                       where they are from, and how to fetch them
    python benchmarks/public_templates.py --markdown            the list as the table of docs/applications.md

`public_templates.json` lists the templates: repository, commit, path, what goes in, and what is expected. None of their
code is part of this repository; DIR/OWNER/REPO is a checkout of it. Each template is checked and simulated by processes
of their own, as on a command line, with a limit of time. It *runs* if `simulate` exits with 0, an invocation succeeded,
and every message was deleted: none was dead-lettered and none remains.
"""

from __future__ import annotations

import argparse
import base64
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import machine

HERE = Path(__file__).resolve()
ROOT = HERE.parent.parent
LIST = HERE.with_suffix(".json")
STOCKPIPE = [sys.executable, "-m", "stockpipe"]
DRAIN_TIMEOUT = "40s"
REASON_WIDTH = 150


@dataclass(frozen=True)
class Application:
    """One template of the list, as `public_templates.json` has it."""

    owner: str
    repo: str
    commit: str
    path: str
    way: str
    input: dict[str, Any]
    expected: str
    reason: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Owner, repository and the template's folder; unique in the list."""
        folder = str(Path(self.path).parent)
        return f"{self.owner}/{self.repo}" + ("" if folder == "." else f"/{folder}")

    @property
    def url(self) -> str:
        """The template at this commit, for a reader."""
        return f"https://github.com/{self.owner}/{self.repo}/blob/{self.commit}/{self.path}"

    def fetch(self, at: Path) -> str:
        """The shell command that brings the repository below `at`, at the commit of the list."""
        folder = shlex.quote(str(at / self.owner / self.repo))
        source = f"https://github.com/{self.owner}/{self.repo}"
        return f"git clone --filter=blob:none {source} {folder} && git -C {folder} checkout {self.commit}"

    def template(self, at: Path) -> Path:
        """Where the template is if it is at hand."""
        return at / self.owner / self.repo / self.path


@dataclass(frozen=True)
class Outcome:
    """What came of one template: `runs`, or why not, the messages' fates, and how long both commands took."""

    application: Application
    runs: bool
    reason: str
    deliveries: dict[str, Any]
    checked: str
    seconds: float

    @property
    def as_expected(self) -> bool:
        """Whether the list says the same."""
        return self.runs == (self.application.expected == "runs")


def applications(only: str) -> list[Application]:
    """The list; those whose name contains `only`."""
    listed = [Application(**entry) for entry in json.loads(LIST.read_text(encoding="utf-8"))]
    return [application for application in listed if only in application.name]


def input_arguments(given: dict[str, Any], scratch: Path) -> list[str]:
    """The options of `simulate` that bring the input, with its files below `scratch`."""
    arguments: list[str] = []
    for kind, value in given.items():
        match kind:
            case "send":
                path = scratch / "messages.jsonl"
                path.write_text("".join(json.dumps(body) + "\n" for body in value), encoding="utf-8")
                arguments += ["--send", str(path)]
            case "event":
                path = scratch / "event.json"
                path.write_text(json.dumps(value), encoding="utf-8")
                arguments += ["--event", str(path)]
            case "source":
                arguments += ["--source", *_sources(value, scratch)]
            case "ticks" | "to":
                arguments += [f"--{kind}", str(value)]
            case _:
                sys.exit(f"{LIST.name}: an input cannot be {kind!r}")
    return arguments


def _sources(files: dict[str, Any], scratch: Path) -> Iterator[str]:
    for name, content in files.items():
        path = scratch / name
        is_text = isinstance(content, str)
        path.write_bytes(content.encode() if is_text else base64.b64decode(content["base64"]))
        yield str(path)


def outcome(application: Application, at: Path, limit_s: float) -> Outcome:
    """Check and simulate one template."""
    template = ["--template", str(application.template(at).resolve())]
    for name, value in application.parameters.items():
        template += ["--parameter", f"{name}={value}"]
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stockpipe-public-") as folder:
        checked = _run([*STOCKPIPE, "check", *template], limit_s)
        given = input_arguments(application.input, Path(folder))
        options = ["--ui", "quiet", "--summary", "-", "--drain-timeout", DRAIN_TIMEOUT]
        simulated = _run([*STOCKPIPE, "simulate", *template, *options, *given], limit_s)
    summary = _summary(simulated)
    reason = _reason(simulated, summary)
    deliveries = summary.get("deliveries") or {}
    path = str(application.template(at).resolve())
    said, checked_to = (text.replace(path, application.path) for text in (reason, _verdict(checked)))
    return Outcome(application, not reason, said, deliveries, checked_to, time.monotonic() - began_at)


def _run(command: list[str], limit_s: float) -> subprocess.CompletedProcess[str]:
    """One command from the repository's root; one that takes longer than the limit has failed."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -1, "", f"stockpipe: not done after {limit_s:g} s\n")


def _verdict(checked: subprocess.CompletedProcess[str]) -> str:
    """The line of `check` that says most: its error, or its last one, which counts the findings."""
    errors = [line for line in checked.stderr.splitlines() if line.startswith("stockpipe: ")]
    return (errors or checked.stdout.strip().splitlines()[-1:] or [""])[0]


def _summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        return {}


def _reason(done: subprocess.CompletedProcess[str], summary: dict[str, Any]) -> str:
    """Why this run does not count as one that works; empty if it does."""
    if done.returncode:
        return next(_complaints(done, summary), f"exit code {done.returncode}")
    consumer, deliveries = summary.get("consumer") or {}, summary.get("deliveries") or {}
    invocations = consumer.get("invocations") or 0
    if invocations <= (consumer.get("errors") or 0):
        return f"none of {invocations} invocations succeeded"
    for fate in ("dead_lettered", "remaining"):
        if deliveries.get(fate):
            return f"{deliveries[fate]} of {deliveries.get('sent')} messages {fate.replace('_', '-')}"
    return ""


def _complaints(done: subprocess.CompletedProcess[str], summary: dict[str, Any]) -> Iterator[str]:
    """What a failed run says of itself, the most telling first: failures of the handlers, then errors of ours."""
    for failure in (*(summary.get("failures") or []), *(summary.get("tick_failures") or [])):
        yield str(failure.get("reason"))
    lines = [line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()]
    yield from (line for line in lines if line.startswith("stockpipe: "))
    yield from lines


def show(outcomes: list[Outcome]) -> None:
    """One row per template, and the reasons below it."""
    width = max(len(result.application.name) for result in outcomes)
    heads = {"sent": 6, "deleted": 9, "dead-lettered": 15, "events done": 13}
    columns = "".join(f"{head:>{size}}" for head, size in heads.items())
    print(f"{'template':<{width}}  {'outcome':<12}{columns}{'seconds':>9}")
    for result in outcomes:
        fates = [result.deliveries.get(head.replace(" ", "_").replace("-", "_"), "-") for head in heads]
        columns = "".join(f"{fate!s:>{size}}" for fate, size in zip(fates, heads.values(), strict=True))
        said = "runs" if result.runs else "does not run"
        row = f"{result.application.name:<{width}}  {said:<12}{columns}{result.seconds:>9.1f}"
        print(row + ("" if result.as_expected else "   NOT AS EXPECTED"))
        if result.reason:
            print(f"    {result.reason[:REASON_WIDTH]}")
        if result.checked:
            print(f"    check: {result.checked[:REASON_WIDTH]}")


def absent(applications: list[Application], at: Path) -> None:
    """Those that are not at hand, each with the command that brings it, once per repository."""
    for application in applications:
        print(f"not at hand: {application.name} ({application.way})")
    for command in dict.fromkeys(application.fetch(at) for application in applications):
        print(f"  {command}")


def markdown(applications: list[Application]) -> Iterator[str]:
    """The list as a table, with what is expected of each."""
    yield "| template | the data's way | outcome |"
    yield "| --- | --- | --- |"
    for application in applications:
        said = application.expected + (f": {application.reason}" if application.reason else "")
        yield f"| [{application.name}]({application.url}) | {application.way} | {said} |"


def main() -> None:
    """Parse, run in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at", type=Path, default=Path("DIR"), metavar="DIR", help="the folder of the checkouts")
    parser.add_argument("--only", default="", metavar="TEXT", help="only templates whose name contains this text")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds per command (default: %(default)g)")
    parser.add_argument("--markdown", action="store_true", help="print the list as a table and run nothing")
    arguments = parser.parse_args()
    at, listed = arguments.at, applications(arguments.only)
    if arguments.markdown:
        print("\n".join(markdown(listed)))
        return
    print(machine("moto", "boto3"))
    here = [application for application in listed if application.template(at).is_file()]
    outcomes = []
    for number, application in enumerate(here, 1):
        print(f"{number}/{len(here)} {application.name}", file=sys.stderr)
        outcomes.append(outcome(application, at, arguments.limit))
    if outcomes:
        show(outcomes)
    absent([application for application in listed if application not in here], at)
    running = sum(result.runs for result in outcomes)
    owners = len({application.owner for application in here})
    print(f"{len(listed)} templates listed, {len(here)} at hand of {owners} owners, {running} run unchanged")
    unexpected = [result.application.name for result in outcomes if not result.as_expected]
    sys.exit(f"not as expected: {', '.join(unexpected)}" if unexpected else 0)


if __name__ == "__main__":
    main()
