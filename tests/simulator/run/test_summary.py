"""The summary: the contract's JSON and its text."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pytest
from rich.console import Console

from fakes.templates import own_stack
from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters
from simulator.base.observations import ObjectPut, PhaseChanged
from simulator.proof.account import Audit, ObjectsAtRest
from simulator.proof.deliveries import Deliveries
from simulator.run import summary
from simulator.run.advice import Situation
from simulator.run.bounds import DEFAULTS, FIGURES, in_force, parse_all
from simulator.run.text import render_summary
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import Cause, Example, FunctionView, Latency, Maxima, RunOptions, Snapshot

OPTIONS = RunOptions("simulate", 7, "inline", 1_700_000_000.0, "http://127.0.0.1:41233", "rate(1 minute)", 12.0, 60.0)
RESOURCES = {"bucket": "b", "queue_url": "http://q", "dlq_url": "http://d", "table": "StockData"}
CONTRACT = {
    "": "schema command versions options seed started_at ended_at interrupted endpoint duration_s resources generated "
    "queue consumer table latency_s throughput audit bounds failures rejections tick_failures next_steps",
    "versions": "stockpipe python moto aiobotocore",
    "resources": "bucket queue_url dlq_url table",
    "generated": "invocations files rows bytes",
    "queue": "sent received deleted dead_lettered remaining visible_max in_flight_max oldest_age_s_max",
    "consumer": "invocations cold_starts errors timeouts throttles batch_item_failures concurrency_max",
    "table": "rows_written batch_writes unprocessed_items throttled_requests write_units",
    "latency_s.object_to_stored": "p50 p90 p99 max",
    "throughput": "rows_per_s_mean rows_per_s_max",
    "audit": "parsed_rows rejected duplicates expected_rows stored_rows missing extra different ambiguous "
    "dead_lettered pending verdict",
    "audit.dead_lettered": "objects rows rows_stored",
    "audit.pending": "objects rows rows_stored",
}


@pytest.fixture
def snapshot() -> Snapshot:
    """A run of a minute that drained within three seconds."""
    began_at = OPTIONS.started_at + 2
    return Snapshot(
        at=began_at + 64,
        options=OPTIONS,
        roles=Telemetry(own_stack(), OPTIONS).snapshot(began_at).roles,
        phase="done",
        running_at=began_at,
        first_at=began_at + 0.25,
        drained_at=began_at + 63.25,
        generator=FunctionView(
            invocations=12, metrics={"FilesWritten": 600, "RowsGenerated": 60_000, "BytesWritten": 3_720_000}
        ),
        consumer=FunctionView(
            invocations=70, cold_starts=8, errors=2, timeouts=1, throttles=3, left=4, busy_max=8
        ),
        store=StoreCounters(began_at + 63.25),
        bucket=BucketCounters(600, 3_720_000, 600, began_at + 0.5, began_at + 55.0),
        queue=QueueCounters(sent=600, received=612, deleted=599, dead_lettered=1),
        table=TableCounters(
            rows=59_900, rows_written=60_400, rows_per_s_max=4_105, last_write_at=began_at + 60.5, batch_writes=2_416,
            unprocessed_items=20, throttled_requests=2, write_units=60_400.0,
        ),
        maxima=Maxima(visible=350, in_flight=80, depth=412, oldest_age_s=8.1234),
        latency=Latency(599, p50=0.31, p90=0.84, p99=1.92, max=2.4),
    )  # fmt: skip


@pytest.fixture
def proof() -> Audit:
    """Everything in its place, one object of a hundred rows in the dead-letter queue."""
    return Audit(
        parsed_rows=60_000,
        rejected=0,
        duplicates=0,
        expected_rows=59_900,
        stored_rows=59_900,
        missing=0,
        extra=0,
        different=0,
        ambiguous=0,
        overwritten=0,
        superseded=0,
        objects_all_rejected=0,
        objects_many_rejected=0,
        dead_lettered=ObjectsAtRest(1, 100, 0),
        pending=ObjectsAtRest(0, 0, 0),
        filtered=ObjectsAtRest(0, 0, 0),
        verdict="exact",
        differences=(),
        apart=(),
        keys=(),
        unused_settings=(),
        notes={},
    )


def build(snapshot: Snapshot, audit: Audit | None, **changed: Any) -> dict[str, Any]:
    """The summary with the arguments that a test does not care about filled."""
    arguments: dict[str, Any] = {"resources": RESOURCES, "options": {"speed": 12.0}, "ended_at": 1_700_000_070.0}
    arguments |= {"interrupted": False, "bounds": DEFAULTS}
    arguments["situation"] = Situation(own_stack(), ("stockpipe", "simulate", "--seed", "7"), 60.0, ("--hold",))
    return summary.build(snapshot, audit=audit, **{**arguments, **changed})


def text(built: dict[str, Any], width: int = 100) -> str:
    """The text as it is printed, each line without trailing blanks."""
    console = Console(file=io.StringIO(), width=width)
    console.print(render_summary(built))
    printed: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in printed.splitlines())


def keys(built: dict[str, Any], path: str) -> list[str]:
    """The keys under a dotted path."""
    for name in filter(None, path.split(".")):
        built = built[name]
    return list(built)


@pytest.mark.parametrize("path", CONTRACT)
@pytest.mark.parametrize("audited", [True, False])
def test_every_key_of_the_contract_is_there(snapshot: Snapshot, proof: Audit, path: str, audited: bool) -> None:
    """With and without a proof; a run that never began has them all as well."""
    never = Snapshot(1.0, OPTIONS, snapshot.roles)
    for shown in (snapshot, never):
        built = build(shown, proof if audited else None)
        assert set(CONTRACT[path].split()) <= set(keys(built, path))
        assert json.loads(json.dumps(built)) == built


def test_the_figures_of_a_run(snapshot: Snapshot, proof: Audit) -> None:
    """Each figure comes from where the contract says."""
    built = build(snapshot, proof)
    assert built["schema"] == "stockpipe.run/1"
    assert built["started_at"] == "2023-11-14T22:13:20.000Z"
    assert built["duration_s"] == 63.0
    assert built["generated"] == {"invocations": 12, "files": 600, "rows": 60_000, "bytes": 3_720_000}
    assert built["queue"] == {
        "sent": 600, "received": 612, "deleted": 599, "dead_lettered": 1, "remaining": 0, "filtered": 0,
        "visible_max": 350, "in_flight_max": 80, "depth_max": 412, "oldest_age_s_max": 8.123,
    }  # fmt: skip
    assert built["consumer"] == {
        "invocations": 70, "cold_starts": 8, "errors": 2, "timeouts": 1, "throttles": 3, "batch_item_failures": 4,
        "concurrency_max": 8,
    }  # fmt: skip
    assert built["table"] == {
        "rows_written": 60_400, "batch_writes": 2_416, "unprocessed_items": 20, "throttled_requests": 2,
        "write_units": 60_400.0,
    }  # fmt: skip
    assert built["latency_s"]["object_to_stored"] == {"p50": 0.31, "p90": 0.84, "p99": 1.92, "max": 2.4}
    assert built["throughput"] == {"rows_per_s_mean": 1006.7, "rows_per_s_max": 4105.0}
    assert built["audit"]["dead_lettered"] == {"objects": 1, "rows": 100, "rows_stored": 0}


def test_messages_that_a_filter_deleted_are_told_apart(snapshot: Snapshot, proof: Audit) -> None:
    """They are among the deleted ones; their objects' rows are told as those of dead letters are."""
    built = build(
        dataclasses.replace(snapshot, filtered=12), dataclasses.replace(proof, filtered=ObjectsAtRest(12, 1_200, 3))
    )
    assert built["queue"]["filtered"] == 12
    assert "deleted by the filter: 12 objects with 1,200 rows, 3 of them stored" in text(built)
    assert "600 sent = 599 deleted (12 by the filter) + 1 dead-lettered + 0 remaining" in text(built)


