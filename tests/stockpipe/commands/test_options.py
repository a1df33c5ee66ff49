"""A command's options: made from one dataclass, whose defaults are those that help shows and those in force."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pytest
import typer
from typer.testing import CliRunner

from cli import app
from simulator.base.errors import InputError
from stockpipe.commands import (
    check,
    compare,
    deploy,
    destroy,
    docs,
    explore,
    invoke,
    load_test,
    outputs,
    package,
    redrive,
    simulate,
    status,
    store,
    verify,
)
from stockpipe.commands.inspect.options import InspectOptions
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.run import resolve as resolve_load_test
from stockpipe.commands.options import Options
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import resolve as resolve_simulate
from stockpipe.commands.taking import takes
from stockpipe.commands.values import ASSIGNMENT, DURATION, INSTANT

AnyOptions = TypeVar("AnyOptions", bound=Options)
KINDS: Mapping[str, type[Options]] = {
    "simulate": simulate.SimulateOptions,
    "explore": explore.ExploreOptions,
    "inspect": InspectOptions,
    "load-test": load_test.LoadTestOptions,
    "compare": compare.CompareOptions,
    "store": store.StoreOptions,
    "docs": docs.DocsOptions,
    "check": check.CheckOptions,
    "package": package.PackageOptions,
    "deploy": deploy.DeployOptions,
    "status": status.StatusOptions,
    "invoke": invoke.InvokeOptions,
    "verify": verify.VerifyOptions,
    "redrive": redrive.RedriveOptions,
    "destroy": destroy.DestroyOptions,
}
WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400", "NO_COLOR": "1"}


def alone(run: Callable[..., None]) -> typer.Typer:
    """A command line of one command, as `cli` makes its own."""
    single = typer.Typer(rich_markup_mode="markdown", add_completion=False)
    single.command()(run)
    return single


def ignore(options: Options) -> None:
    """A command that does nothing."""


def read(kind: type[AnyOptions], *arguments: str) -> AnyOptions:
    """What a command of these options is given by the arguments."""
    given: list[AnyOptions] = []
    ended = CliRunner().invoke(alone(takes(kind)(given.append)), arguments, env=WIDE)
    assert ended.exit_code == 0, ended.output
    return given[0]


def required(kind: type[Options]) -> list[str]:
    """Arguments for the options that have no default."""
    fields = {name for name in kind.annotations if not hasattr(kind, name)}
    return ["--stack", "s"] if "stack" in fields else ["a.json", "b.json"] if fields else []


def help_of(command_line: typer.Typer, *arguments: str) -> str:
    """The help of a command, each option on a line of its own."""
    shown = CliRunner().invoke(command_line, [*arguments, "--help"], env=WIDE).output
    return re.sub(r" *│\n│ {20,}(?=\[default)", "  ", shown)


def test_each_command_is_made_of_its_options() -> None:
    """No command of the line takes anything that its class of options does not have."""
    taken = {
        str(each.name): list(signature(each.callback).parameters) for each in app.registered_commands if each.callback
    }
    for name, kind in KINDS.items():
        assert set(taken.pop(name)) == {*kind.annotations, "context"}
    assert not taken


@pytest.mark.parametrize("name", KINDS)
def test_default_that_help_shows_is_the_one_in_force(name: str) -> None:
    """To give an option the default that its help shows changes nothing but that it is given."""
    kind = KINDS[name]
    without = read(kind, *required(kind))
    shown = help_of(app, name)
    compared = 0
    for parameter in typer.main.get_command(alone(takes(kind)(ignore))).params:
        default, option = getattr(without, str(parameter.name), None), parameter.opts[0]
        if default is None or default is False or default == () or parameter.required:
            continue
        default_shown = re.search(rf"{option} .*\[default: ([^\];]+)", shown)
        assert default_shown, f"{option} does not show its default {default!r}"
        given = read(
            kind, *required(kind), *([f"--{default_shown[1]}"] if default is True else [option, default_shown[1]])
        )
        assert given.replaced(given=without.given) == without
        assert given.given == {*without.given, parameter.name}
        compared += 1
    assert compared == shown.count("[default: ") - len(
        re.findall(r"\[default: (?:as|now|asks|the|this|auto-detected)", shown)
    )


def test_changed_default_changes_help_and_value() -> None:
    """The default of a field is the only place where it is said."""
    changed = type("Changed", (SimulateOptions,), {"drain_timeout_s": 90.0, "speed": 7, "ui": "plain"})
    lines = help_of(alone(takes(changed)(ignore)))

    for option, default in (("--drain-timeout", "90s"), ("--speed", "7"), ("--ui", "plain")):
        assert re.search(rf"{option} .*\[default: {default}\]", lines), lines
    held: Any = read(changed)
    assert (held.drain_timeout_s, held.speed, held.ui) == (90.0, 7, "plain")


def test_defaults_reach_the_plans() -> None:
    """What a run is planned with is what its options say; nothing behind them has a default of its own."""
    options = SimulateOptions()
    _, plan = resolve_simulate(options)
    for name in ("seed", "duration_s", "ticks", "speed", "runtime", "capacity", "port", "drain_timeout_s", "hold"):
        assert getattr(plan, name) == getattr(options, name), name
    loaded = LoadTestOptions()
    _, load = resolve_load_test(loaded)
    for name in ("rows", "seed", "poisson", "find_max", "target", "sink_latency_s", "runtime", "drain_timeout_s"):
        assert getattr(load, name) == getattr(loaded, name), name
    assert (load.profile.peak_per_s, load.profile.duration_s) == (loaded.rate_per_s, loaded.duration_s)


class Base(Options):
    """Options that several commands share."""

    shared: Annotated[bool, typer.Option("--shared", help="Shared.")] = False


class Sample(Base):
    """One option of each kind."""

    first: Annotated[Path, typer.Argument(help="First.")]
    pairs: Annotated[tuple[tuple[str, str], ...], ASSIGNMENT, typer.Option("--pair", help="Pairs.")] = ()
    names: Annotated[tuple[str, ...], typer.Option("--name", help="Names.")] = ()
    wait_s: Annotated[float, DURATION, typer.Option("--wait", help="Wait.", show_default="{} or less")] = 1.5
    at: Annotated[float | None, INSTANT, typer.Option(help="At.", show_default="now")] = None
    color: Annotated[Literal["red", "green"], typer.Option(help="Color.")] = "red"


def test_options_are_what_they_were_made_of() -> None:
    """Frozen, equal by value, shown with their defaults; a field that is unknown or has no value is refused."""
    sample = Sample(first=Path("x"), wait_s=2)
    assert sample == Sample(first=Path("x"), wait_s=2) != Sample(first=Path("x"))
    assert sample.replaced(wait_s=3) == Sample(first=Path("x"), wait_s=3)
    assert Base() != Options()
    assert repr(Base(shared=True)) == "Base(shared=True, given=frozenset())"
    assert list(Sample.annotations) == ["first", "pairs", "names", "wait_s", "at", "color", "shared"]
    with pytest.raises(AttributeError, match="Sample is frozen"):
        sample.wait_s = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Sample is frozen"):
        del sample.wait_s
    with pytest.raises(TypeError, match="Sample needs a value for first"):
        Sample()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Sample has no field other"):
        sample.replaced(other=1)


def test_a_class_has_the_options_of_all_its_bases() -> None:
    """Its own come first, and go before those of its bases, which go in their order."""

    class Other(Options):
        wait_s: Annotated[float, DURATION, typer.Option(help="Another wait.")] = 9.0
        other: Annotated[bool, typer.Option(help="Other.")] = False

    class Both(Sample, Other):
        shared: Annotated[bool, typer.Option("--own", help="Own.")] = True

    assert list(Both.annotations) == ["shared", "first", "pairs", "names", "wait_s", "at", "color", "other"]
    assert Both.annotations["shared"] is not Base.annotations["shared"]
    assert Both.annotations["wait_s"] is Sample.annotations["wait_s"]
    assert Both(first=Path("x")).wait_s == 1.5


@pytest.mark.parametrize(
    ("annotation", "name", "default"),
    [
        ("Annotated[list[str], typer.Option()]", "names", []),
        ("Annotated[str, typer.Option()]", "held", "x"),
        ("str", "plain", "x"),
    ],
)
def test_what_is_no_option_is_refused_at_once(annotation: str, name: str, default: Any) -> None:
    """A default that could be changed, a name that the class needs, a field without an annotation of typer's."""
    with pytest.raises(TypeError, match=rf"Wrong\.{name} is not an option"):
        type("Wrong", (Options,), {"__module__": __name__, "__annotations__": {name: annotation}, name: default})


