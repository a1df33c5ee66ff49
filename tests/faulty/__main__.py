"""Runs worlds of this application: a line of JSON on standard input is one, and has a line for its answer.

The question has the handlers, the objects to put, the number of ticks, the faults, and the function of `checks.py` that
must hold; the answer has the problems, each by its sort, the faults that struck, and how many deliveries ended how.
Each world is forked from this process, which has loaded everything once: moto's state is global.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from botocore import session

from simulator.base import limits
from simulator.base.clients import DUMMY_CREDENTIALS
from simulator.explore.case import WorldCase
from simulator.explore.running import Explored, run
from simulator.faults.plane import Fault
from simulator.functions.runtimes import Code
from simulator.run.invariants import find
from simulator.run.sources import TimedPut
from simulator.stack import template
from simulator.world.world import prepare

APPLICATION = Path(__file__).parent
STORM_S = 3_600.0
LOADED_LATER = ("aioboto3.s3.inject", "boto3.s3.inject", "moto.iam.access_control", "moto.sts.models")
SERVICES = ("s3", "sqs", "dynamodb")


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Run one world, the only one of this process."""
    stack = template.load(APPLICATION / "template.yaml", question["handlers"])
    code = {name: Code(APPLICATION) for name in stack.functions}
    invariants = tuple(find(f"checks:{name}", [APPLICATION]) for name in (question["holds"], "nothing_is_given_up"))
    application = Explored((stack,), code, stack.buckets["Drop"].name, invariants=invariants)
    puts = tuple(TimedPut(at_s, key, text.encode()) for at_s, key, text in question["puts"])
    faults = tuple(Fault(*fault) for fault in question["faults"])
    outcome = run(WorldCase(seed=1, storm_s=STORM_S, puts=puts, ticks=question["ticks"], faults=faults), application)
    return {
        "problems": {problem.sort: problem.said for problem in outcome.problems},
        "struck": [each.fault for each in outcome.struck],
        "deliveries": outcome.arms,
    }


def load() -> None:
    """Load what each world would load for itself, in half of its time: modules, and what botocore reads from files."""
    prepare()
    for module in LOADED_LATER:
        import_module(module)
    session.create_loader = cache(session.create_loader)
    somebodys: Any = DUMMY_CREDENTIALS
    for service in SERVICES:
        session.Session().create_client(service, limits.REGION, **somebodys)
    gc.freeze()


def main() -> None:
    """Answer until there are no more questions."""
    answers, sys.stdout = sys.stdout, sys.stderr
    load()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(f"the world of {line} ended with {status}")


if __name__ == "__main__":
    main()
