"""What `stockpipe simulate` does with its options: resolve them, run, say what came out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from simulator.base.clock import Clock, SystemClock, iso
from simulator.base.errors import CouldNotFinish, InputError
from simulator.base.observations import LogWritten, Noted, Observation, Record
from simulator.dashboard.ui import Display
from simulator.functions.logs import LogDirectory
from simulator.run import scenario as scenarios
from simulator.run import sources, summary
from simulator.run.scenario import Scenario
from simulator.run.simulation import Progress, RunPlan, Simulation
from simulator.stack import rules, template
from simulator.stack.model import Stack
from simulator.telemetry import RunOptions, Telemetry
from simulator.twin.resources import wiring
from stockpipe.commands.words import finding_lines, ignored_lines

INTERRUPTED = 130
_DEFAULTS: Mapping[str, Any] = {
    "speed": 12.0,
    "seed": 0,
    "schedule": True,
    "runtime": "inline",
    "capacity": "aws",
    "drain_timeout": 60.0,
}


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """The options as given; None where the scenario or the default decides."""

    duration_s: float | None = None
    ticks: int | None = None
    speed: float | None = None
    start_at: float | None = None
    seed: int | None = None
    files: int | None = None
    rows: int | None = None
    sources: tuple[Path, ...] = ()
    schedule: bool | None = None
    scenario: str | None = None
    template: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    runtime: Literal["inline", "process"] | None = None
    code: Path | None = None
    capacity: Literal["aws", "unlimited"] | None = None
    port: int = 0
    drain_timeout_s: float | None = None
    ui: Literal["auto", "live", "plain", "quiet"] = "auto"
    ready: Path | None = None
    summary: Path | None = None
    hold: bool = False
    logs: Path | None = None
    tail: bool = False
    screenshot: Path | None = None


def list_scenarios() -> None:
    """Print the scenarios that come with the package."""
    for name in scenarios.names():
        sys.stdout.write(f"{name:<16} {scenarios.load(name).title}\n")
    sys.stdout.write("\nRun one: stockpipe simulate --scenario burst    Each is explained in docs/scenarios.md\n")


def run(asked: SimulateOptions) -> int:
    """Run it and return the exit code."""
    stack, plan = resolve(asked)
    for file in (asked.ready, asked.summary, asked.screenshot):
        if file is not None and str(file) != "-" and not file.absolute().parent.is_dir():
            raise InputError(f"{file}: there is no directory {file.absolute().parent}")
    return asyncio.run(_run(asked, stack, plan))


def resolve(asked: SimulateOptions) -> tuple[Stack, RunPlan]:
    """The stack and the plan: what was given, over the scenario's, over the defaults. Raises `InputError`."""
    scenario = scenarios.load(asked.scenario) if asked.scenario else None
    given = scenario.options if scenario else {}

    def choose(name: str, value: Any) -> Any:
        return value if value is not None else given.get(name, _DEFAULTS.get(name))

    seed, ticks, duration_s = (
        choose("seed", asked.seed),
        choose("ticks", asked.ticks),
        choose("duration", asked.duration_s),
    )
    if duration_s is None:
        duration_s = None if ticks is not None or asked.sources else 60.0
    elif duration_s == 0:
        duration_s = None
    stack = template.load(asked.template, _parameters(asked, scenario), defaults={"Seed": str(seed)})
    path = wiring(stack)
    violations = rules.examine(stack).violations
    if violations:
        shown = str(asked.template or "pipeline/template.yaml")
        raise InputError(next(iter(finding_lines(violations, shown, "AWS refuses it"))))
    schedule = choose("schedule", asked.schedule) and not asked.sources
    now = SystemClock().now()
    plan = RunPlan(
        seed=seed,
        start_at=math.floor(asked.start_at if asked.start_at is not None else now),
        duration_s=duration_s,
        ticks=ticks if schedule else None,
        speed=choose("speed", asked.speed),
        schedule=schedule,
        sources=sources.find(asked.sources, prefix=path.notification.prefix) if asked.sources else (),
        scenario=scenario,
        runtime=choose("runtime", asked.runtime),
        code_dir=asked.code,
        capacity=choose("capacity", asked.capacity),
        port=asked.port,
        drain_timeout_s=choose("drain_timeout", asked.drain_timeout_s),
        ready=asked.ready,
        hold=asked.hold,
    )
    return stack, plan


def _parameters(asked: SimulateOptions, scenario: Scenario | None) -> dict[str, str]:
    chosen = dict(scenario.parameters) if scenario else {}
    if asked.files is not None:
        chosen["FileCount"] = str(asked.files)
    if asked.rows is not None:
        chosen["RowsPerFile"] = str(asked.rows)
    chosen.update(asked.parameters)
    return chosen


async def _run(asked: SimulateOptions, stack: Stack, plan: RunPlan) -> int:
    clock = SystemClock()
    telemetry = Telemetry(stack, _run_options(plan, clock.now(), stack))
    outlet = _SimulateOutlet(asked, plan, telemetry, clock)
    with contextlib.ExitStack() as owned:
        record = _recorders(asked, telemetry, outlet, owned)
        outlet.tell_template(stack, record)
        simulation = Simulation(
            stack,
            plan,
            telemetry,
            clock,
            record,
            located=outlet.display.located,
            finished=lambda: outlet.finish(simulation.progress),
        )
        async with outlet.display.shown():
            await simulation.run()
            await outlet.finish(simulation.progress)
    progress = simulation.progress
    if progress.failure is not None:
        raise progress.failure
    return _exit_code(progress)


