"""The texts of a frame on any screen: header, progress, events, how the run ended and what Ctrl-C does."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.segment import Segment

from simulator.base import limits
from simulator.base.words import counted
from simulator.dashboard.figures import clock, count
from simulator.dashboard.lines import ACCENT, BOLD, DIM, TONES, Line, apart, cells, first_fitting, fit, shorten
from simulator.telemetry.snapshot import Conclusion, Event, Snapshot, Tone

_PROGRESS_TEXT, _LEAST_BAR = 34, 10
_EVENT_LINES = 2
_PHASE_TONES: dict[str, Tone] = {"running": "moves", "draining": "grows", "auditing": "grows"}


def header(snapshot: Snapshot, width: int) -> Line:
    """The command on the left; on the right, the time and the phase, or the verdict once there is one."""
    options, conclusion = snapshot.options, snapshot.conclusion
    scenario = [options.scenario] if options.scenario else []
    seed, runtime = f"seed {options.seed}", f"{options.runtime} runtime"
    endpoint = brief = (options.endpoint or "store is starting").removeprefix("http://")
    if options.clock == "virtual":
        at = datetime.fromtimestamp(snapshot.at, UTC)
        runtime, endpoint, brief = "virtual clock", f"{at:%Y-%m-%d %H:%M:%S}", f"virtual {at:%H:%M:%S}"

    def heading(name: str, *parts: str) -> Line:
        return [Segment(f" {name}", BOLD), *(Segment(f" · {part}", DIM) for part in parts)]

    full, short = f"stockpipe {options.command}", options.command
    headings = [heading(full, *scenario, *more) for more in ((seed, runtime, endpoint), (seed, brief), (brief,))]
    headings += [heading(short, *scenario, brief), heading(short, *scenario), heading(short)]
    clocked = clock(snapshot.elapsed_s)
    planned = "" if options.duration_s is None or conclusion else f" / {clock(options.duration_s)}"
    if conclusion is None:
        phase = Segment(f"  {snapshot.phase} ", TONES[_PHASE_TONES.get(snapshot.phase, "plain")])
    else:
        phase = Segment(f"  {conclusion.verdict} ", TONES[conclusion.tone])
    rights = [[phase, Segment(f"{clocked}{rest} ", BOLD)] for rest in (planned, "")]
    right = first_fitting(rights, width - cells(headings[-1]))
    return apart(first_fitting(headings, width - cells(right)), right, width)


def latency_title(snapshot: Snapshot) -> str:
    """From which instant to which the latency counts."""
    begin, end = "object", "stored"
    if not snapshot.roles.is_pipeline:
        begin, end = ("sent", "deleted") if snapshot.roles.queues else ("event", "done")
    return f"{begin if snapshot.load is None else 'planned'} to {end}"


def progress(snapshot: Snapshot) -> tuple[float | None, str]:
    """How much of the phase is done, as a share of one (None: it has no end) and in words."""
    options = snapshot.options
    match snapshot.phase:
        case "starting":
            return 0.0, "starting the store"
        case "draining":
            sent, (left, what, _) = snapshot.queue.sent, _under_way(snapshot)
            return ((sent - left) / sent if sent else None if left else 1.0), f"{what} to go"
        case "auditing":
            total, done = snapshot.audit_total, snapshot.audit_done
            text = f"{snapshot.audit_part or 'audit'} {count(done)}/{count(total)}"
            if done > total:
                text = f"{snapshot.audit_part} {count(done)}"
            if snapshot.audit_left_s is not None:
                text = f"{snapshot.audit_part}, about {max(1, round(snapshot.audit_left_s))} s left"
            return (done / total if total else 0.0), text
        case "done":
            return 1.0, "done"
    load = snapshot.load
    if load is not None and load.objects:
        return min(1.0, (load.sent + load.dropped) / load.objects), f"sent {count(load.sent)} of {count(load.objects)}"
    shares: list[tuple[float, str]] = []
    if options.duration_s:
        shares.append((snapshot.elapsed_s / options.duration_s, " ".join(_under_way(snapshot)[1:])))
    if options.ticks:
        shares.append((snapshot.ticks / options.ticks, f"tick {snapshot.ticks} of {options.ticks}"))
    if total := sum(options.sends.values()):
        settled = _settled(snapshot)
        text = f"{'/'.join(options.sends)} {count(min(settled, total))} of {count(total)}"
        shares.append((settled / total, text))
    if not shares:
        return None, "until Ctrl-C"
    return min(1.0, max(shares)[0]), max(shares)[1]


def _settled(snapshot: Snapshot) -> int:
    """How much of what was sent is done."""
    queue = snapshot.queue
    settled = queue.deleted + queue.dead_lettered + snapshot.events_done + snapshot.events_given_up
    # Another application's messages may cause others.
    return settled if snapshot.roles.is_pipeline else min(settled, snapshot.puts)


def _under_way(snapshot: Snapshot) -> tuple[int, str, str]:
    """How much is on its way: messages, or invocations if there are no queues; as a number, and in words."""
    if snapshot.roles.is_pipeline or snapshot.roles.queues:
        return snapshot.remaining, counted(snapshot.remaining, "message"), "on the way"
    busy = sum(function.busy for function in snapshot.functions.values())
    return busy, counted(busy, "invocation"), "running"


def progress_line(snapshot: Snapshot, width: int) -> Line:
    """The bar and its text. During the run, the bar has a fixed width; at the end, it fills the line."""
    share, text = progress(snapshot)
    if snapshot.conclusion is not None and snapshot.phase != "done":
        share, text = None, "ended early"
    done = snapshot.phase == "done"
    room = len(f" {text} 100 % ") if done else max(1, min(_PROGRESS_TEXT, width - _LEAST_BAR - 2))
    bar_cells = max(1, width - (1 if done else 2) - room)
    label = shorten(text, max(0, room - 8))
    if share is None:
        return fit([Segment(" " + "─" * bar_cells, DIM), Segment(f"{label:>{room}}")], width)
    halves = round(share * bar_cells * 2)
    bar = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    words = f"{label:>{max(0, room - 7)}} {int(share * 100):>3} % "
    return fit([Segment(" "), Segment(bar, ACCENT), Segment("─" * (bar_cells - len(bar)), DIM), Segment(words)], width)


def events(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """The last events, newest at the bottom. One that needs attention may take a second line; others are cut."""
    shown: list[Line] = []
    for event in reversed(snapshot.events):
        if event == snapshot.caption:
            continue
        if (left := height - len(shown)) <= 0:
            break
        lines = min(_EVENT_LINES, left) if event.tone in ("grows", "lost") else 1
        shown = [*_event(event, snapshot, width, lines), *shown]
    return filled(shown, height)


def _event(event: Event, snapshot: Snapshot, width: int, height: int) -> list[Line]:
    often = f" (×{event.count:,})" if event.count > 1 else ""
    when = f" {clock(event.at - snapshot.began_at, tenths=True)}  "
    parts = _wrapped(event.text, width - len(when) - 1, height, often)
    leads = [when] + [" " * len(when)] * len(parts)
    style = TONES[event.tone]
    return [fit([Segment(leads[place], DIM), Segment(part, style)], width) for place, part in enumerate(parts)]


def _wrapped(text: str, width: int, height: int, end: str) -> list[str]:
    """`text` and `end` on at most `height` lines. The last line is cut with an ellipsis, but `end` never is."""
    if cell_len(text) + len(end) <= width:
        return [text + end]
    parts = textwrap.wrap(text, max(1, width))
    if any(cell_len(part) > width for part in parts):
        parts = [text]  # textwrap does not measure wide characters
        height = 1
    last = shorten(" ".join(parts[height - 1 :]), width - len(end)) + end
    return [*parts[: height - 1], last.lstrip()]


def caption(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """What holds a load test back, or the scenario's caption, on exactly `height` lines."""
    load, said = snapshot.load, snapshot.caption
    lead, text, style = Segment(" "), "", BOLD
    if load is not None and load.verdict:
        lead = Segment(" " if snapshot.phase == "done" else " so far: ", BOLD)
        text, style = load.verdict, TONES[load.verdict_tone]
    elif said is not None:
        lead, text = Segment(" ▍", ACCENT), said.text
    inner = max(1, width - len(lead.text) - 1)
    shown = _wrapped(text, inner, height, "")
    # A caption has its mark on every line; a lead in words is not repeated.
    further = lead if lead.style == ACCENT else Segment(" " * len(lead.text))
    lines = [[further if number else lead, Segment(part, style)] for number, part in enumerate(shown) if part]
    return filled(lines, height)


