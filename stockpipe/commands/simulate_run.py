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
from simulator.base.errors import CouldNotFinish, ExitCode, InputError
from simulator.base.observations import LogWritten, Noted, Observation, Record
from simulator.dashboard.ui import Display
from simulator.functions.logs import LogDirectory
from simulator.run import scenario as scenarios
from simulator.run import sources, summary
from simulator.run.scenario import Scenario
from simulator.run.simulation import Progress, RunPlan, Simulation
from simulator.stack import rules, template
from simulator.stack.model import Stack
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import RunOptions
from simulator.twin.resources import wiring
from stockpipe.commands.words import finding_lines, ignored_lines

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


def run_simulate(options: SimulateOptions) -> int:
    """Run it and return the exit code."""
    stack, plan = resolve(options)
    for file in (options.ready, options.summary, options.screenshot):
        if file is not None and str(file) != "-" and not file.absolute().parent.is_dir():
            raise InputError(f"{file}: there is no directory {file.absolute().parent}")
    return asyncio.run(_run(options, stack, plan))


def resolve(options: SimulateOptions) -> tuple[Stack, RunPlan]:
    """The stack and the plan: what was given, over the scenario's, over the defaults. Raises `InputError`."""
    scenario = scenarios.load(options.scenario) if options.scenario else None
    given = scenario.options if scenario else {}

    def choose(name: str, value: Any) -> Any:
        return value if value is not None else given.get(name, _DEFAULTS.get(name))

    seed, ticks, duration_s = (
        choose("seed", options.seed),
        choose("ticks", options.ticks),
        choose("duration", options.duration_s),
    )
    if duration_s is None:
        duration_s = None if ticks is not None or options.sources else 60.0
    elif duration_s == 0:
        duration_s = None
    stack = template.load(options.template, _parameters(options, scenario), defaults={"Seed": str(seed)})
    path = wiring(stack)
    violations = rules.examine(stack).violations
    if violations:
        shown = str(options.template or "pipeline/template.yaml")
        raise InputError(next(iter(finding_lines(violations, shown, "AWS refuses it"))))
    schedule = choose("schedule", options.schedule) and not options.sources
    now = SystemClock().now()
    plan = RunPlan(
        seed=seed,
        start_at=math.floor(options.start_at if options.start_at is not None else now),
        duration_s=duration_s,
        ticks=ticks if schedule else None,
        speed=choose("speed", options.speed),
        schedule=schedule,
        sources=sources.find(options.sources, prefix=path.notification.prefix) if options.sources else (),
        scenario=scenario,
        runtime=choose("runtime", options.runtime),
        code_dir=options.code,
        capacity=choose("capacity", options.capacity),
        port=options.port,
        drain_timeout_s=choose("drain_timeout", options.drain_timeout_s),
        ready=options.ready,
        hold=options.hold,
    )
    return stack, plan


def _parameters(options: SimulateOptions, scenario: Scenario | None) -> dict[str, str]:
    chosen = dict(scenario.parameters) if scenario else {}
    if options.files is not None:
        chosen["FileCount"] = str(options.files)
    if options.rows is not None:
        chosen["RowsPerFile"] = str(options.rows)
    chosen.update(options.parameters)
    return chosen


async def _run(options: SimulateOptions, stack: Stack, plan: RunPlan) -> int:
    clock = SystemClock()
    telemetry = Telemetry(stack, _run_options(plan, clock.now(), stack))
    outlet = _SimulateOutlet(options, plan, telemetry, clock)
    with contextlib.ExitStack() as owned:
        record = _recorders(options, telemetry, outlet, owned)
        outlet.announce_template(stack, record)
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

    def __init__(self, options: SimulateOptions, plan: RunPlan, telemetry: Telemetry, clock: Clock) -> None:
        self._options, self._plan, self._telemetry, self._clock = options, plan, telemetry, clock
        self.display = Display(
            telemetry, options.ui, clock, machine_output=str(options.summary) == "-", screenshot=options.screenshot
        )
        self._finished = False

    def announce_template(self, stack: Stack, record: Record) -> None:
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
            options=_options_json(self._options, self._plan),
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
        if self._options.summary is not None:
            _write_summary(self._options.summary, json.dumps(built, indent=2) + "\n")


def _write_summary(file: Path, text: str) -> None:
    if str(file) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    file.write_text(text, encoding="utf-8")


def _recorders(
    options: SimulateOptions, telemetry: Telemetry, outlet: _SimulateOutlet, owned: contextlib.ExitStack
) -> Record:
    """One function that tells every reader of observations."""
    recorders: list[Record] = [telemetry.record]
    if options.logs is not None:
        try:
            directory = LogDirectory(options.logs)
        except OSError as error:
            raise InputError(f"--logs {options.logs}: {error.strerror}") from None
        owned.callback(outlet.close_logs, directory)
        recorders.append(directory.record)
    if options.tail:
        if outlet.display.mode == "live":
            raise InputError("--tail does not go with the dashboard; add --ui plain or --ui quiet, or use --logs DIR")
        recorders.append(outlet.tail)
    if len(recorders) == 1:
        return recorders[0]

    def record(observation: Observation) -> None:
        for listener in recorders:
            listener(observation)

    return record


def _run_options(plan: RunPlan, now: float, stack: Stack) -> RunOptions:
    schedules = [schedule.expression for schedule in stack.schedules.values() if schedule.enabled]
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


def _options_json(options: SimulateOptions, plan: RunPlan) -> dict[str, Any]:
    """The options as resolved, lengths in seconds, named as on the command line."""
    return {
        "duration": plan.duration_s if plan.duration_s is not None else 0.0,
        "ticks": plan.ticks,
        "speed": plan.speed,
        "start": iso(plan.start_at),
        "seed": plan.seed,
        "files": options.files,
        "rows": options.rows,
        "source": [str(path) for path in options.sources],
        "schedule": plan.schedule,
        "scenario": plan.scenario.name if plan.scenario else None,
        "template": str(options.template) if options.template else None,
        "parameters": _parameters(options, plan.scenario),
        "runtime": plan.runtime,
        "code": str(options.code) if options.code else None,
        "capacity": plan.capacity,
        "port": plan.port,
        "drain_timeout": plan.drain_timeout_s,
        "ui": options.ui,
    }


def _exit_code(progress: Progress) -> ExitCode:
    if progress.audit is None or progress.audit.verdict != "exact":
        return ExitCode.NOT_PROVEN
    return ExitCode.INTERRUPTED if progress.interrupted else ExitCode.DONE
