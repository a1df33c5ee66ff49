"""A command's template parameters: from `--parameters` files, and from `--parameter`, which takes precedence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn, TypeVar

import typer

from simulator.base.errors import InputError
from simulator.base.files import UnusableFileError, read_bounded
from simulator.base.shown import is_usable
from stockpipe.commands.options import Options, Written
from stockpipe.commands.values import is_parameter_name

AnyOptions = TypeVar("AnyOptions", bound=Options)
MAX_BYTES = 1024 * 1024
"""No list of parameters is larger, so a larger file is something else."""
_FORM = 'write {"NAME": "VALUE", ...}, as `stockpipe inspect --write` does'


class ParameterFile(NamedTuple):
    """A file of parameters, read only once because it may be a pipe."""

    path: Path
    values: dict[str, str]


def parameters_of(options: Options) -> dict[str, str]:
    """Each parameter's value: from `--parameter`, else from a short option, else from the last file."""
    return parameters_in(options.held(), options.short)


def parameters_in(held: Mapping[str, Any], short: Mapping[str, str]) -> dict[str, str]:
    """The same of these values of fields; `short` has the parameter that a field sets."""
    chosen: dict[str, str] = {}
    for file in held.get("parameter_files", ()):
        chosen |= file.values
    chosen |= {name: str(int(held[field])) for field, name in short.items() if held.get(field) is not None}
    return chosen | dict(held.get("parameters", ()))


def giving_way(options: AnyOptions, names: Set[str]) -> AnyOptions:
    """The options without configured values for these template parameters; typed values stay."""
    fields = options.configured.keys() & {"parameters", "parameter_files", *options.short}
    if not names & parameters_in({field: getattr(options, field) for field in fields}, options.short).keys():
        return options
    typed = options.yielding(fields)
    taken = {*names, *parameters_of(typed)}
    rest = tuple((name, value) for name, value in parameters_of(options).items() if name not in taken)
    parameters: tuple[tuple[str, str], ...] = getattr(typed, "parameters", ())
    given = typed.given | ({"parameters"} if rest else set())
    return typed.replaced(parameters=(*rest, *parameters), given=given)


def repeatable(options: AnyOptions) -> AnyOptions:
    """The options for a command to print: parameters from a pipe, which is gone by then, become `--parameter`."""
    files: tuple[ParameterFile, ...] = getattr(options, "parameter_files", ())
    gone = {name for file in files if not file.path.is_file() for name in file.values}
    if not gone:
        return options
    parameters: dict[str, str] = {name: value for file in files for name, value in file.values.items() if name in gone}
    return options.replaced(
        parameter_files=tuple(file for file in files if file.path.is_file()),
        parameters=tuple((parameters | dict(getattr(options, "parameters", ()))).items()),
        given={*options.given, "parameters"},
    )


def read(path: Path) -> dict[str, str]:
    """Read the parameters in a JSON file: names and values, or CloudFormation's ParameterKey and ParameterValue.

    Numbers stay as they are written; true and false become text as in CloudFormation. Raises `InputError`.
    """

    def refuse(why: str, hint: str | None = None) -> NoReturn:
        raise InputError(f"'{path}' {why}", hint=hint)

    try:
        content = read_bounded(path, MAX_BYTES)
        document = json.loads(
            content.decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            parse_constant=lambda name: refuse(f"has {name}, which is not a number in JSON"),
            object_pairs_hook=_Members,
        )
    except FileNotFoundError as error:
        refuse(f"cannot be read: {error.strerror}")
    except UnusableFileError as error:
        refuse(str(error))
    except UnicodeDecodeError:
        refuse("is not a text file in UTF-8")
    except json.JSONDecodeError as error:
        refuse(f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}")
    except RecursionError:
        refuse("is nested too deeply to be a list of parameters")
    pairs = document if isinstance(document, _Members) else _cloudformation(document)
    if pairs is None:
        refuse("is not a list of template parameters", _FORM)
    found: dict[str, str] = {}
    for name, value in pairs:
        if not isinstance(name, str) or not is_parameter_name(name):
            refuse(f"has a parameter named {json.dumps(name)[:60]}", "names are letters and digits, as in FileCount")
        if name in found:
            refuse(f"has the parameter '{name}' twice")
        if not isinstance(value, str | bool) or not is_usable(str(value)):
            refuse(f"has a value for '{name}' that is not text or a number", _FORM)
        found[name] = value if isinstance(value, str) else str(value).lower()
    return found


class _Members(list[tuple[str, Any]]):
    """A JSON object's members, including several with the same name."""


def _cloudformation(document: Any) -> Iterable[tuple[Any, Any]] | None:
    """The pairs of a list in the form of `aws cloudformation`; None if it is not such a list."""
    if type(document) is not list or not all(isinstance(entry, _Members) for entry in document):
        return None
    entries = [dict(entry) for entry in document]
    if not all(entry.keys() >= {"ParameterKey", "ParameterValue"} for entry in entries):
        return None
    return [(entry["ParameterKey"], entry["ParameterValue"]) for entry in entries]


FILE = Written(
    lambda text: ParameterFile(Path(text), read(Path(text))),
    "FILE.json",
    lambda file: str(file.path),
    is_file=lambda _: True,
)
ParameterFiles = Annotated[
    tuple[ParameterFile, ...],
    FILE,
    typer.Option(
        "--parameters",
        help="A file of template parameters, as `inspect --write` writes it; --parameter takes precedence; repeatable.",
    ),
]
