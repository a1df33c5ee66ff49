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
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_args

import typer
from typer.models import ArgumentInfo

from simulator.base.errors import InputError, UnusableValueError
from simulator.base.nearest import listed, nearest
from stockpipe.commands.options import Options, Origin, flag, is_typed_only, parts, repeats
from stockpipe.commands.outputs import echo
from stockpipe.commands.parameters import parameters_in
from stockpipe.commands.values import ASSIGNMENT

AnyOptions = TypeVar("AnyOptions", bound=Options)
Layer = Mapping[str, tuple[Any, Origin]]
"""For each field, its value as written, and where."""
Kinds = Mapping[str, type[Options]]
"""Each command's class of options."""
PREFIX = "STOCKPIPE_"
FILE = "pyproject.toml"
PROJECT_BYTES = 1024 * 1024
"""The largest pyproject.toml that is read."""
_TABLE = "tool.stockpipe"
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
    that cannot be used or a table with an unknown key. A command without options that can be configured, such as
    `docs`, reads neither.
    """
    kind = type(options)
    if all(map(is_typed_only, kind.annotations.values())):
        return options
    kinds = _kinds(context, kind)
    command = next((name for name, each in kinds.items() if each is kind), "")
    for warning in unknown_variables(os.environ, kinds):
        echo(f"stockpipe: warning: {warning}", err=True)
    layers = [_variables(kind, names) for names in (_variable(command, ""), PREFIX)]
    if table := find_table():
        _require_known(table, kinds)
        own = [name for name in table.keys if _dashed(name) == command]
        layers += [_keys(kind, table.file, f"{_TABLE}.{name}", table.keys[name]) for name in own]
        layers.append(_keys(kind, table.file, _TABLE, table.keys))
    return _layered(options, layers)


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


def unknown_variables(environ: Mapping[str, str], kinds: Kinds) -> Iterator[str]:
    """One line per variable that is named like ours and is unknown."""
    settable: set[str] = set()
    typed: dict[str, str] = {}
    for command, kind in kinds.items():
        for key, field in keys_of(kind).items():
            names = (_variable(command, key), _variable("", key))
            if is_typed_only(kind.annotations[field]):
                typed |= dict.fromkeys(names, f"--{key}")
            else:
                settable.update(names)
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in settable:
            continue
        if name in typed:
            yield f"'{name}' is ignored: '{typed[name]}' {_TYPED}"
        else:
            # The common beginning would make any two names look alike.
            common = next(each for each in (*(_variable(each, "") for each in kinds), PREFIX) if name.startswith(each))
            rest = {each.removeprefix(common): each for each in sorted(settable) if each.startswith(common)}
            near = nearest(name.removeprefix(common), rest)
            yield f"'{name}' is ignored: there is no such setting" + (f"; did you mean '{rest[near]}'?" if near else "")


def keys_of(kind: type[Options]) -> dict[str, str]:
    """A command's options by their names in a table, each with its field: `drain-timeout` for `drain_timeout_s`."""
    return {
        flag(name, info).removeprefix("--"): name
        for name, hint in kind.annotations.items()
        for info in [parts(hint)[1]]
        if not isinstance(info, ArgumentInfo)
    }


def _kinds(context: typer.Context, own: type[Options]) -> Kinds:
    """The class of options of each command; just `own` if the command line has only one command."""
    commands: Mapping[str, Any] = getattr(context.find_root().command, "commands", {})
    found = {name: getattr(command.callback, "kind", None) for name, command in commands.items()}
    return {name: kind for name, kind in found.items() if kind is not None} or {context.info_name or "": own}


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _variable(command: str, key: str) -> str:
    """The variable for one command, or for all if `command` is empty; without a key, the prefix of the command's."""
    return PREFIX + _upper(f"{command}-{key}" if command else key)


def _upper(name: str) -> str:
    return name.replace("-", "_").upper()


def _variables(kind: type[Options], prefix: str) -> Layer:
    names = {field: prefix + _upper(key) for key, field in keys_of(kind).items()}
    return {field: (os.environ[name], Origin(name)) for field, name in names.items() if os.environ.get(name)}


def _keys(kind: type[Options], file: Path, path: str, given: Mapping[str, Any]) -> Layer:
    fields = keys_of(kind)
    return {
        fields[_dashed(name)]: (value, Origin(name, path, file))
        for name, value in given.items()
        if _dashed(name) in fields
    }


def _require_known(table: ProjectTable, kinds: Kinds) -> None:
    """Raises `InputError` for the first key that is unknown or can only be set on the command line."""
    for name, value in table.keys.items():
        command = _dashed(name)
        if command not in kinds:
            _require_key(Origin(name, _TABLE, table.file), kinds, kinds)
        elif not isinstance(value, dict):
            raise InputError(f"{Origin(name, _TABLE, table.file)} is not a table", hint=f"write [{_TABLE}.{name}]")
        else:
            for key in value:
                _require_key(Origin(key, f"{_TABLE}.{name}", table.file), {command: kinds[command]}, kinds)


