"""Defaults set by a user or a project: `STOCKPIPE_...` variables, and `[tool.stockpipe]` in a pyproject.toml.

A variable or key has the name of its option: `STOCKPIPE_UI` and `ui` apply to every command that has `--ui`,
`STOCKPIPE_SIMULATE_RUNTIME` and `runtime` in `[tool.stockpipe.simulate]` to one. The command line overrides variables,
variables override the table, and a setting for one command overrides one for all. Options that lead to AWS, spend
money, delete or answer a question can only be set on the command line.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import typer
from typer.models import ArgumentInfo

from simulator.base.errors import InputError, UnusableValueError
from simulator.base.nearest import nearest
from stockpipe.commands.options import Options, flag, is_typed_only, parts, repeats
from stockpipe.commands.outputs import echo

AnyOptions = TypeVar("AnyOptions", bound=Options)
PREFIX = "STOCKPIPE_"
FILE = "pyproject.toml"
PROJECT_BYTES = 1024 * 1024
"""The largest pyproject.toml that is read."""
_TYPED = "can only be set on the command line"
_SWITCH = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}


@dataclass(frozen=True, slots=True)
class ProjectTable:
    """`[tool.stockpipe]` and the file that has it."""

    file: Path
    keys: Mapping[str, Any]


def configured(options: AnyOptions, context: typer.Context) -> AnyOptions:
    """A command's options, with the values of variables and the table for those that the command line does not set.

    Warns on standard error about unknown variables. Raises `InputError`, one line that names the place, for a value
    that cannot be used or a table with an unknown key.
    """
    kinds = _kinds(context, type(options))
    command = next((name for name, kind in kinds.items() if kind is type(options)), "")
    for warning in unknown_variables(os.environ, kinds):
        echo(f"stockpipe: warning: {warning}", err=True)
    table = find_table()
    variables = _variables(options, command, os.environ)
    keys = _keys(options, command, table, kinds) if table else {}
    return _layered(options, [variables, keys])


def find_table(start: Path | None = None) -> ProjectTable | None:
    """The table in the pyproject.toml of the working directory or of the nearest parent with such a file."""
    from simulator.base.files import UnusableFileError, read_bounded

    try:
        folder = start or Path.cwd()
    except FileNotFoundError:  # the directory was deleted
        return None
    # Not Path.is_file, which raises for a folder without permission.
    file = next((each / FILE for each in (folder, *folder.parents) if os.path.isfile(each / FILE)), None)  # noqa: PTH113
    if file is None:
        return None
    if file.parent != folder and file.stat().st_uid not in (0, os.geteuid()):
        # Anybody could have put it in a parent folder such as /tmp, and a template names code to run.
        echo(f"stockpipe: warning: '{file}' is ignored: it belongs to another user", err=True)
        return None
    try:
        content = read_bounded(file, PROJECT_BYTES)
    except (UnusableFileError, OSError):
        return None  # an unreadable pyproject.toml is not our problem, and other tools will report it
    if b"stockpipe" not in content:
        return None
    import tomllib

    try:
        tools = tomllib.loads(content.decode()).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"'{file}' is not TOML: {error}") from None
    keys = tools.get("stockpipe") if isinstance(tools, dict) else None
    if keys is None:
        return None
    if not isinstance(keys, dict):
        raise InputError(f"'{file}': 'tool.stockpipe' is not a table", hint="write [tool.stockpipe]")
    return ProjectTable(file, keys)


def unknown_variables(environ: Mapping[str, str], kinds: Mapping[str, type[Options]]) -> Iterator[str]:
    """One line per variable that is named like ours and is unknown."""
    names: dict[str, bool] = {}
    for command, kind in kinds.items():
        for key, field in keys_of(kind).items():
            for name in _variable_names(command, key):
                names[name] = names.get(name, True) and is_typed_only(kind.annotations[field])
    for name in sorted(environ):
        if not name.startswith(PREFIX) or (name in names and not names[name]):
            continue
        if name in names:
            option = f"--{name.removeprefix(PREFIX).lower().replace('_', '-')}"
            yield f"'{name}' is ignored: '{option}' {_TYPED}"
        else:
            near = nearest(name, (each for each, typed in names.items() if not typed))
            yield f"'{name}' is ignored: there is no such setting" + (f"; did you mean '{near}'?" if near else "")


def keys_of(kind: type[Options]) -> dict[str, str]:
    """A command's options by their names in a table, each with its field: `drain-timeout` for `drain_timeout_s`."""
    return {
        flag(name, info).removeprefix("--"): name
        for name, hint in kind.annotations.items()
        for info in [parts(hint)[1]]
        if not isinstance(info, ArgumentInfo)
    }


def _kinds(context: typer.Context, own: type[Options]) -> dict[str, type[Options]]:
    """The class of options of each command; just `own` if the command line has only one command."""
    commands: Mapping[str, Any] = getattr(context.find_root().command, "commands", {})
    found = {name: getattr(command.callback, "kind", None) for name, command in commands.items()}
    return {name: kind for name, kind in found.items() if kind is not None} or {context.info_name or "": own}


