"""What `--hold` keeps after a run, and how to look at it. Pure."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from simulator.base import limits
from simulator.dashboard.lines import labelled
from simulator.run.command_line import ShellCommand, quoted
from simulator.twin.resources import Resources

_ENDED = (
    "Schedules and functions have stopped: an object that you put now stays in the bucket, and its message in "
    "the queue."
)
_INSTEAD = " To have your own objects processed, run with --no-schedule --duration 0s instead."


def render_hold(endpoint: str, resources: Resources, *, took_objects: bool = False) -> RenderableType:
    """What stays up and what has stopped, with commands for the AWS CLI. Print it with `crop=False`.

    `took_objects`: the run itself waited for the user's objects, without a schedule or an end.
    """
    names = {
        "bucket": resources.bucket,
        "table": resources.table,
        "queue": _name(resources.queue_url or ""),
        "dead letters": _name(resources.dlq_url or ""),
    }
    at = ("aws", "--endpoint-url", endpoint)
    commands: list[tuple[str, ...]] = [
        ("export", "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", f"AWS_DEFAULT_REGION={limits.REGION}"),
    ]
    if resources.bucket is not None:
        commands.append((*at, "s3", "ls", "--recursive", f"s3://{resources.bucket}"))
    if resources.table is not None:
        commands.append((*at, "dynamodb", "scan", "--table-name", resources.table, "--max-items", "3"))
    return Group(
        Text(f"  the store stays up until the next Ctrl-C or SIGTERM: {endpoint}"),
        labelled([("  " + label, name) for label, name in names.items() if name]),
        Padding(Text(_ENDED if took_objects else _ENDED + _INSTEAD), (0, 0, 0, 2)),
        Padding(Text("Look at it with the AWS CLI, or with any AWS SDK at this endpoint:"), (0, 0, 0, 2)),
        *(ShellCommand(quoted(words), indent=4) for words in commands),
    )


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]
