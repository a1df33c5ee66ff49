"""What exploring costs: a thousand worlds of the sound pipeline, and shrinking a world that fails.

`python benchmarks/exploring.py [--worlds 1000] [--bugs 5]`, five minutes on two idle cores. The worlds are the command
as a user runs it, `stockpipe explore --worlds 1000 --stop-after 0`, on all cores. Then the command with some of the
bugs of `tests/planted` in the consumer: how many worlds it takes to find each, and how long to shrink it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import machine

ROOT = Path(__file__).resolve().parents[1]
BUGS = ("unprocessed-ignored", "crash-is-done", "resumed-one-late", "keys-not-decoded", "out-of-time-is-done")


def explored(*arguments: str, bug: str | None = None) -> dict[str, Any]:
    """The summary of a search; with a bug of this name in the code."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        program = ("-m", "stockpipe") if bug is None else ("-m", "planted", bug)
        written = ("--ui", "quiet", "--out", folder, "--summary", str(summary))
        command = (sys.executable, *program, "explore", *arguments, *written)
        path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
        subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
        return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1_000)
    parser.add_argument("--bugs", type=int, default=len(BUGS), help="how many planted bugs are searched for")
    asked = parser.parse_args()
    print(machine("stockpipe", "moto", "aiobotocore"))
    built = explored("--worlds", str(asked.worlds), "--stop-after", "0")
    worlds, wall_s = built["worlds"], built["machine"]["wall_s"]
    struck = sum(built["faults"].values())
    print(f"{worlds:,} worlds in {wall_s / 60:.1f} minutes on {os.cpu_count()} cores: {worlds / wall_s:.1f} a second")
    print(f"  {built['virtual_s'] / worlds / 60:.0f} virtual minutes, {built['objects'] / worlds:.0f} objects and")
    print(f"  {struck / worlds:.1f} faults per world; {len(built['findings'])} findings")
    shrunk = list[float]()
    for bug in BUGS[: asked.bugs]:
        built = explored("--worlds", "200", bug=bug)
        shrunk += built["machine"]["shrunk_s"]
        faults = [len(finding["faults"]) for finding in built["findings"]]
        took_s = built["machine"]["shrunk_s"]
        print(f"  {bug}: found in world {built['worlds']}, shrunk in {took_s} s to {faults} faults")
    if shrunk:
        print(f"shrinking: median {statistics.median(shrunk):.0f} s, at most {max(shrunk):.0f} s")


if __name__ == "__main__":
    main()
