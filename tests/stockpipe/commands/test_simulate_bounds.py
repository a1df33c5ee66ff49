"""`stockpipe simulate` and its bounds: what misses a default, what is asked for, what a scenario plans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.run import scenario
from simulator.stack.packaged import packaged_template
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import resolve

pytestmark = pytest.mark.usefixtures("unmeasured")

Stockpipe = Callable[..., Any]
Start = Callable[..., Any]

ONCE = ("VisibilityTimeout=1", "ConsumerTimeout=1", "MaxReceiveCount=1")
IMPATIENT = tuple(word for parameter in ONCE for word in ("--parameter", parameter))
QUIET = ("--ui", "quiet", "--summary", "-")
GOOD = "ticker,timestamp,close\nA,2026-01-01,1\n"


def source(directory: Path, **files: str) -> Path:
    """A directory of CSV files."""
    quotes = directory / "quotes"
    quotes.mkdir()
    for name, text in files.items():
        (quotes / f"{name}.csv").write_text(text, encoding="utf-8")
    return quotes


def missed(summary: dict[str, Any]) -> list[str]:
    """The bounds that were missed."""
    return [judged["bound"] for judged in summary["bounds"] if not judged["held"]]


def test_a_consumer_that_fails_every_message_is_no_success(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """All is accounted for, in the dead-letter queue: the verdict is exact, and the exit code is 1 all the same."""
    text = packaged_template().read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("pipeline.consumer.handler", "broken.handler"), encoding="utf-8")
    (tmp_path / "broken.py").write_text(
        "def handler(event, context):\n    raise RuntimeError('no')\n", encoding="utf-8"
    )
    ended = stockpipe(
        *("simulate", "--ticks", "1", "--files", "2", "--rows", "3", "--template", "mine.yaml", "--code", "."),
        *(*IMPATIENT, *QUIET),
    )
    audit = ended.summary["audit"]
    assert (ended.code, audit["verdict"], audit["stored_rows"]) == (1, "exact", 0), ended.err
    assert missed(ended.summary) == ["dead_lettered<1", "stored_rows>0"]
    assert "verdict exact, missed dead_lettered<1 (2 messages), stored_rows>0 (0 items)" in ended.err.splitlines()


def test_a_dead_letter_among_good_objects_is_missed_unless_it_was_expected(
    stockpipe: Stockpipe, tmp_path: Path
) -> None:
    """One message of two: exit code 1 by default, 0 with a bound of one's own on the same figure."""
    quotes = source(tmp_path, good=GOOD, bad="ticker,price\nA,1\n")
    # What another handler would read is not known, so that nothing is refused beforehand.
    text = packaged_template().read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("pipeline.consumer.handler", "mine.handler"), encoding="utf-8")
    (tmp_path / "mine.py").write_text("from pipeline.consumer import handler\n", encoding="utf-8")
    mine = ("--template", "mine.yaml", "--code", ".")
    ended = stockpipe("simulate", "--source", str(quotes), *IMPATIENT, *QUIET, *mine)
    assert (ended.code, missed(ended.summary)) == (1, ["dead_lettered<1"]), ended.err
    expected = stockpipe("simulate", "--source", str(quotes), *IMPATIENT, *QUIET, *mine, "--slo", "dead_lettered<=50%")
    assert (expected.code, missed(expected.summary)) == (0, []), expected.err
    assert expected.summary["bounds"][-1] == {"bound": "dead_lettered<=50%", "value": 50.0, "held": True}
    assert "dead_lettered<1" not in [judged["bound"] for judged in expected.summary["bounds"]]
    assert expected.summary["options"]["slo"] == ["dead_lettered<=50%"]


