"""What the pipeline's own handlers would refuse at init, by the variables that a template gives them. Pure.

The handlers' own code says it: there is one set of rules for a setting, and its words are those of the function's log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.functions import ConsumerSettings, GeneratorSettings
from pipeline.settings import SettingsError
from simulator.stack.model import Stack
from simulator.stack.rules import Finding

_SETTINGS: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "pipeline.generator.handler": GeneratorSettings.from_environ,
    "pipeline.consumer.handler": ConsumerSettings.from_environ,
}


def malformed_settings(stack: Stack) -> tuple[Finding, ...]:
    """The first setting of each of the pipeline's functions with which it would fail at init; others are not judged."""
    found = []
    for function in stack.functions.values():
        if (read := _SETTINGS.get(function.handler)) is not None:
            try:
                read(function.environment)
            except SettingsError as error:
                found.append(Finding(function.logical_id, str(error), stack.lines.get(function.logical_id)))
    return tuple(found)
