"""Runs `stockpipe simulate`: resolves the options, runs, and prints the result."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from simulator.base.clock import SystemClock, iso
from simulator.base.errors import CouldNotFinish, ExitCode, InputError
from simulator.base.folders import remove_ownerless
from simulator.base.observations import LogWritten, Noted, NoteKind, Observation, Record
from simulator.base.shown import visible_line
from simulator.base.usage import Used, allow_open_files
from simulator.dashboard.ui import Display
from simulator.faults import kinds
from simulator.functions.logs import LogDirectory
from simulator.run import bounds, summary, text
from simulator.run import scenario as scenarios
from simulator.run.advice import Situation
from simulator.run.conclusion import conclusion
from simulator.run.hold import render_hold
from simulator.run.invariants import Invariant, find
from simulator.run.scenario import Scenario
from simulator.run.simulation import RunPlan, Simulation
from simulator.run.verdicts import verdict_of
from simulator.stack import template
from simulator.stack.model import Stack
from simulator.stack.wiring import own_path, wiring
from simulator.telemetry import Telemetry
from simulator.telemetry.digest import Digest
from stockpipe.commands.addresses import require_free_port
from stockpipe.commands.applications import code_in_force, runtime_in_force
from stockpipe.commands.outputs import echo, require_writable, write
from stockpipe.commands.parameters import giving_way, parameters_of, repeatable
from stockpipe.commands.simulate import clocks
from stockpipe.commands.simulate.clocks import Whereabouts
from stockpipe.commands.simulate.inputs import chosen_inputs
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.words import advice_lines, announce_ignored, require_sound, withheld_lines


def list_scenarios() -> None:
    """Print the scenarios that come with the package."""
    for name in scenarios.names():
        sys.stdout.write(f"{name:<16} {scenarios.load(name).title}\n")
    sys.stdout.write(
        "\nRun one: stockpipe simulate --scenario burst    They are explained in: stockpipe docs scenarios\n"
    )


def list_faults() -> None:
    """Print the kinds of faults, each with what it does and what it is modelled on."""
    for kind in kinds.ALL.values():
        sys.stdout.write(f"{kind.name:<26} {kind.meaning}\n{'':<26} ({kind.source})\n")
    sys.stdout.write("\nLet some strike: stockpipe simulate --fault s3-slow-down --fault lambda-crash=30%\n")


def run_simulate(options: SimulateOptions) -> int:
    """Run the simulation and return the exit code."""
    stack, plan = resolve(options)
    scenario = Path(options.scenario) if options.scenario else None
    given = (*options.sources, *options.paths, *options.messages, *(file.path for file in options.parameter_files))
    inputs = (options.template, scenario, options.code, options.event, *given)
    require_writable(options.ready, options.screenshot, summary=options.summary, inputs=inputs)
    require_free_port(options.port)
    allow_open_files()
    remove_ownerless()
    code = code_in_force(stack, options.code, build=not options.no_build, also=plan.invoked)
    planned = replace(plan, code=code)
    return clocks.run(options, planned, lambda place: _run(options, stack, planned, place))


def resolve(options: SimulateOptions) -> tuple[Stack, RunPlan]:
    """The stack and the plan; given options override the scenario's, which override defaults. Raises `InputError`.

    The plan has no code yet: building it takes long.
    """
    asked = bounds.parse_all(options.slo)
    scenario = scenarios.load(options.scenario) if options.scenario else None
    if scenario is not None:
        options = _with_scenario(options, scenario)
        if (plain := _without_scenario(options)) is not None:
            wiring(plain)  # a scenario tells of the pipeline
    clocks.require_possible(options)
    sends = options.ticks is not None or options.sources or options.paths or options.messages or options.event
    endless = "duration_s" not in options.given and sends
    duration_s = None if endless or options.duration_s == 0 else options.duration_s
    stack = template.load(options.template, _parameters(options, scenario), defaults={"Seed": str(options.seed)})
    if (rows := [each.text for each in asked if each.of.path[0] == "audit"]) and own_path(stack) is None:
        said = f"--slo: '{rows[0]}' cannot be judged, because only the pipeline's rows are known"
        raise InputError(said, hint="leave out this bound")
    if scenario is not None:
        scenario = scenario.filled(_caption_values(options, stack, duration_s))
    if options.event is None:
        require_sound(stack, options.template)
    inputs, left_out = chosen_inputs(options, stack)
    if inputs.function is not None:
        require_sound(stack, options.template, invoked=inputs.function)
    schedule = not options.no_schedule and not inputs
    now = SystemClock().now()
    expressions = [each.expression for each in stack.schedules.values() if each.enabled] if schedule else []
    plan = RunPlan(
        command="simulate",
        seed=options.seed,
        started_at=now,
        start_at=math.floor(options.start_at if options.start_at is not None else now),
        duration_s=duration_s,
        ticks=options.ticks if schedule else None,
        speed=options.speed,
        schedule=expressions[0] if expressions else None,
        fires=schedule and (bool(expressions) or own_path(stack) is not None),
        objects=len(inputs.files) or None,
        messages=len(inputs.messages) if inputs.queue is not None else None,
        invoked=inputs.function,
        inputs=inputs,
        left_out=left_out,
        scenario=scenario.name if scenario else None,
        story=scenario,
        captions_read=options.ui != "quiet",
        bounds=bounds.in_force(bounds.DEFAULTS, scenario.bounds if scenario else (), asked),
        runtime=runtime_in_force(options, options.runtime, stack),
        code={},
        invariants=_invariants(options),
        capacity=options.capacity,
        port=options.port,
        faults=dict(options.faults),
        drain_timeout_s=clocks.drain_timeout_s(options),
        accepted=frozenset(options.accept),
        ready=options.ready,
        hold=options.hold,
    )
    return stack, clocks.by_clock(options, plan)


def _invariants(options: SimulateOptions) -> tuple[Invariant, ...]:
    """The functions that `--invariant` names, beside the template or in the working directory."""
    if not options.invariants:
        return ()
    folders = (*([options.template.resolve().parent] if options.template else []), Path.cwd())
    return tuple(find(text, folders) for text in options.invariants)


def _with_scenario(options: SimulateOptions, scenario: Scenario) -> SimulateOptions:
    """Add the scenario's options that the command line does not set; they count as given."""
    held = _scenario_fields(scenario)
    rest = _giving_way(options, scenario)
    free = {name: value for name, value in held.items() if name not in rest.typed}
    return rest.replaced(**free, given={*rest.given, *free})


