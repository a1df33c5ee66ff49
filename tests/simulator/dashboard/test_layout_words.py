"""What a frame says in words and figures: how far it is, the stages, events, and what needs saying."""

from __future__ import annotations

import dataclasses

import pytest

from simulator.base.counters import BucketCounters, QueueCounters
from simulator.dashboard import render
from simulator.dashboard.lines import BOLD, TONES
from simulator.telemetry.snapshot import Conclusion, Event, Rates, Snapshot, Tone

EXACT = Conclusion("exact", "every row is accounted for", "moves")
UNPROVEN = Conclusion("unproven", "not shown that every row was stored", "grows")


def rows(snapshot: Snapshot, width: int, height: int) -> list[str]:
    """A frame's lines without styles."""
    return ["".join(segment.text for segment in line) for line in render(snapshot, width, height).lines]


@pytest.mark.parametrize(
    ("width", "bar", "words"),
    [
        (48, "━━━━━━──────", "2/4".rjust(27) + "  50 % "),
        (47, "━━━━━╸─────", "2/4".rjust(27) + "  50 % "),
        (46, "━━━━━─────", "2/4".rjust(27) + "  50 % "),
        (45, "━━━━━─────", "2/4".rjust(26) + "  50 % "),
        (26, "━━━━━─────", "2/4".rjust(7) + "  50 % "),
        (18, "━━━━━─────", "  50 % "),
        (13, "━━━━━─────", ""),
        (3, "╸", ""),
    ],
)
def test_the_bar_keeps_ten_cells(snapshot: Snapshot, width: int, bar: str, words: str) -> None:
    """On a narrow screen its words are cut instead, and never the share."""
    shown = dataclasses.replace(snapshot, phase="auditing", audit_part=" ", audit_done=2, audit_total=4)
    assert rows(shown, width, 10)[1] == f" {bar}{words}".ljust(width)[:width]


def test_the_bar_of_a_finished_run_is_full(snapshot: Snapshot) -> None:
    """From edge to edge, at every width; a run that ended early has none, and says so."""
    done = dataclasses.replace(snapshot, phase="done", conclusion=EXACT)
    assert rows(done, 80, 24)[1] == " " + "━" * 67 + " done 100 % "
    assert rows(done, 40, 10)[1] == " " + "━" * 27 + " done 100 % "
    early = dataclasses.replace(snapshot, phase="draining", conclusion=UNPROVEN)
    assert rows(early, 80, 24)[1] == " " + "─" * 44 + "ended early".rjust(34) + " "


@pytest.mark.parametrize(
    ("sent", "words"), [(12_345, "12,345 messages on the way"), (123_456, "123,456 messages on the w…")]
)
def test_words_beside_the_bar_are_shortened(snapshot: Snapshot, sent: int, words: str) -> None:
    """They have 26 cells, between a blank and the share."""
    shown = dataclasses.replace(snapshot, queue=QueueCounters(sent=sent))
    assert rows(shown, 80, 24)[1].endswith(f"─ {words}  70 %  ")


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(78, 24, "objects 12.3M "), (80, 24, "objects 12.35M "), (160, 45, "│ objects             12.35M │")],
)
def test_a_count_gives_way_to_its_label(snapshot: Snapshot, width: int, height: int, expected: str) -> None:
    """It is written shorter where it would not fit, and no longer where there is room."""
    shown = dataclasses.replace(snapshot, bucket=BucketCounters(objects=12_345_678))
    (row,) = [row for row in rows(shown, width, height) if "objects " in row]
    assert expected in row


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(78, 24, "unit… 100,000"), (80, 24, "units… 100,000"), (160, 45, "│ units/s            100,000 │")],
)
def test_a_label_gives_way_to_what_is_no_count(snapshot: Snapshot, width: int, height: int, expected: str) -> None:
    """A value that cannot be written shorter is whole, and a blank stands before it."""
    shown = dataclasses.replace(snapshot, rates=Rates(write_units=100_000.0))
    (row,) = [row for row in rows(shown, width, height) if "100,000" in row]
    assert expected in row


@pytest.mark.parametrize(("count", "expected"), [(1, "done"), (2, "done (×2)"), (1_000, "done (×1,000)")])
def test_an_event_says_how_often_it_was(snapshot: Snapshot, count: int, expected: str) -> None:
    """From twice on."""
    shown = dataclasses.replace(snapshot, events=(Event(snapshot.began_at + 1.5, "done", count=count),), caption=None)
    (row,) = [row for row in rows(shown, 80, 24) if "done" in row]
    assert row == f" 00:01.5  {expected}".ljust(80)


