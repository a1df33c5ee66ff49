"""The variables that a function sees, without an environment that runs it."""

from __future__ import annotations

from fakes import declare
from simulator.functions.runtimes.variables import function_environ


def environ(**variables: str) -> dict[str, str]:
    """What a function with these variables sees."""
    function = declare.function(environment=variables)
    return function_environ(function, "http://127.0.0.1:9", "stream", task_root="/var/task")


def test_x_ray_is_off_unless_the_function_turns_it_on() -> None:
    """X-Ray's clients send nothing to a daemon, which is not here; what the template says of them wins."""
    off = {"POWERTOOLS_TRACE_DISABLED": "true", "AWS_XRAY_SDK_ENABLED": "false"}
    assert off.items() <= environ(TABLE_NAME="T").items()
    turned_on = {"POWERTOOLS_TRACE_DISABLED": "false", "AWS_XRAY_SDK_ENABLED": "true"}
    assert turned_on.items() <= environ(**turned_on).items()
