"""What virtual time costs in processor time: a day, and a world of the size that is explored.

`python benchmarks/virtual_time.py [--rounds 5] [--days 1]`, one to two minutes. The day is the command as a user runs
it: 1,440 ticks x 5 objects x 10 rows, from the start of Python to the proven summary. The world is ten virtual minutes
with 20 objects, proof included, forked from a process that has imported everything, which is how many worlds are run;
beside it, the same command from the start of Python. The parts alternate; prints medians.
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

from machine import machine

DAY = ("--ticks", "1440", "--files", "5", "--rows", "10")
WORLD = ("--ticks", "10", "--files", "2", "--rows", "25")


def arguments(run: tuple[str, ...], summary: Path) -> list[str]:
    """The command's arguments."""
    return ["simulate", "--clock", "virtual", *run, "--ui", "quiet", "--summary", str(summary)]


def require_exact(summary: Path) -> None:
    """Nobody is interested in what a wrong run costs."""
    verdict = json.loads(summary.read_text(encoding="utf-8"))["audit"]["verdict"]
    if verdict != "exact":
        raise SystemExit(f"the run is {verdict}")


def cold_s(run: tuple[str, ...], summary: Path) -> float:
    """Processor seconds of the command."""
    child = subprocess.Popen([sys.executable, "-m", "cli", *arguments(run, summary)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"the command ended with {os.waitstatus_to_exitcode(status)}")
    require_exact(summary)
    return used.ru_utime + used.ru_stime


def warm_s(run: tuple[str, ...], summary: Path) -> float:
    """Processor seconds of a forked world."""
    import stockpipe.commands.simulate.run  # noqa: F401 - what the fork is not to pay for
    from cli import app
    from simulator.world.world import prepare

    prepare()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            app(arguments(run, summary), standalone_mode=False)
        finally:
            os._exit(0)
    _, _, used = os.wait4(child, 0)
    require_exact(summary)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of the world")
    parser.add_argument("--days", type=int, default=1, help="how often the day is run")
    asked = parser.parse_args()
    print(machine("stockpipe", "moto", "aiobotocore", "time-machine"))
    days, worlds, commands = list[float](), list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        for number in range(asked.rounds):
            worlds.append(warm_s(WORLD, summary))
            commands.append(cold_s(WORLD, summary))
            if number < asked.days:
                days.append(cold_s(DAY, summary))
    for name, figures, most in (
        ("a day, 1,440 ticks x 5 objects x 10 rows, audit and start included", days, 30.0),
        ("a world, 10 virtual minutes with 20 objects, forked, set-up and audit included", worlds, 0.6),
        ("the same world as a command, from the start of Python", commands, None),
    ):
        if not figures:
            continue
        goal = "" if most is None else f"   at most {most:g} asked"
        print(f"{statistics.median(figures):8.2f} s of processor time   {name}{goal}")


if __name__ == "__main__":
    main()