@pytest.mark.parametrize(
    ("tone", "text", "count", "expected"),
    [
        ("lost", "a" * 69, 1, [" 00:01.5  " + "a" * 69]),
        ("lost", "a" * 60 + " bbbbbbbbb", 1, [" 00:01.5  " + "a" * 60, " " * 10 + "bbbbbbbbb"]),
        ("grows", "a" * 69, 2, [" 00:01.5  " + "a" * 69, " " * 10 + "(×2)"]),
        ("lost", f"{'a' * 69} {'b' * 69} c", 1, [" 00:01.5  " + "a" * 69, " " * 10 + "b" * 68 + "…"]),
        ("lost", f"{'a' * 69} {'b' * 69} c", 2, [" 00:01.5  " + "a" * 69, " " * 10 + "b" * 63 + "… (×2)"]),
        ("moves", "a" * 60 + " bbbbbbbbb", 1, [" 00:01.5  " + "a" * 60 + " bbbbbbb…"]),
        ("lost", "株" * 40, 1, [" 00:01.5  " + "株" * 34 + "…"]),
        ("lost", "株" * 40 + " " + "a" * 40, 1, [" 00:01.5  " + "株" * 34 + "…"]),
    ],
)
def test_what_needs_attention_has_two_lines(
    snapshot: Snapshot, tone: Tone, text: str, count: int, expected: list[str]
) -> None:
    """A reason is read to its end; how often it was is never cut, and a line without need of attention is one line."""
    event = Event(snapshot.began_at + 1.5, text, tone, count)
    shown = dataclasses.replace(snapshot, events=(event,), caption=None)
    frame = rows(shown, 80, 24)
    (first,) = [number for number, row in enumerate(frame) if row.startswith(" 00:01.5")]
    assert [row.rstrip() for row in frame[first : first + 2] if row.strip()] == expected


def test_an_event_that_fits_has_one_line(snapshot: Snapshot) -> None:
    """However exactly it does: nothing is left free below it."""
    events = tuple(Event(snapshot.began_at + number, f"{number} {'x' * 67}", "lost") for number in range(9))
    frame = rows(dataclasses.replace(snapshot, events=events, caption=None), 80, 40)
    told = [number for number, row in enumerate(frame) if "x" * 67 in row]
    assert told == list(range(told[0], told[0] + 9))


def test_the_newest_events_are_shown_whole(snapshot: Snapshot) -> None:
    """Where the lines run out it is the oldest event that has fewer."""
    events = tuple(Event(snapshot.began_at + number, "x" * 65 + f" yyyyy{number}", "lost") for number in range(9))
    frame = rows(dataclasses.replace(snapshot, events=events, caption=None), 80, 24)
    told = [row.split()[-1] for row in frame if "yyyyy" in row or "xxxxx" in row]
    whole = ["x" * 65, "yyyyy8"]
    assert told[-2:] == whole
    assert told.count("x" * 65) in (len(told) // 2, len(told) // 2 + 1)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("", ["", ""]),
        ("a" * 77, [" ▍" + "a" * 77, ""]),
        ("a" * 70 + " bbbbbbb", [" ▍" + "a" * 70, " ▍bbbbbbb"]),
        ("a" * 78, [" ▍" + "a" * 77, " ▍a"]),
        (f"{'a' * 77} {'b' * 77}", [" ▍" + "a" * 77, " ▍" + "b" * 77]),
        (f"{'a' * 77} {'b' * 77} c", [" ▍" + "a" * 77, " ▍" + "b" * 76 + "…"]),
        (f"{'a' * 77} {'b' * 70} {'c' * 77}", [" ▍" + "a" * 77, " ▍" + "b" * 70 + " ccccc…"]),
    ],
)
def test_a_caption_has_two_lines(snapshot: Snapshot, caption: str, expected: list[str]) -> None:
    """It is broken between words, a column is left free on the right, and what is left over is cut."""
    shown = dataclasses.replace(snapshot, caption=Event(snapshot.at, caption))
    assert [row.rstrip() for row in rows(shown, 80, 24)[-3:-1]] == expected


def test_a_caption_on_a_wide_screen_has_one_line(snapshot: Snapshot) -> None:
    """What does not fit in it is cut."""
    shown = dataclasses.replace(snapshot, caption=Event(snapshot.at, "a" * 110 + " bbb"))
    assert rows(shown, 115, 24)[-2].rstrip() == " ▍" + "a" * 110 + "…"


def test_a_caption_is_broken_on_any_screen(snapshot: Snapshot) -> None:
    """A cell for each line, if there are no more."""
    shown = dataclasses.replace(snapshot, caption=Event(snapshot.at, "abc"))
    assert rows(shown, 4, 40)[-3:-1] == [" ▍a ", " ▍… "]
    assert rows(shown, 5, 40)[-3:-1] == [" ▍ab ", " ▍c  "]


@pytest.mark.parametrize(
    ("verdict", "caption", "expected"),
    [
        (None, None, ""),
        ("", None, ""),
        (None, "The peak begins.", " ▍The peak begins."),
        ("the plan holds", None, " so far: the plan holds"),
        ("the plan holds", "The peak begins.", " so far: the plan holds"),
    ],
)
def test_a_load_test_says_its_verdict_first(
    load_snapshot: Snapshot, verdict: str | None, caption: str | None, expected: str
) -> None:
    """Before there is one, what there is to say is a caption, or nothing."""
    assert load_snapshot.load is not None
    load = dataclasses.replace(load_snapshot.load, verdict=verdict)
    said = None if caption is None else Event(load_snapshot.at, caption)
    shown = dataclasses.replace(load_snapshot, load=load, caption=said)
    assert rows(shown, 80, 24)[-2].rstrip() == expected


