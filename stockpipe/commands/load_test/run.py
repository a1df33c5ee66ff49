"""What `stockpipe load-test` does with its options: resolve them, run, say what came out."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket
from urllib.parse import urlsplit

from simulator.base import limits
from simulator.base.clock import SystemClock
from simulator.base.errors import InputError
from simulator.base.interrupts import Interrupts
from simulator.load import run as load
from simulator.load.measure.live import Live
from simulator.load.measure.result import Result
from simulator.load.measure.tap import Tap
from simulator.load.plan.arrivals import Profile, constant, ramp, spike, steps
from simulator.load.plan.plan import Plan, TargetName
from simulator.load.plan.slo import parse
from simulator.stack import template
from simulator.stack.model import Stack
from simulator.telemetry import Telemetry
from simulator.twin.resources import wiring
from stockpipe.commands.load_test.outlet import (
    DEFAULT_RATE_PER_S,
    OVERRIDES,
    LoadTestOptions,
    Outlet,
    dashed,
    exit_code,
    parameters,
    run_options,
)
from stockpipe.commands.types import duration_text

REACH_S = 3.0
"""How long an engine may take to accept a connection before anything is sent."""


def run(asked: LoadTestOptions) -> int:
    """Run it and return the exit code."""
    check_files(asked)
    stack, plan = resolve(asked)
    if asked.stack is not None:
        from stockpipe.commands.load_test.stack import run as run_on_stack  # imports what a deployed stack needs

        return run_on_stack(asked, stack, plan)
    if plan.endpoint_url is not None:
        _require_reachable(plan.endpoint_url)
    return asyncio.run(_run(asked, stack, plan))


def check_files(asked: LoadTestOptions) -> None:
    """Whether what is to be written can be: better told before an hour's run than after."""
    for file in (asked.summary, asked.report, asked.screenshot):
        if file is None or str(file) == "-":
            continue
        if not file.absolute().parent.is_dir():
            raise InputError(f"{file}: there is no directory {file.absolute().parent}")
        if file.is_dir():
            raise InputError(f"{file} is a directory; name a file")
    if str(asked.report) == "-":
        raise InputError("--report needs a file name; --summary - writes the JSON to standard output")


def resolve(asked: LoadTestOptions) -> tuple[Stack, Plan]:
    """The stack and the plan. Raises `InputError` for options that contradict each other or cannot be."""
    target = _target(asked)
    _require_one_shape(asked)
    profile = _profile(asked)
    _require_possible(asked, profile)
    stack = template.load(asked.template, parameters(asked), defaults={"Seed": str(asked.seed)})
    path = wiring(stack)
    return stack, Plan(
        profile=profile,
        rows=asked.rows,
        seed=asked.seed,
        poisson=asked.poisson,
        backlog=asked.backlog or 0,
        find_max=asked.find_max,
        target=target,
        endpoint_url=asked.endpoint_url if target == "endpoint" else None,
        sink_latency_s=asked.sink_latency_s or 0.0,
        runtime=asked.runtime,
        slo=tuple(parse(one) for one in asked.slo),
        drain_timeout_s=asked.drain_timeout_s,
        port=asked.port,
        window_s=float(path.mapping.window_s),
    )


def _target(asked: LoadTestOptions) -> TargetName:
    named = [
        option
        for option, given in (
            ("--target", asked.target),
            ("--endpoint-url", asked.endpoint_url if asked.stack is None else None),
            ("--stack", asked.stack),
        )
        if given is not None
    ]
    if len(named) > 1:
        raise InputError(f"{' and '.join(named)} name different targets; give one of them")
    if asked.sink_latency_s is not None and asked.target != "sink":
        raise InputError("--sink-latency goes with --target sink only")
    if asked.stack is not None:
        _require_nothing_overridden(asked)
        return "stack"
    for option in ("region", "profile", "yes"):
        if getattr(asked, option):
            raise InputError(f"--{option} goes with --stack only")
    if asked.endpoint_url is not None:
        _require_loopback(asked.endpoint_url)
        return "endpoint"
    return asked.target or "store"


