"""What keeps a template from running here, and what does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fakes import declare
from simulator.stack import template
from simulator.stack.model import Ignored, Stack
from simulator.stack.obstacles import foreign
from simulator.stack.rules import Finding, examine


def polled(runtime: str = "python3.13", **changes: Any) -> Stack:
    """A queue with one function, in this runtime, behind it."""
    stack = declare.stack(
        functions={"Consumer": declare.function(runtime=runtime)},
        queues={"Queue": declare.queue()},
        mappings={"Mapping": declare.mapping()},
        lines={"Consumer": 7},
    )
    return dataclasses.replace(stack, **changes)


def document(**properties: Any) -> dict[str, Any]:
    """A template whose function has these properties."""
    return {"Resources": {"Consumer": {"Properties": properties}}}


@pytest.mark.parametrize("runtime", ["python3.13", "Python3.9", "python2.7"])
def test_a_handler_in_python_runs(runtime: str) -> None:
    """Whatever AWS says of its version."""
    assert examine(polled(runtime)).obstacles == ()


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (polled("nodejs20.x"), "its handler is in nodejs20.x; only Python handlers run here"),
        (polled(""), "its handler is in no known runtime; only Python handlers run here"),
        (polled(document=document(PackageType="Image")), "it is a container image; only handlers in Python"),
    ],
)
def test_another_runtime_on_the_datas_way_is_an_obstacle(stack: Stack, said: str) -> None:
    """It is said with the function's line, and AWS refuses nothing."""
    found = examine(stack)
    assert found.violations == ()
    (obstacle,) = found.obstacles
    assert (obstacle.logical_id, obstacle.line, obstacle.kind) == ("Consumer", 7, "not simulated")
    assert obstacle.text.startswith(said)


def test_another_runtime_beside_the_datas_way_is_none() -> None:
    """Nothing that is simulated invokes it, unless it is the one that the caller invokes."""
    node = declare.function("Node", runtime="nodejs20.x")
    stack = polled(functions={"Consumer": declare.function(), "Node": node})
    assert examine(stack).obstacles == ()
    assert foreign(stack).keys() == {"Node"}
    assert [each.logical_id for each in examine(stack, invoked="Node").obstacles] == ["Node"]


def test_nothing_that_invokes_a_function_is_an_obstacle() -> None:
    """The triggers that there are, but not here, are named."""
    ignored = (
        Ignored("Consumer", "Events.Web", "a trigger of type Api is not simulated"),
        Ignored("Consumer", "Events.Web.Properties.Path", "not simulated"),
        Ignored("Topic", "AWS::SNS::Topic", "not simulated"),
        Ignored("Rule", "AWS::Events::Rule", "it has a pattern"),
    )
    stack = polled(mappings={}, ignored=ignored)
    text = (
        "no queue, bucket or schedule that is simulated here invokes a function; the template has only "
        "Consumer.Events.Web, Rule"
    )
    assert examine(stack).obstacles == (Finding("Consumer", text, 7, "not simulated"),)
    assert examine(stack, invoked="Consumer").obstacles == ()
    most = tuple(Ignored("Consumer", f"Events.E{number}", "") for number in range(5))
    assert examine(polled(mappings={}, ignored=most)).obstacles[0].text.endswith(", Consumer.Events.E4")
    many = tuple(Ignored("Consumer", f"Events.E{number}", "") for number in range(7))
    assert examine(polled(mappings={}, ignored=many)).obstacles[0].text.endswith("Consumer.Events.E4 and 2 more")


def test_a_consumer_without_its_table_is_an_obstacle() -> None:
    """It is said of the function, with the name that its variable has."""
    own = template.load()
    consumer = own.functions["ConsumerLambda"]
    consumer = dataclasses.replace(consumer, environment={**consumer.environment, "TABLE_NAME": "a: b"})
    functions = {**own.functions, "ConsumerLambda": consumer}
    (obstacle,) = examine(dataclasses.replace(own, functions=functions)).obstacles
    assert obstacle.logical_id == "ConsumerLambda"
    assert obstacle.text.startswith("TABLE_NAME is 'a: b', which is not a table")


def test_a_template_without_functions_has_an_obstacle_of_its_own() -> None:
    """There is nothing to run."""
    (obstacle,) = examine(declare.stack()).obstacles
    assert (obstacle.logical_id, obstacle.line) == ("Resources", None)
