"""Replays the recorded worlds: `python -m planted.replays`, one line of JSON for each.

A line has the file's name, what was wrong when it was recorded, and what is wrong now: with its bug (`planted`), and
with the sound code (`sound`). Each world runs in a process forked from this one; a bug in the pipeline is planted
there, because handlers are loaded by each world. A bug in the mapping needs a process that has not loaded it yet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from planted.bugs import BUGS
from planted.planting import planted

HERE = Path(__file__).parent
OURS = "pipeline."


def wrong(file: Path, bug: str | None) -> list[str]:
    """What is wrong in a recorded world, here and now; with this bug planted."""
    from simulator.explore import replay
    from simulator.explore.running import Explored, run
    from simulator.stack import template

    if bug is not None:
        for module in [name for name in sys.modules if name.startswith(OURS)]:
            del sys.modules[module]
        planted(BUGS[bug])
    recorded = replay.read(file)
    stack = template.load(None, dict(recorded.parameters), defaults={"Seed": "0"})
    outcome = run(recorded.case, Explored((stack,), {}, recorded.bucket, recorded.queue))
    return [problem.sort for problem in outcome.problems]


def apart(name: str, file: Path) -> list[str]:
    """The same in a new process, for a bug in what this one has loaded."""
    command = (
        sys.executable,
        "-m",
        "planted",
        name,
        "explore",
        "--replay",
        str(file),
        "--ui",
        "quiet",
        "--summary",
        "-",
    )
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return [problem["symptom"] for problem in json.loads(done.stdout)["problems"]]


def main() -> None:
    """Print a line for each."""
    from simulator.explore.forks import Forks
    from simulator.world.world import prepare

    files = {file: file.stem if file.parent.name == "worlds" else None for file in sorted(HERE.glob("*/*.json"))}
    found: dict[Path, dict[str, list[str]]] = {file: {} for file in files}
    prepare()
    questions: list[tuple[Path, str | None]] = [
        (file, bug) for file, bug in files.items() if bug and BUGS[bug].module.startswith(OURS)
    ]
    questions += [(file, None) for file in files]
    with Forks(_answer, os.cpu_count() or 1) as forks:
        for (file, bug), problems in forks.results(questions):
            found[file]["planted" if bug else "sound"] = problems
    for file, bug in files.items():
        if bug and "planted" not in found[file]:
            found[file]["planted"] = apart(bug, file)
        recorded = json.loads(file.read_text(encoding="utf-8"))["problem"]
        print(json.dumps({"name": file.stem, "recorded": recorded, **found[file]}), flush=True)


def _answer(question: tuple[Path, str | None]) -> list[str]:
    return wrong(*question)


if __name__ == "__main__":
    main()
