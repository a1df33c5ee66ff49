"""What in a template the pipeline's own handlers cannot work with: settings that they refuse, other keys. Pure.

The handlers' own code decides: so there is one set of rules, and the words are those of the function's log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.functions import ConsumerSettings, GeneratorSettings
from pipeline.settings import SettingsError
from simulator.base.errors import InputError
from simulator.stack.model import Sentences, Stack, Table
from simulator.stack.wiring import own_path

_SETTINGS: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "pipeline.generator.handler": GeneratorSettings.from_environ,
    "pipeline.consumer.handler": ConsumerSettings.from_environ,
}
_KEYS = (("PK", "S"), ("SK", "S"))


def malformed_settings(stack: Stack) -> Sentences:
    """The first setting that makes each of the pipeline's functions fail at init; other functions are not judged."""
    for function in stack.functions.values():
        if function.is_own and (read := _SETTINGS.get(function.handler)) is not None:
            try:
                read(function.environment)
            except SettingsError as error:
                yield function.logical_id, str(error), f"Environment.Variables.{str(error).partition('=')[0]}"


def unusable_keys(stack: Stack) -> Sentences:
    """A table with other keys than those of the rows that the pipeline's consumer writes."""
    if (table := _own_table(stack)) is not None and (table.partition_key, table.sort_key) != _KEYS:
        keys = " and ".join(f"{name} ({kind})" for name, kind in filter(None, (table.partition_key, table.sort_key)))
        yield table.logical_id, f"the consumer writes the keys PK and SK as text, but the table has {keys}", "KeySchema"


def mixed_indexes(stack: Stack) -> Sentences:
    """An index over a column, which the pipeline's consumer writes as a number or as text, row by row."""
    if (table := _own_table(stack)) is not None:
        for index in table.indexes:
            for key in [key for key in index.keys if (key, "S") not in _KEYS]:
                yield (
                    table.logical_id,
                    f"the index {index.name} needs one type of '{key}' in all rows; the consumer writes a column as a "
                    "number where the field is one, else as text, and rows of the other type are refused",
                )


def _own_table(stack: Stack) -> Table | None:
    """The table that the pipeline's own consumer writes to; None for another application."""
    try:
        path = own_path(stack)
    except InputError:
        return None
    return path.table if path is not None and path.consumer.is_own else None
