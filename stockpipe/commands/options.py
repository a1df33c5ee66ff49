"""A command's options are one dataclass: its fields have their names, types, help and defaults, and nothing else does.

A field is `Annotated[TYPE, typer.Option(help=...)]`, or `typer.Argument`, with its default. A `Written` among the
annotations says how a value that typer does not know is read and shown; a `Literal` is a choice; a tuple of any length
is an option that can be repeated. `show_default` may be words; `{}` in them stands for the default.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Set
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

import typer
from typer.models import ParameterInfo

T = TypeVar("T")
AnyOptions = TypeVar("AnyOptions", bound="Options")


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """How a value is written: `parse` raises `ValueError` with one line, `text` is its inverse."""

    parse: Callable[[str], T]
    metavar: str
    text: Callable[[T], str] = str


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a command as they hold; `given` names the fields that the command line itself sets."""

    given: Set[str] = frozenset()


def takes(kind: type[AnyOptions]) -> Callable[[Callable[[AnyOptions], None]], Callable[..., None]]:
    """Make a typer command of a function whose one argument is the command's options."""
    hints = get_type_hints(kind, include_extras=True)
    by_name = {field.name: field for field in fields(kind)}
    # A class's own options come before those of its bases.
    names = dict.fromkeys(name for each in kind.__mro__[:-2] for name in inspect.get_annotations(each))
    parameters = [_parameter(by_name[name], hints[name]) for name in names]

    def decorate(run: Callable[[AnyOptions], None]) -> Callable[..., None]:
        @functools.wraps(run)
        def command(context: typer.Context, **values: Any) -> None:
            sources = {name: context.get_parameter_source(name) for name in values}
            given = frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")
            present = {name: value for name, value in values.items() if value is not None}
            held = {name: tuple(value) if isinstance(value, list) else value for name, value in present.items()}
            run(kind(**held, given=given))

        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        command.__annotations__ = {}  # typer would look for those of `run`, and `run` may be any callable
        command.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
        return command

    return decorate


def _parameter(field: Field[Any], hint: Any) -> inspect.Parameter:
    kind, *notes = get_args(hint)
    info = copy.copy(next(note for note in notes if isinstance(note, ParameterInfo)))
    written = next((note for note in notes if isinstance(note, Written)), None)
    if get_origin(kind) is Literal:
        written = _choice(get_args(kind))
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    if get_origin(kind) is tuple:
        item = Any if written else get_args(kind)[0]
        kind, default = list[item], None  # type: ignore[valid-type]
    elif written is not None:
        kind, default = Any, written.text(default) if field.default not in (MISSING, None) else default
    if written is not None:
        info.parser, info.metavar = _refusing(written.parse), info.metavar or written.metavar
    if isinstance(info.show_default, str):
        info.help, info.show_default = f"{info.help}  [default: {info.show_default.format(default)}]", False
    elif default is None:
        info.show_default = False  # older versions of typer would show it
    annotation: Any = Annotated[kind, info]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _choice(allowed: tuple[str, ...]) -> Written[str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"'{text}' is not one of {', '.join(allowed)}")
        return text

    return Written(parse, "|".join(allowed))


def _refusing(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parsed
