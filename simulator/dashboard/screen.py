"""A rectangle at the end of the terminal that is redrawn in place.

A frame is one write and erases nothing before rewriting it, so nothing flickers. There is no alternate screen: the
lines above stay readable, and whatever other code prints appears above the frame.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import termios
from collections.abc import Iterator
from types import FrameType
from typing import Any

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType, Segment, Segments

from simulator.base.terminal import visible_console
from simulator.dashboard import Frame
from simulator.dashboard.lines import Line

_CLEAR_BELOW = Segment("\x1b[J", None, [(ControlType.CLEAR,)])
_HOME = Segment("\x1b[H", None, [(ControlType.HOME,)])
# Terminals that know "synchronized output" do not repaint in between; the others ignore it.
_HOLD = Segment("\x1b[?2026h", None, [(ControlType.BELL,)])
_RELEASE = Segment("\x1b[?2026l", None, [(ControlType.BELL,)])


def obstacle(console: Console) -> str | None:
    """Why the console cannot show any frame, not even one printed at the end; None if it can."""
    if not console.encoding.lower().startswith("utf"):
        return f"the output's encoding is {console.encoding}, which lacks the characters of boxes and charts"
    if _is_terminal(console) and (console.is_dumb_terminal or console.legacy_windows):
        return f"this terminal (TERM={os.environ.get('TERM', '')}) cannot move its cursor"
    return None


def can_draw(console: Console) -> bool:
    """Whether the console is a terminal in the foreground that can move its cursor and has block characters."""
    return obstacle(console) is None and _is_terminal(console) and _is_in_foreground(console)


def _is_terminal(console: Console) -> bool:
    try:
        return os.isatty(console.file.fileno())
    except (OSError, ValueError, AttributeError):
        return False


def _is_in_foreground(console: Console) -> bool:
    try:
        return os.tcgetpgrp(console.file.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


class Screen:
    """Draws frames; a context manager that restores the terminal.

    `alive` becomes false when the terminal is gone; from then on, drawing does nothing.
    """

    def __init__(self, console: Console) -> None:
        self.alive = True
        self._console = console
        # Bound to the current stream: what others print to sys.stdout from here on is held back.
        self._out = visible_console(
            file=console.file,
            force_terminal=console.is_terminal,
            color_system=console.color_system or None,
            no_color=console.no_color,
            legacy_windows=False,
            emoji=False,
            markup=False,
            highlight=False,
        )
        self._drawn: tuple[Line, ...] = ()
        self._drawn_size: tuple[int, int] | None = None
        self._printed = io.StringIO()
        self._attributes: list[Any] | None = None
        self._borrowed = contextlib.ExitStack()

    @property
    def size(self) -> tuple[int, int]:
        """The current columns and lines of the terminal."""
        return self._console.size

    def __enter__(self) -> Screen:
        self._take()
        if sys.stdout.isatty():
            self._borrowed.enter_context(contextlib.redirect_stdout(self._printed))
        if sys.stderr.isatty():
            self._borrowed.enter_context(contextlib.redirect_stderr(self._printed))
        with contextlib.suppress(ValueError):  # not in the main thread, so without Ctrl-Z
            before = signal.signal(signal.SIGTSTP, self._suspend)
            self._borrowed.callback(signal.signal, signal.SIGTSTP, before)
        return self

    def __exit__(self, *_: object) -> None:
        self._borrowed.close()
        self._give_back()
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(self._printed.getvalue())

    def draw(self, frame: Frame) -> None:
        """Show the frame in place of the last one."""
        if not self.alive:
            return
        with self._noticing_its_end():
            self._out.print(Segments(tuple(self._update(frame))), end="", soft_wrap=True)
        self._drawn, self._drawn_size = frame.lines, self.size

    def _update(self, frame: Frame) -> Iterator[Segment]:
        """The output that turns the screen into the frame. Before and after it, the cursor ends the last line."""
        printed = self._printed.getvalue()
        yield _HOLD
        if self._drawn_size == self.size and not printed:
            yield from self._changes(frame)
        else:
            if self._drawn_size not in (None, self.size):
                # The terminal has wrapped or cut the old lines in its own way, so start again from the top.
                yield _HOME
            elif self._drawn_size and printed:
                self._printed.seek(0)
                self._printed.truncate()
                yield from (*_move(1 - len(self._drawn)), _CLEAR_BELOW)
                yield Segment(printed if printed.endswith("\n") else printed + "\n")
            yield from frame.segments()
        yield _RELEASE

    def _changes(self, frame: Frame) -> Iterator[Segment]:
        at = last = len(frame.lines) - 1
        for index, line in enumerate(frame.lines):
            if line != self._drawn[index]:
                yield from (*_move(index - at), *line)
                at = index
        if at < last:
            yield from _move(last - at)

    def _take(self) -> None:
        """Hide the cursor and typed keys; signals still work."""
        self._drawn, self._drawn_size = (), None
        with contextlib.suppress(OSError, ValueError, termios.error):
            descriptor = self._out.file.fileno()
            self._attributes = termios.tcgetattr(descriptor)
            silent = termios.tcgetattr(descriptor)
            silent[3] &= ~termios.ECHO
            termios.tcsetattr(descriptor, termios.TCSANOW, silent)
        with self._noticing_its_end():
            self._out.control(Control.show_cursor(False))

    def _give_back(self) -> None:
        with self._noticing_its_end():
            self._out.control(Control.show_cursor(True))
            if self._drawn_size is not None:
                self._out.print()
        if self._attributes is not None:
            with contextlib.suppress(OSError, ValueError, termios.error):
                termios.tcsetattr(self._out.file.fileno(), termios.TCSANOW, self._attributes)
            self._attributes = None

    @contextlib.contextmanager
    def _noticing_its_end(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):
            self.alive = False

    def _suspend(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: restore the terminal, stop, and take it again when the process continues."""
        self._give_back()
        signal.raise_signal(signal.SIGSTOP)
        self._take()


def _move(lines: int) -> Iterator[Segment]:
    """Move to the first column, `lines` lines down, or up if negative."""
    yield Control(ControlType.CARRIAGE_RETURN).segment
    if lines:
        yield Control((ControlType.CURSOR_DOWN if lines > 0 else ControlType.CURSOR_UP, abs(lines))).segment
