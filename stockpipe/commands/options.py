"""A command's options are one class: its fields have their names, types, help and defaults, and nothing else does.

A field is `Annotated[TYPE, typer.Option(help=...)]`, or `typer.Argument`, with its default. A `Written` among the
annotations says how a value that typer does not know is read and shown; a `Literal` is a choice; a tuple of any length
is an option that can be repeated. `show_default` may be words; `{}` in them stands for the default.
"""

from __future__ import annotations

import copy
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NoReturn,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
)

import typer
from typer.models import ArgumentInfo, ParameterInfo

T = TypeVar("T")
AnyOptions = TypeVar("AnyOptions", bound="Options")


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """How a value is written: `parse` raises `ValueError` with one line, `text` is its inverse."""

    parse: Callable[[str], T]
    metavar: str
    text: Callable[[T], str] = str


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Options:
    """The options of a command as they hold; `given` names the fields that the command line itself sets.

    A class of options is written as a frozen dataclass is, without the decorator: the code that dataclasses generate
    for the dozen of them would be a tenth of the time of `--help`. `annotations` are by field, a class's own before
    those of its bases.
    """

    annotations: ClassVar[Mapping[str, Any]] = {}
    given: Set[str] = frozenset()

    def __init_subclass__(cls) -> None:
        annotations = inspect.get_annotations(cls, eval_str=True)
        for name, annotation in annotations.items():
            if not hasattr(annotation, "__metadata__") or hasattr(Options, name):
                raise TypeError(f"{cls.__name__}.{name} is no option")
            if getattr(cls, name, None).__hash__ is None:
                raise TypeError(f"{cls.__name__}.{name} is no option with a default that cannot change")
        for base in cls.__bases__:
            for name, annotation in getattr(base, "annotations", {}).items():
                annotations.setdefault(name, annotation)
        cls.annotations = annotations

    def __init__(self, **values: Any) -> None:
        name = type(self).__name__
        if unknown := values.keys() - self.annotations - {"given"}:
            raise TypeError(f"{name} has no field {min(unknown)}")
        if missing := [field for field in self.annotations if field not in values and not hasattr(self, field)]:
            raise TypeError(f"{name} needs a value for {missing[0]}")
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen; make another one with `replaced`")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.held().items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and type(other) is type(self) and other.held() == self.held()

    def held(self) -> dict[str, Any]:
        """What holds, by field, given or not."""
        return {name: getattr(self, name) for name in (*self.annotations, "given")}

    def words(self, names: Set[str]) -> list[str]:
        """The words of a command line that set these fields to what they hold here; arguments come last."""
        options: list[str] = []
        arguments: list[str] = []
        for name, hint in self.annotations.items():
            value = getattr(self, name, None)
            if name not in names or value is None:
                continue
            kind, info, written = _parts(hint)
            texts = [written.text(each) if written else str(each) for each in (value if _repeats(kind) else [value])]
            if isinstance(info, ArgumentInfo):
                arguments += texts
            elif isinstance(value, bool):
                options += [_flag(name, info)] if value else []
            else:
                options += [word for text in texts for word in (_flag(name, info), text)]
        guard = ["--"] if any(text.startswith("-") for text in arguments) else []
        return [*options, *guard, *arguments]

    def replaced(self, **values: Any) -> Self:
        """The same with other values for these fields."""
        return type(self)(**vars(self) | values)


def takes(kind: type[AnyOptions]) -> Callable[[Callable[[AnyOptions], None]], Callable[..., None]]:
    """Make a typer command of a function whose one argument is the command's options."""
    fields = kind.annotations.items()
    parameters = [_parameter(name, hint, getattr(kind, name, inspect.Parameter.empty)) for name, hint in fields]

    def decorate(run: Callable[[AnyOptions], None]) -> Callable[..., None]:
        @functools.wraps(run)
        def command(context: typer.Context, **values: Any) -> None:
            sources = {name: context.get_parameter_source(name) for name in values}
            given = frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")
            present = {name: value for name, value in values.items() if value is not None}
            for name, value in present.items():
                if isinstance(value, float) and not math.isfinite(value):
                    raise typer.BadParameter(f"{value} is not a finite number", param_hint=f"--{name}")
            held = {name: tuple(value) if isinstance(value, list) else value for name, value in present.items()}
            run(kind(**held, given=given))

        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        command.__annotations__ = {}  # typer would look for those of `run`, and `run` may be any callable
        command.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
        return command

    return decorate


def _parts(hint: Any) -> tuple[Any, ParameterInfo, Written[Any] | None]:
    """A field's type, what typer is to know of it, and how it is written."""
    kind, *notes = get_args(hint)
    info = next(note for note in notes if isinstance(note, ParameterInfo))
    return kind, info, next((note for note in notes if isinstance(note, Written)), None)


def _repeats(kind: Any) -> bool:
    """Whether a type is that of an option which can be given several times."""
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _flag(name: str, info: ParameterInfo) -> str:
    """An option as it is written; typer takes the first of its names for a default."""
    return info.default if isinstance(info.default, str) else f"--{name.replace('_', '-')}"


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    kind, info, written = _parts(hint)
    info = copy.copy(info)
    if get_origin(kind) is Literal:
        written = _choice(get_args(kind))
    if get_origin(kind) is tuple:
        item = Any if written else get_args(kind)[0]
        kind, default = list[item], None  # type: ignore[valid-type]
    elif written is not None:
        kind, default = Any, default if default in (None, inspect.Parameter.empty) else written.text(default)
    if written is not None:
        info.parser, info.metavar = _refusing(written.parse), info.metavar or written.metavar
    if isinstance(info.show_default, str):
        info.help, info.show_default = f"{info.help}  [default: {info.show_default.format(default)}]", False
    elif default is None:
        info.show_default = False  # older versions of typer would show it
    annotation: Any = Annotated[kind, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


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
