"""`stockpipe load-test --stack NAME`: the same load against a deployed stack, after saying what it will cost."""

from __future__ import annotations

from dataclasses import replace

from simulator.base.clock import SystemClock
from simulator.base.errors import ExitCode, InputError
from simulator.base.interrupts import Interrupts
from simulator.load.measure.live import Live
from simulator.load.measure.result import Result
from simulator.load.measure.tap import Tap
from simulator.load.plan.plan import Plan
from simulator.load.send.signing import Identity
from simulator.stack import template
from simulator.stack.model import Stack
from simulator.telemetry import Telemetry
from simulator.twin.resources import wiring
from stockpipe.commands import cloud
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.outlet import Outlet, exit_code, run_options
from stockpipe.deploy import stack_load
from stockpipe.deploy.aws import Aws
from stockpipe.deploy.deployed import Deployed, find
from stockpipe.deploy.status import queue_status


def run_on_stack(options: LoadTestOptions, stack: Stack, plan: Plan) -> int:
    """Find the stack, tell the cost, ask, run; the exit code."""
    if plan.find_max:
        raise InputError(
            "--find-max searches on this machine alone: on AWS log lines tell of stored objects too late for a search; "
            "use --steps with --stack"
        )

    async def work(aws: Aws) -> int:
        name = options.stack or ""
        deployed = await find(aws, name)
        target = await stack_load.find_target(aws, deployed)
        status = await queue_status(aws, target.queue)
        stack_load.require_idle(status.messages, name)
        if not _confirmed(options, plan, deployed, aws):
            cloud.say("nothing was sent")
            return ExitCode.INTERRUPTED
        return await _run(options, _as_deployed(stack, deployed), plan, aws, target)

    return cloud.run_on_aws(options, work)


def _confirmed(options: LoadTestOptions, plan: Plan, deployed: Deployed, aws: Aws) -> bool:
    objects = plan.profile.total
    usd = stack_load.estimate(plan, deployed.stack.parameters)
    cloud.say(
        f"stack {deployed.stack.name} in {aws.region} of account {aws.account}: {objects:,} objects with "
        f"{objects * plan.rows:,} rows in {plan.profile.duration_s:g} s, about {max(usd, 0.01):,.2f} USD; "
        f"they stay in the bucket and in table {deployed.table}"
    )
    return cloud.confirm("send them?", options.yes)


def _as_deployed(stack: Stack, deployed: Deployed) -> Stack:
    """The template as it was deployed: with the stack's own parameters, as far as this template has them."""
    given = {name: value for name, value in deployed.stack.parameters.items() if name in stack.parameters}
    return template.load(None, given)


async def _run(options: LoadTestOptions, stack: Stack, plan: Plan, aws: Aws, target: stack_load.StackTarget) -> int:
    clock = SystemClock()
    result, live = Result(), Live("stack")
    telemetry = Telemetry(stack, replace(run_options(plan, clock.now()), runtime="AWS Lambda"), live.view)
    tap = Tap(telemetry.record, result.recording, wiring(stack), foreign=False, sink=True)
    outlet = Outlet(options, plan, stack, telemetry, tap, result, clock)
    access_key, secret_key, token = await aws.credentials()
    identity = Identity(access_key, secret_key, token, aws.region)
    with Interrupts().installed() as interrupts:
        async with outlet.display.shown():
            await stack_load.run_stack_load(
                aws,
                target,
                plan,
                tap,
                live,
                identity,
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
