"""What the pipeline's own handlers would refuse at init."""

from __future__ import annotations

from pathlib import Path

from simulator.stack import template
from simulator.stack.handler_settings import malformed_settings
from simulator.stack.packaged import packaged_template


def test_the_defaults_are_sound() -> None:
    """The shipped template would not fail anywhere."""
    assert malformed_settings(template.load()) == ()


def test_each_function_is_judged_by_its_own_rules() -> None:
    """There is one finding per function, with its line; a setting that a function never reads does not affect it."""
    parameters = {"TickerCount": "1", "RowsPerFile": "100000", "Comment": " x", "TimestampFormat": "%d.%m.%Y"}
    stack = template.load(None, parameters)
    found = malformed_settings(stack)
    assert [finding.logical_id for finding in found] == ["GeneratorLambda", "ConsumerLambda"]
    assert found[1].text.startswith("COMMENT=' x' must not begin with a blank or a quote")
    assert all(finding.line for finding in found)


def test_a_handler_that_is_not_ours_is_not_judged(tmp_path: Path) -> None:
    """Another handler may use a variable of the same name differently."""
    text = packaged_template().read_text(encoding="utf-8")
    other = tmp_path / "t.yaml"
    other.write_text(text.replace("Handler: pipeline.consumer.handler", "Handler: mine.handler"), encoding="utf-8")
    assert malformed_settings(template.load(other, {"Comment": " x"})) == ()
