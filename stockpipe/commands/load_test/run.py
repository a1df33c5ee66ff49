"""Runs `stockpipe load-test`: resolves the options, runs, and returns the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from simulator.base import limits
from simulator.base.clock import SystemClock
from simulator.base.doors import is_loopback_url
from simulator.base.errors import InputError
from simulator.base.folders import remove_ownerless
from simulator.base.quantities import duration_text
from simulator.base.usage import allow_open_files
from simulator.load.plan.arrivals import Profile, constant, ramp, spike, steps
from simulator.load.plan.plan import Plan, TargetName
from simulator.load.plan.slo import FIGURES, require_measured
from simulator.load.session import LoadSession
from simulator.load.target import open_twin
from simulator.run.bounds import parse_all
from simulator.stack import template
from simulator.stack.model import Stack
from simulator.stack.wiring import wiring
from stockpipe.commands.addresses import require_endpoint, require_free_port, require_url
from stockpipe.commands.applications import code_in_force, runtime_in_force
from stockpipe.commands.load_test.copies import copies_of
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.outlet import parameters, run_options, run_shown
from stockpipe.commands.outputs import require_writable
from stockpipe.commands.words import require_sound


def run_load_test(options: LoadTestOptions) -> int:
    """Run the load test and return the exit code."""
    if options.clock == "virtual":
        said = "'--clock virtual': load-test measures this machine in real time"
        raise InputError(said, hint="use `stockpipe simulate --clock virtual`")
    named = (options.template, options.object_file, options.message_file)
    inputs = (*named, *(file.path for file in options.parameter_files))
    if str(options.report) == "-":
        raise InputError("--report: '-' is not a file", hint="name a file, as in --report load.html")
    require_writable(options.report, options.screenshot, summary=options.summary, inputs=inputs)
    stack, plan = resolve(options)
    if options.stack is not None:
        from stockpipe.commands.load_test.stack import run_on_stack  # only needed for a deployed stack

        return run_on_stack(options, stack, plan)
    if plan.endpoint_url is not None:
        require_endpoint(plan.endpoint_url)
    else:
        require_free_port(options.port)
    allow_open_files()
    remove_ownerless()
    clock, to = SystemClock(), plan.copies.name if plan.copies else wiring(stack).bucket.name
    session = LoadSession.create(plan, stack, clock, to, run_options(plan, clock.now()))
    code = code_in_force(stack, options.code, build=not options.no_build)
    return asyncio.run(run_shown(options, session, open_twin(session, code)))


def resolve(options: LoadTestOptions) -> tuple[Stack, Plan]:
    """The stack and the plan. Raises `InputError` for options that contradict each other or are impossible."""
    target = _target(options)
    _require_one_shape(options)
    profile = _profile(options)
    _require_possible(options, profile)
    _require_provable(options, target)
    stack = template.load(options.template, parameters(options), defaults={"Seed": str(options.seed)})
    require_sound(stack, options.template)
    copies = copies_of(options, stack)
    asked = ("seed", "poisson", "find_max", "sink_latency_s", "drain_timeout_s", "port", "audit")
    plan = Plan(
        profile=profile,
        copies=copies,
        rows=options.rows if copies is None else 0,
        backlog=options.backlog or 0,
        target=target,
        endpoint_url=options.endpoint_url if target == "endpoint" else None,
        runtime=runtime_in_force(options, options.runtime, stack),
        slo=parse_all(options.slo, FIGURES),
        window_s=float(max((mapping.window_s for mapping, *_ in stack.mapped()), default=0)),
        accepted=frozenset(options.accept),
        **{name: getattr(options, name) for name in asked},
    )
    require_measured(plan)
    return stack, plan


def _only_one(given: Mapping[str, object], clash: str) -> str | None:
    """The one option that was given, if any."""
    names = [name for name, value in given.items() if value is not None and value is not False]
    if len(names) > 1:
        raise InputError(f"{' and '.join(names)} {clash}", hint="give one of them")
    return names[0] if names else None


def _target(options: LoadTestOptions) -> TargetName:
    endpoint = options.endpoint_url if options.stack is None else None
    targets = {"--target": "target" in options.given, "--endpoint-url": endpoint, "--stack": options.stack}
    _only_one(targets, "name different targets")
    if "sink_latency_s" in options.typed and options.target != "sink":
        raise InputError("'--sink-latency' only goes with '--target sink'", hint="add --target sink")
    if options.stack is not None:
        _require_nothing_overridden(options)
        return "stack"
    for option in ("region", "profile", "yes"):
        if getattr(options, option):
            raise InputError(f"'--{option}' only goes with '--stack'", hint="add --stack NAME, or leave it out")
    if endpoint is not None:
        require_url(endpoint)
        if not is_loopback_url(endpoint):
            raise InputError(
                f"--endpoint-url: '{endpoint}' is not on this machine",
                hint="send load to this machine, or to a deployed stack on AWS with --stack NAME",
            )
        return "endpoint"
    return options.target


def _require_nothing_overridden(options: LoadTestOptions) -> None:
    settings = (*options.short, "parameters", "parameter_files", "template", "runtime", "code", "no_build", "port")
    names = (*settings, "backlog", "object_file", "message_file", "to")
    given = [options.flag_of(name) for name in names if getattr(options, name) != getattr(LoadTestOptions, name)]
    if given:
        change = "change it with `stockpipe deploy --parameter NAME=VALUE`"
        how = "its consumer always runs" if "--backlog" in given else change
        raise InputError(f"{', '.join(given)} cannot be given for a deployed stack", hint=how)


def _require_one_shape(options: LoadTestOptions) -> None:
    shapes = ("ramp", "steps", "spike_per_s", "backlog", "find_max")
    shape = _only_one({options.flag_of(name): getattr(options, name) for name in shapes}, "are different loads")
    if "rate_per_s" in options.given and shape not in (None, "--spike"):
        raise InputError(f"'--rate' does not go with '{shape}', which sets its own rate", hint="leave out --rate")
    if options.poisson and shape in ("--backlog", "--find-max"):
        raise InputError(f"'--poisson' does not go with '{shape}'", hint="leave out --poisson")


def _profile(options: LoadTestOptions) -> Profile:
    shortest_s, longest_s = limits.LOAD_DURATION_S
    if not shortest_s <= options.duration_s <= longest_s:
        bounds = f"{duration_text(shortest_s)} and {duration_text(longest_s)}"
        raise InputError(f"--duration: '{duration_text(options.duration_s)}' is not between {bounds}")
    rate, length_s = options.rate_per_s, options.duration_s
    if options.ramp is not None:
        return ramp(*options.ramp, length_s)
    if options.steps is not None:
        return steps(options.steps, length_s)
    if options.spike_per_s is not None:
        return spike(rate, options.spike_per_s, length_s)
    return constant(rate, length_s)


def _require_provable(options: LoadTestOptions, target: TargetName) -> None:
    if "audit" not in options.given or options.audit == "none":
        return
    if target == "sink":
        raise InputError(f"--audit {options.audit} does not go with --target sink, which keeps no rows to audit")
    if target == "stack":
        raise InputError(
            f"--audit {options.audit} does not go with --stack: after the load, run stockpipe verify --stack "
            f"{options.stack}, which first shows what it costs"
        )


def _require_possible(options: LoadTestOptions, profile: Profile) -> None:
    if profile.peak_per_s > limits.LOAD_RATE_PER_S:
        raise InputError(
            f"{profile.peak_per_s:,.0f}/s is more than the generator can send",
            hint=f"the most is {limits.LOAD_RATE_PER_S:,.0f}/s; for more load, send more rows per object",
        )
    count = options.backlog or profile.total
    if count > limits.LOAD_OBJECTS:
        raise InputError(f"{count:,} objects are too many for one run", hint=f"the most is {limits.LOAD_OBJECTS:,}")
    if options.rows > limits.LOAD_ROWS:
        hint = f"the most is {limits.LOAD_ROWS:,}"
        raise InputError(f"--rows: {options.rows:,} rows are too many for one object", hint=hint)
