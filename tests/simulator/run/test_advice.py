"""What to do next follows from the cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from fakes import declare
from fakes.templates import own_stack
from simulator.run.advice import NextStep, Situation, advice
from simulator.stack import template
from simulator.stack.model import Stack

REPEAT = ("stockpipe", "simulate", "--seed", "7")
NOTHING: Mapping[str, Any] = {
    "interrupted": False,
    "endpoint": "http://127.0.0.1:4100",
    "resources": {"bucket": "b", "table": "StockData", "dlq_url": "http://dlq"},
    "queue": {"remaining": 0, "dead_lettered": 0},
    "consumer": {"throttles": 0, "concurrency_max": 3},
    "table": {"throttled_requests": 0},
    "audit": {"verdict": "exact", "expected_rows": 5, "rejected": 0},
    "failures": [],
    "rejections": [],
    "tick_failures": [],
}


def cause(reason: str = "no", **changes: Any) -> dict[str, Any]:
    """A reason that one message failed for, which is still in the queue."""
    plain = {"reason": reason, "permanent": None, "count": 1, "parameter": None, "outcome": "batch item failure"}
    return {**plain, "deleted": 0, "remaining": 1, "dead_lettered": 0, **changes}


def steps(situation: Mapping[str, Any] | None = None, *, stack: Stack | None = None, **parts: Any) -> list[Any]:
    """The steps as (text, command), for a summary in which nothing is amiss but these parts of it."""
    changed = {
        name: {**NOTHING.get(name, {}), **part} if isinstance(part, dict) else part for name, part in parts.items()
    }
    summary = {**NOTHING, **changed}
    plain = Situation(stack or own_stack(), REPEAT, 60.0, ("--hold",), ("--logs", "logs"))
    return [tuple(step) for step in advice(summary, dataclasses.replace(plain, **situation or {}))]


def unproven(*failures: dict[str, Any], remaining: int = 1, **parts: Any) -> list[Any]:
    """The steps for a run that did not drain, without those about where to look."""
    audit = {"verdict": "unproven"}
    return steps({"keeps_store": ()}, failures=failures, queue={"remaining": remaining}, audit=audit, **parts)


def test_a_run_in_which_nothing_is_amiss_needs_no_advice() -> None:
    """Nor does a message that failed and succeeded later."""
    assert steps() == steps(failures=[cause(deleted=1, remaining=0)]) == []
    assert steps(queue={"remaining": None, "dead_lettered": None}) == []
    assert NextStep("fix it.").as_json() == {"text": "fix it.", "command": None}


@pytest.mark.parametrize(
    ("reason", "parameter", "text", "command"),
    [
        ("no header", None, "1 message will never succeed: fix the object, or remove it.", None),
        (
            "no timestamp column in the header 'a,b'", "TimestampColumn",
            "1 message will never succeed: fix the object, or set --parameter TimestampColumn=... to match it.",
            None,
        ),
        (
            "TIMESTAMP_COLUMN 'Trade Dat' is not among the columns a,b; the nearest is 'Trade Date'", "TimestampColumn",
            "1 message will never succeed: fix the object, or set --parameter TimestampColumn='Trade Date'.",
            "stockpipe simulate --seed 7 --parameter TimestampColumn='Trade Date'",
        ),
        (
            'TICKER_COLUMN \'x\' is not among the columns "it\'s"; the nearest is "it\'s"', "TickerColumn",
            "1 message will never succeed: fix the object, or set --parameter TickerColumn='it'\"'\"'s'.",
            "stockpipe simulate --seed 7 --parameter TickerColumn='it'\"'\"'s'",
        ),
        (
            "TICKER_COLUMN … is not among the columns a; the nearest is '…'", "TickerColumn",
            "1 message will never succeed: fix the object, or set --parameter TickerColumn=... to match it.",
            None,
        ),
    ],
)  # fmt: skip
def test_what_cannot_succeed_is_not_waited_for(
    reason: str, parameter: str | None, text: str, command: str | None
) -> None:
    """It says so, and which parameter changes that, with its value where the reason names it."""
    failure = cause(reason, permanent=True, parameter=parameter, count=3, deleted=2)
    assert unproven(failure) == [(text, command)]


def test_rejected_rows_name_the_parameter_that_would_read_them() -> None:
    """Only where there is one: the reasons and examples stand above. They are to be seen under their prefix."""
    rejections = [
        cause("unreadable timestamp", count=3, parameter="TimestampFormat", permanent=True),
        cause("no ticker"),
    ]
    assert steps(rejections=rejections, audit={"rejected": 4}) == [
        (
            "3 rows (unreadable timestamp) were rejected: fix the object, or set --parameter TimestampFormat=... to "
            "match it.",
            None,
        ),
        (
            "look at 4 rejected rows under rejected/, in a run that keeps its store up:",
            "stockpipe simulate --seed 7 --hold",
        ),
    ]


@pytest.mark.parametrize("outcome", ["error", "crash", "init-error"])
def test_a_function_that_crashes_is_to_be_fixed(outcome: str) -> None:
    """With the last line of its traceback, and the command that keeps the whole."""
    ((text, command),) = unproven(cause("KeyError: 'Records'", outcome=outcome))
    assert text == (
        "1 message failed because ConsumerLambda ended with an error (KeyError: 'Records'): fix "
        "pipeline.consumer.handler. Its log says more:"
    )
    assert command == "stockpipe simulate --seed 7 --logs logs"
    ((text, command),) = steps({"keeps_logs": ()}, failures=[cause("KeyError: 'Records'", outcome=outcome)])
    assert (text.endswith("fix pipeline.consumer.handler."), command) == (True, None)


def test_a_generator_that_fails() -> None:
    """Nothing comes in, and the run says why."""
    ticks = [{"reason": f"GeneratorLambda: KeyError: {number}", "count": 3} for number in range(9)]
    text = "3 attempts at a tick failed (GeneratorLambda: KeyError: 0): fix the function."
    assert steps(tick_failures=ticks)[0] == (
        f"{text} Its log says more:",
        "stockpipe simulate --seed 7 --logs logs",
    )
    assert len(steps(tick_failures=ticks)) == 3
    assert steps({"keeps_logs": ()}, tick_failures=ticks)[0] == (text, None)


def test_a_function_that_does_not_return() -> None:
    """Its timeout, and how to raise it with what depends on it."""
    ((text, _),) = unproven(cause("Task timed out after 60.00 seconds", outcome="timeout"))
    assert "ConsumerLambda did not return within 60 seconds" in text
    assert "--parameter ConsumerTimeout=..., and six times that as the queue's VisibilityTimeout" in text


def test_a_table_that_does_not_exist() -> None:
    """Whoever says so, and for good or not."""
    reason = "PutItem: An error occurred (ResourceNotFoundException): Requested resource not found"
    ((text, _),) = unproven(cause(reason, permanent=True))
    assert text == "1 message failed because a table does not exist: the template declares StockData."


def test_batch_item_failures_that_lambda_does_not_accept() -> None:
    """What one has to look like."""
    ((text, _),) = unproven(cause(outcome="invalid batch item failures"))
    assert "itemIdentifier, the messageId of a message of its batch" in text


@pytest.mark.parametrize("throttled", [True, False])
def test_throttles_name_the_reserved_concurrency(throttled: bool) -> None:
    """Of messages that came back for it, and of those that still wait for an environment."""
    stack = template.load(None, {"ReservedConcurrency": "2"})
    failures = [cause("throttled: reserved concurrency", outcome="throttled")] if throttled else []
    ((text, _),) = unproven(*failures, stack=stack, consumer={"throttles": 4})
    assert text == (
        "1 message came back because Lambda throttled ConsumerLambda: its reserved concurrency is 2 "
        "(--parameter ReservedConcurrency=...)."
    )
    ((text, _),) = unproven(*failures, consumer={"throttles": 4})
    assert text.endswith("let fewer batches run at once.")


def test_a_mapping_that_is_disabled() -> None:
    """Nobody polls; where no parameter decides that, the template does."""
    stack = own_stack()
    (mapping,) = stack.mappings.values()
    off = dataclasses.replace(stack, mappings={mapping.logical_id: dataclasses.replace(mapping, enabled=False)})
    assert unproven(stack=off)[0][0].startswith("1 message waits: the event source mapping")
    assert unproven(stack=off, remaining=3) == [
        (
            "3 messages wait: the event source mapping ConsumerLambdaBatch is disabled (Enabled of "
            "ConsumerLambdaBatch in the template).",
            None,
        )
    ]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "2 messages were not processed in time. Let the drain take longer:"),
        (
            {"consumer": {"throttles": None, "concurrency_max": None}},
            "2 messages were not processed in time. Let the drain take longer:",
        ),
        (
            {"table": {"throttled_requests": 9}},
            "2 messages were not processed in time: the table throttled 9 writes. Let the drain take longer:",
        ),
        (
            {"consumer": {"throttles": 0, "concurrency_max": 10}},
            "2 messages were not processed in time, and ConsumerLambda was at its limit of 10 batches at once. "
            "Raise it (--parameter MaximumConcurrency=...), or let the drain take longer:",
        ),
    ],
)
def test_messages_that_need_time(parts: dict[str, Any], text: str) -> None:
    """A longer drain, and what holds them up where that is known; those that failed are no part of them."""
    failed = cause("no header", permanent=True)
    assert unproven(failed, remaining=3, **parts)[1:] == [(text, "stockpipe simulate --seed 7 --drain-timeout 2m")]


def test_messages_that_come_back() -> None:
    """The drain has to outlast the visibility timeout; given up by the queue, no drain helps."""
    assert unproven(cause("no time left", permanent=False)) == [
        (
            "1 message failed and may succeed later: each comes back 360 seconds after it was received. Let the drain "
            "take longer:",
            "stockpipe simulate --seed 7 --drain-timeout 7m",
        )
    ]
    ((text, _),) = unproven(cause("no time left", remaining=0, dead_lettered=1), remaining=0)
    assert text == (
        "1 message failed every delivery: fix the cause, or allow more deliveries (--parameter MaxReceiveCount=...)."
    )


@pytest.mark.parametrize(("given_s", "longer"), [(0.0, "60s"), (1.5, "62s"), (60.0, "2m"), (100.0, "200s")])
def test_a_longer_drain_is_much_longer(given_s: float, longer: str) -> None:
    """Twice as long, and a minute more at least, in whole seconds."""
    ((_, command),) = steps({"drain_timeout_s": given_s}, queue={"remaining": 1}, audit={"verdict": "unproven"})
    assert command == f"stockpipe simulate --seed 7 --drain-timeout {longer}"


def test_a_run_that_was_cut_off() -> None:
    """A second Ctrl-C leaves no proof, and what is left says nothing; after one there is a proof."""
    cut = {"interrupted": True, "queue": {"remaining": 500}}
    no_proof = {"verdict": "unproven", "expected_rows": None}
    assert steps({"could_not_finish": True}, **cut, audit=no_proof) == []
    ((text, command),) = steps(**cut, audit=no_proof)
    assert text.startswith("press Ctrl-C only once")
    assert command is None
    ((text, _),) = steps(**cut, audit={"verdict": "unproven"})
    assert text.startswith("500 messages were not processed in time")
    assert steps(queue={"remaining": 500}, audit={"verdict": "unproven", "expected_rows": None}) == []


def test_where_to_look() -> None:
    """In a run that keeps its store; in this one while it does; nowhere if a command cannot."""
    parts = {"queue": {"dead_lettered": 2}, "audit": {"verdict": "differs"}, "rejections": [cause("no ticker")]}
    text = "look at the rows named above, 2 dead-lettered messages and 1 rejected row under rejected/"
    assert steps(**parts) == [(f"{text}, in a run that keeps its store up:", "stockpipe simulate --seed 7 --hold")]
    parts["audit"] = {"verdict": "exact"}
    assert steps(**parts)[0][0].startswith("look at 2 dead-lettered messages and 1 rejected row under rejected/, in")
    parts["audit"] = {"verdict": "differs"}
    up = f"{text}: the store is up at http://127.0.0.1:4100 with b, StockData, http://dlq."
    assert steps({"store_is_up": True}, **parts) == [(up, None)]
    assert steps({"keeps_store": ()}, **parts) == []


def test_keys_that_are_not_unique_are_explained() -> None:
    """Where rows were lost by them: each object's, with what would mend it."""
    audit = {"verdict": "lossy", "keys": ["the keys of a are not unique", "so are those of b"]}
    said = [("the keys of a are not unique.", None), ("so are those of b.", None)]
    assert steps({"keeps_store": ()}, audit=audit) == said
    assert steps({"keeps_store": ()}, audit={**audit, "verdict": "exact"}) == []


