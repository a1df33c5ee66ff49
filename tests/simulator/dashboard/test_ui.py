"""The dashboard on a real (pseudo) terminal: what a person sees, and how the terminal is left."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console, ConsoleDimensions
from rich.segment import Segment
from rich.style import Style

from fakes.clock import ManualClock
from fakes.templates import own_stack
from simulator.base.errors import CouldNotFinish
from simulator.base.observations import InvocationEnded, Noted, PhaseChanged
from simulator.dashboard import Frame, render, ui
from simulator.dashboard.description import described
from simulator.dashboard.screen import Screen, can_draw
from simulator.dashboard.screenshot import svg
from simulator.telemetry import Telemetry
from simulator.telemetry.snapshot import RunOptions

_END = b"\x1b[777m"
"""Written by a test to know that all before it has arrived."""
_SEQUENCE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])")


class Terminal:
    """A pseudo terminal and what its screen shows: the sequences that a frame uses, and no others."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.reader, self.writer = pty.openpty()
        self.cursor_shown = True
        self.erased = 0
        self._row = self._column = 0
        self.resize(width, height)
        self._received = bytearray()
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.stream = os.fdopen(os.dup(self.writer), "w", encoding="utf-8")

    def resize(self, width: int, height: int) -> None:
        """Another size, and the terminal shows nothing sensible until it is drawn anew."""
        fcntl.ioctl(self.writer, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.width, self.height = width, height
        self.lines = ["#" * width for _ in range(height)]
        self.scrolled: list[str] = []

    def console(self) -> Console:
        """A console of the terminal's size."""
        return Sized(self)

    def echoes(self) -> bool:
        """Whether typed keys appear on the screen."""
        return bool(termios.tcgetattr(self.writer)[3] & termios.ECHO)

    def shown(self) -> list[str]:
        """The screen's lines after everything that was written so far."""
        os.write(self.writer, _END)
        with self._came:
            assert self._came.wait_for(lambda: _END in self._received, timeout=30)
            data, _, rest = bytes(self._received).partition(_END)
            self._received[:] = rest
        self._feed(data.decode())
        return self.lines

    def close(self) -> None:
        """Give the descriptors back."""
        self.stream.close()
        os.close(self.writer)
        self._thread.join()
        os.close(self.reader)

    def _read(self) -> None:
        """Take what is written as it comes, so that no writer ever waits; ends when the last writer has closed."""
        with contextlib.suppress(OSError):
            while data := os.read(self.reader, 65_536):
                with self._came:
                    self._received += data
                    self._came.notify_all()

    def _feed(self, text: str) -> None:
        place = 0
        while place < len(text):
            found = _SEQUENCE.match(text, place)
            if found:
                self._steer(found[1], found[2])
                place = found.end()
                continue
            self._put(text[place])
            place += 1

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            if self._row == self.height - 1:
                self.scrolled.append(self.lines.pop(0))
                self.lines.append(" " * self.width)
            else:
                self._row += 1
        else:
            assert character.isprintable(), repr(character)
            assert self._column < self.width, "a line is wider than the screen"
            line = self.lines[self._row]
            self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _steer(self, argument: str, final: str) -> None:
        match final, argument:
            case "m", _:
                pass
            case (("h" | "l"), "?2026"):
                pass
            case (("h" | "l"), "?25"):
                self.cursor_shown = final == "h"
            case "A", _:
                self._row -= int(argument or 1)
            case "B", _:
                self._row += int(argument or 1)
            case "H", "":
                self._row = self._column = 0
            case "J", "":
                self.erased += 1
                self.lines[self._row :] = [" " * self.width for _ in self.lines[self._row :]]
            case _:
                raise AssertionError(f"unknown sequence {argument}{final}")
        assert 0 <= self._row < self.height


class Sized(Console):
    """A console that takes its size from the pseudo terminal, as it otherwise does from the process's own."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(file=terminal.stream, force_terminal=True, color_system="256", legacy_windows=False)
        self._terminal = terminal

    @property
    def size(self) -> ConsoleDimensions:  # type: ignore[override]
        """Of the pseudo terminal."""
        return ConsoleDimensions(self._terminal.width, self._terminal.height)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """80x24, full of other text."""
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def telemetry() -> Telemetry:
    """Of a run that began at instant 0 of the clock."""
    made = Telemetry(own_stack(), RunOptions("simulate", 7, "inline", 0.0, duration_s=60.0))
    made.record(PhaseChanged(0.0, "running"))
    return made


def lines(frame: Frame) -> list[str]:
    """A frame as the screen should show it."""
    return ["".join(segment.text for segment in line) for line in frame.lines]


def test_a_frame_replaces_the_one_before_without_erasing(terminal: Terminal, telemetry: Telemetry) -> None:
    """Each frame is on the screen as drawn, in place: nothing scrolls and nothing is erased between two frames."""
    with Screen(terminal.console()) as screen:
        for second in range(0, 60, 7):
            telemetry.record(Noted(float(second), f"second {second}", "caption"))
            frame = render(telemetry.snapshot(float(second)), 80, 24)
            screen.draw(frame)
            assert terminal.shown() == lines(frame)
            assert not terminal.scrolled
    assert terminal.erased == 0


def test_only_what_changed_is_sent(terminal: Terminal, telemetry: Telemetry) -> None:
    """An equal frame sends nothing that is seen."""
    with Screen(terminal.console()) as screen:
        frame = render(telemetry.snapshot(3.0), 80, 24)
        screen.draw(frame)
        terminal.shown()
        terminal.lines = ["?" * 80 for _ in range(24)]
        screen.draw(render(telemetry.snapshot(3.0), 80, 24))
        assert terminal.shown() == ["?" * 80 for _ in range(24)]


def test_the_terminal_is_given_back(terminal: Terminal, telemetry: Telemetry) -> None:
    """Cursor and echo are off while the dashboard is up, and on again even when it ends by an exception."""

    def fail_while_drawing() -> None:
        with Screen(terminal.console()) as screen:
            screen.draw(render(telemetry.snapshot(0.0), 80, 24))
            terminal.shown()
            assert not terminal.cursor_shown
            assert not terminal.echoes()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_while_drawing()
    terminal.shown()
    assert terminal.cursor_shown
    assert terminal.echoes()


def test_the_last_frame_stays_and_what_follows_stands_below(terminal: Terminal, telemetry: Telemetry) -> None:
    """After the end the frame is still there, one line higher, and the cursor at the start of an empty line."""
    console = terminal.console()
    frame = render(telemetry.snapshot(5.0), 80, 24)
    with Screen(console) as screen:
        screen.draw(frame)
    console.print("summary", end="")
    shown = terminal.shown()
    assert shown[:-1] == lines(frame)[1:]
    assert shown[-1].rstrip() == "summary"


def test_a_resized_terminal_is_drawn_anew(terminal: Terminal, telemetry: Telemetry) -> None:
    """Whatever the terminal made of the old lines, the next frame has the new size and nothing else is left."""
    with Screen(terminal.console()) as screen:
        screen.draw(render(telemetry.snapshot(1.0), *screen.size))
        terminal.shown()
        for width, height in ((120, 40), (60, 15)):
            terminal.resize(width, height)
            terminal._row = height - 1
            frame = render(telemetry.snapshot(2.0), *screen.size)
            screen.draw(frame)
            assert terminal.shown() == lines(frame)


def test_what_others_print_appears_above(
    terminal: Terminal, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line printed to standard error meanwhile scrolls away above the frame, which stays whole."""
    with os.fdopen(os.dup(terminal.writer), "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with Screen(terminal.console()) as screen:
            screen.draw(render(telemetry.snapshot(1.0), 80, 24))
            sys.stderr.write("a warning\n")
            frame = render(telemetry.snapshot(2.0), 80, 24)
            screen.draw(frame)
            assert terminal.shown() == lines(frame)
            assert [line.rstrip() for line in terminal.scrolled] == ["a warning"]
        assert sys.stderr is stream


def test_a_terminal_that_goes_away_ends_the_showing(telemetry: Telemetry) -> None:
    """Drawing on a closed terminal does nothing and raises nothing."""
    terminal = Terminal()
    with Screen(terminal.console()) as screen:
        terminal.close()
        screen.draw(render(telemetry.snapshot(1.0), 80, 24))
        assert not screen.alive


def _display(
    telemetry: Telemetry, mode: ui.Mode, console: Console, clock: ManualClock, shot: Path | None = None
) -> ui.Display:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ui, "visible_console", lambda **_: console)
        return ui.Display(telemetry, mode, clock, screenshot=shot)


async def _shown(
    telemetry: Telemetry, mode: ui.Mode, console: Console, seconds: float, shot: Path | None = None
) -> None:
    clock = ManualClock()
    async with _display(telemetry, mode, console, clock, shot).shown():
        await clock.advance(seconds)


async def test_plain_prints_a_line_every_few_seconds(telemetry: Telemetry) -> None:
    """The first at once, the last at the end, and before each the events that someone should read, once."""
    telemetry.record(Noted(0.4, "only a note", "note"))
    telemetry.record(Noted(0.5, "the lesson begins", "caption"))
    telemetry.record(Noted(0.5, "a fault is on", "fault"))
    out = io.StringIO()
    await _shown(telemetry, "plain", Console(file=out, width=80), 11.5)
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["00:00 -- the lesson begins", "00:00 -- a fault is on"]
    assert [line[:5] for line in lines[2:]] == ["00:00", "00:05", "00:10", "00:11"]
    assert all(" running ticks=0 " in line for line in lines[2:])


class Still:
    """A cadence by a time that the test sets, and a clock on which nobody may wait."""

    def __init__(self) -> None:
        self.real_s = 0.0
        self.draw: Callable[[], None] = print

    def now(self) -> float:
        """The time that is shown: a minute for each real second."""
        return self.real_s * 60

    async def sleep(self, seconds: float) -> None:
        """The display must not be an event of what it shows."""
        raise AssertionError(seconds)

    def elapsed_s(self, shown_s: float) -> float:
        """See `Cadence`."""
        assert shown_s == self.now()
        return self.real_s

    async def keep(self, draw: Callable[[], None], period_s: float, stop: asyncio.Event) -> None:
        """See `Cadence`."""
        assert period_s == ui.PLAIN_LOOK_S
        self.draw = draw
        await stop.wait()


async def test_lines_of_a_virtual_run_come_by_real_time(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """One every few real seconds, with the virtual time that has passed; nothing waits on the virtual clock."""
    still, out = Still(), io.StringIO()
    monkeypatch.setattr(ui, "visible_console", lambda **_: Console(file=out, width=80))
    async with ui.Display(telemetry, "plain", still, cadence=still).shown():
        await asyncio.sleep(0)
        for quarter in range(48):
            still.real_s = quarter / 4
            still.draw()
    assert [line[:5] for line in out.getvalue().splitlines()] == ["00:00", "05:00", "10:00", "11:45"]


async def test_plain_prints_a_change_at_once_and_repetitions_with_the_next_line(telemetry: Telemetry) -> None:
    """A phase and an event are there within a quarter of a second, a repetition waits; nothing is printed twice."""
    out, clock, printed = io.StringIO(), ManualClock(), []
    async with _display(telemetry, "plain", Console(file=out, width=80), clock).shown():
        for observation in (
            Noted(1.1, "odd", "warning"),
            Noted(1.4, "odd", "warning"),
            PhaseChanged(1.6, "draining"),
            PhaseChanged(1.9, "done"),
        ):
            await clock.advance(observation.at - clock.now())
            telemetry.record(observation)
            await clock.advance(0.25)
            printed.append(out.getvalue().splitlines())
        await clock.advance(10)
    first, second, draining, done = printed
    assert first[1:] == ["00:01 -- odd"]
    assert second == first
    assert [line[:14] for line in draining[2:]] == ["00:01 -- odd (", "00:01 draining"]
    assert [line[:10] for line in done[4:]] == ["00:01 done"] or [line[:10] for line in done[4:]] == ["00:02 done"]
    assert out.getvalue().splitlines() == done


async def test_quiet_prints_nothing(telemetry: Telemetry) -> None:
    """Nothing at all."""
    out = io.StringIO()
    await _shown(telemetry, "quiet", Console(file=out, width=80), 2.5)
    assert out.getvalue() == ""


async def test_live_without_a_terminal_prints_the_last_frame(telemetry: Telemetry) -> None:
    """In a pipe there is nothing to draw over: one frame, at the end, without colours."""
    out = io.StringIO()
    await _shown(telemetry, "live", Console(file=out, width=80, height=24), 2.5)
    assert out.getvalue() == "".join(f"{line}\n" for line in lines(render(telemetry.snapshot(2.5), 80, 24)))


async def test_live_ends_with_the_last_state(
    terminal: Terminal, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded after the last refresh is in the frame that stays."""
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
    clock = ManualClock()
    async with _display(telemetry, "live", terminal.console(), clock).shown():
        await clock.advance(1.0)
        assert "running" in terminal.shown()[0]
        telemetry.record(PhaseChanged(1.1, "done"))
    assert "done" in terminal.shown()[0] or "done" in "".join(terminal.scrolled)
    assert terminal.echoes()


async def test_a_reader_that_goes_away_does_not_end_the_run(telemetry: Telemetry) -> None:
    """`stockpipe simulate | head -1`: the lines go nowhere, and showing ends when it is told to."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w", encoding="utf-8")
    await _shown(telemetry, "plain", Console(file=stream, width=80), 3.0)
    with pytest.raises(BrokenPipeError):
        stream.close()


async def test_a_plain_line_in_an_old_encoding(telemetry: Telemetry) -> None:
    """What the output cannot encode is replaced."""
    telemetry.record(Noted(0.1, "行情 arrives", "caption"))
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    await _shown(telemetry, "plain", Console(file=stream, width=80), 0.0)
    assert raw.getvalue().splitlines()[0] == b"00:00 -- ?? arrives"


def test_the_mode_follows_the_output() -> None:
    """`auto` is plain where nothing can be drawn on; what was chosen by name is taken."""
    pipe = Console(file=io.StringIO(), force_terminal=True)
    assert ui.choose_mode("auto", pipe) == "plain"
    assert ui.choose_mode("live", pipe) == "live"
    assert ui.choose_mode("quiet", pipe) == "quiet"


def test_live_is_plain_where_boxes_cannot_be_shown(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An encoding that lacks them and a terminal that cannot move its cursor are named in one line each."""
    latin = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    monkeypatch.setenv("TERM", "dumb")
    for console, reason in ((latin, "encoding is latin-1"), (terminal.console(), "TERM=dumb")):
        assert ui.choose_mode("auto", console) == "plain"
        assert ui.choose_mode("live", console) == "plain"
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("stockpipe: --ui live is not possible here: ")
        assert reason in line
        assert line.endswith("; using --ui plain")


def test_only_a_capable_terminal_in_the_foreground_is_drawn_on(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dumb terminal, one of a job in the background and one without UTF-8 get plain lines."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
    assert can_draw(terminal.console())
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
    assert not can_draw(terminal.console())
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
    monkeypatch.setenv("TERM", "dumb")
    assert not can_draw(terminal.console())
    monkeypatch.setenv("TERM", "xterm-256color")
    with os.fdopen(os.dup(terminal.writer), "w", encoding="ascii") as stream:
        assert not can_draw(Console(file=stream, force_terminal=True))


async def test_the_screenshot_is_the_last_frame_and_opens_offline(telemetry: Telemetry, tmp_path: Path) -> None:
    """Well-formed SVG with the frame's text; nothing in it is loaded from elsewhere."""
    failed = InvocationEnded(1.0, "ConsumerLambda", 1, "r", 1, "error", 0.1, None, None, "E", '</text> & "quotes"')
    telemetry.record(failed)
    file = tmp_path / "frame.svg"
    await _shown(telemetry, "quiet", Console(file=io.StringIO()), 2.0, file)
    text = await asyncio.to_thread(file.read_text, encoding="utf-8")
    root = ET.fromstring(text)
    drawn = "".join(root.itertext()).replace("\xa0", " ")
    assert "stockpipe simulate" in drawn
    assert [root[0].tag[-5:], root[0].text] == ["title", "stockpipe simulate: running"]
    assert root[1].text == described(telemetry.snapshot(2.0))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == [root[0].attrib["id"], root[1].attrib["id"]]
    assert '</text> & "quotes"' in drawn
    assert not re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)", text)
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert os.listdir(tmp_path) == ["frame.svg"]  # noqa: PTH208 - a path object would be I/O in a coroutine to ruff


def test_half_blocks_are_shapes_in_the_screenshot() -> None:
    """Each has half the width of a cell, and half the height if it is a quarter; none is left to a font."""
    text = svg(Frame(([Segment("▌▖", Style(color="green"))],), 2))
    shapes = re.findall(r'<rect class="s" x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="([\d.]+)"', text)
    assert shapes == [("12.0", "4.2", "17.0"), ("20.4", "4.2", "8.5")]
    assert "▌" not in text


async def test_a_screenshot_that_cannot_be_written_is_an_error(telemetry: Telemetry, tmp_path: Path) -> None:
    """The caller learns of it, and nothing half-written stays."""
    with pytest.raises(CouldNotFinish, match=r"frame\.svg' cannot be written: there is no directory"):
        await _shown(telemetry, "quiet", Console(file=io.StringIO()), 1.0, tmp_path / "missing" / "frame.svg")


def test_a_screenshot_keeps_colours_whatever_the_environment(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR is for terminals; the picture is the same."""
    frame = render(telemetry.snapshot(1.0), 80, 24)
    coloured = svg(frame)
    monkeypatch.setenv("NO_COLOR", "1")
    assert svg(frame) == coloured