def test_what_does_not_exist_is_null(snapshot: Snapshot) -> None:
    """A run whose store never answered has no queue, no latency, no throughput, no duration and no audit."""
    built = build(Snapshot(1.0, OPTIONS, snapshot.roles), None, resources=None)
    assert set(built["queue"].values()) == set(built["table"].values()) == {None}
    assert set(built["latency_s"]["object_to_stored"].values()) == set(built["throughput"].values()) == {None}
    assert built["duration_s"] is None
    assert built["resources"] == {"bucket": None, "queue_url": None, "dlq_url": None, "table": None}
    assert built["audit"]["verdict"] == "unproven"
    assert built["audit"]["missing"] is None
    assert built["audit"]["pending"] == {"objects": None, "rows": None, "rows_stored": None}


def test_real_files_count_as_generated() -> None:
    """Objects and bytes as put by the run, rows as the proof read them, no invocation."""
    telemetry = Telemetry(own_stack(), dataclasses.replace(OPTIONS, schedule=None, objects=2))
    telemetry.record(PhaseChanged(0.0, "running"))
    telemetry.record(ObjectPut(1.0, "b", "stocks/source/a.csv", 400))
    telemetry.record(ObjectPut(2.0, "b", "stocks/source/b.csv", 200))
    built = build(telemetry.snapshot(3.0), None, source_rows=560)
    assert built["generated"] == {"invocations": 0, "files": 2, "rows": 560, "bytes": 600}


