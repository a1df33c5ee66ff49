"""The command line: the commands, and the one place where an error becomes a line and an exit code.

`simulator.base.errors.ExitCode` has the exit codes.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simulator.base.errors import OUT_OF_MEMORY, ExitCode, OutOfMemory, StockpipeError, is_out_of_memory
from simulator.base.files import failure_text
from simulator.base.shown import error_line
from stockpipe.commands import (
    check,
    compare,
    deploy,
    destroy,
    inspect,
    invoke,
    load_test,
    package,
    redrive,
    simulate,
    status,
    store,
    verify,
)
from stockpipe.commands.outputs import drop_errors, take_streams

_UsageError: Any = typer.BadParameter.__mro__[1]  # click's, or typer's own copy of it


class Commands(TyperGroup):
    """The group that all commands run in."""

    def make_context(self, *given: Any, **extra: Any) -> Any:
        """Read the arguments, or print the help."""
        with _one_line():
            return super().make_context(*given, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong leaves as one line and the exit code of whose fault it is."""
        with _one_line():
            return super().invoke(ctx)


@contextmanager
def _one_line() -> Iterator[None]:
    """What goes wrong in the block, as its line on standard error and the exit code."""
    try:
        yield
    except StockpipeError as error:
        _say(*error.lines)
        raise typer.Exit(error.exit_code) from None
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # newer versions raise the help
            raise
        place = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        _say(f"{error.format_message().rstrip('.')}{place}")
        raise typer.Exit(ExitCode.WRONG_INPUT) from None
    except KeyboardInterrupt:
        _say("interrupted")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except (OSError, MemoryError, OutOfMemory, RuntimeError, SystemError, ImportError) as error:
        if is_out_of_memory(error):
            _say(OUT_OF_MEMORY)
            drop_errors()
        elif isinstance(error, OSError):
            _say(failure_text(error))
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
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An event-driven ingestion pipeline on AWS that runs, loads and proves itself on a laptop.",
    epilog="Start with: stockpipe simulate",
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


for _command in (
    simulate,
    inspect,
    load_test,
    compare,
    store,
    check,
    package,
    deploy,
    status,
    invoke,
    verify,
    redrive,
    destroy,
):
    _name = _command.__name__.rpartition(".")[2]
    app.command(_name.replace("_", "-"), epilog=_command.EPILOG)(getattr(_command, _name))


def run() -> None:
    """Run the command line in a process of its own, with its streams and its exit code."""
    output = take_streams()
    try:
        app()
    except SystemExit as end:
        # What is left is to say so: a signal would only cut that off.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        told = output.failed is not None and end.code == ExitCode.COULD_NOT_FINISH
        with suppress(OSError):
            sys.stdout.flush()
        if output.failed is None:
            raise
        if not told:
            _say(failure_text(output.failed))
        raise SystemExit(ExitCode.COULD_NOT_FINISH) from None


if __name__ == "__main__":
    run()