class _SimulateOutlet:
    """Where a run's words go: the display while it runs, the summary once it is over, machine output by itself."""

    def __init__(self, asked: SimulateOptions, plan: RunPlan, telemetry: Telemetry, clock: Clock) -> None:
        self._asked, self._plan, self._telemetry, self._clock = asked, plan, telemetry, clock
        self.display = Display(
            telemetry, asked.ui, clock, machine_output=str(asked.summary) == "-", screenshot=asked.screenshot
        )
        self._finished = False

    def tell_template(self, stack: Stack, record: Record) -> None:
        """Say what AWS advises against in the template, and list what the twin does not act on."""
        for line in finding_lines(rules.examine(stack).advice, "advice", "against AWS's advice"):
            record(Noted(self._clock.now(), line.removeprefix("advice: "), "warning"))
        if not stack.ignored:
            return
        record(Noted(self._clock.now(), f"{len(stack.ignored)} template properties are not simulated", "note"))
        if self.display.mode != "quiet":
            self.display.console.print(
                "\n".join(ignored_lines(stack.ignored)), style="dim", soft_wrap=True, markup=False
            )

    def tail(self, observation: Observation) -> None:
        """Print a line of a log stream as it is written."""
        if isinstance(observation, LogWritten):
            where = f"{observation.function}[{observation.environment}]"
            self.display.console.print(f"{where} {observation.line}", soft_wrap=True, markup=False)

    def close_logs(self, directory: LogDirectory) -> None:
        """Close the files of `--logs`; raise what kept lines from being written."""
        directory.close()
        if (error := directory.failed) is not None:
            raise CouldNotFinish(f"--logs: lines are missing, {error.filename or 'a file'}: {error.strerror}")

    async def finish(self, progress: Progress) -> None:
        """End the display, write the summary. Once: a hold comes here twice."""
        if self._finished:
            return
        self._finished = True
        await self.display.end()
        built = summary.build(
            self._telemetry.snapshot(self._clock.now()),
            audit=progress.audit,
            resources=progress.resources.as_json() if progress.resources else None,
            options=_options_json(self._asked, self._plan),
            ended_at=self._clock.now(),
            interrupted=progress.interrupted,
            source_rows=progress.source_rows if self._plan.sources else None,
        )
        if self.display.mode == "quiet":
            self.display.console.print(f"verdict {built['audit']['verdict']}", markup=False)
        else:
            self.display.console.print(summary.render_summary(built))
            if self._plan.hold and progress.failure is None:
                self.display.console.print(f"  the store stays up at {progress.endpoint} until Ctrl-C", markup=False)
        if self._asked.summary is not None:
            _write_summary(self._asked.summary, json.dumps(built, indent=2) + "\n")


def _write_summary(file: Path, text: str) -> None:
    if str(file) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    file.write_text(text, encoding="utf-8")


def _recorders(
    asked: SimulateOptions, telemetry: Telemetry, outlet: _SimulateOutlet, owned: contextlib.ExitStack
) -> Record:
    """One function that tells every reader of observations."""
    recorders: list[Record] = [telemetry.record]
    if asked.logs is not None:
        try:
            directory = LogDirectory(asked.logs)
        except OSError as error:
            raise InputError(f"--logs {asked.logs}: {error.strerror}") from None
        owned.callback(outlet.close_logs, directory)
        recorders.append(directory.record)
    if asked.tail:
        if outlet.display.mode == "live":
            raise InputError("--tail does not go with the dashboard; add --ui plain or --ui quiet, or use --logs DIR")
        recorders.append(outlet.tail)
    if len(recorders) == 1:
        return recorders[0]

    def record(observation: Observation) -> None:
        for one in recorders:
            one(observation)

    return record


def _run_options(plan: RunPlan, now: float, stack: Stack) -> RunOptions:
    schedules = [one.expression for one in stack.schedules.values() if one.enabled]
    return RunOptions(
        command="simulate",
        seed=plan.seed,
        runtime=plan.runtime,
        started_at=now,
        schedule=schedules[0] if schedules and plan.schedule else None,
        speed=plan.speed,
        duration_s=plan.duration_s,
        ticks=plan.ticks,
        objects=len(plan.sources) or None,
        scenario=plan.scenario.name if plan.scenario else None,
    )


def _options_json(asked: SimulateOptions, plan: RunPlan) -> dict[str, Any]:
    """The options as resolved, lengths in seconds, named as on the command line."""
    return {
        "duration": plan.duration_s if plan.duration_s is not None else 0.0,
        "ticks": plan.ticks,
        "speed": plan.speed,
        "start": iso(plan.start_at),
        "seed": plan.seed,
        "files": asked.files,
        "rows": asked.rows,
        "source": [str(path) for path in asked.sources],
        "schedule": plan.schedule,
        "scenario": plan.scenario.name if plan.scenario else None,
        "template": str(asked.template) if asked.template else None,
        "parameters": _parameters(asked, plan.scenario),
        "runtime": plan.runtime,
        "code": str(asked.code) if asked.code else None,
        "capacity": plan.capacity,
        "port": plan.port,
        "drain_timeout": plan.drain_timeout_s,
        "ui": asked.ui,
    }


def _exit_code(progress: Progress) -> int:
    if progress.audit is None or progress.audit.verdict != "exact":
        return 1
    return INTERRUPTED if progress.interrupted else 0