def last_line(snapshot: Snapshot, width: int) -> Line:
    """How the run ended; until then, what Ctrl-C does and the time that rates are taken over."""
    if snapshot.conclusion is not None:
        return first_fitting(_conclusions(snapshot.conclusion), width - 1)
    hints = ["Ctrl-C twice ends at once and leaves the run unproven", "Ctrl-C twice ends at once"]
    if snapshot.phase == "running":
        hints = ["Ctrl-C stops, drains and audits; a second one ends at once", "Ctrl-C stops, drains and audits"]
    elif snapshot.phase == "starting":
        hints = ["Ctrl-C ends"]
    elif snapshot.phase == "done":
        hints = [""]
    elif snapshot.interrupted:
        hints = ["Ctrl-C ends at once and leaves the run unproven", "Ctrl-C ends at once, unproven"]
    elif snapshot.phase == "draining" and snapshot.options.scenario is not None:
        hints = ["Ctrl-C skips the wait for captions; a second one ends at once", "Ctrl-C skips the wait for captions"]
    note = f"rates over {limits.RATE_WINDOW_S:g} s "
    ways = [(hint, note) for hint in hints] + [(hint, "") for hint in hints] + [("Ctrl-C stops", "")]
    for hint, right in ways:
        if 1 + len(hint) + (2 + len(right) if right else 0) <= width:
            break
    return apart([Segment(f" {hint}", DIM)], [Segment(right, DIM)], width)


def _conclusions(conclusion: Conclusion) -> list[Line]:
    """The conclusion in fewer and fewer words: the missed bounds matter more than the sentence, the first ones most."""
    verdict = Segment(f" {conclusion.verdict}", TONES[conclusion.tone] + BOLD)
    meaning = Segment(f": {conclusion.meaning}", TONES[conclusion.tone])
    missed = conclusion.missed
    if not missed:
        return [[verdict, meaning], [verdict]]
    lost = TONES["lost"]
    ways: list[Line] = [[verdict, meaning, Segment("; missed ", lost), Segment(", ".join(missed), lost)]]
    for number in range(len(missed), 0, -1):
        further = f" and {len(missed) - number} more" if number < len(missed) else ""
        ways.append([verdict, Segment("; missed ", lost), Segment(", ".join(missed[:number]) + further, lost)])
    return [*ways, [verdict, Segment(f"; {counted(len(missed), 'bound')} missed", lost)], [verdict]]


def filled(lines: list[Line], height: int) -> list[Line]:
    """Exactly `height` lines, with blank ones at the end."""
    return [*lines, *[[]] * height][:height]
