"""What `explore` shows: the search while it runs, on standard error, and then what it found."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Self

from rich.live import Live
from rich.text import Text

from simulator.base.clock import Clock
from simulator.base.shown import visible_line
from simulator.base.terminal import visible_console
from simulator.base.words import counted
from simulator.dashboard.screen import can_draw
from simulator.dashboard.ui import Choice
from simulator.explore.explorer import Search, SearchState
from simulator.explore.report import again
from stockpipe.commands.outputs import echo

FRAME_S, LINE_S = 0.25, 10.0
"""How often the lines on a terminal are drawn; how often a line is printed elsewhere."""
_MOST_NAMED = 8


class SearchDisplay:
    """A search while it runs: two lines on a terminal, one line now and then elsewhere, or nothing (`quiet`)."""

    def __init__(self, ui: Choice, search: Search, clock: Clock) -> None:
        self._clock = clock
        self._console = visible_console(stderr=True, highlight=False)
        live = ui == "live" or (ui == "auto" and can_draw(self._console))
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if live else None
        self._quiet, self._search, self._drawn_at = ui == "quiet", search, 0.0
        self._said = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def look(self, progress: SearchState) -> None:
        """Show the progress, if it is time to."""
        now = self._clock.now()
        if self._quiet or now - self._drawn_at < (LINE_S if self._live is None else FRAME_S):
            return
        first = self._drawn_at == 0.0
        self._drawn_at = now
        line = progress_line(progress, self._search, now - progress.began_at)
        if self._live is not None:
            told = Text(line, no_wrap=True, overflow="ellipsis")
            told.append(f"\n{most_fired(progress)}", style="dim")
            self._live.update(told, refresh=True)
        elif not first and line != self._said:
            self._said = line
            sys.stderr.write(f"{line} · {most_fired(progress)}\n")
            sys.stderr.flush()


def progress_line(progress: SearchState, search: Search, elapsed_s: float) -> str:
    """How far the search is, in one line."""
    of = f" of {search.worlds:,}" if search.worlds is not None else ""
    pace = progress.worlds / elapsed_s if elapsed_s > 1 else 0.0
    parts = [
        f"{progress.worlds:,}{of} worlds",
        f"{progress.virtual_s / 3600:,.0f} virtual hours",
        f"{counted(sum(progress.fired.values()), 'fault')} of {counted(len(progress.fired), 'kind')}",
        counted(len(progress.findings), "finding"),
    ]
    if progress.shrinking is not None:
        parts.append(f"shrinking the world of seed {progress.shrinking}")
    elif pace:
        parts.append(f"{pace:.1f} worlds/s")
    return " · ".join(parts)


def most_fired(progress: SearchState) -> str:
    """The kinds that struck most often."""
    return " · ".join(f"{kind} {times:,}" for kind, times in progress.fired.most_common(4)) or "no fault yet"


def tell(built: Mapping[str, Any], *, quiet: bool, err: bool) -> None:
    """Print what a search has shown; `quiet`: one line for each finding and one for the whole."""
    console = visible_console(stderr=err, highlight=False)
    for number, finding in enumerate(built["findings"], start=1):
        console.print(Text(f"finding {number}: {visible_line(finding['signature'])}", style="bold"), soft_wrap=True)
        if not quiet:
            also = f", and of {counted(finding['worlds'] - 1, 'more world')}" if finding["worlds"] > 1 else ""
            console.print(f"  the world of seed {finding['seed']}{also}, shrunk:", style="dim", soft_wrap=True)
            for line in finding["story"]:
                style = "bold red" if ": FAULT " in line else ""
                console.print(Text(f"  {visible_line(line)}", style=style), soft_wrap=True)
            console.print(Text(f"  => {visible_line(finding['said'])}", style="red"), soft_wrap=True)
        console.print(Text(f"  {visible_line(again(finding['replay']))}"), soft_wrap=True)
    echo(conclusion(built), err=err)
    never = [kind for kind in built["options"]["faults"] if kind not in built["faults"]]
    if never and not quiet:
        more = f" and {len(never) - _MOST_NAMED} more" if len(never) > _MOST_NAMED else ""
        echo(f"never struck, and so not tested: {', '.join(never[:_MOST_NAMED])}{more}", err=err)


def conclusion(built: Mapping[str, Any]) -> str:
    """The whole in one line."""
    found = counted(len(built["findings"]), "finding") if built["findings"] else "nothing was found"
    ended = "interrupted after " if built["interrupted"] else ""
    struck, kinds_struck = sum(built["faults"].values()), len(built["faults"])
    return (
        f"{ended}{counted(built['worlds'], 'world')}, {built['virtual_s'] / 3600:,.0f} virtual hours, "
        f"{counted(struck, 'fault')} of {counted(kinds_struck, 'kind')}: {found}"
    )