def test_what_others_put_is_not_generated(snapshot: Snapshot) -> None:
    """Objects that a scenario or a stranger put are in the queue's figures alone."""
    shown = dataclasses.replace(snapshot, puts=5, put_bytes=500, generator=FunctionView())
    assert set(build(shown, None)["generated"].values()) == {0}


def test_a_run_begins_with_a_put_by_others(snapshot: Snapshot) -> None:
    """Without a tick, the duration counts from the store's first put."""
    shown = dataclasses.replace(snapshot, first_at=None)
    assert build(shown, None)["duration_s"] == 62.75


def test_the_text_of_a_proven_run(snapshot: Snapshot, proof: Audit) -> None:
    """Verdict first, then the stages; what lies in the dead-letter queue is pointed at."""
    assert text(build(snapshot, proof), 100) == (
        """\
  exact  every row is accounted for: 59,900 expected, 59,900 stored
  missed  dead_lettered<1  1 message: messages moved to the dead-letter queue
  held    3 default bounds
  took        63.0 s from the first tick or put to the end of the drain
  generated   12 ticks wrote 600 objects, 60,000 rows, 3.72 MB
  queue       600 sent = 599 deleted + 1 dead-lettered + 0 remaining
              612 deliveries; peak 412 (350 visible, 80 in flight), oldest 8.12 s
  consumer    70 invocations, at most 8 at once; 8 cold starts
              2 errors (1 timeout), 3 throttles, 4 batch item failures
  table       60,400 rows written in 2,416 batch writes; 60,400 write units
              20 unprocessed items, 2 throttled requests
  throughput  mean 1,007 rows/s, busiest second 4,105 rows
  latency     object to stored  p50 310 ms  p90 840 ms  p99 1.92 s  max 2.40 s
  proof       60,000 rows read, 0 rejected, 0 duplicates within an object
              59,900 expected, 59,900 stored
              0 missing, 0 extra, 0 different, 0 ambiguous
              dead-letter queue: 1 object with 100 rows, 0 of them stored
  what to do next
    look at 1 dead-lettered message, in a run that keeps its store up:
      stockpipe simulate --seed 7 --hold"""
    )


def test_every_number_can_be_bounded(snapshot: Snapshot, proof: Audit, application: Snapshot) -> None:
    """Whatever is a number in a summary has a name, but for the seed, and for what `queue` has as well."""

    def numbers(held: Any, path: tuple[str, ...]) -> set[tuple[str, ...]]:
        if isinstance(held, dict):
            return {found for name, part in held.items() for found in numbers(part, (*path, name))}
        return {path} if isinstance(held, int | float) and not isinstance(held, bool) else set()

    found = numbers(build(snapshot, proof, options={}), ()) | numbers(build(application, None, options={}), ())
    twice = {("deliveries", name) for name in ("sent", "deleted", "dead_lettered", "remaining")}
    assert found - twice - {("seed",)} == {figure.path for figure in FIGURES.values()}


def test_bounds_are_judged_on_the_summary_itself(snapshot: Snapshot, proof: Audit) -> None:
    """Each with its value and whether it held; one that was asked for is missed where there is no proof."""
    asked = parse_all(("rejected<1%", "object_to_stored_p99<2s"))
    built = build(snapshot, proof, bounds=(*DEFAULTS, *asked))
    assert built["bounds"] == [
        {"bound": "dead_lettered<1", "value": 1, "held": False},
        {"bound": "objects_all_rejected<1", "value": 0, "held": True},
        {"bound": "objects_many_rejected<1", "value": 0, "held": True},
        {"bound": "stored_rows>0", "value": 59_900, "held": True},
        {"bound": "rejected<1%", "value": 0.0, "held": True},
        {"bound": "object_to_stored_p99<2s", "value": 1.92, "held": True},
    ]
    assert build(snapshot, None, bounds=(*DEFAULTS, *asked))["bounds"] == [
        {"bound": "dead_lettered<1", "value": 1, "held": False},
        {"bound": "rejected<1%", "value": None, "held": False},
        {"bound": "object_to_stored_p99<2s", "value": 1.92, "held": True},
    ]


