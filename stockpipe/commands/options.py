"""A command's options are one class: its fields are the only place for their names, types, help and defaults.

A field is `Annotated[TYPE, typer.Option(help=...)]`, or `typer.Argument`, with its default. A `Written` among the
annotations says how to read and show a value that typer does not know; a `Literal` is a choice; a tuple of any length
is a repeatable option. `show_default` may be a text, in which `{}` is replaced by the default. `TYPED` among the
annotations restricts a field to the command line: neither a variable nor a table can set it.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, NoReturn, Self, TypeVar, dataclass_transform, get_args, get_origin

from typer.models import ArgumentInfo, ParameterInfo

from simulator.base.errors import UnusableValueError
from simulator.base.nearest import listed, nearest

T = TypeVar("T")
AnyOptions = TypeVar("AnyOptions", bound="Options")
TYPED = "only on the command line"
"""Marks options that lead to AWS, spend money, delete or answer a question, so that nothing sets them by accident."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}")


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """How a value is written: `parse` raises `ValueError` with one line, `text` is its inverse.

    `choices` has all texts that are allowed, if they are few; `is_file` says whether a text is a file name.
    """

    parse: Callable[[str], T]
    metavar: str
    text: Callable[[T], str] = str
    choices: tuple[str, ...] = ()
    is_file: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a default was set: a variable, or a key of a table in a file."""

    name: str
    table: str = ""
    file: Path | None = None

    def __str__(self) -> str:
        return f"'{self.file}': '{self.table}.{self.name}'" if self.file else self.name

    @property
    def way_out(self) -> str:
        """How to take the default away."""
        return f"remove '{self.name}' from [{self.table}] in '{self.file}'" if self.file else f"unset {self.name}"


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Options:
    """The options of a command with the values in force; `given` names the fields that somebody set.

    Of those, `configured` has the ones that a variable or a table sets, each with its place, and `typed` the others,
    which are on the command line. A typed field overrides a configured one, also within each set of `rivals`, which are
    fields, or single values such as `ui=live`, that exclude each other. `short` has the template parameter that a field
    sets. `panels` has the groups of the help, each with its fields.

    Subclasses look like frozen dataclasses without the decorator: the code that dataclasses generate for all of them
    would take a tenth of the time of `--help`. `annotations` are by field, a class's own before those of its bases.
    """

    annotations: ClassVar[Mapping[str, Any]] = {}
    rivals: ClassVar[tuple[frozenset[str], ...]] = ()
    short: ClassVar[Mapping[str, str]] = {}
    panels: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    given: Set[str] = frozenset()
    configured: Mapping[str, Origin] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        annotations = inspect.get_annotations(cls, eval_str=True)
        for name in ("rivals", "short", "panels"):
            annotations.pop(name, None)
        for name, annotation in annotations.items():
            if not hasattr(annotation, "__metadata__") or hasattr(Options, name):
                raise TypeError(f"{cls.__name__}.{name} is not an option")
            if getattr(cls, name, None).__hash__ is None:
                raise TypeError(f"{cls.__name__}.{name} is not an option with a default that cannot change")
        for base in cls.__bases__:
            for name, annotation in getattr(base, "annotations", {}).items():
                annotations.setdefault(name, annotation)
        cls.annotations = annotations

    def __init__(self, **values: Any) -> None:
        name = type(self).__name__
        if unknown := values.keys() - self.annotations - {"given", "configured"}:
            raise TypeError(f"{name} has no field {min(unknown)}")
        if missing := [field for field in self.annotations if field not in values and not hasattr(self, field)]:
            raise TypeError(f"{name} needs a value for {missing[0]}")
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen; use `replaced` to get a changed copy")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.held().items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and type(other) is type(self) and other.held() == self.held()

    def held(self) -> dict[str, Any]:
        """The values in force by field, given or not."""
        return {name: getattr(self, name) for name in (*self.annotations, "given")}

    @property
    def typed(self) -> Set[str]:
        """The fields that the command line sets."""
        return self.given - self.configured.keys()

    def yielding(self, fields: Set[str]) -> Self:
        """The same options, but with defaults in place of configured values of these fields and their rivals."""
        rivals = {name for group in self.rivals if group & fields for name in group}
        dropped = self.configured.keys() & (rivals | fields)
        held = {name: value for name, value in vars(self).items() if name not in dropped}
        kept = {name: where for name, where in self.configured.items() if name not in dropped}
        return type(self)(**held | {"given": self.given - dropped, "configured": kept})

    @classmethod
    def flag_of(cls, field: str) -> str:
        """A field as an option on the command line: `--drain-timeout` for `drain_timeout_s`."""
        return flag(field, parts(cls.annotations[field])[1])

    def words(self, names: Set[str]) -> list[str]:
        """The command-line words that set these fields to their values here; arguments come last."""
        options: list[str] = []
        arguments: list[str] = []
        for name, hint in self.annotations.items():
            value = getattr(self, name, None)
            if name not in names or value is None:
                continue
            kind, info, written = parts(hint)
            texts = [written.text(each) if written else str(each) for each in (value if repeats(kind) else [value])]
            if isinstance(info, ArgumentInfo):
                arguments += texts
            elif isinstance(value, bool):
                options += [flag(name, info)] if value else []
            else:
                options += [word for text in texts for word in (flag(name, info), text)]
        guard = ["--"] if any(text.startswith("-") for text in arguments) else []
        return [*options, *guard, *arguments]

    def replaced(self, **values: Any) -> Self:
        """The same options with other values for these fields."""
        return type(self)(**vars(self) | values)


def parts(hint: Any) -> tuple[Any, ParameterInfo, Written[Any] | None]:
    """A field's type, its typer parameter, and how to write it (None: like any text, path or switch)."""
    kind, *notes = get_args(hint)
    info = next(note for note in notes if isinstance(note, ParameterInfo))
    written = next((note for note in notes if isinstance(note, Written)), None)
    if written is None and get_origin(kind) is Literal:
        written = _choice(get_args(kind))
    elif written is None and (number := next((each for each in (int, float) if each in (kind, *get_args(kind))), None)):
        written = _number(number, info.min, info.max)
    return kind, info, written


