"""`stockpipe load-test --stack NAME`: the same load against a deployed stack, after showing the cost."""

from __future__ import annotations

from dataclasses import replace

from simulator.base.errors import CouldNotFinish, ExitCode, InputError
from simulator.base.words import counted, significant
from simulator.load.plan.plan import Plan
from simulator.load.session import LoadSession
from simulator.stack import template
from simulator.stack.model import Stack
from stockpipe.commands import cloud
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.outlet import run_options, run_shown
from stockpipe.deploy import stack_load
from stockpipe.deploy.aws import Aws
from stockpipe.deploy.deployed import Deployed, find
from stockpipe.deploy.status import queue_status


def run_on_stack(options: LoadTestOptions, stack: Stack, plan: Plan) -> int:
    """Find the stack, show the cost, ask, and run; returns the exit code."""
    if plan.find_max:
        raise InputError(
            "--find-max only searches on this machine: on AWS, log lines report stored objects too late for a search",
            hint="use --steps with --stack",
        )

    @cloud.on_aws
    async def work(options: LoadTestOptions, aws: Aws) -> int:
        name = options.stack or ""
        deployed = await find(aws, name)
        target = await stack_load.find_stack(aws, deployed)
        status = await queue_status(aws, target.queue)
        if status.messages:
            raise CouldNotFinish(
                f"the queue of stack '{name}' holds {counted(status.messages, 'message')}, which would count too",
                hint=f"wait until it is empty (`stockpipe status --stack {name}`), or stop the schedule",
            )
        # The template with the deployed stack's own parameters, as far as the template has them.
        given = {name: value for name, value in deployed.stack.parameters.items() if name in stack.parameters}
        as_deployed = template.load(None, given)
        if not _confirmed(options, plan, as_deployed, deployed, aws):
            cloud.say("nothing was sent")
            return ExitCode.INTERRUPTED
        shown = replace(run_options(plan, aws.clock.now()), runtime="AWS Lambda")
        session = LoadSession.create(plan, as_deployed, aws.clock, deployed.bucket, shown)
        return await run_shown(options, session, stack_load.open_stack(session, aws, target))

    return work(options)


def _confirmed(options: LoadTestOptions, plan: Plan, stack: Stack, deployed: Deployed, aws: Aws) -> bool:
    objects = plan.profile.total
    usd = stack_load.estimate(plan, stack)
    cloud.say(
        f"stack {deployed.stack.name} in {aws.region} of account {aws.account}: {counted(objects, 'object')} with "
        f"{counted(objects * plan.rows, 'row')} in {significant(plan.profile.duration_s, 6)} s, "
        f"about {max(usd, 0.01):,.2f} USD; they stay in the bucket and in table {deployed.table}"
    )
    return cloud.confirm("send them?", options.yes)
