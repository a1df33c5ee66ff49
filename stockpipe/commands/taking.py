"""A typer command made of a class of options: its parameters, and what fills them.

The command line comes first, then the user's variables, then the project's table.
"""

from __future__ import annotations

import copy
import functools
import inspect
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import typer
from typer.models import OptionInfo

from simulator.base.errors import ExitCode, StockpipeError
from stockpipe.commands.completion import REQUEST
from stockpipe.commands.options import Options, parts

AnyOptions = TypeVar("AnyOptions", bound=Options)


class UnusableOption(typer.BadParameter):
    """The value of an option or argument cannot be used; `hint` says how to write it."""

    def __init__(self, error: ValueError) -> None:
        self.hint: str | None = getattr(error, "hint", None)
        super().__init__(str(error.args[0]) if self.hint else str(error))


def takes(kind: type[AnyOptions]) -> Callable[[Callable[[AnyOptions], None]], Callable[..., None]]:
    """Make a typer command of a function whose one argument is the command's options.

    What the command line leaves open, the user's variables and the project's table may set. The command has its class
    of options as `kind`.
    """
    panels = {name: panel for panel, names in kind.panels.items() for name in names}
    places = [None, *kind.panels]
    names = sorted(kind.annotations, key=lambda name: places.index(panels.get(name)))
    parameters = [_parameter(kind, name, panels.get(name)) for name in names]

    def decorate(run: Callable[[AnyOptions], None]) -> Callable[..., None]:
        @functools.wraps(run)
        def command(context: typer.Context, **values: Any) -> None:
            from stockpipe.commands.configuration import configured

            sources = {name: context.get_parameter_source(name) for name in values}
            given = frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")
            present = {name: value for name, value in values.items() if value is not None}
            held = {name: tuple(value) if isinstance(value, list) else value for name, value in present.items()}
            options = configured(kind(**held, given=given), context)
            try:
                run(options)
            except StockpipeError as error:
                _name_places(error, options)
                raise

        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        command.__annotations__ = {}  # typer would look for those of `run`, and `run` may be any callable
        command.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
        command.kind = kind  # type: ignore[attr-defined]
        return command

    return decorate


def _name_places(error: StockpipeError, options: Options) -> None:
    """Say where the options that an error names were set, if that is not the command line.

    Wrong input that names no option that is given may come from any of those that are configured.
    """
    said = "\n".join(map(str, error.args))
    named = {name for name in options.given if _is_named(name, options, said)}
    if not named and error.exit_code == ExitCode.WRONG_INPUT:
        named = set(options.configured)
    hints = [error.hint] if error.hint else []
    for name in [name for name in options.configured if name in named]:
        word, place = options.flag_of(name), options.configured[name]
        if f"leave out {word}" in hints:
            hints[0] = place.way_out
        else:
            hints.append(f"'{word}' is set by {place}")
    if hints:
        error.hinted("; ".join(hints).replace("?; ", "? "))


def _is_named(field: str, options: Options, said: str) -> bool:
    """Whether an error has a field's option or argument, or a text of its value that is long enough to mean it."""
    written = parts(options.annotations[field])[2]
    texts = () if written and written.choices else _texts(getattr(options, field))
    return any(
        re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", said)
        for each in (options.flag_of(field), *(text for text in texts if len(text) > 2))
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, tuple | dict):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str | Path):
        yield str(value)


def _parameter(options: type[Options], name: str, panel: str | None) -> inspect.Parameter:
    default: Any = getattr(options, name, inspect.Parameter.empty)
    kind, info, written = parts(options.annotations[name])
    info = copy.copy(info)
    info.min = info.max = None  # `written` has them
    if isinstance(info, OptionInfo):
        info.rich_help_panel = panel
    if get_origin(kind) is tuple:
        item = Any if written else get_args(kind)[0]
        kind, default = list[item], None  # type: ignore[valid-type]
    elif written is not None:
        kind, default = Any, default if default in (None, inspect.Parameter.empty) else written.text(default)
    if written is not None:
        info.parser, info.metavar = _refusing(written.parse), info.metavar or written.metavar
    # Where nothing is offered the shell offers files; older versions of typer would offer what is there already.
    info.autocompletion = info.autocompletion or (lambda: written.choices if written else ())
    if isinstance(info.show_default, str):
        info.help, info.show_default = f"{info.help}  [default: {info.show_default.format(default)}]", False
    elif default is None:
        info.show_default = False  # older versions of typer would show it
    annotation: Any = Annotated[kind, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _refusing(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parsed(text: str) -> Any:
        if REQUEST in os.environ:  # nobody waits for what a file holds while a shell completes
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise UnusableOption(error) from None

    return parsed
