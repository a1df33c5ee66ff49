"""Why messages failed, why rows were rejected and what to do next, as text. Reads only the summary's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from simulator.base.shown import printable
from simulator.base.words import counted
from simulator.run.command_line import ShellCommand
from simulator.telemetry.reasons import spot

CAUSES_SHOWN = 5
EXAMPLES_SHOWN = 3
_FATES = (
    ("dead_lettered", "in the dead-letter queue"),
    ("remaining", "still in the queue"),
    ("deleted", "succeeded later"),
)


def render_causes(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Each list of causes, most frequent first, with the first examples; nothing if nothing failed."""
    ticks = "events" if summary.get("deliveries") else "ticks"
    yield from _section(
        f"why {ticks} failed", summary["tick_failures"], lambda cause: counted(cause["count"], "attempt")
    )
    yield from _section("why messages failed", summary["failures"], _messages)
    yield from _section("why rows were rejected", summary["rejections"], lambda cause: counted(cause["count"], "row"))


def render_next_steps(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The next steps, with commands to paste."""
    if not summary["next_steps"]:
        return
    yield Text("  what to do next", Style(bold=True))
    for step in summary["next_steps"]:
        yield _indented(printable(step["text"]), 4)
        if step["command"] is not None:
            yield ShellCommand(step["command"], 6)


def _section(title: str, causes: Sequence[Mapping[str, Any]], number: Any) -> Iterator[RenderableType]:
    if not causes:
        return
    yield Text(f"  {title}", Style(bold=True))
    for cause in causes[:CAUSES_SHOWN]:
        yield _indented(f"{number(cause)}: {printable(cause['reason'])}", 4, Style(color="red"))
        spots = (spot(example["object"], example["line"], example["cell"]) for example in cause.get("examples", ()))
        yield from (_indented(where, 6) for where in [each for each in spots if each][:EXAMPLES_SHOWN])
    if len(causes) > CAUSES_SHOWN:
        yield _indented(f"and {counted(len(causes) - CAUSES_SHOWN, 'more reason')} in the summary file", 4)


def _messages(cause: Mapping[str, Any]) -> str:
    """How many messages failed, and where they are now."""
    fates = [(cause[name], words) for name, words in _FATES if cause[name]]
    said = counted(cause["count"], "message")
    if len(fates) == 1:
        return f"{said} {fates[0][1]}"
    return f"{said} ({', '.join(f'{count:,} {words}' for count, words in fates)})"


def _indented(text: str, by: int, style: Style | str = "") -> RenderableType:
    return Padding(Text(text, style), (0, 0, 0, by))