def is_typed_only(hint: Any) -> bool:
    """Whether only the command line can set a field: an argument, or one marked `TYPED`."""
    return TYPED in get_args(hint)[1:] or isinstance(parts(hint)[1], ArgumentInfo)


def repeats(kind: Any) -> bool:
    """Whether this is the type of a repeatable option."""
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def flag(name: str, info: ParameterInfo) -> str:
    """An option as it is written on the command line; typer keeps its first name as a default."""
    return info.default.partition("/")[0] if isinstance(info.default, str) else f"--{name.replace('_', '-')}"


def _choice(allowed: tuple[str, ...]) -> Written[str]:
    def parse(text: str) -> str:
        if text not in allowed:
            near = nearest(text, allowed)
            raise UnusableValueError(f"'{text}' is not one of {listed(allowed)}", near and f"did you mean '{near}'?")
        return text

    return Written(parse, "|".join(allowed), choices=allowed)


def _number(kind: type[int] | type[float], least: float | None, most: float | None) -> Written[float]:
    """A whole number, or any finite number, from `least` to `most`."""

    def parse(text: str) -> float:
        try:
            value = kind(text) if kind is float or _WHOLE.fullmatch(text) else None
        except ValueError:
            value = None
        if value is None or (kind is float and not math.isfinite(value)):
            raise UnusableValueError(f"'{text}' is not a {'whole' if kind is int else 'finite'} number")
        if least is not None and most is not None and not least <= value <= most:
            raise UnusableValueError(f"'{text}' is not between {least:.15g} and {most:.15g}")
        if least is not None and value < least:
            raise UnusableValueError(f"'{text}' is too small; the least is {least:.15g}")
        return value

    return Written(parse, "N" if kind is int else "X")