def test_a_load_test_on_a_sink_has_no_audit() -> None:
    """Its advice is about the causes alone."""
    failures = [cause("no header", permanent=True)]
    fix, wait = steps(audit=None, failures=failures, queue={"remaining": 2}, interrupted=True)
    assert fix == ("1 message will never succeed: fix the object, or remove it.", None)
    assert wait[0] == "1 message was not processed in time. Let the drain take longer:"


def test_three_causes_are_enough() -> None:
    """The most frequent first; each is one thing to do."""
    rows = [cause(f"reason {number}", parameter="X") for number in range(9)]
    (one, _, _, look) = steps(rejections=rows)
    assert one[0] == "1 row (reason 0) was rejected: fix the object, or set --parameter X=... to match it."
    assert look[0].startswith("look at 9 rejected rows under rejected/, in")
    assert len(unproven(*[cause(f"reason {number}", permanent=True) for number in range(9)], remaining=9)) == 3


def another(
    *failures: dict[str, Any],
    verdict: str = "settled",
    waiting: int = 0,
    situation: Mapping[str, Any] | None = None,
    **parts: Any,
) -> list[Any]:
    """The steps for an application with one queue."""
    application = declare.stack(
        functions={"Consumer": declare.function()},
        queues={"Queue": declare.queue(visibility_timeout_s=90)},
        mappings={"Mapping": declare.mapping()},
    )
    deliveries = {"verdict": verdict, "events_waiting": waiting}
    return steps(situation, stack=application, failures=failures, audit=None, deliveries=deliveries, **parts)


