"""The settings in a template that the pipeline's own handlers would refuse at init. Pure.

The handlers' own code decides: so there is one set of rules, and the words are those of the function's log.
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
    """The first setting that makes each of the pipeline's functions fail at init; other functions are not judged."""
    found = []
    for function in stack.functions.values():
        if (read := _SETTINGS.get(function.handler)) is not None:
            try:
                read(function.environment)
            except SettingsError as error:
                found.append(Finding(function.logical_id, str(error), stack.lines.get(function.logical_id)))
    return tuple(found)
