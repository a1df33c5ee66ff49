"""What `stockpipe load-test` does with its options: resolve them, run, say what came out."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import math
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from simulator.base import limits
from simulator.base.clock import SystemClock
from simulator.base.errors import InputError
from simulator.base.interrupts import Interrupts
from simulator.dashboard.ui import Display
from simulator.load import run as load
from simulator.load.measure.live import Live
from simulator.load.measure.result import Result
from simulator.load.measure.tap import Tap
from simulator.load.plan.arrivals import Profile, constant, ramp, spike, steps
from simulator.load.plan.plan import Plan, Target
from simulator.load.plan.slo import parse
from simulator.load.report import summary as summaries
from simulator.load.report import text
from simulator.load.report.page import page
from simulator.stack import template
from simulator.stack.model import Stack
from simulator.telemetry import RunOptions, Telemetry
from simulator.twin.resources import wiring
from stockpipe.commands.types import duration_text

INTERRUPTED = 130
DEFAULT_RATE_PER_S = 20.0
REACH_S = 3.0
"""How long an engine may take to accept a connection before anything is sent."""
_OVERRIDES = {
    "concurrency": "MaximumConcurrency",
    "batch_size": "BatchSize",
    "window_s": "BatchingWindow",
    "memory_mb": "ConsumerMemory",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The options as given; None where the default or the template decides."""

    rate_per_s: float | None = None
    rows: int = 100
    duration_s: float = 30.0
    backlog: int | None = None
    ramp: tuple[float, float] | None = None
    steps: tuple[float, ...] | None = None
    spike_per_s: float | None = None
    poisson: bool = False
    find_max: bool = False
    target: Literal["store", "sink"] | None = None
    sink_latency_s: float | None = None
    endpoint_url: str | None = None
    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    yes: bool = False
    slo: tuple[str, ...] = ()
    seed: int = 0
    runtime: Literal["inline", "process"] = "inline"
    concurrency: int | None = None
    batch_size: int | None = None
    window_s: float | None = None
    memory_mb: int | None = None
    template: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    drain_timeout_s: float = 120.0
    port: int = 0
    ui: Literal["auto", "live", "plain", "quiet"] = "auto"
    summary: Path | None = None
    report: Path | None = None
    screenshot: Path | None = None


def run(asked: Asked) -> int:
    """Run it and return the exit code."""
    check_files(asked)
    stack, plan = resolve(asked)
    if asked.stack is not None:
        from stockpipe.commands.load_test.stack import run as run_on_stack  # imports what a deployed stack needs

        return run_on_stack(asked, stack, plan)
    if plan.endpoint_url is not None:
        _require_reachable(plan.endpoint_url)
    return asyncio.run(_run(asked, stack, plan))


def check_files(asked: Asked) -> None:
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


def resolve(asked: Asked) -> tuple[Stack, Plan]:
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


def parameters(asked: Asked) -> dict[str, str]:
    """Template parameters: those given by name, over the short options, which must not contradict them."""
    chosen: dict[str, str] = {}
    for option, name in _OVERRIDES.items():
        value = getattr(asked, option)
        if value is None:
            continue
        if name in asked.parameters:
            raise InputError(f"--{_dashed(option)} and --parameter {name} say the same; give one of them")
        if value != int(value):
            raise InputError(f"--{_dashed(option)} {duration_text(value)}: AWS takes whole seconds")
        chosen[name] = str(int(value))
    return {**chosen, **asked.parameters}


def _dashed(option: str) -> str:
    return option.removesuffix("_s").removesuffix("_mb").replace("_", "-")


def _target(asked: Asked) -> Target:
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


def _require_nothing_overridden(asked: Asked) -> None:
    given = [f"--{_dashed(option)}" for option in _OVERRIDES if getattr(asked, option) is not None]
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


def _require_one_shape(asked: Asked) -> None:
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


def _profile(asked: Asked) -> Profile:
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


def _require_possible(asked: Asked, profile: Profile) -> None:
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


async def _run(asked: Asked, stack: Stack, plan: Plan) -> int:
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


