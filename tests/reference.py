"""Generates docs/commands.md from the commands themselves, so that the two cannot differ."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, get_args

import typer

import cli

_HEAD = """# Commands

Generated from the commands' own help by `make reference`; a test fails when it is out of date.

Durations are written `90s`, `5m`, `1h`; rates `200/s`, `30/m`; times as ISO 8601, UTC unless they name a zone. Colours
obey `NO_COLOR`. Exit codes: 0 done, proven and within [bounds](bounds.md); 1 not proven, or a bound missed; 2 wrong
usage, settings, template or input; 3 could not finish; 130 interrupted before the work was done (1 if rows are not
proven). If the reader of standard output goes away, as `head` does, the exit code does not change; output that cannot
be written for another reason is 3. An error is one line on standard error, or one per file; a last line `  hint: ...`
says what to do about it. You can set your own defaults: [configuration.md](configuration.md).
"""


def markdown(app: typer.Typer) -> str:
    """The whole page."""
    parts = [_HEAD]
    for command in app.registered_commands:
        if command.callback is None or command.hidden:
            continue
        parts.append(f"## stockpipe {command.name}\n\n{inspect.cleandoc(command.callback.__doc__ or '')}\n")
        parts.append(_table(command.callback))
        if command.epilog:
            parts.append(_epilog(inspect.cleandoc(command.epilog)))
    return "\n".join(parts)


def _table(function: Callable[..., Any]) -> str:
    rows = ["| option | meaning |", "| --- | --- |"]
    for name, parameter in inspect.signature(function).parameters.items():
        if name != "context":
            kind, info = get_args(parameter.annotation)
            rows.append(f"| `{_cell(_written(name, kind, info))}` | {_cell(_meaning(info, parameter.default))} |")
    return "\n".join(rows) + "\n"


def _written(name: str, kind: Any, info: Any) -> str:
    """The option as the user types it: its names and its value."""
    if isinstance(info, typer.models.ArgumentInfo):
        return str(info.metavar or name.upper())
    dashed = "--" + name.replace("_", "-")
    flag = kind in (bool, bool | None)
    # Inside Annotated, typer keeps the first declared name in the place of the default.
    declared = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
    names = "/".join(declared) if declared else f"{dashed}/--no-{dashed[2:]}" if flag else dashed
    if flag:
        return names
    number = "N" if kind in (int, int | None) else "X" if kind in (float, float | None) else "TEXT"
    return f"{names} {info.metavar or number}"


def _meaning(info: Any, default: Any) -> str:
    text = " ".join(info.help.split())
    if default is inspect.Parameter.empty:
        return f"{text} Required."
    if default is None or isinstance(default, bool) or info.show_default is False:
        return text
    return f"{text} [default: {default}]"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _epilog(text: str) -> str:
    """The examples as a block, then the rest, paragraph by paragraph."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    examples = [part for part in paragraphs if part.startswith(("stockpipe ", "aws "))]
    rest = [part for part in paragraphs if part not in examples and not part.startswith("Example")]
    block = "```\n" + "\n".join(examples) + "\n```\n" if examples else ""
    return block + "".join(f"\n{part}\n" for part in rest)


if __name__ == "__main__":
    sys.stdout.write(markdown(cli.app))
