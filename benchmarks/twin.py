"""What the Lambda twin itself costs: CPU per invocation, inline and in a process, idle environments, the poller's ramp.

`python benchmarks/twin.py [--rounds 7]`. It measures processor time, not wall time: the machine may be busy. Each
figure is the median of interleaved rounds; a bare await of the same handler is measured in the same rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from simulator.base import limits
from simulator.base.clock import SystemClock
from simulator.functions.runtimes import Code, Returned, Runtime
from simulator.functions.runtimes.inline import InlineRuntime
from simulator.functions.service import LambdaService
from simulator.stack.model import AsynchronousInvocation, EventSourceMapping, Function
from simulator.triggers.scaling import Scaler, policy_of

INVOCATIONS = 2_000
PROCESS_INVOCATIONS = 300
IDLE_ENVIRONMENTS = 1_000
IDLE_S = 3.0
HANDLER = """
import contextlib

@contextlib.asynccontextmanager
async def open_environment(environ, session, write):
    async def invoke(event, context):
        return {"batchItemFailures": []}
    yield invoke

def handler(event, context):
    return {"batchItemFailures": []}

def plain(event, context):
    return {"batchItemFailures": []}

handler.open_environment = open_environment
"""


def function_named(handler: str) -> Function:
    """A function without its own limits."""
    return Function(
        "F",
        "F",
        handler,
        f"python3.{sys.version_info.minor}",
        512,
        60,
        {},
        None,
        "JSON",
        "INFO",
        AsynchronousInvocation(),
        "arn:aws:lambda",
    )


def event() -> dict[str, Any]:
    """Ten records of the size of a notification."""
    return {"Records": [{"messageId": str(number), "body": "x" * 1_000} for number in range(10)]}


async def opened(runtime: Runtime, handler: str, body: Callable[[LambdaService], Awaitable[float]]) -> float:
    """Run `body` with one function under the runtime."""
    limits.ENVIRONMENT_REQUESTS_PER_S = 1e9  # one environment, as fast as it can
    async with LambdaService(
        {"F": function_named(handler)},
        runtime=runtime,
        clock=SystemClock(),
        record=lambda _: None,
        seed=1,
        account_concurrency=2_000,
    ) as service:
        return await body(service)


async def invoked(service: LambdaService, count: int, cpu: Callable[[], float]) -> float:
    """Milliseconds of CPU per warm invocation, one after the other."""
    for _ in range(5):
        assert isinstance(await service.invoke("F", event()), Returned)
    events = [event() for _ in range(count)]
    began = cpu()
    for each in events:
        await service.invoke("F", each, 10)
    return (cpu() - began) * 1000 / count


async def bare(count: int) -> float:
    """The same handler awaited without anything around it."""

    async def invoke(_event: Any, _context: Any) -> dict[str, list[str]]:
        return {"batchItemFailures": []}

    began = time.process_time()
    for _ in range(count):
        await invoke(None, None)
    return (time.process_time() - began) * 1000 / count


def tree_cpu_s() -> float:
    """Processor time of this process and its living children, from /proc."""
    ticks = 0
    me = os.getpid()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(entry.name) == me or int(fields[1]) == me:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def idle(service: LambdaService, environments: int) -> float:
    """Per mille of a core while `environments` environments are warm and nothing happens."""
    await asyncio.gather(*(service.invoke("F", event()) for _ in range(environments)))
    assert f"{environments} warm" in repr(service), service
    await asyncio.sleep(0.2)  # let the start finish its work
    began = time.process_time()
    await asyncio.sleep(IDLE_S)
    return (time.process_time() - began) * 1000 / IDLE_S


def ramp_deviation() -> tuple[int, int]:
    """Steps of the saturated ramp, and the largest difference between its trace and the closed form."""
    policy = policy_of(EventSourceMapping("M", "F", "Q"))
    scaler = Scaler(policy, 0.0)
    scaler.load(scaler.concurrency, 0.0)
    steps = worst = 0
    while (due_at := scaler.next_change_at) is not None:
        scaler.advance(due_at)
        scaler.load(scaler.concurrency, due_at)
        expected = min(policy.ceiling, policy.initial + math.floor(policy.growth_per_minute * due_at / 60 + 1e-6))
        steps, worst = steps + 1, max(worst, abs(scaler.concurrency - expected))
        if scaler.concurrency == policy.ceiling:
            break
    return steps, worst


async def measure(rounds: int, folder: Path) -> dict[str, list[float]]:
    """All figures, one of each per round."""
    found: dict[str, list[float]] = {}
    code = {"F": Code(folder)}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    def inline() -> InlineRuntime:
        return InlineRuntime("http://127.0.0.1:9", code=code, clock=SystemClock())

    for _ in range(rounds):
        note("bare await of the handler, ms", await bare(INVOCATIONS))
        for name, handler in (("core", "benchmark_handler.handler"), ("plain, in a thread", "benchmark_handler.plain")):
            note(
                f"inline, {name}, ms",
                await opened(inline(), handler, lambda service: invoked(service, INVOCATIONS, time.process_time)),
            )
        if sys.platform.startswith("linux"):
            from simulator.functions.runtimes.process import ProcessRuntime

            for side, cpu in (("both sides", tree_cpu_s), ("the simulator's side", time.process_time)):
                note(
                    f"process, {side}, ms",
                    await opened(
                        ProcessRuntime("http://127.0.0.1:9", code, clock=SystemClock()),
                        "benchmark_handler.plain",
                        lambda service, cpu=cpu: invoked(service, PROCESS_INVOCATIONS, cpu),
                    ),
                )
    for environments in (0, IDLE_ENVIRONMENTS) * 2:
        note(
            f"{environments} idle environments, per mille of a core",
            await opened(inline(), "benchmark_handler.handler", lambda service, n=environments: idle(service, n)),
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "benchmark_handler.py").write_text(HANDLER)
        found = asyncio.run(measure(rounds, Path(folder)))
    ric = importlib.metadata.version("awslambdaric") if sys.platform.startswith("linux") else "none"
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, awslambdaric {ric}")
    print(f"{rounds} rounds, medians (least to most); processor time")
    for name, values in found.items():
        print(f"  {name:<50} {statistics.median(values):8.4f}  ({min(values):.4f} to {max(values):.4f})")
    steps, worst = ramp_deviation()
    print(f"  ramp of a saturated mapping: {steps} steps, largest difference from the closed form {worst}")


if __name__ == "__main__":
    main()