def run_options(plan: Plan, now: float) -> RunOptions:
    """What the dashboard says of the run; a search ends when it has found its answer."""
    by_clock = not plan.backlog and not plan.find_max
    return RunOptions(
        command="load-test",
        seed=plan.seed,
        runtime=plan.runtime,
        started_at=now,
        duration_s=plan.profile.duration_s if by_clock else None,
        objects=plan.backlog or None,
    )


class Outlet:
    """Where a load test's words go: the display while it runs, the summary and the page once it is over."""

    def __init__(
        self,
        asked: Asked,
        plan: Plan,
        stack: Stack,
        telemetry: Telemetry,
        tap: Tap,
        result: Result,
        clock: SystemClock,
    ) -> None:
        self._asked, self._plan, self._stack = asked, plan, stack
        self._telemetry, self._tap, self._result, self._clock = telemetry, tap, result, clock
        self.display = Display(
            telemetry, asked.ui, clock, machine_output=str(asked.summary) == "-", screenshot=asked.screenshot
        )
        self.summary: dict[str, Any] = {}

    async def finish(self) -> None:
        """End the display, write summary and page. Once; of a load that never began there is nothing to tell."""
        if self.summary or (self._result.failure is not None and not self._result.spans):
            return
        ended_at = self._clock.now()
        await self.display.end()
        built = self.summary = summaries.build(
            self._telemetry.snapshot(ended_at),
            self._plan,
            self._result,
            self._tap,
            self._stack,
            options=options_json(self._asked, self._plan),
            ended_at=ended_at,
        )
        if self.display.mode == "quiet":
            self.display.console.print(_quiet(built), markup=False)
        else:
            self.display.console.print(text.render(built))
        if self._asked.report is not None:
            self._asked.report.write_text(page(built), encoding="utf-8")
            if self.display.mode != "quiet":
                self.display.console.print(f"  the page is in {self._asked.report}", markup=False, soft_wrap=True)
        if self._asked.summary is not None:
            _write(self._asked.summary, json.dumps(built, indent=2) + "\n")


def _quiet(built: Mapping[str, Any]) -> str:
    audit = built["audit"]
    missed = [one["threshold"] for one in built["slo"] if not one["held"]]
    return f"verdict {audit['verdict'] if audit else 'none'}" + (f", missed {', '.join(missed)}" if missed else "")


def _write(file: Path, written: str) -> None:
    if str(file) == "-":
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(written)
            sys.stdout.flush()
        return
    file.write_text(written, encoding="utf-8")


def options_json(asked: Asked, plan: Plan) -> dict[str, Any]:
    """The options as resolved, lengths in seconds and rates a second, named as on the command line."""
    by_clock = not plan.backlog and not plan.find_max
    constant_rate = asked.ramp is None and asked.steps is None and by_clock
    return {
        "target": plan.target,
        "rate": (asked.rate_per_s or DEFAULT_RATE_PER_S) if constant_rate else None,
        "rows": plan.rows,
        "duration": plan.profile.duration_s if by_clock else None,
        "backlog": plan.backlog or None,
        "ramp": list(asked.ramp) if asked.ramp else None,
        "steps": list(asked.steps) if asked.steps else None,
        "spike": asked.spike_per_s,
        "poisson": plan.poisson,
        "find_max": plan.find_max,
        "sink_latency": plan.sink_latency_s if plan.target == "sink" else None,
        "endpoint_url": asked.endpoint_url,
        "stack": asked.stack,
        "slo": list(asked.slo),
        "seed": plan.seed,
        "runtime": plan.runtime,
        "template": str(asked.template) if asked.template else None,
        "parameters": parameters(asked),
        "drain_timeout": plan.drain_timeout_s,
        "port": plan.port,
        "ui": asked.ui,
    }


def exit_code(summary: Mapping[str, Any], result: Result) -> int:
    """1 for what is not proven, a missed threshold or a search without an answer; 130 for an early end."""
    audit = summary["audit"]
    proven = audit is None or audit["verdict"] == "exact"
    drained = summary["backlog"]["drained"] is not False
    if not proven or not drained or not all(one["held"] for one in summary["slo"]):
        return 1
    if result.interrupted:
        return INTERRUPTED
    if summary["find_max"] is not None and summary["find_max"]["rate_per_s"] is None:
        return 1
    return 0
