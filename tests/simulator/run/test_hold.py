"""What a run that is held says of what it keeps."""

from __future__ import annotations

import io

from rich.console import Console

from simulator.run.hold import render_hold
from simulator.twin.resources import Resources

URL = "http://127.0.0.1:50000"


def shown(resources: Resources) -> list[str]:
    """The lines on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    console.print(render_hold(URL, resources), crop=False)
    file = console.file
    assert isinstance(file, io.StringIO)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_what_is_held_is_named_with_commands_to_look_at_it() -> None:
    """Endpoint, names, what has stopped, and commands that can be pasted as they are; each line fits."""
    bucket = "stockpipe-data-123456789012-us-east-1"
    lines = shown(Resources(bucket, f"{URL}/1/StockQueue", f"{URL}/1/StockDLQ", "StockData", {}))
    assert lines[0] == f"  the store stays up until the next Ctrl-C or SIGTERM: {URL}"
    assert [line.split(maxsplit=1) for line in lines[1:4]] == [
        ["bucket", bucket],
        ["table", "StockData"],
        ["queue", "StockQueue"],
    ]
    assert lines[4].split() == ["dead", "letters", "StockDLQ"]
    text = " ".join(" ".join(lines).replace("\\", "").split())
    assert "Schedules and functions have stopped" in text
    assert f"aws --endpoint-url {URL} s3 ls --recursive s3://{bucket}" in text
    assert text.endswith(f"aws --endpoint-url {URL} dynamodb scan --table-name StockData --max-items 3")
    assert max(map(len, lines)) <= 80


def test_a_run_that_took_objects_is_not_named_as_the_way_to_see_them_stored() -> None:
    """Whoever ran with --no-schedule --duration 0s has just done what is advised to others."""
    resources = Resources("b", f"{URL}/1/Q", None, "T", {})
    for took_objects in (False, True):
        console = Console(file=(written := io.StringIO()), width=80)
        console.print(render_hold(URL, resources, took_objects=took_objects), crop=False)
        assert ("--no-schedule" in written.getvalue()) != took_objects


def test_a_queue_without_a_dead_letter_queue_has_none() -> None:
    """No line names what is not there."""
    assert not any("dead" in line for line in shown(Resources("b", f"{URL}/1/Q", None, "T", {})))