def test_the_text_begins_with_the_verdict_and_the_bounds(snapshot: Snapshot, proof: Audit) -> None:
    """Missed ones first and red, with what they mean and the first object; then those asked for, then the defaults."""
    notes = {"objects_all_rejected": "stocks/[red]a\x1b[0m.csv: 12 of 12 rows rejected"}
    audit = dataclasses.replace(proof, rejected=12, objects_all_rejected=1, notes=notes)
    asked = parse_all(("duration<2m", "rejected<0.01%", "dead_lettered<=1"))
    built = build(snapshot, audit, bounds=in_force(DEFAULTS, asked))
    assert text(built, 80).splitlines()[1:8] == [
        "  missed  objects_all_rejected<1  1 object: objects of which every row was",
        r"          rejected (stocks/[red]a\x1b[0m.csv: 12 of 12 rows rejected)",
        "  missed  rejected<0.01%  0.02 %: rows that cannot be stored (12 of 60,000)",
        "  held    duration<2m  63 s",
        "  held    dead_lettered<=1  1 message",
        "  held    2 default bounds",
        "  took        63.0 s from the first tick or put to the end of the drain",
    ]
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    console.print(render_summary(built))
    assert "\x1b[1;31m0.02 %" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_text_of_a_virtual_run_says_how_long_it_really_took(snapshot: Snapshot, proof: Audit) -> None:
    """One line, below the virtual length."""
    built = build(snapshot, proof) | {"observations": {"count": 1, "sha256": ""}, "machine": {"wall_s": 2.5}}
    lines = text(built).splitlines()
    assert lines[lines.index("  virtual     63.0 s in 2.50 s of real time") - 1].startswith("  took        63.0 s from")
    assert "virtual" not in text(built | {"observations": None})


def test_the_text_names_the_first_differences(snapshot: Snapshot, proof: Audit) -> None:
    """Ten of them, and how many more there are; control characters do not get through."""
    lines = ("stocks/a.csv line 2: [red]MSFT\x1b[0m missing", *(f"row {number} missing" for number in range(14)))
    differs = dataclasses.replace(proof, verdict="differs", missing=15, differences=lines)
    shown = text(build(snapshot, differs))
    assert shown.startswith("  differs  the table does not match the objects")
    assert r"    stocks/a.csv line 2: [red]MSFT\x1b[0m missing" in shown
    assert "    row 8 missing\n    and 5 more in the summary file" in shown
    assert "look at the rows named above and 1 dead-lettered message, in a run that keeps its store up:" in shown


def test_the_text_of_a_run_that_was_cut_off(snapshot: Snapshot) -> None:
    """No proof: it says so, and what would have given one."""
    shown = dataclasses.replace(snapshot, queue=QueueCounters(sent=600, received=100, deleted=90))
    printed = text(build(shown, None, interrupted=True))
    assert printed.startswith("  unproven  not shown that every row was stored (interrupted)")
    assert "press Ctrl-C only once" in printed
    assert "proof" not in printed.split("took")[1].split("what to do next")[0]


def test_failures_and_rejections_by_reason(snapshot: Snapshot, proof: Audit) -> None:
    """As the contract has them: null where nobody knows; a rejected row is rejected for good."""
    shown = dataclasses.replace(
        snapshot,
        failures=(Cause("no header", True, 3, (Example("a.csv"),), "TickerColumn", "batch item failure", 1, 1),),
        tick_failures=(Cause("G: KeyError: 'x'", None, 3, outcome="error"),),
        rejections=(Cause("other reasons", None, 2, (Example("b.csv", 4, "soon"),)),),
    )
    built = build(shown, proof)
    assert built["failures"] == [
        {
            "reason": "no header", "permanent": True, "count": 3, "parameter": "TickerColumn",
            "examples": [{"object": "a.csv", "line": None, "cell": None}],
            "outcome": "batch item failure", "deleted": 1, "remaining": 1, "dead_lettered": 1,
        }
    ]  # fmt: skip
    assert built["rejections"] == [
        {
            "reason": "other reasons", "permanent": True, "count": 2, "parameter": None,
            "examples": [{"object": "b.csv", "line": 4, "cell": "soon"}],
        }
    ]  # fmt: skip
    assert built["tick_failures"] == [{"reason": "G: KeyError: 'x'", "outcome": "error", "count": 3}]
    assert [set(step) for step in built["next_steps"]] == [{"text", "command"}] * 3