def _scenario_fields(scenario: Scenario) -> dict[str, Any]:
    """The options that a scenario sets, by field."""
    fields = {"duration": "duration_s", "drain_timeout": "drain_timeout_s", "schedule": "no_schedule"}
    held = {fields.get(name, name): value for name, value in scenario.options.items()}
    if "no_schedule" in held:
        held["no_schedule"] = not held["no_schedule"]
    return held


def _giving_way(options: SimulateOptions, scenario: Scenario | None) -> SimulateOptions:
    """The options without configured values for what the scenario sets, including template parameters."""
    if scenario is None:
        return options
    free = _scenario_fields(scenario).keys() - options.typed
    return giving_way(options.yielding(free), scenario.parameters.keys())


def _without_scenario(options: SimulateOptions) -> Stack | None:
    """The stack without a scenario's parameters; None if the template does not work without them."""
    try:
        return template.load(options.template, _parameters(options, None))
    except InputError:
        return None


def _caption_values(options: SimulateOptions, stack: Stack, duration_s: float | None) -> dict[str, str | None]:
    """The values for captions: the options that a scenario may set, and the template's parameters.

    Lengths are in seconds; `duration_s` is the plan's.
    """
    held = {
        "duration": None if duration_s is None else f"{duration_s:.15g}",
        "drain_timeout": f"{options.drain_timeout_s:.15g}",
        "ticks": None if options.ticks is None else str(options.ticks),
        "speed": f"{options.speed:g}",
        **{name: str(getattr(options, name)) for name in ("seed", "capacity", "runtime")},
    }
    return {**held, **stack.parameters}


def _parameters(options: SimulateOptions, scenario: Scenario | None) -> dict[str, str]:
    stories = scenario.parameters if scenario else {}
    return {**stories, **parameters_of(_giving_way(options, scenario))}


async def _run(options: SimulateOptions, stack: Stack, plan: RunPlan, place: Whereabouts) -> int:
    telemetry = Telemetry(stack, plan, interrupted=place.interrupts.soft.is_set)
    outlet = _SimulateOutlet(options, plan, telemetry, place)
    with place.interrupts.installed(), contextlib.ExitStack() as owned:
        record = _recorders(options, telemetry, outlet, owned)
        outlet.announce_template(stack)
        outlet.announce_left_out(stack)
        simulation = Simulation(
            stack,
            plan,
            telemetry,
            place.surroundings,
            place.interrupts,
            record,
            located=outlet.located,
            finished=lambda: outlet.finish(simulation),
        )
        async with outlet.display.shown():
            await simulation.run()
            await outlet.finish(simulation)
    if simulation.failure is not None:
        raise simulation.failure
    return _exit_code(outlet.summary, simulation)


