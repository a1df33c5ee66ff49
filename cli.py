"""The command line: all commands, and the one place that turns an error into a line, a hint and an exit code.

`simulator.base.errors.ExitCode` has the exit codes.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from simulator.base.errors import OUT_OF_MEMORY, ExitCode, OutOfMemory, StockpipeError, is_out_of_memory
from simulator.base.files import failure_of
from simulator.base.shown import error_line, sized
from stockpipe.commands import (
    check,
    compare,
    completion,
    deploy,
    destroy,
    docs,
    explore,
    inspect,
    invoke,
    load_test,
    package,
    redrive,
    simulate,
    status,
    store,
    usage,
    verify,
)
from stockpipe.commands.outputs import drop_errors, take_streams

_UsageError: Any = typer.BadParameter.__mro__[1]  # click's, or typer's own copy of it


class Command(TyperCommand):
    """One command; its help names the values to write, not Python's types."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, shown as they are written."""
        return _plain(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words. Errors know their command, which typer omits from some."""
        with _knowing(ctx):
            return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer calls it so
        """What follows the command's name in its usage line; parts in brackets are optional."""
        arguments = [param for param in self.params if param.param_type_name == "argument"]
        words = [f"{param.metavar}{'...' if param.nargs != 1 else ''}" for param in arguments]
        needed = [f"{each.opts[0]} {each.metavar}" for each in self.params if each.required and each not in arguments]
        wrapped = [word if param.required else f"[{word}]" for param, word in zip(arguments, words, strict=True)]
        return [*needed, "[OPTIONS]", *wrapped]


class Commands(TyperGroup):
    """The group of all commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, shown as they are written."""
        return _plain(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words before the command."""
        with _knowing(ctx):
            if not ctx.resilient_parsing:
                completion.answer(ctx, args)
            return super().parse_args(ctx, args)

    def make_context(self, info_name: Any, args: list[str], *given: Any, **extra: Any) -> Any:
        """Read the arguments, or print the help."""
        with _one_line():
            return super().make_context(info_name, args, *given, **extra)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first of the words names."""
        named = args and not args[0].startswith("-") and not ctx.resilient_parsing
        if named and self.get_command(ctx, args[0]) is None:
            raise usage.no_command(args[0], list(self.commands))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error becomes a line, a hint and an exit code."""
        with _one_line():
            return super().invoke(ctx)


@contextmanager
def _knowing(context: Any) -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        error.ctx = error.ctx or context
        raise


def _plain(params: list[Any]) -> list[Any]:
    """The parameters without typer's type names; an option's metavar says what to write after it."""
    for param in params:
        if param.param_type_name == "argument":
            param.display_type_rich = lambda **_: None
        elif getattr(param, "is_flag", False):
            param.metavar = ""
        if param.opts[0] in completion.OPTIONS:
            param.metavar, param.help = "[SHELL]", completion.OPTIONS[param.opts[0]]
    if params and params[-1].name == "help":
        params[-1].rich_help_panel = getattr(params[-2], "rich_help_panel", None) if len(params) > 1 else None
    return params


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn an error in the block into lines on standard error and the exit code."""
    try:
        yield
    except StockpipeError as error:
        _say(*error.lines)
        raise typer.Exit(error.exit_code) from None
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # newer versions raise the help
            raise
        _say(*usage.explained(error).lines)
        raise typer.Exit(ExitCode.WRONG_INPUT) from None
    except KeyboardInterrupt:
        _say("interrupted")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except (OSError, MemoryError, OutOfMemory, RuntimeError, SystemError, ImportError) as error:
        if is_out_of_memory(error):
            _say(OUT_OF_MEMORY)
            drop_errors()
        elif isinstance(error, OSError):
            _say(*failure_of(error).lines)
        else:
            raise
        raise typer.Exit(ExitCode.COULD_NOT_FINISH) from None


def _say(*lines: str) -> None:
    text = "\n".join(map(error_line, lines))
    print(f"stockpipe: {text}", file=sys.stderr)  # noqa: T201 - the one line of an error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",  # rich's own markup would swallow every [default: ...]
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An event-driven ingestion pipeline on AWS that runs, loads and proves itself on a laptop.",
    epilog="""Start with: stockpipe simulate

Documentation: stockpipe docs

Defaults can be set by STOCKPIPE_... variables and in pyproject.toml: stockpipe docs configuration""",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # a seventh of the time that --help takes

        typer.echo(f"stockpipe {version('stockpipe')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


PANELS = {
    "Run it on this machine": (simulate, explore, inspect, load_test, store),
    "Look and compare": (compare, check, docs),
    "Deploy to AWS and operate": (package, deploy, status, invoke, verify, redrive, destroy),
}
for _panel, _modules in PANELS.items():
    for _command in _modules:
        _name = _command.__name__.rpartition(".")[2]
        _add = app.command(_name.replace("_", "-"), cls=Command, epilog=_command.EPILOG, rich_help_panel=_panel)
        _add(getattr(_command, _name))


def run() -> None:
    """Run the command line as the process's main program: set up its streams, and exit with the exit code."""
    output = take_streams()
    for name in os.environ.keys() - sized(os.environ).keys():
        del os.environ[name]  # typer's help would have no room for a letter
    try:
        with completion.quietly() if completion.REQUEST in os.environ else nullcontext():
            app(prog_name="stockpipe")
    except SystemExit as end:
        # Only the last message is left, and a signal would only cut it off.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        said = output.failed is not None and end.code == ExitCode.COULD_NOT_FINISH
        with suppress(OSError):
            sys.stdout.flush()
        if output.failed is None:
            raise
        if not said:
            _say(*failure_of(output.failed).lines)
        raise SystemExit(ExitCode.COULD_NOT_FINISH) from None


if __name__ == "__main__":
    run()
