"""Causes and next steps as a person reads them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console, Group

from simulator.run.causes import CAUSES_SHOWN, render_causes, render_next_steps


def cause(
    reason: str, count: int, *examples: tuple[str | None, int | None, str | None], **fates: int
) -> dict[str, Any]:
    """One reason as it stands in the summary."""
    shown = [dict(zip(("object", "line", "cell"), example, strict=True)) for example in examples]
    states = {"deleted": 0, "remaining": 0, "dead_lettered": 0}
    return {"reason": reason, "count": count, "examples": shown, **states, **fates}


def text(width: int = 80, **parts: Any) -> list[str]:
    """The lines as printed, without trailing blanks."""
    summary = {"failures": [], "rejections": [], "tick_failures": [], "next_steps": [], **parts}
    console = Console(file=io.StringIO(), width=width)
    console.print(Group(*render_causes(summary), *render_next_steps(summary)))
    printed: str = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in printed.splitlines()]


def test_a_run_without_failures_says_nothing() -> None:
    """No heading without something below it."""
    assert text() == []


def test_reasons_with_their_first_examples() -> None:
    """How many, what became of them, why, and where; three examples, and more reasons are counted."""
    failures = [cause("no header", 3, *((f"{name}.csv", None, None) for name in "abcd"), remaining=1, dead_lettered=2)]
    failures += [cause(f"reason {number}", 1, (None, None, None), deleted=1) for number in range(CAUSES_SHOWN + 1)]
    rejections = [cause("unreadable timestamp", 1_200, ("a.csv", 3, "soon"), ("b.csv", None, None))]
    ticks = [{"reason": "GeneratorLambda: KeyError: 'x'", "outcome": "error", "count": 3}]
    assert text(failures=failures, rejections=rejections, tick_failures=ticks) == [
        "  why ticks failed",
        "    3 attempts: GeneratorLambda: KeyError: 'x'",
        "  why messages failed",
        "    3 messages (2 in the dead-letter queue, 1 still in the queue): no header",
        "      a.csv",
        "      b.csv",
        "      c.csv",
        *(f"    1 message succeeded later: reason {number}" for number in range(CAUSES_SHOWN - 1)),
        "    and 2 more reasons in the summary file",
        "  why rows were rejected",
        "    1,200 rows: unreadable timestamp",
        "      a.csv line 3 'soon'",
        "      b.csv",
    ]


@pytest.mark.parametrize("width", [30, 80])
def test_nothing_of_it_steers_the_terminal(width: int) -> None:
    """Whatever the reason, the object, the cell and the advice hold, nothing gets off its lines."""
    nasty = "\x1b[2J\r\n\u202e[red]x"
    steps = [{"text": nasty, "command": None}]
    shown = text(width, failures=[cause(nasty, 1, (nasty, 1, nasty), remaining=1)], next_steps=steps)
    assert all(line.isprintable() and len(line) <= width for line in shown)
    assert any("[red]x" in line for line in shown)


def test_next_steps_with_their_commands() -> None:
    """A command is below its sentence, as it is to be pasted."""
    steps = [{"text": "look:", "command": "stockpipe simulate --seed 0 --hold"}, {"text": "fix it.", "command": None}]
    assert text(next_steps=steps) == [
        "  what to do next",
        "    look:",
        "      stockpipe simulate --seed 0 --hold",
        "    fix it.",
    ]
