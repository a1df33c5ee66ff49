"""Mistakes on the command line in our own words, because typer's are for programmers."""

from __future__ import annotations

import re
from typing import Any

from simulator.base.errors import InputError
from simulator.base.nearest import nearest


def explained(error: Any) -> InputError:
    """Explain a usage error from typer: what is wrong, and what to write instead."""
    command = error.ctx.command_path if error.ctx else "stockpipe"
    kind = type(error).__name__
    see = _see(command)
    if kind == "NoSuchOption":
        return _no_option(error)
    if kind == "MissingParameter":
        is_option = error.param.param_type_name == "option"
        what = f"option '{error.param.opts[0]}'" if is_option else f"argument '{error.param.metavar}'"
        return InputError(f"'{command}' needs the {what}", hint=f"`{command} --help` shows an example")
    if kind == "BadOptionUsage":
        return _no_value(error)
    if kind == "BadParameter" or hasattr(error, "param_hint"):
        return InputError(f"{_place(error)}{error.message.rstrip('.')}", hint=getattr(error, "hint", None) or see)
    if found := re.fullmatch(r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", error.message, re.DOTALL):
        return InputError(f"'{command}' does not take the argument '{found[1]}'", hint=see)
    return InputError(error.message.rstrip("."), hint=see)


def no_command(name: str, known: list[str]) -> InputError:
    """The error for an unknown command."""
    near = nearest(name, known)
    hint = f"did you mean 'stockpipe {near}'?" if near else "`stockpipe --help` lists the commands"
    return InputError(f"there is no command '{name}'", hint=hint)


def _no_option(error: Any) -> InputError:
    command, params = error.ctx.command_path, error.ctx.command.get_params(error.ctx)
    options = [each for param in params for each in (*param.opts, *param.secondary_opts)]
    near = nearest(error.option_name, [each for each in options if each.startswith("--")])
    hint = f"did you mean '{near}'?" if near else _see(command)
    return InputError(f"'{command}' has no option '{error.option_name}'", hint=hint)


def _no_value(error: Any) -> InputError:
    """The error for an option without its value, or a switch with a value."""
    command, params = error.ctx.command_path, error.ctx.command.get_params(error.ctx)
    found = [each for each in params if error.option_name in (*each.opts, *each.secondary_opts)]
    if "not take a value" in error.message or not found:
        return InputError(f"the option '{error.option_name}' of '{command}' does not take a value", hint=_see(command))
    hint = f"write {error.option_name} {found[0].metavar or 'TEXT'}"
    return InputError(f"the option '{error.option_name}' of '{command}' needs a value", hint=hint)


def _see(command: str) -> str:
    return f"`{command} --help` lists its options"


def _place(error: Any) -> str:
    """The option or argument that is wrong."""
    if error.param_hint is not None:
        return f"{error.param_hint}: "
    if error.param is None:
        return ""
    return f"{error.param.opts[0]}: " if error.param.param_type_name == "option" else ""