def test_an_object_of_rejected_rows_alone_is_missed(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """Every row of one of two objects is rejected: the text names it, and what it means."""
    quotes = source(tmp_path, good=GOOD, odd="ticker,timestamp,close\nA,someday,1\nB,soon,2\n")
    ended = stockpipe("simulate", "--source", str(quotes), "--ui", "plain", "--slo", "rejected<=66.7%")
    assert ended.code == 1, ended.err
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    verdict = next(number for number, line in enumerate(lines) if line.startswith("exact"))
    assert lines[verdict + 1 : verdict + 4] == [
        "missed objects_all_rejected<1 1 object: objects of which every row was rejected "
        "(stocks/source/odd.csv: 2 of 2 rows rejected)",
        "held rejected<=66.7% 66.67 %",
        "held 3 default bounds",
    ]


def test_an_object_with_many_rejected_rows_is_missed_and_one_with_some_is_not(
    stockpipe: Stockpipe, tmp_path: Path
) -> None:
    """Eleven of a hundred are too many; ten are the sender's affair, and not counted."""
    rows = [f"A,2026-01-01 00:{minute:02d}:{second:02d},1\n" for minute in range(2) for second in range(50)]

    def with_rejected(count: int) -> str:
        return "ticker,timestamp,close\n" + "".join(rows[count:]) + "A,someday,1\n" * count

    quotes = source(tmp_path, some=with_rejected(10), many=with_rejected(11))
    ended = stockpipe("simulate", "--source", str(quotes), *QUIET)
    assert (ended.code, missed(ended.summary), ended.summary["audit"]["rejected"]) == (
        1,
        ["objects_many_rejected<1"],
        21,
    ), ended.err
    assert {judged["bound"]: judged["value"] for judged in ended.summary["bounds"]}["objects_many_rejected<1"] == 1
    note = "stocks/source/many.csv: 11 of 100 rows rejected"
    assert ended.summary["audit"]["notes"] == {"objects_many_rejected": note}


def test_something_must_be_stored_if_something_was_sent(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """A file that has a header and nothing else is sent, read, and leaves the table empty."""
    quotes = source(tmp_path, header="ticker,timestamp,close\n")
    ended = stockpipe("simulate", "--source", str(quotes), *QUIET)
    assert (ended.code, missed(ended.summary)) == (1, ["stored_rows>0"]), ended.err


def test_a_run_that_was_sent_nothing_need_not_store_anything(stockpipe: Stockpipe) -> None:
    """Without a tick or a put there is nothing to store: the bound is not judged, unless it was asked for."""
    idle = ("simulate", "--no-schedule", "--duration", "100ms")
    ended = stockpipe(*idle, *QUIET)
    assert (ended.code, [judged["bound"] for judged in ended.summary["bounds"]]) == (
        0,
        ["dead_lettered<1", "objects_all_rejected<1", "objects_many_rejected<1"],
    )
    assert stockpipe(*idle, *QUIET, "--slo", "stored_rows>0").code == 1


def test_each_bound_of_a_run_decides_with_the_verdict(stockpipe: Stockpipe) -> None:
    """Held at one end of its range and missed at the other, in every unit; the missed ones are named in one line."""
    run = ("simulate", "--ticks", "1", "--files", "3", "--rows", "20", *QUIET)
    not_held = ("rows_written<60", "rows_written>60", "rejected<0%", "duration<1us")
    held = ("rows_written<=60", "rows_written>=60", "rejected<=0%", "duration<10m", "object_to_stored_p99>0s")
    asked = (*not_held, *held)
    ended = stockpipe(*run, *(word for bound in asked for word in ("--slo", bound)))
    assert (ended.code, missed(ended.summary), ended.summary["audit"]["verdict"]) == (1, list(not_held), "exact")
    assert set(held) <= {judged["bound"] for judged in ended.summary["bounds"] if judged["held"]}
    (said,) = [line for line in ended.err.splitlines() if line.startswith("verdict")]
    assert said.startswith(
        "verdict exact, missed rows_written<60 (60 rows), rows_written>60 (60 rows), rejected<0% (0 %), duration"
    )


def test_a_missed_bound_outweighs_an_interruption(start: Start) -> None:
    """A Ctrl-C before the end that was asked for is 130 only if nothing else is wrong."""
    running = start(
        *("simulate", "--files", "1", "--rows", "2", "--ready", "ready.json", *QUIET, "--slo", "duration>1h")
    )
    running.wait_ready()
    running.signal(2)
    ended = running.finish()
    assert (ended.code, ended.summary["interrupted"], missed(ended.summary)) == (1, True, ["duration>1h"])


@pytest.mark.parametrize("name", scenario.names())
def test_a_packaged_scenario_is_held_to_what_its_lesson_says(name: str) -> None:
    """Its own bounds are in force, each is explained in the guide, and the defaults on other figures stay."""
    _, plan = resolve(SimulateOptions(scenario=name, slo=("stored_rows>=0",)))
    planned = [bound.text for bound in scenario.load(name).bounds]
    held = [bound.text for bound in plan.bounds]
    assert [*planned, "stored_rows>=0"] == held[-len(planned) - 1 :]
    assert "stored_rows>0" not in held
    assert {"objects_all_rejected<1", "objects_many_rejected<1"} <= set(held)
    guide = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert all(f"`{text}`" in guide for text in planned)


POISON = """
title: one dead letter
parameters: {VisibilityTimeout: 1, ConsumerTimeout: 1, MaxReceiveCount: 1, FileCount: 1, RowsPerFile: 2}
options: {ticks: 1}
bounds: [dead_lettered>=1, dead_lettered<=1]
"""
STEP = "steps: [{put: {key: stocks/broken.csv, text: 'ticker,price'}}, {when: dead_letter_queue.visible >= 1}]\n"


def test_a_scenario_that_does_not_do_what_it_plans_fails(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """It plans one dead letter: exit code 0 with one, 1 without, and 1 with one for whoever asks for none."""
    (tmp_path / "poison.yaml").write_text(POISON + STEP, encoding="utf-8")
    (tmp_path / "nothing.yaml").write_text(POISON, encoding="utf-8")
    ended = stockpipe("simulate", "--scenario", "poison.yaml", *QUIET)
    assert (ended.code, missed(ended.summary)) == (0, []), ended.err
    ended = stockpipe("simulate", "--scenario", "poison.yaml", *QUIET, "--slo", "dead_lettered<1")
    assert (ended.code, missed(ended.summary)) == (1, ["dead_lettered<1"]), ended.err
    ended = stockpipe("simulate", "--scenario", "nothing.yaml", *QUIET)
    assert (ended.code, missed(ended.summary)) == (1, ["dead_lettered>=1"]), ended.err