def _require_nothing_overridden(asked: LoadTestOptions) -> None:
    given = [f"--{dashed(option)}" for option in OVERRIDES if getattr(asked, option) is not None]
    given += ["--parameter"] if asked.parameters else []
    given += ["--template"] if asked.template else []
    given += ["--runtime"] if asked.runtime != "inline" else []
    given += ["--backlog"] if asked.backlog else []
    given += ["--port"] if asked.port else []
    if given:
        how = "change it with stockpipe deploy --parameter" if "--backlog" not in given else "its consumer always runs"
        raise InputError(f"{', '.join(given)} cannot be given for a deployed stack: {how}")


def _require_loopback(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"--endpoint-url {url} is no address of an engine; write http://127.0.0.1:4566")
    host = parts.hostname
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith((".localhost", ".localhost.localstack.cloud"))
    if not local:
        raise InputError(
            f"--endpoint-url {url} is not on this machine; load is sent to loopback alone,"
            " or to AWS by the name of a deployed stack: --stack NAME"
        )


def _require_reachable(url: str) -> None:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=REACH_S).close()
    except (OSError, ValueError) as error:
        raise InputError(f"--endpoint-url {url} does not answer ({error}); is the engine running?") from None


def _require_one_shape(asked: LoadTestOptions) -> None:
    shapes = {
        "--ramp": asked.ramp,
        "--steps": asked.steps,
        "--spike": asked.spike_per_s,
        "--backlog": asked.backlog,
        "--find-max": asked.find_max or None,
    }
    given = [name for name, value in shapes.items() if value is not None]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} are different loads; give one of them")
    if asked.rate_per_s is not None and given and given != ["--spike"]:
        raise InputError(f"--rate does not go with {given[0]}, which sets the rate by itself")
    if asked.poisson and given in (["--backlog"], ["--find-max"]):
        raise InputError(f"--poisson does not go with {given[0]}")


def _profile(asked: LoadTestOptions) -> Profile:
    if not math.isfinite(asked.duration_s) or not (
        limits.LOAD_DURATION_S[0] <= asked.duration_s <= limits.LOAD_DURATION_S[1]
    ):
        shortest, longest = map(duration_text, limits.LOAD_DURATION_S)
        raise InputError(f"--duration {duration_text(asked.duration_s)} is not between {shortest} and {longest}")
    rate, length_s = asked.rate_per_s or DEFAULT_RATE_PER_S, asked.duration_s
    if asked.ramp is not None:
        return ramp(*asked.ramp, length_s)
    if asked.steps is not None:
        return steps(asked.steps, length_s)
    if asked.spike_per_s is not None:
        return spike(rate, asked.spike_per_s, length_s)
    return constant(rate, length_s)


def _require_possible(asked: LoadTestOptions, profile: Profile) -> None:
    if profile.peak_per_s > limits.LOAD_RATE_PER_S:
        raise InputError(
            f"{profile.peak_per_s:,.0f}/s is more than a generator can send;"
            f" the most is {limits.LOAD_RATE_PER_S:,.0f}/s (more rows an object make more load)"
        )
    count = asked.backlog or profile.total
    if count > limits.LOAD_OBJECTS:
        raise InputError(f"{count:,} objects are too many for one run; the most is {limits.LOAD_OBJECTS:,}")
    if asked.rows > limits.LOAD_ROWS:
        raise InputError(f"--rows {asked.rows:,} is too many for one object; the most is {limits.LOAD_ROWS:,}")


async def _run(asked: LoadTestOptions, stack: Stack, plan: Plan) -> int:
    clock = SystemClock()
    telemetry = Telemetry(stack, run_options(plan, clock.now()))
    result, live = Result(), Live(plan.target)
    tap = Tap(
        telemetry.record,
        result.recording,
        wiring(stack),
        foreign=plan.target == "endpoint",
        sink=plan.target == "sink",
    )
    telemetry.load_view = live.view
    outlet = Outlet(asked, plan, stack, telemetry, tap, result, clock)
    with Interrupts().installed() as interrupts:
        async with outlet.display.shown():
            await load.run(
                stack,
                plan,
                tap,
                live,
                clock,
                interrupts,
                result,
                located=outlet.display.located,
                finished=outlet.finish,
            )
            await outlet.finish()
    if result.failure is not None:
        raise result.failure
    return exit_code(outlet.summary, result)