def _variable_names(command: str, key: str) -> tuple[str, str]:
    """The variable for one command, and the one for all."""
    words = [word.replace("-", "_").upper() for word in (command, key)]
    return f"{PREFIX}{words[0]}_{words[1]}", f"{PREFIX}{words[1]}"


Found = Mapping[str, tuple[Any, str]]
"""For each field, its value and the place that sets it."""


def _variables(options: Options, command: str, environ: Mapping[str, str]) -> Found:
    found: dict[str, tuple[Any, str]] = {}
    for key, field in keys_of(type(options)).items():
        hint = options.annotations[field]
        name = next((name for name in _variable_names(command, key) if environ.get(name)), None)
        if name is None or field in options.typed or is_typed_only(hint):
            continue
        try:
            texts = shlex.split(environ[name]) if repeats(parts(hint)[0]) else [environ[name]]
            found[field] = (_value(field, hint, texts, None), name)
        except ValueError as error:
            raise InputError.about(f"{name}: ", error) from None
    return found


def _keys(options: Options, command: str, table: ProjectTable, kinds: Mapping[str, type[Options]]) -> Found:
    found: dict[str, tuple[Any, str]] = {}
    everywhere = {key for kind in kinds.values() for key in keys_of(kind)}
    own = keys_of(type(options))

    def take(path: str, given: Mapping[str, Any], known: set[str], tables: Mapping[str, type[Options]]) -> None:
        for name, value in given.items():
            key, place = name.replace("_", "-"), f"'{table.file}': '{path}.{name}'"
            if key in tables and not isinstance(value, dict):
                raise InputError(f"{place} is not a table", hint=f"write [{path}.{name}]")
            if key in tables:
                take(f"{path}.{name}", value, set(keys_of(tables[key])), {})
            elif key not in known:
                near = nearest(key, [*known, *tables])
                how = f"did you mean '{near}'?" if near else "`stockpipe docs configuration` lists the keys"
                raise InputError(f"{place} is not known", hint=how)
            elif all(is_typed_only(kind.annotations[keys_of(kind)[key]]) for kind in _having(key, kinds)):
                raise InputError(f"{place} cannot be set here: '--{key}' {_TYPED}")
            elif path in ("tool.stockpipe", f"tool.stockpipe.{command}", f"tool.stockpipe.{command.replace('-', '_')}"):
                field = own.get(key)
                if field is None or field in options.typed or is_typed_only(options.annotations[field]):
                    continue
                if field in found and path == "tool.stockpipe":
                    continue
                try:
                    found[field] = (_value(field, options.annotations[field], value, table.file.parent), place)
                except ValueError as error:
                    raise InputError.about(f"{place}: ", error) from None

    # Tables last in a file come last here too: those of commands go before the keys for all.
    ordered = dict(sorted(table.keys.items(), key=lambda item: not isinstance(item[1], dict)))
    take("tool.stockpipe", ordered, everywhere, kinds)
    return found


def _having(key: str, kinds: Mapping[str, type[Options]]) -> list[type[Options]]:
    return [kind for kind in kinds.values() if key in keys_of(kind)]


def _value(field: str, hint: Any, given: Any, folder: Path | None) -> Any:
    """A field's value from a variable or a table; a file name is relative to `folder`.

    Raises `ValueError`.
    """
    kind = parts(hint)[0]
    if repeats(kind):
        if not isinstance(given, list):
            raise UnusableValueError(f"{given!r} is not a list", "write [...], even for a single value")
        return tuple(_one(field, hint, each, folder) for each in given)
    if isinstance(given, list) and folder is None:
        (given,) = given
    if kind in (bool, bool | None):
        switch = given if isinstance(given, bool) else _SWITCH.get(str(given).lower())
        if switch is None or (isinstance(given, int | float) and not isinstance(given, bool)):
            raise UnusableValueError(f"'{given}' is neither true nor false")
        return switch
    return _one(field, hint, given, folder)


def _one(field: str, hint: Any, given: Any, folder: Path | None) -> Any:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise UnusableValueError(f"{str(given).lower() if isinstance(given, bool) else repr(given)} is not text")
    kind, _, written = parts(hint)
    text = str(given)
    is_file = written.is_file if written else Path in (kind, *get_args(kind))
    if "\0" in text:
        raise UnusableValueError("it contains a NUL character")
    if folder is not None and text != "-" and (is_file or (field == "scenario" and text.endswith((".yaml", ".yml")))):
        text = str(folder / text)
    if written is not None:
        return written.parse(text)
    return Path(text) if is_file else text


def _layered(options: AnyOptions, layers: list[Found]) -> AnyOptions:
    """Add the layers below the command line, strongest first; a weaker rival of a set option is left out."""
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    taken = set(options.typed)
    for layer in layers:
        shut = {name for group in options.rivals if group & taken for name in group} | taken
        chosen = {name: found for name, found in layer.items() if name not in shut}
        values |= {name: value for name, (value, _) in chosen.items()}
        places |= {name: place for name, (_, place) in chosen.items()}
        taken |= chosen.keys()
    if not values:
        return options
    return options.replaced(**values, given={*options.given, *values}, configured=places)