def test_values_have_their_types() -> None:
    """Text is read, what repeats is a tuple, and what the command line sets is known."""
    assert read(Sample, "x") == Sample(first=Path("x"), given={"first"})
    assert read(
        Sample, "x", "--pair", "A=1", "--pair", "B=2", "--name", "n", "--wait", "1.5s", "--color", "green"
    ) == Sample(
        first=Path("x"),
        pairs=(("A", "1"), ("B", "2")),
        names=("n",),
        color="green",
        given={"first", "pairs", "names", "wait_s", "color"},
    )


def test_help_tells_words_and_choices() -> None:
    """Words may stand for a default or go with it; a choice is its own metavar; a class's own options come first."""
    shown = help_of(alone(takes(Sample)(ignore)))

    assert "[default: 1.5s or less]" in shown
    assert "[default: now]" in shown
    assert "red|green" in shown
    assert shown.index("--wait") < shown.index("--color") < shown.index("--shared")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--wait", "soon"), "'--wait': 'soon' is not a duration"),
        (("--at", "noon"), "'--at': 'noon' is not a time"),
        (("--pair", "A"), "'--pair': 'A' is not NAME=VALUE"),
        (("--color", "blue"), "'--color': 'blue' is not one of 'red' or 'green'"),
    ],
)
def test_wrong_value_is_one_line_that_names_the_option(arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2."""
    ended = CliRunner().invoke(alone(takes(Sample)(ignore)), ["x", *arguments], env=WIDE)

    assert ended.exit_code == 2
    assert f"Invalid value for {said}" in ended.output


def test_outputs_are_checked_before_the_run(tmp_path: Path) -> None:
    """A folder that does not exist, or a folder in the file's place; standard output is always there."""
    outputs.require_writable(None, tmp_path / "new.json", summary=Path("-"))
    with pytest.raises(InputError, match=r"none/x\.json' cannot be written: there is no directory '.*none'"):
        outputs.require_writable(tmp_path / "new.json", tmp_path / "none" / "x.json")
    with pytest.raises(InputError, match="is a directory; name a file"):
        outputs.require_writable(tmp_path)