def test_a_run_that_never_began_has_a_text(snapshot: Snapshot) -> None:
    """Every figure may be missing."""
    shown = text(build(Snapshot(1.0, OPTIONS, snapshot.roles), None, resources=None), 60)
    assert shown.startswith("  unproven")
    assert "generated  0 objects, 0 rows, 0 B" in shown


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_text_fits_any_width(snapshot: Snapshot, proof: Audit, width: int) -> None:
    """No line is wider than the screen."""
    assert max(map(len, text(build(snapshot, proof), width).splitlines())) <= width


@pytest.fixture
def application(snapshot: Snapshot) -> Snapshot:
    """The same run of an application that is not the pipeline, with an event that was given up."""
    deliveries = Deliveries(sent=600, deleted=599, dead_lettered=1, events_lost=1, is_over=True)
    roles = dataclasses.replace(snapshot.roles, is_pipeline=False)
    functions = {"C": snapshot.consumer, "Tick": FunctionView(invocations=2, busy_max=1)}
    changed = dataclasses.replace(snapshot, roles=roles, deliveries=deliveries, functions=functions)
    return dataclasses.replace(changed, events_done=4, events_given_up=2, events_lost=1)


def test_another_application_has_deliveries_in_place_of_an_audit(application: Snapshot) -> None:
    """The audit is null; what became of messages and events is next to it."""
    built = build(application, None)
    assert built["audit"] is None
    assert built["deliveries"] == {
        "sent": 600, "deleted": 599, "dead_lettered": 1, "remaining": 0, "lost": 0, "settled_once": True,
        "events_lost": 1, "events_waiting": 0, "verdict": "differs", "events_done": 4, "events_given_up": 2,
    }  # fmt: skip
    assert [bound["bound"] for bound in built["bounds"]] == ["dead_lettered<1", "events_given_up<1"]


def test_the_text_of_another_application_knows_no_rows(application: Snapshot) -> None:
    """Items, all functions and events; an invariant that failed is there with what it said and where."""
    invariants = [
        {"name": "m:ok", "held": True, "message": None, "where": None},
        {"name": "m:no", "held": False, "message": "assert 1 == 2", "where": "m.py:3"},
        {"name": "m:false", "held": False, "message": "it returned False", "where": None},
    ]
    shown = text({**build(application, None), "invariants": invariants}, 120)
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[0].startswith("differs  a message or an event was lost")
    assert "functions   72 invocations, at most 9 at once; 8 cold starts" in lines
    assert "events      4 done, 2 given up, 1 of them lost" in lines
    assert "table       60,400 items written in 2,416 batch writes; 60,400 write units" in lines
    assert "latency     sent to deleted  p50 310 ms  p90 840 ms  p99 1.92 s  max 2.40 s" in lines
    assert lines[lines.index("failed  invariant m:no") + 1] == "m.py:3: assert 1 == 2"
    assert lines[lines.index("failed  invariant m:false") + 1] == "it returned False"
    assert "held    invariant m:ok" in lines
    assert "row" not in shown


def test_an_application_without_queues_has_no_line_for_them(application: Snapshot) -> None:
    """Nor for batch writes that it does not make; its latency is that of its events."""
    bare = dataclasses.replace(
        application,
        queue=QueueCounters(),
        table=TableCounters(rows_written=1, write_units=1.0),
        deliveries=Deliveries(is_over=True),
    )
    lines = [line.strip() for line in text(build(bare, None), 120).splitlines()]
    assert not [line for line in lines if line.startswith("queue")]
    assert "table      1 item written; 1 write unit" in lines
    assert lines[0].startswith("settled")
    assert next(line for line in lines if line.startswith("latency")).startswith("latency    event to done")