def _require_key(place: Origin, among: Kinds, kinds: Kinds) -> None:
    key = _dashed(place.name)
    own, others = _having(key, among), _having(key, kinds)
    if others and not any((own or others).values()):
        raise InputError(f"{place} cannot be set here: '--{key}' {_TYPED}")
    if own:
        return
    known = [each for kind in among.values() for each in keys_of(kind)]
    near = nearest(key, known if len(among) == 1 else [*known, *kinds])
    command = next(iter(among)) if len(among) == 1 else "COMMAND"
    how = f"did you mean '{near}'?" if near else f"`stockpipe {command} --help` lists the options"
    if others:
        how = f"'{key}' is an option of {listed(name for name, settable in others.items() if settable)}"
    raise InputError(f"{place} is not known", hint=how)


def _having(key: str, kinds: Kinds) -> dict[str, bool]:
    """The commands that have an option, and whether it can be set for them."""
    fields = {name: keys_of(kind).get(key) for name, kind in kinds.items()}
    return {name: not is_typed_only(kinds[name].annotations[field]) for name, field in fields.items() if field}


def _value(hint: Any, given: Any, folder: Path | None) -> Any:
    """A field's value from a variable or a table; a file name is relative to `folder`.

    Raises `ValueError`.
    """
    kind, _, written = parts(hint)
    if repeats(kind):
        if folder is None:
            given = _split(given)
        elif isinstance(given, dict) and written is ASSIGNMENT:
            given = [f"{name}={_text(each)}" for name, each in given.items()]
        if not isinstance(given, list):
            raise UnusableValueError(f"'{_text(given)}' is not a list", "write [...], even for a single value")
        return tuple(_one(hint, each, folder) for each in given)
    if kind in (bool, bool | None):
        switch = _SWITCH.get(str(given).lower()) if isinstance(given, bool | str) else None
        if switch is None:
            raise UnusableValueError(f"'{_text(given)}' is neither true nor false")
        return switch
    return _one(hint, given, folder)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        what = "ends with a backslash" if text.endswith("\\") else "has a quotation mark without its counterpart"
        raise UnusableValueError(f"the value {what}", "quote each value as in a shell: 'p99<5s' 'sent>3'") from None


def _text(given: Any) -> str:
    """A value of TOML as it is written on the command line."""
    if isinstance(given, list | dict):
        raise UnusableValueError(f"a {'table' if isinstance(given, dict) else 'list'} is not one value")
    return (
        given.isoformat() if isinstance(given, date) else str(given).lower() if given in (True, False) else str(given)
    )


def _one(hint: Any, given: Any, folder: Path | None) -> Any:
    text = _text(given)
    kind, _, written = parts(hint)
    if written is None and (isinstance(given, bool) or not isinstance(given, str | int | float)):
        raise UnusableValueError(f"{text} is not text", f'write "{text}"')
    is_file = written.is_file(text) if written else Path in (kind, *get_args(kind))
    if "\0" in text:
        raise UnusableValueError("it contains a NUL character")
    if folder is not None and text != "-" and is_file:
        text = str(folder / text)
    if written is not None:
        return written.parse(text)
    return Path(text) if is_file else text


def _layered(options: AnyOptions, layers: list[Layer]) -> AnyOptions:
    """Add the layers below the command line, strongest first; a weaker rival of a set option is left out."""
    kind = type(options)
    held = {name: getattr(options, name) for name in options.typed}
    places: dict[str, Origin] = {}
    for layer in layers:
        marks = {mark for name, value in held.items() for mark in _marks(name, value)}
        shut = [group for group in kind.rivals if group & marks]
        names = parameters_in(held, kind.short)
        chosen: dict[str, Any] = {}
        for name, (given, place) in layer.items():
            hint = kind.annotations[name]
            if name in held or is_typed_only(hint) or kind.short.get(name) in names:
                continue
            try:
                value = _value(hint, given, place.file and place.file.parent)
            except (ValueError, InputError) as error:
                raise InputError.about(f"{place}: ", error) from None
            if name == "parameters":
                value = tuple(pair for pair in value if pair[0] not in names)
            if not any(group & _marks(name, value) for group in shut):
                chosen[name], places[name] = value, place
        held |= chosen
    values = {name: held[name] for name in places}
    return options.replaced(**values, given={*options.given, *values}, configured=places) if values else options


def _marks(name: str, value: Any) -> set[str]:
    """How `rivals` name a field with this value; a switch that is off excludes nothing."""
    return set() if value is False else {name, f"{name}={value}"}
