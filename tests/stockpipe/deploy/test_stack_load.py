"""What a load test on a deployed stack will cost, and which stack it cannot watch."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.scripted_aws import ScriptedAws
from simulator.base.errors import InputError
from simulator.stack import template
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.run import resolve
from stockpipe.deploy.cloudformation import DeployedStack
from stockpipe.deploy.deployed import Deployed
from stockpipe.deploy.stack_load import estimate, find_stack


@pytest.mark.parametrize(("memory_mb", "architecture", "usd"), [(1024, "arm64", 0.0717), (10240, "x86_64", 0.0901)])
def test_the_estimate_is_the_bill_of_what_will_be_sent(memory_mb: int, architecture: str, usd: float) -> None:
    """1,000 objects of 100 rows cost 0.0625 USD for writes, 0.0076 for requests and logs, and 120 s of Lambda."""
    _, plan = resolve(LoadTestOptions(rate_per_s=100.0, duration_s=10.0, rows=100))
    stack = template.load(None, {"ConsumerMemory": str(memory_mb), "Architecture": architecture})
    assert estimate(plan, stack) == pytest.approx(usd, rel=0.005)


@pytest.mark.parametrize(("level", "refused"), [("TRACE", False), ("INFO", False), ("WARN", True), ("FATAL", True)])
async def test_a_stack_that_logs_too_little_is_refused(level: str, refused: bool) -> None:
    """INFO lines say when an object is stored; if Lambda drops them, nothing would seem to be."""
    resources = {name: ("AWS::SQS::Queue", f"https://sqs/1/{name}") for name in ("StockQueue", "StockDLQ")}
    resources["ConsumerLambda"] = ("AWS::Lambda::Function", "Consumer")
    deployed = Deployed(DeployedStack("arn", "s", "CREATE_COMPLETE", "", {}, {}), resources)
    aws: Any = ScriptedAws(
        get_queue_url={"QueueUrl": "url"},
        get_queue_attributes={"Attributes": {"QueueArn": "arn"}},
        get_function_configuration={"LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": level}},
    )
    if refused:
        with pytest.raises(InputError, match=rf"logs only {level} and above, .* --parameter LogLevel=INFO"):
            await find_stack(aws, deployed)
    else:
        assert (await find_stack(aws, deployed)).log_group == "/aws/lambda/Consumer"
