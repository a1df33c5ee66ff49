"""Runs worlds and keeps their logs: `python -m worlds FOLDER SEED...` writes FOLDER/SEED, an observation a line.

Each world is forked from this process, which has loaded everything once: moto's state is global.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Any

from simulator.base.interrupts import Interrupts
from simulator.base.observations import Observation
from simulator.functions.runtimes import Code
from simulator.run.simulation import RunPlan, Simulation
from simulator.run.sources import Inputs
from simulator.stack import template
from simulator.stack.model import Stack
from simulator.telemetry import Telemetry
from simulator.world.world import World, prepare

START_AT = 1_767_225_600.0
APPLICATION = Path(__file__).parent / "application"


def stack_of(seed: int) -> tuple[Stack, dict[str, Code]]:
    """The pipeline in one of its many settings; every fourth time, the application of synchronous functions."""
    if seed % 4 == 3:
        stack = template.load(APPLICATION / "template.yaml")
        return stack, {name: Code(APPLICATION) for name in stack.functions}
    chance = Random(seed)
    parameters = {
        "FileCount": str(chance.randint(1, 4)),
        "RowsPerFile": str(chance.choice((1, 24, 25, 26, 120))),
        "ConsumerMemory": str(chance.choice((256, 1024, 2048))),
        "BatchWriter": chance.choice(("signed", "aiobotocore")),
    }
    return template.load(None, parameters, defaults={"Seed": str(seed)}), {}


def observe(seed: int) -> list[str]:
    """Every observation of one world, in order, as text."""
    stack, code = stack_of(seed)
    nothing: Any = {"story": None, "schedule": None, "objects": None, "messages": None, "invoked": None, "ready": None}
    plan = RunPlan(
        **nothing,
        command="simulate",
        seed=seed,
        started_at=START_AT,
        start_at=START_AT,
        duration_s=None,
        ticks=2,
        speed=1.0,
        fires=True,
        inputs=Inputs(),
        left_out=(),
        scenario=None,
        captions_read=False,
        bounds=(),
        code=code,
        invariants=(),
        runtime="inline",
        capacity="aws",
        port=0,
        drain_timeout_s=3_600,
        accepted=frozenset(),
        hold=False,
    )
    world, log = World(seed, START_AT, "aws"), list[str]()

    async def main() -> Simulation:
        telemetry = Telemetry(stack, plan)

        def record(observation: Observation) -> None:
            telemetry.record(observation)
            log.append(repr(observation))

        async def finished() -> None: ...

        simulation = Simulation(stack, plan, telemetry, world, Interrupts(), record, bool, finished)
        await simulation.run()
        return simulation

    simulation = world.run(main)
    return [*log, f"{simulation.failure!r} {simulation.audit!r}"]


def main(folder: Path, seeds: list[int]) -> None:
    """Write the logs."""
    prepare()
    for seed in seeds:
        child = os.fork()
        if not child:
            (folder / str(seed)).write_text("\n".join(observe(seed)), encoding="utf-8")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(f"the world of seed {seed} ended with {status}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(each) for each in sys.argv[2:]])
