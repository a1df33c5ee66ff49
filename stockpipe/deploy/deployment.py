"""A deployment up to its change set: what is checked first, what is uploaded, what would change.

Nothing in an existing stack changes here; `cloudformation.execute` does that, once the user has agreed.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.base import limits
from simulator.base.clock import iso
from simulator.base.errors import CouldNotFinish, InputError
from simulator.base.names import bucket_name_fault
from simulator.stack import template as templates
from simulator.stack.model import Stack
from simulator.stack.packaged import packaged_template, shown_template
from simulator.stack.rules import Finding, examine
from stockpipe.deploy import artifact, cloudformation, transform
from stockpipe.deploy.aws import Aws, if_present
from stockpipe.deploy.package import Package, Report
from stockpipe.deploy.targets import Target

INLINE_TEMPLATE_BYTES = 51_200
"""The longest template within a request (CloudFormation User Guide, "Quotas"); a longer one is uploaded to S3."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A deployment that has passed its checks, with nothing uploaded yet. `existing` is the present stack, if any."""

    stack: Stack
    kind: cloudformation.Kind
    existing: cloudformation.DeployedStack | None
    advice: tuple[Finding, ...]

    @property
    def target(self) -> Target:
        """What the package is built for."""
        return Target(self.stack.parameters["PythonVersion"], self.stack.parameters["Architecture"])


async def check(aws: Aws, stack_name: str, template: Path | None, given: Mapping[str, str]) -> Draft:
    """Check name, template, account and state before anything is built or uploaded.

    A parameter that is not given keeps its value in the stack, as with `aws cloudformation deploy`. Raises
    `InputError`, one line that says what to do.
    """
    cloudformation.check_name(stack_name)
    existing = await cloudformation.describe(aws, stack_name)
    kind = cloudformation.next_step(existing, stack_name)
    kept = existing.parameters if existing and kind == "UPDATE" else {}
    stack = templates.load(template, given, defaults=kept, stack_name=stack_name)
    buckets = real_bucket_names(stack, aws)
    findings = examine(stack)
    if findings.violations:
        first, others = findings.violations[0], len(findings.violations) - 1
        more = f" (and {others} more; `stockpipe check` lists them)" if others else ""
        where = f"{shown_template(template)}:{first.line}: " if first.line else ""
        raise InputError(f"{where}AWS would refuse {first.logical_id}: {first.text}{more}")
    for failing in findings.failures:
        raise InputError(f"{failing.logical_id} {failing.kind.replace('fails', 'would fail')}: {failing.text}")
    for missing in ("PythonVersion", "Architecture"):
        if missing not in stack.parameters:
            file = template or packaged_template()
            raise InputError(f"{file} has no parameter '{missing}', which says what to build the package for")
    if kind == "CREATE":
        await refuse_taken_names(aws, stack, buckets)
    return Draft(stack, kind, existing, findings.advice)


def real_bucket_names(stack: Stack, aws: Aws) -> tuple[str, ...]:
    """The buckets' names in this account and region. Raises `InputError` for one that S3 would refuse."""
    names = []
    for bucket in stack.buckets.values():
        name = bucket.name.replace(limits.ACCOUNT_ID, aws.account).replace(limits.REGION, aws.region)
        if (fault := bucket_name_fault(name)) is not None:
            raise InputError(
                f"'{name}' is not a bucket name: {fault}",
                hint="choose a shorter stack name in lower case, or pass --parameter BucketName=NAME",
            )
        names.append(name)
    return tuple(names)


async def refuse_taken_names(aws: Aws, stack: Stack, buckets: tuple[str, ...]) -> None:
    """Raise `InputError` for the first name of a new stack that is already taken."""
    functions, sqs, dynamodb = await aws.functions(), await aws.sqs(), await aws.dynamodb()
    by_parameter = {value: name for name, value in stack.parameters.items() if name.endswith("Name") and value}

    async def refuse(what: str, name: str, found: Awaitable[Any]) -> None:
        if await if_present(found) is not None:
            pass_another = f"pass another name: --parameter {by_parameter.get(name, 'BucketName')}=NAME"
            raise InputError(f"the {what} '{name}' already exists outside this stack", hint=pass_another)

    for function in stack.functions.values():
        await refuse("function", function.name, functions.get_function_configuration(FunctionName=function.name))
    for queue in stack.queues.values():
        await refuse("queue", queue.name, sqs.get_queue_url(QueueName=queue.name))
    for table in stack.tables.values():
        await refuse("table", table.name, dynamodb.describe_table(TableName=table.name))
    for name in buckets:
        if await artifact.bucket_exists(aws, name):
            hint = "pass another name: --parameter BucketName=NAME"
            raise InputError(f"the bucket '{name}' already exists", hint=hint)


async def propose(
    aws: Aws, draft: Draft, package: Package, *, local_transform: bool, report: Report
) -> cloudformation.ChangeSet | None:
    """Upload the package by its content hash and create the change set; None if it would change nothing."""
    if await artifact.ensure_bucket(aws):
        report(f"created bucket {artifact.bucket_name(aws)} for packages")
    key = f"lambda/{package.sha256}.zip"
    uploaded = await artifact.upload(aws, package.file, key)
    report(f"package {package.sha256[:12]} {'was uploaded' if uploaded else 'was already uploaded'}")
    document = transform.with_code(draft.stack.document, artifact.bucket_name(aws), key)
    if local_transform:
        document = transform.translate(document, draft.stack.parameters, aws.region)
    text = transform.body(document)
    if len(text.encode()) <= INLINE_TEMPLATE_BYTES:
        template = {"TemplateBody": text}
    else:
        template = {"TemplateURL": await artifact.upload_text(aws, text, f"templates/{package.sha256}.json")}
    report("creating the change set")
    stamp = re.sub(r"[^0-9]", "", iso(aws.clock.now()))
    return await cloudformation.create_change_set(
        aws,
        stack_name=draft.stack.name,
        kind=draft.kind,
        name=f"stockpipe-{package.sha256[:8]}-{stamp}",
        template=template,
        parameters=draft.stack.parameters,
    )


async def refuse_incomplete(aws: Aws, draft: Draft, stack: cloudformation.DeployedStack) -> None:
    """Raise `CouldNotFinish` if the endpoint skipped resources, as one without the serverless transform does."""
    made = await cloudformation.resource_ids(aws, stack.id)
    missing = [name for name in draft.stack.functions if name not in made]
    if missing:
        raise CouldNotFinish(
            f"{stack.status}, but without {', '.join(missing)}: the endpoint lacks the serverless transform",
            hint="destroy the stack and deploy with --local-transform",
        )
