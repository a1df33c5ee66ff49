"""Defaults from variables and from pyproject.toml: names, precedence, values, and what never comes from there."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from stockpipe.commands import check, compare, configuration, package
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.outlet import repeat_words as load_words
from stockpipe.commands.options import Options
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import repeat_words, resolve


@dataclasses.dataclass
class Root:
    """What `configured` asks of typer's context."""

    command: Root | None = None
    info_name: str = "simulate"
    commands: dict[str, Root] = dataclasses.field(default_factory=dict)
    callback: object = None

    def find_root(self) -> Root:
        """The command line."""
        return self


def configured(options: Options, name: str = "simulate") -> Options:
    """The options of a command of the whole command line with what is configured."""
    import typer

    root = Root(command=typer.main.get_command(cli.app), info_name=name)  # type: ignore[arg-type]
    return configuration.configured(options, root)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory below a project of its own, without variables of ours."""
    for name in [name for name in os.environ if name.startswith("STOCKPIPE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


def table(project: Path, text: str) -> None:
    """The project's pyproject.toml."""
    (project / "pyproject.toml").write_text(text, encoding="utf-8")


def invoke(*arguments: str) -> Result:
    """The command line as a process runs it."""
    return CliRunner().invoke(cli.app, arguments, prog_name="stockpipe")


def test_a_variable_is_for_every_command_or_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of the command goes before the one of all, and an empty one is none."""
    monkeypatch.setenv("STOCKPIPE_UI", "plain")
    monkeypatch.setenv("STOCKPIPE_SIMULATE_UI", "quiet")
    monkeypatch.setenv("STOCKPIPE_RUNTIME", "")
    monkeypatch.setenv("STOCKPIPE_LOAD_TEST_RATE", "5/s")
    monkeypatch.setenv("STOCKPIPE_POISSON", "yes")
    monkeypatch.setenv("STOCKPIPE_SLO", "'p99 < 5s' sent>3")

    simulated, loaded = configured(SimulateOptions()), configured(LoadTestOptions(), "load-test")
    assert isinstance(simulated, SimulateOptions)
    assert isinstance(loaded, LoadTestOptions)
    assert (simulated.ui, simulated.runtime, loaded.ui) == ("quiet", "inline", "plain")
    assert (loaded.rate_per_s, loaded.poisson, loaded.slo) == (5.0, True, ("p99 < 5s", "sent>3"))
    assert str(simulated.configured["ui"]) == "STOCKPIPE_SIMULATE_UI"


def test_a_table_of_the_nearest_parent_is_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files count from its folder; the command's own table goes before the keys for all, a variable before both."""
    table(
        project,
        '[tool.stockpipe]\nui = "plain"\ntemplate = "t.yaml"\nseed = 3\nsummary = "-"\n'
        '[tool.stockpipe.simulate]\nui = "quiet"\ndrain-timeout = "5m"\nno_schedule = true\nsource = ["a.csv"]\n'
        'scenario = "mine.yaml"\nspeed = 2.5\n',
    )
    monkeypatch.setenv("STOCKPIPE_SEED", "4")

    found = configured(SimulateOptions())
    assert isinstance(found, SimulateOptions)
    assert (found.ui, found.drain_timeout_s, found.seed, found.no_schedule, found.speed) == ("quiet", 300, 4, True, 2.5)
    assert (found.template, found.sources) == (project / "t.yaml", (project / "a.csv",))
    assert (found.scenario, found.summary) == (str(project / "mine.yaml"), Path("-"))


