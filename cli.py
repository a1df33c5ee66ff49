"""The command line: the commands, and the one place where an error becomes a line and an exit code.

`simulator.base.errors.ExitCode` has the exit codes.
"""

from __future__ import annotations

import errno
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simulator.base.errors import ExitCode, StockpipeError
from stockpipe.commands import (
    check,
    compare,
    deploy,
    destroy,
    invoke,
    load_test,
    package,
    redrive,
    simulate,
    status,
    store,
    verify,
)
from stockpipe.commands.outputs import discard_output


class Commands(TyperGroup):
    """The group that all commands run in."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong leaves as one line and the exit code of whose fault it is."""
        try:
            return super().invoke(ctx)
        except StockpipeError as error:
            code, line = error.exit_code, str(error)
        except KeyboardInterrupt:
            code, line = ExitCode.INTERRUPTED, "interrupted"
        except BrokenPipeError:
            discard_output()
            raise typer.Exit(ExitCode.DONE) from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                line = f"the disk is full: {error.filename or 'no space is left'}; free some space and run again"
            elif error.filename is not None:
                line = f"{error.filename}: {error.strerror}"
            else:
                raise
            code = ExitCode.COULD_NOT_FINISH
        print(f"stockpipe: {line}", file=sys.stderr)  # noqa: T201 - the one line of an error
        raise typer.Exit(code)


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


for _command in (simulate, load_test, compare, store, check, package, deploy, status, invoke, verify, redrive, destroy):
    _name = _command.__name__.rpartition(".")[2]
    app.command(_name.replace("_", "-"), epilog=_command.EPILOG)(getattr(_command, _name))


if __name__ == "__main__":
    app()
