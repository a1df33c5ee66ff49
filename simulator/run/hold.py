"""What `--hold` keeps once a run is over, and how to look at it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.base import limits
from simulator.base.clients import DUMMY_CREDENTIALS
from simulator.run.command_line import quoted
from simulator.twin.resources import Resources


def held_lines(endpoint: str, resources: Resources) -> Iterator[str]:
    """What stays and what has ended, and two commands for the AWS CLI; a line each, the commands indented."""
    dead_letters = f", dead-letter queue {_name(resources.dlq_url)}" if resources.dlq_url else ""
    yield f"the store stays up at {endpoint} until Ctrl-C, with"
    yield f"  bucket {resources.bucket}, table {resources.table}, queue {_name(resources.queue_url)}{dead_letters}"
    yield "The schedule has ended and nothing consumes: of an object that you put now, the message stays in the queue."
    yield "(To put objects and see them stored: --duration 0s --no-schedule.)"
    yield "Look at it with the AWS CLI, or with any SDK at this endpoint:"
    key, secret = DUMMY_CREDENTIALS["aws_access_key_id"], DUMMY_CREDENTIALS["aws_secret_access_key"]
    yield f"  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION={limits.REGION}"
    yield "  " + quoted(("aws", "--endpoint-url", endpoint, "s3", "ls", "--recursive", f"s3://{resources.bucket}"))
    scan = ("dynamodb", "scan", "--table-name", resources.table, "--max-items", "3")
    yield "  " + quoted(("aws", "--endpoint-url", endpoint, *scan))


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]