MISSED = dataclasses.replace(EXACT, missed=("dead_lettered<1 (1)", "rejected<1% (12.5 %)", "stored_rows>9 (0)"))


@pytest.mark.parametrize(("width", "height"), [(40, 10), (60, 20), (78, 22), (80, 24), (100, 30), (120, 40), (160, 45)])
def test_the_last_frame_has_the_verdict(snapshot: Snapshot, load_snapshot: Snapshot, width: int, height: int) -> None:
    """In words and in its tone, in the first line and in the last, of a load test too."""
    for run in (snapshot, load_snapshot):
        frame = render(dataclasses.replace(run, phase="done", conclusion=EXACT), width, height).lines
        assert [str(segment.style) for segment in frame[0] if segment.text.strip() == "exact"] == ["green"]
        assert "".join(segment.text for segment in frame[-1]).startswith(" exact: every row is accounted for")
        assert frame[-1][0].style == TONES["moves"] + BOLD


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (104, ": every row is accounted for; missed dead_lettered<1 (1), rejected<1% (12.5 %), stored_rows>9 (0)"),
        (103, "; missed dead_lettered<1 (1), rejected<1% (12.5 %), stored_rows>9 (0)"),
        (76, "; missed dead_lettered<1 (1), rejected<1% (12.5 %), stored_rows>9 (0)"),
        (75, "; missed dead_lettered<1 (1), rejected<1% (12.5 %) and 1 more"),
        (60, "; missed dead_lettered<1 (1) and 2 more"),
        (40, "; 3 bounds missed"),
        (20, ""),
    ],
)
def test_the_missed_bounds_are_in_the_last_frame(snapshot: Snapshot, width: int, expected: str) -> None:
    """With the values that they met, as many as have room, and the rest counted; none is cut."""
    frame = rows(dataclasses.replace(snapshot, phase="done", conclusion=MISSED), width, 30)
    assert frame[-1].rstrip() == f" exact{expected}"


def test_a_verdict_replaces_the_hint_and_the_phase(snapshot: Snapshot) -> None:
    """A run that ended early is unproven, whatever it was doing."""
    early = rows(dataclasses.replace(snapshot, phase="draining", conclusion=UNPROVEN), 80, 24)
    assert early[0].endswith(" unproven 00:42 ")
    assert "draining" not in "".join(early[:2])
    assert early[-1].rstrip() == " unproven: not shown that every row was stored"


def test_at_the_end_a_load_test_says_what_held_it_back(load_snapshot: Snapshot) -> None:
    """While it runs that is what is known so far."""
    assert rows(load_snapshot, 80, 24)[-2].startswith(" so far: store CPU 96 %: ")
    assert rows(dataclasses.replace(load_snapshot, phase="done"), 80, 24)[-2].startswith(" store CPU 96 %: ")


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (76, " Ctrl-C stops, drains and audits; a second one ends at once  rates over 5 s "),
        (75, " Ctrl-C stops, drains and audits".ljust(60) + "rates over 5 s "),
        (49, " Ctrl-C stops, drains and audits  rates over 5 s "),
        (48, " Ctrl-C stops, drains and audits".ljust(48)),
        (32, " Ctrl-C stops, drains and audits"),
        (31, " Ctrl-C stops".ljust(31)),
        (9, " Ctrl-C s"),
    ],
)
def test_a_hint_has_the_words_that_fit(snapshot: Snapshot, width: int, expected: str) -> None:
    """Two blanks are between it and the note on the rates, or the note is left out."""
    assert rows(snapshot, width, 30)[-1] == expected


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (108, " stockpipe simulate · burst · seed 7 · virtual clock · 2023-11-14 22:14:02     running 00:42 / 01:00 "),
        (80, " stockpipe simulate · burst · seed 7 · virtual 22:14:02            running 00:42 / 01:00 "),
        (60, " simulate · burst · virtual 22:14:02 running 00:42 / 01:00 "),
        (41, " simulate · burst  running 00:42 / 01:00 "),
    ],
)
def test_the_header_has_the_virtual_time_of_day(snapshot: Snapshot, width: int, expected: str) -> None:
    """In place of an endpoint that nobody can reach and of a runtime that never differs; a wide screen has the day."""
    virtual = dataclasses.replace(snapshot.options, clock="virtual", endpoint=None)
    assert rows(dataclasses.replace(snapshot, options=virtual), width, 24)[0].split() == expected.split()


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (52, " load-test · 127.0.0.1:41233  running 00:42 / 01:00 "),
        (51, " load-test                   running 00:42 / 01:00 "),
        (34, " load-test  running 00:42 / 01:00 "),
        (33, " load-test         running 00:42 "),
    ],
)
def test_the_header_of_a_load_test_on_a_narrow_screen(load_snapshot: Snapshot, width: int, expected: str) -> None:
    """The address goes when it has no room, then the planned time."""
    assert rows(load_snapshot, width, 10)[0] == expected