def test_another_application_that_is_settled_needs_no_advice() -> None:
    """Nor one whose messages failed and succeeded later."""
    assert another() == another(cause(deleted=1, remaining=0)) == []


def test_what_failed_is_looked_up_in_the_logs() -> None:
    """Each reason once, and then in a run that keeps its store."""
    look, hold = another(cause("KeyError: 'a'"), cause("KeyError: 'a'"), cause("boom"))
    assert look == (
        "fix what failed (KeyError: 'a'; boom). The functions' logs say more:",
        "stockpipe simulate --seed 7 --logs logs",
    )
    assert hold == (
        "look at what is left, in a run that keeps its store up:",
        "stockpipe simulate --seed 7 --hold",
    )
    assert another(*map(cause, "abcd"))[0][0].startswith("fix what failed (a; b; c). ")
    assert another(cause(), situation={"keeps_logs": ()}) == [hold]


def test_what_is_left_is_looked_at_in_a_run_that_keeps_its_store() -> None:
    """Dead letters are left, too; a run without the option, or whose store is up anyway, gets no such advice."""
    dead = {"dead_lettered": 1}
    ((text, command),) = another(queue=dead)
    assert text.startswith("look at what is left")
    assert command == "stockpipe simulate --seed 7 --hold"
    assert another(queue=dead, situation={"keeps_store": ()}) == []
    assert another(queue=dead, situation={"store_is_up": True}) == []