def test_the_command_line_outweighs_all(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And options that exclude each other give way to the one that is typed."""
    table(project, '[tool.stockpipe]\nui = "plain"\n[tool.stockpipe.load-test]\nrate = "9/s"\nbacklog = 7\n')
    monkeypatch.setenv("STOCKPIPE_SIMULATE_DURATION", "7m")

    loaded = configured(LoadTestOptions(ui="live", ramp=(1.0, 2.0), given={"ui", "ramp"}), "load-test")
    assert (loaded.configured, load_words(loaded)[2:6]) == ({}, ("--ramp", "1/s..2/s", "--seed", "0"))  # type: ignore[arg-type]
    simulated = configured(SimulateOptions(ticks=3, given={"ticks"}))
    assert isinstance(simulated, SimulateOptions)
    assert (simulated.duration_s, dict(simulated.configured).keys()) == (60.0, {"ui"})


def parameters_in(words: tuple[str, ...]) -> dict[str, str]:
    """What a command line sets with --parameter."""
    pairs = (words[index + 1].split("=") for index, word in enumerate(words) if word == "--parameter")
    return dict(pairs)


def test_a_scenario_outweighs_what_is_configured(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not what is typed; and a command that repeats the run has both."""
    monkeypatch.setenv("STOCKPIPE_CAPACITY", "unlimited")
    monkeypatch.setenv("STOCKPIPE_FILES", "3")
    monkeypatch.setenv("STOCKPIPE_DURATION", "9m")
    (project / "p.json").write_text('{"WriteRate": 9, "BatchSize": 4, "LogRetentionDays": 7}')
    table(project, '[tool.stockpipe]\nparameters = ["p.json"]\n')
    monkeypatch.setenv("STOCKPIPE_PARAMETER", "BatchSize=5 FileCount=2")
    options = configured(SimulateOptions(scenario="burst", given={"scenario"}))
    assert isinstance(options, SimulateOptions)

    _, plan = resolve(options)
    assert (plan.capacity, plan.ticks, plan.duration_s) == ("aws", 1, None)
    words = repeat_words(options, plan)
    assert not {"--files", "--capacity", "--duration", "--parameters"} & set(words)
    assert parameters_in(words) == {"LogRetentionDays": "7", "BatchSize": "5"}
    stack, _ = resolve(options)
    assert (stack.parameters["FileCount"], stack.parameters["BatchSize"]) == ("500", "5")
    typed = configured(SimulateOptions(scenario="burst", rows=4, given={"scenario", "rows"}))
    assert isinstance(typed, SimulateOptions)
    assert resolve(typed)[0].parameters["RowsPerFile"] == "4"


def held(options: Options, name: str, *fields: str) -> tuple[object, ...]:
    """What these fields hold, once what is configured is there."""
    found = configured(options, name)
    return tuple(getattr(found, field) for field in fields)


def test_what_excludes_a_stronger_one_gives_way(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the command line down through four layers: the command's variable, the variable, and the two tables."""
    table(project, '[tool.stockpipe]\nrate = "9/s"\nfiles = 9\n[tool.stockpipe.load_test]\nramp = "1/s..2/s"\n')
    assert held(LoadTestOptions(), "load-test", "rate_per_s", "ramp") == (20.0, (1.0, 2.0))
    monkeypatch.setenv("STOCKPIPE_RATE", "5/s")
    assert held(LoadTestOptions(), "load-test", "rate_per_s", "ramp") == (5.0, None)
    monkeypatch.setenv("STOCKPIPE_LOAD_TEST_BACKLOG", "7")
    assert held(LoadTestOptions(), "load-test", "rate_per_s", "ramp", "backlog") == (20.0, None, 7)
    monkeypatch.delenv("STOCKPIPE_LOAD_TEST_BACKLOG")
    monkeypatch.delenv("STOCKPIPE_RATE")
    monkeypatch.setenv("STOCKPIPE_FIND_MAX", "no")
    assert held(LoadTestOptions(), "load-test", "ramp", "find_max") == ((1.0, 2.0), False)
    monkeypatch.setenv("STOCKPIPE_PARAMETER", "FileCount=3 WriteRate=4")
    assert held(SimulateOptions(), "simulate", "files", "parameters")[0] is None
    typed = SimulateOptions(files=2, given={"files"})
    assert held(typed, "simulate", "files", "parameters") == (2, (("WriteRate", "4"),))


@pytest.mark.parametrize(
    ("variable", "typed", "field"),
    [
        ("AUDIT=sample", {"target": "sink"}, "audit"),
        ("AUDIT=sample", {"stack": "s"}, "audit"),
        ("TARGET=sink", {"audit": "full"}, "target"),
        ("ROWS=7", {"stack": "s"}, "rows"),
        ("CONCURRENCY=3", {"parameters": (("MaximumConcurrency", "2"),)}, "concurrency"),
        ("UI=live", {"tail": True}, "ui"),
        ("TAIL=1", {"ui": "live"}, "tail"),
        ("TICKS=3", {"no_schedule": True}, "ticks"),
    ],
)
def test_what_is_typed_excludes_what_is_configured(
    variable: str, typed: dict[str, object], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two it is; what does not exclude it stays."""
    name, _, value = variable.partition("=")
    monkeypatch.setenv(f"STOCKPIPE_{name}", value)
    kind, command = (
        (SimulateOptions, "simulate") if {name} & {"UI", "TAIL", "TICKS"} else (LoadTestOptions, "load-test")
    )
    assert held(kind(**typed, given=set(typed)), command, field) == (getattr(kind, field),)
    assert held(kind(seed=1, given={"seed"}), command, field) != (getattr(kind, field),)


def test_values_of_toml_are_written_as_on_the_command_line(project: Path) -> None:
    """A date-time, a table of parameters; a bare name of a program is not a file of the folder, a picture is one."""
    table(
        project,
        '[tool.stockpipe]\nstart = 2026-11-22T09:30:00Z\nparameter = {A = 10, B = true}\ninterpreter = "python3.11"\n'
        'screenshot = "s.svg"\n',
    )
    fields = ("start_at", "parameters", "screenshot")
    expected = (1795339800.0, (("A", "10"), ("B", "true")), project / "s.svg")
    assert held(SimulateOptions(), "simulate", *fields) == expected
    assert held(package.PackageOptions(), "package", "interpreter") == (Path("python3.11"),)
    table(project, '[tool.stockpipe]\ninterpreter = "bin/python"\n')
    assert held(package.PackageOptions(), "package", "interpreter") == (project / "bin/python",)
    table(project, "[tool.stockpipe]\nport = true\n")
    assert "'tool.stockpipe.port': 'true' is not a whole number" in invoke("simulate").stderr


def test_the_documentation_is_shown_whatever_is_configured(project: Path) -> None:
    """A command without an option that could be configured does not read the table that its page explains."""
    table(project, "[tool.stockpipe]\nqqq = 1\n")
    assert invoke("docs", "configuration").exit_code == 0


@pytest.mark.parametrize("command", ["status", "load-test", "deploy", "verify", "destroy", "invoke", "redrive"])
def test_an_empty_name_of_a_stack_is_refused_before_anything(command: str) -> None:
    """A shell's variable that is not set is not a stack, and not the absence of one."""
    ended = invoke(command, "--stack", "")
    assert (ended.exit_code, ended.stderr.splitlines()[0]) == (2, "stockpipe: --stack: the name is empty")


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('uii = "x"', "'tool.stockpipe.uii' is not known", "did you mean 'ui'?"),
        ("qqq = 1", "'tool.stockpipe.qqq' is not known", "`stockpipe COMMAND --help` lists the options"),
        ("path = 1", "'tool.stockpipe.path' is not known", "`stockpipe COMMAND --help` lists the options"),
        ("[tool.stockpipe.simulat]", "'tool.stockpipe.simulat' is not known", "did you mean 'simulate'?"),
        ("[tool.stockpipe.check]\nq = 1", "'tool.stockpipe.check.q' is not known", "`stockpipe check --help` lists"),
        (
            "[tool.stockpipe.check]\nticks = 1",
            "'tool.stockpipe.check.ticks' is not known",
            "'ticks' is an option of 'si",
        ),
        ("[tool.stockpipe.check]\nyes = true", "'tool.stockpipe.check.yes' cannot be set here: '--yes'", None),
        ('parameters = ["no.json"]', "no.json' cannot be read: No such file", None),
        ("check = 1", "'tool.stockpipe.check' is not a table", "write [tool.stockpipe.check]"),
        ("parameter = 3", "'tool.stockpipe.parameter': '3' is not a list", "write [...], even for a single value"),
        ('parameter = ["A"]', "'tool.stockpipe.parameter': 'A' is not NAME=VALUE", "write FileCount=10, for example"),
        ("parameter = {A = [1]}", "'tool.stockpipe.parameter': a list is not one value", None),
        ("template = 1979-05-27", "'tool.stockpipe.template': 1979-05-27 is not text", 'write "1979-05-27"'),
        ("template = true", "'tool.stockpipe.template': true is not text", 'write "true"'),
        ('stack = "s"', "'tool.stockpipe.stack' cannot be set here: '--stack' can only be set on the command", None),
        ("[tool.stockpipe.destroy]\nyes = true", "'tool.stockpipe.destroy.yes' cannot be set here: '--yes'", None),
        ("[tool.stockpipe.load-test]\nprofile = 'p'", "'tool.stockpipe.load-test.profile' cannot be set here", None),
        ("[tool.stockpipe.verify]\nparameter = []", "'tool.stockpipe.verify.parameter' cannot be set here", None),
        (
            "[tool.stockpipe.compare]\nforce = true",
            "'tool.stockpipe.compare.force' cannot be set here: '--force'",
            None,
        ),
        ("x y", "is not TOML: Expected '='", None),
    ],
)
def test_a_mistake_in_the_table_names_file_and_key(project: Path, text: str, said: str, hint: str | None) -> None:
    """One line, with the nearest name, exit code 2; whichever command is run."""
    table(project, f"[tool.stockpipe]\n{text}\n")
    ended = invoke("check")
    first, *rest = ended.stderr.splitlines()
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert first.startswith(f"stockpipe: '{project / 'pyproject.toml'}'")
    assert said in first
    assert len(rest) == (hint is not None)
    assert hint is None or rest[0].startswith(f"  hint: {hint}")


def test_a_value_that_cannot_be_used_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the option's own rules refuse it, or the command at work."""
    monkeypatch.setenv("STOCKPIPE_UI", "plane")
    ended = invoke("simulate")
    said = "stockpipe: STOCKPIPE_UI: 'plane' is not one of 'auto', 'live', 'plain' or 'quiet'"
    assert (ended.exit_code, ended.stderr) == (2, f"{said}\n  hint: did you mean 'plain'?\n")
    monkeypatch.setenv("STOCKPIPE_UI", "live")
    monkeypatch.setenv("STOCKPIPE_SIMULATE_SLO", "sentt>1")
    assert "'--slo' is set by STOCKPIPE_SIMULATE_SLO" in invoke("simulate").stderr
    monkeypatch.setenv("STOCKPIPE_SIMULATE_SLO", "'sent")
    said = "stockpipe: STOCKPIPE_SIMULATE_SLO: the value has a quotation mark without its counterpart"
    assert invoke("simulate").stderr.splitlines()[0] == said
    monkeypatch.setenv("STOCKPIPE_TEMPLATE", "/nowhere.yaml")
    assert "'--template' is set by STOCKPIPE_TEMPLATE" in invoke("check").stderr


def test_what_is_refused_later_says_where_it_was_set(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the option, by its value, or as one of all; no hint says to leave out what nobody typed."""
    monkeypatch.setenv("STOCKPIPE_RATE", "99999/s")
    assert "'--rate' is set by STOCKPIPE_RATE" in invoke("load-test").stderr
    monkeypatch.setenv("STOCKPIPE_SCENARIO", "burts")
    assert "did you mean 'burst'? '--scenario' is set by STOCKPIPE_SCENARIO" in invoke("simulate").stderr
    table(project, '[tool.stockpipe]\nui = "quiet"\n')
    assert invoke("simulate", "--scenario", "burts").stderr.endswith("hint: did you mean 'burst'?\n")
    monkeypatch.setenv("STOCKPIPE_RAMP", "1/s..2/s")
    ended = invoke("load-test").stderr
    assert "hint: unset STOCKPIPE_RATE; '--ramp' is set by STOCKPIPE_RAMP" in ended
    assert "leave out" not in ended
    monkeypatch.delenv("STOCKPIPE_RATE")
    monkeypatch.delenv("STOCKPIPE_RAMP")
    table(project, '[tool.stockpipe]\nrate = "5/s"\nramp = "1/s..2/s"\n')
    way_out = f"hint: remove 'rate' from [tool.stockpipe] in '{project / 'pyproject.toml'}'"
    assert way_out in invoke("load-test").stderr


def test_what_leads_to_aws_is_only_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a variable sets nothing, and neither does an unknown one: a line on standard error says so."""
    names = (
        "YES",
        "STACK",
        "PROFILE",
        "LOAD_TEST_REGION",
        "ENDPOINT_URL",
        "DEPLOY_CLEAN_UP",
        "DESTROY_ARTIFACTS",
        "FREE",
    )
    for name in (*names, "UII"):
        monkeypatch.setenv(f"STOCKPIPE_{name}", "1")
    found = configured(LoadTestOptions(), "load-test")
    assert (found, found.configured) == (LoadTestOptions(), {})
    names = ("STOCKPIPE_YES", "STOCKPIPE_LOAD_TEST_YES", "STOCKPIPE_UII", "STOCKPIPE_SIMULATE_XYZ", "STOCKPIPE_FORCE")
    names += ("STOCKPIPE_FOO", "HOME")
    kinds = {
        "compare": compare.CompareOptions,
        "load-test": LoadTestOptions,
        "check": check.CheckOptions,
        "simulate": SimulateOptions,
    }
    said = list(configuration.unknown_variables(dict.fromkeys(names, "1"), kinds))
    assert said == [
        "'STOCKPIPE_FOO' is ignored: there is no such setting",
        "'STOCKPIPE_FORCE' is ignored: '--force' can only be set on the command line",
        "'STOCKPIPE_LOAD_TEST_YES' is ignored: '--yes' can only be set on the command line",
        "'STOCKPIPE_SIMULATE_XYZ' is ignored: there is no such setting",
        "'STOCKPIPE_UII' is ignored: there is no such setting; did you mean 'STOCKPIPE_UI'?",
        "'STOCKPIPE_YES' is ignored: '--yes' can only be set on the command line",
    ]
    ended = invoke("check")
    assert (ended.exit_code, ended.stderr.count("stockpipe: warning: ")) == (0, 9)


def test_a_table_of_another_user_above_is_ignored(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template runs code, and anybody may write into /tmp; in the working directory itself it counts."""
    table(project, '[tool.stockpipe]\nui = "quiet"\n')
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    (project / "pyproject.toml").stat()
    if (project / "pyproject.toml").stat().st_uid == 0:
        os.chown(project / "pyproject.toml", 54_321, -1)
    assert configuration.find_table() is None
    assert "is ignored: it belongs to another user" in capsys.readouterr().err
    assert configuration.find_table(project) is not None


def test_a_project_without_a_table_of_ours_is_nobodys_business(project: Path) -> None:
    """Not even where its file is malformed, or large, or a folder."""
    for text in ("x y", '[project]\nname = "stockpipe"\n', "a = 1\n" * 400_000):
        table(project, text)
        assert configuration.find_table() is None
    (project / "pyproject.toml").unlink()
    (project / "pyproject.toml").mkdir()
    assert configuration.find_table() is None
