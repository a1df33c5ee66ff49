"""The full search, `make explore`: each planted bug until it is found, then the sound pipeline, which must pass.

`python -m planted.search [--worlds 10000] [--only NAME,...]`, an hour on two cores. Prints the table of the docs, and
keeps the shrunk world of each bug in `worlds/`, which the tests replay. It fails if a bug is not found within 200
worlds or not shrunk to three faults, if anything is found in the sound pipeline, or if some kind of fault never struck.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from planted.bugs import BUGS, Bug
from simulator.faults import kinds

ROOT = Path(__file__).parents[2]
WORLDS = Path(__file__).with_name("worlds")
MOST_WORLDS, MOST_FAULTS = 200, 3
COVERING = 1_000
"""In so many worlds, each kind of fault must have struck."""


def explored(program: Iterable[str], folder: Path, *arguments: str) -> dict[str, Any]:
    """The summary of a search by this program; its progress is shown."""
    summary = folder / "summary.json"
    command = (sys.executable, *program, "explore", *arguments, "--out", str(folder), "--summary", str(summary))
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    ended = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL)
    if ended.returncode not in (0, 1):
        raise SystemExit(f"the search ended with exit code {ended.returncode}")
    found: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
    return found


def searched(bug: Bug) -> tuple[str, bool]:
    """A row of the table for a bug, and whether it was found and shrunk as it must be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = explored(("-m", "planted", bug.name), folder, "--worlds", str(MOST_WORLDS))
        if not built["findings"]:
            return f"| `{bug.name}` | {bug.said} | not in {MOST_WORLDS} | - | - | - |", False
        (finding,) = built["findings"]
        (WORLDS / f"{bug.name}.json").write_bytes(Path(finding["replay"]).read_bytes())
    faults, objects = len(finding["faults"]), finding["objects"]
    took_s = built["machine"]["shrunk_s"][0]
    signature = finding["signature"].replace(" · ", ", ")
    row = f"| `{bug.name}` | {bug.said} | {finding['seed']} | {signature} | {faults}, {objects} | {took_s:.0f} s |"
    return row, faults <= MOST_FAULTS


def sound(worlds: int) -> tuple[list[str], bool]:
    """What the sound pipeline shows, and whether it passes."""
    with tempfile.TemporaryDirectory() as name:
        built = explored(("-m", "stockpipe"), Path(name), "--worlds", str(worlds), "--stop-after", "0")
    struck, arms = built["faults"], built["settlements"]
    never = sorted(kinds.ALL.keys() - struck.keys()) if built["worlds"] >= COVERING else []
    found = [f"{finding['signature']}: world {finding['seed']}" for finding in built["findings"]]
    fewest = ", ".join(f"`{kind}` ({struck[kind]:,})" for kind in sorted(struck, key=struck.__getitem__)[:3])
    ends = ", ".join(f"{times:,} {arm}" for arm, times in sorted(arms.items(), key=lambda arm: -arm[1]))
    times = sum(struck.values())
    return [
        f"{built['worlds']:,} worlds of the sound pipeline, {built['virtual_s'] / 3600:,.0f} virtual hours, in "
        f"{built['machine']['wall_s'] / 60:.0f} minutes: {', '.join(found) or 'nothing was found'}.",
        f"{times:,} faults of {len(struck)} kinds struck, {times / built['worlds']:.1f} per world; "
        f"least often {fewest}.",
        f"Deliveries: {ends}.",
        *([f"Never struck: {', '.join(never)}."] if never else []),
    ], not found and not never and built["worlds"] == worlds


def main() -> int:
    """Search, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=10_000, help="of the sound pipeline; 0: none")
    parser.add_argument("--only", default="", help="only these bugs, joined by commas")
    asked = parser.parse_args()
    WORLDS.mkdir(exist_ok=True)
    chosen = [BUGS[name] for name in asked.only.split(",") if name] or list(BUGS.values())
    print(
        "| bug | what is wrong | seed | finding | faults, objects left | shrunk in |\n|---|---|---|---|---|---|",
        flush=True,
    )
    passed = True
    for bug in chosen:
        row, is_found = searched(bug)
        print(row, flush=True)
        passed &= is_found
    if asked.worlds:
        lines, is_sound = sound(asked.worlds)
        print("", *lines, sep="\n")
        passed &= is_sound
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