@pytest.mark.parametrize(
    ("waiting", "text", "timeout"),
    [
        (0, "a failed message comes back after its visibility timeout", "150s"),
        (1, "an event that failed is tried again after one minute, and after two more", "4m"),
    ],
)
def test_what_waits_gets_more_time(waiting: int, text: str, timeout: str) -> None:
    """As long as a message or an event waits before it is tried again."""
    ((said, command),) = another(verdict="pending", waiting=waiting)
    assert text in said
    assert command == f"stockpipe simulate --seed 7 --drain-timeout {timeout}"


@pytest.mark.parametrize(
    ("changes", "reserved", "said"),
    [
        ({"enabled": False}, None, "messages may wait for Mapping: it is disabled."),
        ({}, 0, "messages may wait for Mapping: it invokes Consumer, whose reserved concurrency is 0."),
    ],
)
def test_what_nothing_takes_gets_no_more_time(changes: dict[str, Any], reserved: int | None, said: str) -> None:
    """A longer drain would not help; what failed by itself still gets it. Nothing is said if no message waits."""
    stack = declare.stack(
        functions={"Consumer": declare.function(reserved_concurrency=reserved)},
        queues={"Queue": declare.queue()},
        mappings={"Mapping": declare.mapping(**changes)},
    )
    parts: dict[str, Any] = {"audit": None, "deliveries": {"verdict": "pending", "events_waiting": 0}}
    parts["queue"] = {"remaining": 1, "dead_lettered": 0}
    assert [text for text, _ in steps(stack=stack, failures=(), **parts)] == [said]
    texts = [text for text, _ in steps(stack=stack, failures=(cause("boom"),), **parts)]
    assert any(text.endswith("Let the drain take longer:") for text in texts)
    over = {**parts, "deliveries": {"verdict": "differs", "events_waiting": 0}}
    empty = {**parts, "queue": {"remaining": 0, "dead_lettered": 0}}
    assert steps(stack=stack, failures=(), **over) == steps(stack=stack, failures=(), **empty) == []