class _SimulateOutlet:
    """A run's output: the display while it runs, then the summary; machine output goes its own way."""

    def __init__(self, options: SimulateOptions, plan: RunPlan, telemetry: Telemetry, place: Whereabouts) -> None:
        self._options, self._plan, self._telemetry, self._used = options, plan, telemetry, Used()
        self._clock = place.surroundings.clock
        self.digest = Digest() if plan.clock == "virtual" else None
        self.display = Display(
            telemetry,
            options.ui,
            self._clock,
            machine_output=str(options.summary) == "-",
            screenshot=options.screenshot,
            every_s=options.every_s,
            cadence=place.cadence,
        )
        self.summary: dict[str, Any] = {}

    def located(self, endpoint: str) -> None:
        """Say where the store is, if anybody can reach it."""
        if self._plan.clock == "real":
            self.display.located(endpoint)

    def announce_template(self, stack: Stack) -> None:
        """Say what AWS advises against in the template, and that the twin does not simulate all of it."""
        options, story = self._options, self._plan.story
        announce_ignored(self.display, stack, options.template, self._note)
        usual = _without_scenario(options) if story else None
        if not (self._plan.inputs or self._plan.fires or own_path(stack)):
            line = "nothing is sent: use the endpoint, or --send, --source or --event; the template has no schedule"
            self._note(line, "warning")
        for line in advice_lines(stack, options.template, self._plan.scenario, usual):
            self._note(line, "warning")

    def _note(self, line: str, kind: NoteKind = "note") -> None:
        """Show a sentence about the command, which is no observation of the run."""
        self._telemetry.record(Noted(self._clock.now(), line, kind))

    def announce_left_out(self, stack: Stack) -> None:
        """Say which files `--skip-unreadable` leaves out, and which variables no handler sees.

        If no events are shown, this goes to standard error.
        """
        for line in (*self._plan.left_out, *withheld_lines(stack)):
            if self.display.mode == "quiet":
                echo(f"stockpipe: {line}", err=True)
            else:
                self._note(line, "warning")

    def tail(self, observation: Observation) -> None:
        """Print a line of a log as it is written."""
        if isinstance(observation, LogWritten):
            where = f"{observation.function}[{observation.environment}]"
            self.display.console.print(f"{where} {visible_line(observation.line)}", soft_wrap=True, markup=False)

    def close_logs(self, directory: LogDirectory) -> None:
        """Close the files of `--logs`; raise the error if lines could not be written."""
        directory.close()
        if (error := directory.failed) is not None:
            raise CouldNotFinish(f"--logs: lines are missing, {error.filename or 'a file'}: {error.strerror}")

    async def finish(self, run: Simulation) -> None:
        """End the display and write the summary, once: with a hold, this is called twice.

        If one output cannot be written, the others still are.
        """
        if self.summary:
            return
        self.summary = self._built(run)
        try:
            await self.display.end(conclusion(self.summary))
        finally:
            self._write(run)

    def _built(self, run: Simulation) -> dict[str, Any]:
        built = summary.build(
            self._telemetry.snapshot(self._clock.now()),
            audit=run.audit,
            resources=run.resources.as_json() if run.resources else None,
            options=_options_json(self._options, self._plan),
            ended_at=self._clock.now(),
            interrupted=run.interrupted,
            bounds=self._plan.bounds,
            situation=Situation(
                run.stack,
                repeat_words(self._options, self._plan),
                drain_timeout_s=self._plan.drain_timeout_s,
                keeps_store=("--hold",) if self._plan.clock == "real" else (),
                keeps_logs=("--logs", "logs"),
                store_is_up=self._stays_up(),
                could_not_finish=run.failure is not None,
            ),
            source_rows=(run.audit.parsed_rows if run.audit else 0) if self._plan.inputs else None,
        )
        return built | {
            "invariants": [outcome._asdict() for outcome in run.outcomes],
            "faults": dict(self._telemetry.snapshot(self._clock.now()).faults_struck),
            "skipped_steps": [asdict(step) for step in run.skipped],
            "observations": self.digest.as_json() if self.digest else None,
            "machine": self._used.as_json(),
        }

    def _stays_up(self) -> bool:
        """Whether a hold follows, to which only a run comes that is done."""
        return self._plan.hold and self._telemetry.snapshot(self._clock.now()).phase == "done"

    def _write(self, run: Simulation) -> None:
        try:
            self._print(run)
        finally:
            if self._options.summary is not None:
                write(self._options.summary, json.dumps(self.summary, indent=2) + "\n")

    def _print(self, run: Simulation) -> None:
        built = self.summary
        if self.display.mode == "quiet":
            verdict, missed = f"verdict {verdict_of(built).word}", bounds.missed(built["bounds"])
            self.display.console.print(
                f"{verdict}, missed {missed}" if missed else verdict, markup=False, soft_wrap=True
            )
            return
        self.display.console.print(text.render_summary(built), crop=False)
        if self._stays_up() and run.resources is not None:
            took_objects = self._plan.endless and not self._plan.fires
            self.display.console.print(
                render_hold(built["endpoint"], run.resources, took_objects=took_objects), crop=False
            )


