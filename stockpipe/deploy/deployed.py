"""A deployed stack: its bucket, queues, table and functions by their real names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.base.errors import InputError
from stockpipe.deploy import cloudformation
from stockpipe.deploy.aws import Aws


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack and its resources: logical id -> (type, physical id)."""

    stack: cloudformation.DeployedStack
    resources: Mapping[str, tuple[str, str]]

    def require(self, logical_id: str) -> str:
        """The physical id; `InputError` if the stack has no such resource."""
        if logical_id not in self.resources:
            raise InputError(
                f"stack '{self.stack.name}' ({self.stack.status}) has no {logical_id}",
                hint=f"`stockpipe deploy --stack {self.stack.name}` creates what is missing",
            )
        return self.resources[logical_id][1]

    @property
    def is_whole(self) -> bool:
        """Whether every resource that rows pass through exists."""
        path = {"StockBucket", "StockQueue", "StockDLQ", "StockData", "GeneratorLambda", "ConsumerLambda"}
        return path <= self.resources.keys()

    def get(self, logical_id: str) -> str | None:
        """The physical id, or None."""
        found = self.resources.get(logical_id)
        return found[1] if found else None

    @property
    def bucket(self) -> str:
        """The data bucket's name."""
        return self.require("StockBucket")

    @property
    def table(self) -> str:
        """The table's name."""
        return self.require("StockData")

    @property
    def generator(self) -> str:
        """The generator function's name."""
        return self.require("GeneratorLambda")

    @property
    def consumer(self) -> str:
        """The consumer function's name."""
        return self.require("ConsumerLambda")

    @property
    def rule(self) -> str | None:
        """The schedule's rule, if the stack has one."""
        return next((name for kind, name in self.resources.values() if kind == "AWS::Events::Rule"), None)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The names of the alarms."""
        return tuple(name for kind, name in self.resources.values() if kind == "AWS::CloudWatch::Alarm")


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """A queue's URL at this endpoint, its ARN and its name."""

    url: str
    arn: str
    name: str


async def find(aws: Aws, stack_name: str) -> Deployed:
    """The stack and its resources. Raises `InputError` if there is none."""
    cloudformation.check_name(stack_name)
    stack = await cloudformation.describe(aws, stack_name)
    if stack is None:
        raise InputError(
            f"the stack '{stack_name}' does not exist in {aws.region} of account {aws.account}",
            hint=f"`stockpipe deploy --stack {stack_name}` creates it; --region names another Region",
        )
    return Deployed(stack, await cloudformation.resource_ids(aws, stack.id))


async def address(aws: Aws, physical_id: str) -> QueueAddress:
    """A queue by its physical id, a URL at which an endpoint other than AWS may not answer."""
    sqs = await aws.sqs()
    name = physical_id.rsplit("/", 1)[-1]
    url = (await sqs.get_queue_url(QueueName=name))["QueueUrl"]
    attributes = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return QueueAddress(url, attributes["Attributes"]["QueueArn"], name)
