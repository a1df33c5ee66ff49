"""What in a template the pipeline's own handlers cannot work with: settings that they refuse, other keys. Pure.

The handlers' own code decides: so there is one set of rules, and the words are those of the function's log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from pipeline.functions import ConsumerSettings, GeneratorSettings
from pipeline.settings import SettingsError
from simulator.base.errors import InputError
from simulator.stack.model import Sentences, Stack
from simulator.stack.wiring import KEYS, own_path

_SETTINGS: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "pipeline.generator.handler": GeneratorSettings.from_environ,
    "pipeline.consumer.handler": ConsumerSettings.from_environ,
}


def malformed_settings(stack: Stack) -> Sentences:
    """The first setting that makes each of the pipeline's functions fail at init; other functions are not judged."""
    for function in stack.functions.values():
        if function.is_own and (read := _SETTINGS.get(function.handler)) is not None:
            try:
                read(function.environment)
            except SettingsError as error:
                yield function.logical_id, str(error), f"Environment.Variables.{str(error).partition('=')[0]}"


def unusable_keys(stack: Stack) -> Sentences:
    """The table of the pipeline's own consumer, if it has other keys than the rows that the consumer writes."""
    with suppress(InputError):  # without its table the consumer is an obstacle
        path = own_path(stack)
        if path is not None and path.table.keys != KEYS:
            listed = " and ".join(f"{name} ({kind})" for name, kind in path.table.keys)
            said = f"the consumer writes the keys PK and SK as text, but the table has {listed}"
            yield path.table.logical_id, said, "KeySchema"
