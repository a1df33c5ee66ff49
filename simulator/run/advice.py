"""The next steps that a run's summary suggests. Each step follows from a cause."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.base import limits
from simulator.base.quantities import duration_text
from simulator.base.words import counted
from simulator.run.command_line import quoted, with_option
from simulator.stack.model import Stack
from simulator.stack.settings import parameter_behind
from simulator.stack.wiring import flow, own_path, wiring

CAUSES_ADVISED = 3
"""How many of the most frequent reasons get advice: people fix them one at a time."""
_NEAREST = re.compile(r"""the nearest is (?:'([^'…]+)'|"([^"…]+)")""")


class NextStep(NamedTuple):
    """One thing to do, and the command that does it, if there is one."""

    text: str
    command: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """The step as the summary has it."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Situation:
    """What the advice needs to know, apart from the figures.

    `repeat` is the command, as words, that repeats the run. `keeps_store` and `keeps_logs` are the options that make it
    keep the store up at its end and write the functions' logs to files; empty if it has no such option. `store_is_up`
    says that this run keeps its store up anyway, `could_not_finish` that our own failure ended it.
    """

    stack: Stack
    repeat: tuple[str, ...]
    drain_timeout_s: float
    keeps_store: tuple[str, ...] = ()
    keeps_logs: tuple[str, ...] = ()
    store_is_up: bool = False
    could_not_finish: bool = False

    def again(self, *option: str) -> str:
        """The command that repeats the run with this option, quoted for a shell."""
        return quoted(with_option(self.repeat, *option))

    def drained_longer(self, by_s: float = 60.0) -> str:
        """The command that repeats the run with more time for the drain: twice as much, or `by_s` seconds more."""
        longer_s = math.ceil(max(2 * self.drain_timeout_s, self.drain_timeout_s + by_s))
        return self.again("--drain-timeout", duration_text(longer_s))

    def parameter(self, logical_id: str, *path: str, value: str = "...") -> str:
        """How to set a property: with its template parameter, or in the template itself."""
        name = parameter_behind(self.stack, logical_id, *path)
        return f"--parameter {name}={value}" if name else f"{path[-1]} of {logical_id} in the template"


def advice(summary: Mapping[str, Any], situation: Situation) -> Iterator[NextStep]:
    """One step per thing that the user can do about the outcome, causes first."""
    audit = summary["audit"]
    cut_off = audit is not None and audit["expected_rows"] is None
    if own_path(situation.stack) is None:
        yield from _of_another_application(summary, situation)
        return
    if cut_off and summary["interrupted"] and not situation.could_not_finish:
        yield NextStep("press Ctrl-C only once: the run then stops accepting rows, drains, and proves what it stored.")
    for cause in summary["tick_failures"][:CAUSES_ADVISED]:
        yield _of_ticks(cause, situation)
    failed = [cause for cause in summary["failures"] if cause["count"] > cause["deleted"]]
    for cause in failed[:CAUSES_ADVISED]:
        yield _of_failure(cause, situation)
    waiting = (summary["queue"]["remaining"] or 0) - sum(cause["remaining"] for cause in failed)
    if waiting > 0 and not cut_off:
        yield _of_waiting(waiting, summary, situation)
    for cause in summary["rejections"][:CAUSES_ADVISED]:
        if cause["parameter"]:
            yield _to_read(f"{counted(cause['count'], 'row')} ({cause['reason']})", "rejected", cause, situation)
    if audit is not None and audit["verdict"] == "lossy":
        yield from (NextStep(f"{said}.") for said in audit["keys"])
    yield from _to_look(summary, situation)


def _of_another_application(summary: Mapping[str, Any], situation: Situation) -> Iterator[NextStep]:
    """What helps whatever the handlers do: their logs, more time, and a look into the store."""
    failed = [cause for cause in summary["failures"] if cause["count"] > cause["deleted"]]
    causes = [*summary["tick_failures"], *failed][:CAUSES_ADVISED]
    if causes and situation.keeps_logs:
        reasons = "; ".join(dict.fromkeys(cause["reason"] for cause in causes))
        yield NextStep(
            f"fix what failed ({reasons}). The functions' logs say more:", situation.again(*situation.keeps_logs)
        )
    is_pending = summary["deliveries"]["verdict"] == "pending"
    mapped = situation.stack.mapped()
    idle = [each for each, _, function in mapped if not each.enabled or function.reserved_concurrency == 0]
    for each in idle if is_pending and summary["queue"]["remaining"] else ():
        why = f"invokes {each.function}, whose reserved concurrency is 0" if each.enabled else "is disabled"
        yield NextStep(f"messages may wait for {each.logical_id}: it {why}.")
    if is_pending and (not idle or any(cause["outcome"] != "throttled" for cause in failed)):
        waits_s = [queue.visibility_timeout_s for queue in flow(situation.stack).queues]
        text = "what is left was not processed in time; a failed message comes back after its visibility timeout"
        if summary["deliveries"]["events_waiting"]:
            waits_s.append(round(sum(limits.ASYNC_ERROR_DELAYS_S)))
            text = "an event that failed is tried again after one minute, and after two more"
        yield NextStep(f"{text}. Let the drain take longer:", situation.drained_longer(max(waits_s)))
    if (summary["queue"]["dead_lettered"] or causes) and situation.keeps_store and not situation.store_is_up:
        yield NextStep(
            "look at what is left, in a run that keeps its store up:", situation.again(*situation.keeps_store)
        )


def _to_read(what: str, became: str, cause: Mapping[str, Any], situation: Situation) -> NextStep:
    """No further delivery can help: the object, or how the consumer reads it, must change."""
    verb = "was" if cause["count"] == 1 else "were"
    said = f"{what} {verb} {became}" if became == "rejected" else f"{what} {became}"
    if not cause["parameter"]:
        return NextStep(f"{said}: fix the object, or remove it.")
    if nearest := _NEAREST.search(cause["reason"]):
        setting = f"{cause['parameter']}={nearest[1] or nearest[2]}"
        given = quoted(("--parameter", setting))
        return NextStep(f"{said}: fix the object, or set {given}.", situation.again("--parameter", setting))
    return NextStep(f"{said}: fix the object, or set --parameter {cause['parameter']}=... to match it.")


def _of_failure(cause: Mapping[str, Any], situation: Situation) -> NextStep:
    path = wiring(situation.stack)
    consumer, reason = path.consumer, cause["reason"]
    who = counted(cause["count"] - cause["deleted"], "message")
    if "ResourceNotFoundException" in reason:
        tables = " and ".join(table.name for table in situation.stack.tables.values())
        return NextStep(f"{who} failed because a table does not exist: the template declares {tables}.")
    if cause["permanent"]:
        return _to_read(who, "will never succeed", cause, situation)
    match cause["outcome"]:
        case "error" | "crash" | "init-error":
            text = f"{who} failed because {consumer.name} ended with an error ({reason}): fix {consumer.handler}."
            if not situation.keeps_logs:
                return NextStep(text)
            return NextStep(f"{text} Its log says more:", situation.again(*situation.keeps_logs))
        case "timeout":
            longer = situation.parameter(consumer.logical_id, "Timeout")
            return NextStep(
                f"{who} failed because {consumer.name} did not return within {counted(consumer.timeout_s, 'second')}: "
                f"find what it waits for, or give it more time: {longer}, and six times that as the queue's "
                f"VisibilityTimeout."
            )
        case "throttled":
            return _of_throttles(who, situation)
        case "invalid batch item failures":
            return NextStep(
                f"{who} failed because {consumer.name} returned batch item failures that Lambda does not accept: each "
                "needs an itemIdentifier, the messageId of a message of its batch."
            )
    if not cause["remaining"]:
        more = situation.parameter(path.queue.logical_id, "RedrivePolicy", "maxReceiveCount")
        return NextStep(f"{who} failed every delivery: fix the cause, or allow more deliveries ({more}).")
    return _to_wait(f"{who} failed and may succeed later", situation)


def _of_ticks(cause: Mapping[str, Any], situation: Situation) -> NextStep:
    text = f"{counted(cause['count'], 'attempt')} at a tick failed ({cause['reason']}): fix the function"
    if not situation.keeps_logs:
        return NextStep(f"{text}.")
    return NextStep(f"{text}. Its log says more:", situation.again(*situation.keeps_logs))


def _of_throttles(who: str, situation: Situation) -> NextStep:
    consumer = wiring(situation.stack).consumer
    if consumer.reserved_concurrency is None:
        return NextStep(f"{who} came back because Lambda throttled {consumer.name}: let fewer batches run at once.")
    change = situation.parameter(consumer.logical_id, "ReservedConcurrentExecutions")
    return NextStep(
        f"{who} came back because Lambda throttled {consumer.name}: its reserved concurrency is "
        f"{consumer.reserved_concurrency} ({change})."
    )


def _to_wait(what: str, situation: Situation) -> NextStep:
    """Failed messages come back after their visibility timeout, so the drain must last longer than that."""
    visibility_s = wiring(situation.stack).queue.visibility_timeout_s
    text = (
        f"{what}: each comes back {counted(visibility_s, 'second')} after it was received. Let the drain take longer:"
    )
    return NextStep(text, situation.drained_longer(visibility_s))


def _of_waiting(waiting: int, summary: Mapping[str, Any], situation: Situation) -> NextStep:
    """Messages that are in the queue although they never failed."""
    path = wiring(situation.stack)
    mapping, consumer, throttles = path.mapping, path.consumer, summary["consumer"]["throttles"]
    who = counted(waiting, "message")
    if not mapping.enabled:
        change = situation.parameter(mapping.logical_id, "Enabled", value="true")
        verb = "waits" if waiting == 1 else "wait"
        return NextStep(f"{who} {verb}: the event source mapping {mapping.logical_id} is disabled ({change}).")
    if throttles:
        return _of_throttles(who, situation)
    longer = situation.drained_longer()
    late = f"{who} {'was' if waiting == 1 else 'were'} not processed in time"
    if summary["table"]["throttled_requests"]:
        refused = counted(summary["table"]["throttled_requests"], "write")
        return NextStep(f"{late}: the table throttled {refused}. Let the drain take longer:", longer)
    bounds = {
        (consumer.logical_id, "ReservedConcurrentExecutions"): consumer.reserved_concurrency,
        (mapping.logical_id, "ScalingConfig", "MaximumConcurrency"): mapping.maximum_concurrency,
    }
    tightest = min((bound, where) for where, bound in {**bounds, (): math.inf}.items() if bound is not None)
    at_once = summary["consumer"]["concurrency_max"]
    if at_once is not None and at_once >= tightest[0]:
        room = situation.parameter(*tightest[1])
        limit = counted(tightest[0], "batch", "batches")
        text = f"{late}, and {consumer.name} was at its limit of {limit} at once. Raise it ({room}), or"
        return NextStep(f"{text} let the drain take longer:", longer)
    return NextStep(f"{late}. Let the drain take longer:", longer)


def _to_look(summary: Mapping[str, Any], situation: Situation) -> Iterator[NextStep]:
    """Where to look for what is not in the table."""
    audit, queue, resources = summary["audit"] or {}, summary["queue"], summary["resources"]
    path, rejected = wiring(situation.stack), sum(cause["count"] for cause in summary["rejections"])
    places = [
        *(["the rows named above"] if audit.get("verdict") == "differs" else []),
        *([f"{counted(queue['dead_lettered'], 'dead-lettered message')}"] if queue["dead_lettered"] else []),
        *([f"{counted(rejected, 'rejected row')} under {path.rejected_prefix}"] if rejected else []),
    ]
    if not places:
        return
    what = f"{', '.join(places[:-1])} and {places[-1]}" if len(places) > 1 else places[0]
    if situation.store_is_up:
        where = [resources["bucket"], resources["table"], *([resources["dlq_url"]] if queue["dead_lettered"] else [])]
        yield NextStep(f"look at {what}: the store is up at {summary['endpoint']} with {', '.join(where)}.")
    elif situation.keeps_store:
        yield NextStep(f"look at {what}, in a run that keeps its store up:", situation.again(*situation.keeps_store))
