"""What typer's completion leaves to us: values that have names, and the shell that it is printed or installed for.

A shell asks for values at each press of its key, and help must not wait for them: what they need is imported inside.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

import typer

from simulator.base.errors import InputError
from simulator.base.files import failure_of
from simulator.base.nearest import did_you_mean

REQUEST = "_STOCKPIPE_COMPLETE"
"""The variable in which a shell says that it completes."""
OPTIONS = {
    "--install-completion": "Let bash, zsh, fish or PowerShell complete commands and names.  [default: the one in use]",
    "--show-completion": "Print the script that --install-completion would write.",
}
"""What each does; typer's own words leave out that a shell can be named."""
SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
_STARTED = {"bash": ".bashrc", "zsh": ".zshrc"}


@contextmanager
def quietly() -> Iterator[None]:
    """A block that answers a shell, which has no place for an error, and reads each line as a value of its own."""
    os.environ["COLUMNS"] = "10000"  # typer breaks a meaning into lines as wide as the terminal
    with suppress(Exception):
        yield


def scenarios() -> list[str]:
    """The names that `--scenario` takes."""
    from simulator.run.scenario import names

    return [*names(), "list"]


def faults() -> Iterable[tuple[str, str]]:
    """The kinds that `--fault` takes, each with what it does."""
    from simulator.faults.kinds import ALL

    return [*((kind.name, kind.meaning) for kind in ALL.values()), ("list", "Print what each does.")]


def template_parameters(ctx: typer.Context) -> list[str]:
    """`NAME=` for each parameter of the template in use, which need not be one that can run."""
    from simulator.base import documents, limits
    from simulator.base.files import read_bounded
    from simulator.stack.packaged import packaged_template

    given = ctx.params.get("template")
    file = Path(given).expanduser() if given else packaged_template()
    if not file.is_file():  # a pipe or a terminal would be read
        return []
    root: Any = documents.compose(read_bounded(file, limits.TEMPLATE_BYTES).decode("utf-8-sig"))
    sections = {key.value: section for key, section in root.value}
    return [f"{name.value}=" for name, _ in sections["Parameters"].value]


def figures() -> Iterable[tuple[str, str]]:
    """The figures that a bound of `simulate --slo` is on, each with its meaning."""
    from simulator.run.bounds import FIGURES

    return [(name, figure.meaning) for name, figure in FIGURES.items()]


def load_figures() -> Iterable[tuple[str, str]]:
    """The same of `load-test --slo`."""
    from simulator.load.plan.slo import FIGURES

    return [(name, figure.meaning) for name, figure in FIGURES.items()]


def answer(context: Any, words: Sequence[str]) -> None:
    """Print or install a completion if that is what the words ask, for the shell in use if they name none.

    Raises `InputError` for a shell that has none, and for a start-up file that is not text.
    """
    option, _, named = words[0].partition("=") if words else ("", "", "")
    if option not in OPTIONS:
        return
    from typer import completion

    shells = [*filter(None, [named]), *words[1:]]
    if len(shells) > 1:
        raise InputError(f"'{option}' takes the name of one shell", hint=f"write {option} {shells[0]}")
    shell = shells[0] if shells else _shell_in_use(option)
    if shell not in SHELLS:
        raise InputError(f"there is no completion for '{shell}'", hint=did_you_mean(shell, SHELLS, ""))
    if option == "--show-completion":
        completion.show_callback(context, context.command.params[-1], shell)
    instead = f"add to your start-up file what `stockpipe --show-completion {shell}` prints"
    try:
        _, file = completion.install(shell)  # type: ignore[attr-defined]
    except OSError as error:
        failed = failure_of(error)
        failed.hinted(failed.hint or instead)
        raise failed from None
    except (ValueError, RuntimeError, SubprocessError) as error:  # no text, no home, no profile
        raise InputError(f"the completion for {shell} cannot be installed: {error}", hint=instead) from None
    read = f", and '{Path.home() / _STARTED[shell]}' reads it" if shell in _STARTED else ""
    typer.echo(f"the completion for {shell} is in '{file}'{read}; open a new shell to use it")
    raise typer.Exit


def _shell_in_use(option: str) -> str:
    import shellingham

    try:
        return str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        raise InputError("it is not clear which shell is in use", hint=f"name it, as in {option} bash") from None