def _recorders(
    options: SimulateOptions, telemetry: Telemetry, outlet: _SimulateOutlet, owned: contextlib.ExitStack
) -> Record:
    """One function that passes each observation to all readers."""
    recorders: list[Record] = [telemetry.record]
    if outlet.digest is not None:
        recorders.append(outlet.digest.record)
    if options.logs is not None:
        try:
            directory = LogDirectory(options.logs)
        except OSError as error:
            said = "is not a folder" if isinstance(error, FileExistsError) else f"cannot be written: {error.strerror}"
            raise InputError(f"--logs: '{options.logs}' {said}", hint="name a folder") from None
        owned.callback(outlet.close_logs, directory)
        recorders.append(directory.record)
    if options.tail:
        if outlet.display.mode == "live":
            raise InputError(
                "'--tail' does not go with the dashboard", hint="add --ui plain or --ui quiet, or use --logs DIR"
            )
        recorders.append(outlet.tail)
    if len(recorders) == 1:
        return recorders[0]

    def record(observation: Observation) -> None:
        for listener in recorders:
            listener(observation)

    return record


def _options_json(options: SimulateOptions, plan: RunPlan) -> dict[str, Any]:
    """The resolved options, named as on the command line; times are in seconds."""
    options = _giving_way(options, plan.story)
    return {
        "duration": plan.duration_s if plan.duration_s is not None else 0.0,
        "ticks": plan.ticks,
        "clock": plan.clock,
        "speed": plan.speed,
        "start": iso(plan.start_at),
        "seed": plan.seed,
        "files": options.files,
        "rows": options.rows,
        "source": [str(path) for path in (*options.sources, *options.paths)],
        "send": [str(path) for path in options.messages],
        "event": str(options.event) if options.event else None,
        "to": options.to,
        "skip_unreadable": options.skip_unreadable,
        "schedule": plan.fires,
        "scenario": plan.scenario,
        "slo": options.slo,
        "template": str(options.template) if options.template else None,
        "parameters": _parameters(options, plan.story),
        "runtime": plan.runtime,
        "code": str(options.code) if options.code else None,
        "build": not options.no_build,
        "invariant": list(options.invariants),
        "capacity": plan.capacity,
        "fault": dict(plan.faults),
        "port": plan.port,
        "drain_timeout": plan.drain_timeout_s,
        "accept": sorted(plan.accepted),
        "ui": options.ui,
    }


def repeat_words(options: SimulateOptions, plan: RunPlan) -> tuple[str, ...]:
    """The command that repeats the run, as words: all options given, the seed, and the first tick's time.

    It leaves out `--hold`, which users can add if they want it.
    """
    options = _giving_way(options, plan.story)
    resolved = {"seed": plan.seed, **({"start_at": plan.start_at} if plan.fires else {})}
    names = (options.given | resolved.keys()) - {"hold"}
    again = repeatable(options.replaced(**resolved))
    return ("stockpipe", "simulate", *again.words(names | again.given - {"hold"}))


def _exit_code(summary: Mapping[str, Any], run: Simulation) -> ExitCode:
    """1 if the run is not proven, or a bound or an invariant failed, which take precedence over an early end."""
    held = all(judged["held"] for judged in (*summary["bounds"], *summary["invariants"]))
    if not (verdict_of(summary).proven and held):
        return ExitCode.NOT_PROVEN
    return ExitCode.INTERRUPTED if run.interrupted else ExitCode.DONE
