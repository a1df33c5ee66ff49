"""Shared by the commands that talk to AWS: the account and endpoint, questions, and a stack's events."""

from __future__ import annotations

import functools
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from simulator.base.doors import is_loopback_url
from simulator.base.errors import InputError, Interrupted, StockpipeError, UnusableValueError
from simulator.base.shown import visible_lines
from simulator.base.words import counted
from stockpipe.commands.options import TYPED, Options, Written
from stockpipe.commands.outputs import echo

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws
    from stockpipe.deploy.cloudformation import StackEvent

T = TypeVar("T")
AnyAwsOptions = TypeVar("AnyAwsOptions", bound="AwsOptions")

_COMMAND = re.compile(r"\bstockpipe [a-z-]+ --stack [\w.-]+|\baws [a-z]+ [a-z-]+ --[a-z-]+ [\w.-]+")


def parse_name(text: str) -> str:
    """A name; `ValueError` for an empty one, which an unset variable of a shell leaves."""
    if not text.strip():
        raise UnusableValueError("the name is empty", "write a name, or check the shell's variable that should hold it")
    return text


NAME = Written(parse_name, "NAME")
StackName = Annotated[str, TYPED, NAME, typer.Option("--stack", help="The CloudFormation stack.")]
Yes = Annotated[bool, TYPED, typer.Option("--yes", "-y", help="Do not prompt.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_AS_THE_CLI = "as the AWS CLI finds it"


class AwsOptions(Options):
    """The AWS account and region, or another endpoint."""

    region: Annotated[
        str | None, TYPED, NAME, typer.Option(metavar="REGION", help="AWS region.", show_default=_AS_THE_CLI)
    ] = None
    profile: Annotated[str | None, TYPED, NAME, typer.Option(help="AWS profile.", show_default=_AS_THE_CLI)] = None
    endpoint_url: Annotated[
        str | None, TYPED, typer.Option(metavar="URL", help="Endpoint to use instead of AWS, for all services.")
    ] = None


def on_aws(work: Callable[[AnyAwsOptions, Aws], Awaitable[T]]) -> Callable[[AnyAwsOptions], T]:
    """Turn `work` into a function of its options: it connects, does the work, and makes any AWS error one line."""

    @functools.wraps(work)
    def run(options: AnyAwsOptions) -> T:
        from simulator.base import interrupts
        from stockpipe.commands.addresses import require_endpoint, require_url
        from stockpipe.deploy.aws import connect

        if (url := options.endpoint_url) is not None:
            (require_endpoint if is_loopback_url(url) else require_url)(url)

        async def connected() -> T:
            async with connect(options.region, options.profile, options.endpoint_url) as aws:
                return await work(options, aws)

        try:
            return interrupts.run(connected())
        except StockpipeError as error:
            error.hinted(error.hint and located(error.hint, options))
            raise

    return run


def located(text: str, options: AwsOptions) -> str:
    """The text with the AWS options of this command line added to each command in it, so that users can paste them."""
    from simulator.run.command_line import quoted

    where = quoted(options.words(options.typed & AwsOptions.annotations.keys()))
    return _COMMAND.sub(lambda found: f"{found[0]} {where}", text) if where else text


def say(text: str) -> None:
    """Print a line for the user; standard output is only for results."""
    echo(text, err=True)


def confirm(question: str, yes: bool) -> bool:
    """Ask a yes-or-no question, unless `yes`. Raises `InputError` if there is no terminal to answer on."""
    if yes:
        return True
    with _interruptible(question):
        return typer.confirm(visible_lines(question), err=True)


def ask(question: str) -> str:
    """Ask for a line of text. Raises `InputError` if there is no terminal to answer on."""
    with _interruptible(question):
        answer: str = typer.prompt(question, err=True, default="", show_default=False)
    return answer.strip()


def agrees(question: str) -> bool:
    """Ask, if there is a terminal to answer on; whether the answer is yes."""
    return can_ask() and confirm(question, yes=False)


def can_ask() -> bool:
    """Whether there is a terminal to answer on."""
    return sys.stdin.isatty()


class StackProgress:
    """Prints a stack's events as they come, one per line, with a progress bar below them on a terminal."""

    def __init__(self, title: str, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        from simulator.base.terminal import visible_console

        self._console = visible_console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=total)
        self._title = title
        self._done: set[str] = set()

    def __enter__(self) -> StackProgress:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def emptied(self, objects: int) -> None:
        """Show how many objects are deleted so far."""
        self._progress.update(self._task, description=f"{self._title}, {counted(objects, 'object')} deleted")

    def __call__(self, event: StackEvent) -> None:
        """Show one event."""
        from rich.text import Text

        bad = event.status.endswith("_FAILED") or "ROLLBACK" in event.status
        style = "red" if bad else "green" if event.status.endswith("_COMPLETE") else ""
        line = Text(f"{event.at}  ")
        line.append(f"{event.status:<28}", style=style)
        line.append(f"{event.logical_id}  {event.type}")
        if event.reason:
            line.append(f"  {event.reason}")
        self._console.print(line, soft_wrap=True)
        if event.status.endswith("_COMPLETE") and event.type != "AWS::CloudFormation::Stack":
            self._done.add(event.logical_id)
            self._progress.update(self._task, completed=len(self._done))


@contextmanager
def _interruptible(question: str) -> Iterator[None]:
    """Let a signal end a question at once; the event loop, which waits for the answer, would only note it."""
    from simulator.base.interrupts import raised

    if not can_ask():
        raise InputError(f"cannot ask '{question}' without a terminal", hint="add --yes")
    wakeup = signal.set_wakeup_fd(-1)
    try:
        with raised():
            yield
    except typer.Abort:
        raise Interrupted from None
    finally:
        signal.set_wakeup_fd(wakeup)
