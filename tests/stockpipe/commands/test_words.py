"""What several commands say of a template."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes import declare
from simulator.base.errors import InputError
from simulator.stack import template
from simulator.stack.model import Ignored, Redrive
from simulator.stack.rules import examine
from stockpipe.commands.words import advice_lines, ignored_line, not_simulated, require_sound

LOW = {"MaxReceiveCount": "3"}


def test_advice_names_its_file_and_line() -> None:
    """As compilers write it: the pipeline's own template, or the user's file as it was given."""
    stack = template.load(None, LOW)
    (line,) = advice_lines(stack, None)
    where, said = line.split(": ", 1)
    assert where == f"pipeline/template.yaml:{stack.lines['StockQueue']}"
    assert said.startswith("AWS advises otherwise: StockQueue: throttles alone")
    (line,) = advice_lines(stack, Path("../mine.yaml"))
    assert line.startswith("../mine.yaml:")


def test_what_a_scenario_does_on_purpose_is_one_line() -> None:
    """All that its parameters bring about; what is advised against without them stays a line of its own."""
    usual = template.load(None, LOW)
    stack = template.load(None, {**LOW, "VisibilityTimeout": "60", "ReservedConcurrency": "1"})
    advised, meant = advice_lines(stack, None, "trap", usual)
    assert "maxReceiveCount 3 is below 5" in advised
    queue, function = stack.lines["StockQueue"], stack.lines["ConsumerLambda"]
    assert meant == (
        f"pipeline/template.yaml:{function}, {queue}: on purpose, trap goes against AWS's advice for "
        "ConsumerLambda and StockQueue"
    )


def test_each_advice_of_a_packaged_lesson_fits_the_two_lines_that_80_columns_have_for_an_event() -> None:
    """So that one warning does not hide the rest."""
    low = {"VisibilityTimeout": "6", "ConsumerTimeout": "5", "MaxReceiveCount": "3", "ReservedConcurrency": "2"}
    stack = template.load(None, low)
    lines = list(advice_lines(stack, None))
    assert len(lines) == 3
    assert [line for line in lines[1:] if len(line) > 138] == []
    assert len(next(advice_lines(stack, None, "throttle-trap", template.load()))) <= 138


def test_what_is_not_simulated_is_one_line() -> None:
    """How many properties, and the command that lists them."""
    one = Ignored("A", "B", "not simulated")
    assert ignored_line([one], None) == "1 template property is not simulated; stockpipe check lists them"
    assert ignored_line([one, one], Path("my own.yaml")) == (
        "2 template properties are not simulated; stockpipe check --template 'my own.yaml' lists them"
    )


def test_all_that_keeps_a_run_from_beginning_is_said_at_once() -> None:
    """What AWS refuses, what fails at init and what cannot run here: a line each, with the first way out."""
    stack = template.load(None, {"VisibilityTimeout": "30", "BatchSize": "11", "Delimiter": "x"})
    with pytest.raises(InputError) as raised:
        require_sound(stack, None)
    refused, also, failing, hint = raised.value.lines
    assert "AWS refuses it: ConsumerLambdaBatch: Queue visibility timeout: 30 seconds is less than" in refused
    assert "AWS refuses it: ConsumerLambdaBatch: Maximum batch window in seconds must be greater than 0" in also
    assert "fails at init: ConsumerLambda: DELIMITER='x'" in failing
    assert hint == "  hint: --parameter BatchSize=... sets it"


def test_a_long_list_is_cut() -> None:
    """After twenty lines the command that lists the rest is named."""
    queues = {f"Q{number}": declare.queue(f"Q{number}", redrive=Redrive("Q0", 0)) for number in range(30)}
    with pytest.raises(InputError) as raised:
        require_sound(declare.stack(queues=queues), Path("my own.yaml"))
    assert len(raised.value.lines) == 22
    assert raised.value.lines[20] == "and 11 more; stockpipe check --template 'my own.yaml' lists them"


def test_without_a_trigger_a_function_can_be_invoked() -> None:
    """That is the way out, and with it there is nothing to say."""
    stack = declare.stack(functions={"Consumer": declare.function()})
    with pytest.raises(InputError) as raised:
        require_sound(stack, Path("t.yaml"))
    assert raised.value.hint == "`stockpipe simulate --event FILE.json` invokes a function once"
    require_sound(stack, Path("t.yaml"), invoked="Consumer")
    node = declare.stack(functions={"Consumer": declare.function(runtime="nodejs22.x")})
    with pytest.raises(InputError, match="its handler is in nodejs22"):
        require_sound(node, Path("t.yaml"), invoked="Consumer")


def test_triggers_are_named_where_they_are_all_that_there_is(tmp_path: Path) -> None:
    """The obstacle that no function is invoked, and each event that is not simulated."""
    events = "".join(f"E{number}: {{Type: Api, Properties: {{Path: /, Method: get}}}}, " for number in range(7))
    file = tmp_path / "t.yaml"
    file.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {Type: AWS::Serverless::Function, Properties: "
        f"{{Handler: a.b, Runtime: python3.13, Events: {{{events}}}}}}}\n"
    )
    stack = template.load(file)
    obstacle, rest = (finding.text for finding in not_simulated(stack, examine(stack)))
    assert obstacle.startswith("no queue, bucket or schedule that is simulated here invokes a function")
    assert all(f"Events.E{number} (" in rest for number in range(7))
