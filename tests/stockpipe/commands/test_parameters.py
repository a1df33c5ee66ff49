"""Template parameters from files: what is read, what outweighs what, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.base.errors import InputError
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.outlet import parameters
from stockpipe.commands.parameters import FILE, MAX_BYTES, ParameterFile, parameters_of, read
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import resolve


def _file(tmp_path: Path, content: str | bytes, name: str = "p.json") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _read(path: Path) -> ParameterFile:
    """As the command line reads it."""
    return FILE.parse(str(path))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("{}", {}),
        ('{"TickerColumn": "Name", "SkipLines": "1"}', {"TickerColumn": "Name", "SkipLines": "1"}),
        ('{"SkipLines": 1e2}', {"SkipLines": "1e2"}),
        ('{"A": 12345678901234567890, "B": 0.10}', {"A": "12345678901234567890", "B": "0.10"}),
        ('{"C": true, "D": false}', {"C": "true", "D": "false"}),
        ("[]", {}),
        ('[{"ParameterKey": "A", "ParameterValue": "x", "UsePreviousValue": false}]', {"A": "x"}),
        ("\ufeff" + '{"NullValues": "é,-"}', {"NullValues": "é,-"}),
        ('{"Comment": ""}', {"Comment": ""}),
    ],
)  # fmt: skip
def test_a_file_of_parameters_is_read(tmp_path: Path, content: str, found: dict[str, str]) -> None:
    """Names and values, or CloudFormation's list; a number is taken as it is written."""
    assert read(_file(tmp_path, content)) == found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON: Expecting value in line 1, column 1"),
        ('{"A": }', "is not JSON"),
        (b"\xff\xfe", "is not a text file in UTF-8"),
        ("[" * 100_000, "is nested too deeply"),
        ("1", "is not a list of template parameters; write {"),
        ('["A"]', "is not a list of template parameters"),
        ('[{"ParameterKey": "A"}]', "is not a list of template parameters"),
        ('{"A": 1, "A": 2}', "has the parameter 'A' twice"),
        ("[" + ", ".join(['{"ParameterKey": "A", "ParameterValue": 1}'] * 2) + "]", "has the parameter 'A' twice"),
        ('{"A": null}', "has a value for 'A' that is not text or a number"),
        ('{"A": NaN}', "has NaN, which is not a number in JSON"),
        ('{"A": ["x"]}', "has a value for 'A' that is not text or a number"),
        ('{"A": {}}', "has a value for 'A' that is not text or a number"),
        ('{"A": "\\ud800"}', "has a value for 'A' that is not text or a number"),
        ('{"A-B": "x"}', 'has a parameter named "A-B"'),
        ('{"": "x"}', 'has a parameter named ""'),
        ('[{"ParameterKey": 1, "ParameterValue": "x"}]', "has a parameter named"),
        (b" " * MAX_BYTES + b"{}", "has more than 1,048,576 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_parameters_is_refused_in_one_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    """The line names the file and what is wrong with it."""
    path = _file(tmp_path, content)
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value).startswith(f"'{path}' {said}")
    assert "\n" not in str(refused.value)


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    """The bound is the first size that is too large."""
    assert read(_file(tmp_path, b" " * (MAX_BYTES - 2) + b"{}")) == {}


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """As is a directory."""
    with pytest.raises(InputError, match=r"gone\.json' cannot be read: No such file or directory"):
        read(tmp_path / "gone.json")
    with pytest.raises(InputError, match="is a directory; name a file"):
        read(tmp_path)


class Shortened(SimulateOptions):
    """Options that set other template parameters."""

    short: ClassVar = {"files": "C", "rows": "D"}


def test_what_is_said_closer_outweighs_the_file(tmp_path: Path) -> None:
    """A later file over an earlier one, short options over both, --parameter over all."""
    first = _file(tmp_path, '{"A": "1", "B": "1", "C": "1", "D": "1"}')
    second = _file(tmp_path, '{"B": "2", "C": "2", "D": "2"}', "q.json")
    options = Shortened(parameter_files=(_read(first), _read(second)), parameters=(("D", "4"),), files=3, rows=3)
    assert parameters_of(options) == {"A": "1", "B": "2", "C": "3", "D": "4"}


def test_simulate_and_load_test_take_a_file(tmp_path: Path) -> None:
    """Their short options outweigh it, and a scenario's parameters do not."""
    path = _file(tmp_path, '{"FileCount": 7, "BatchSize": 3, "ConsumerTimeout": 9, "VisibilityTimeout": 99}')

    stack, _ = resolve(SimulateOptions(parameter_files=(_read(path),), files=2, scenario="poison"))
    assert (stack.parameters["FileCount"], stack.parameters["BatchSize"]) == ("2", "3")
    assert stack.parameters["VisibilityTimeout"] == "99"

    chosen = parameters(LoadTestOptions(parameter_files=(_read(path),), batch_size=4))
    assert (chosen["BatchSize"], chosen["ConsumerTimeout"]) == ("4", "9")


def test_check_takes_a_file_and_names_a_parameter_that_the_template_lacks(tmp_path: Path) -> None:
    """A visibility timeout that AWS refuses; and a name that is nowhere, in one line with exit code 2."""
    refused = CliRunner().invoke(app, ["check", "--parameters", str(_file(tmp_path, '{"VisibilityTimeout": 30}'))])
    assert refused.exit_code == 2
    assert "Queue visibility timeout: 30 seconds is less than Function timeout" in refused.output

    unknown = CliRunner().invoke(app, ["check", "--parameters", str(_file(tmp_path, json.dumps({"Tikker": "x"})))])
    assert unknown.exit_code == 2
    assert "has no parameter 'Tikker'" in unknown.output


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """A run names its parameters at its end too, when the file may be gone: it may have been a pipe."""
    path = _file(tmp_path, '{"FileCount": 7}')
    options = SimulateOptions(parameter_files=(_read(path),), given={"parameter_files"})
    path.unlink()

    assert parameters_of(options) == {"FileCount": "7"}
    assert options.words({"parameter_files"}) == ["--parameters", str(path)]
