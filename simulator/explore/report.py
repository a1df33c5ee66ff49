"""What a search has shown: its summary (`stockpipe.explore/1`), and the page. Pure but for the page's template."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from simulator.base import pages
from simulator.base.words import counted
from simulator.explore.explorer import SearchState, WorldFinding
from simulator.explore.picture import clock, picture
from simulator.explore.telling import Line, WorldStory
from simulator.faults import kinds
from simulator.run.summary import versions

SCHEMA = "stockpipe.explore/1"


def summary(
    progress: SearchState,
    told: Sequence[tuple[WorldFinding, WorldStory, str]],
    *,
    options: Mapping[str, Any],
    interrupted: bool,
    machine: Mapping[str, Any],
) -> dict[str, Any]:
    """The summary; `told` has each finding with its story and the file that replays it."""
    return {
        "schema": SCHEMA,
        "command": "explore",
        "versions": versions(),
        "options": dict(options),
        "interrupted": interrupted,
        "failure": str(progress.failure) if progress.failure is not None else None,
        "worlds": progress.worlds,
        "failed_worlds": progress.failed,
        "virtual_s": round(progress.virtual_s, 3),
        "objects": progress.objects,
        "faults": {kind: progress.fired[kind] for kind in kinds.ALL if progress.fired[kind]},
        "settlements": dict(sorted(progress.arms.items())),
        "findings": [
            {
                "signature": str(finding.signature),
                "problem": finding.problem.sort,
                "said": story.end,
                "seed": finding.found.seed,
                "worlds": len(finding.worlds),
                "faults": [fault._asdict() for fault in finding.case.faults or ()],
                "objects": len(finding.case.puts),
                "story": [line_text(line) for line in story.lines],
                "replay": file,
            }
            for finding, story, file in told
        ],
        "machine": dict(machine),
    }


def line_text(line: Line) -> str:
    """A line of a story on a line of its own."""
    return f"{clock(line.at_s):>10}  {line.lane}: {line.text}"


def again(file: str) -> str:
    """The command that runs the world of this file again, for a shell."""
    return shlex.join(("stockpipe", "explore", "--replay", file))


def page(built: Mapping[str, Any], stories: Sequence[WorldStory]) -> str:
    """The HTML page of a summary."""
    assets = resources.files("simulator.explore") / "assets"
    title = f"stockpipe explore: {counted(len(built['findings']), 'finding')}"
    parts = {"TITLE": escape(title), "CSS": pages.css(), "BODY": "\n".join(_body(built, stories))}
    return pages.filled((assets / "report.html").read_text(encoding="utf-8"), parts)


def _body(built: Mapping[str, Any], stories: Sequence[WorldStory]) -> Iterator[str]:
    found = counted(len(built["findings"]), "finding") if built["findings"] else "no findings"
    yield f"<h1>{escape(counted(built['worlds'], 'world'))}, {escape(found)}</h1>"
    ended = " · interrupted" if built["interrupted"] else ""
    yield f'<p class="dim">seed {built["options"].get("seed")} · stockpipe {built["versions"]["stockpipe"]}{ended}</p>'
    yield pages.tiles(
        [
            ("worlds", f"{built['worlds']:,}"),
            ("virtual hours", f"{built['virtual_s'] / 3600:,.0f}"),
            ("objects", f"{built['objects']:,}"),
            ("faults struck", f"{sum(built['faults'].values()):,}"),
            ("kinds that struck", f"{len(built['faults'])} of {len(kinds.ALL)}"),
            ("worlds that failed", f"{built['failed_worlds']:,}"),
        ]
    )
    for number, (finding, story) in enumerate(zip(built["findings"], stories, strict=True), start=1):
        yield from _finding(number, finding, story)
    yield pages.table(
        "Faults",
        ["kind", "struck", "what it does", "modelled on"],
        [
            [kind.name, f"{built['faults'].get(kind.name, 0):,}", kind.told.replace("{}", "…"), kind.source]
            for kind in kinds.ALL.values()
        ],
        "A kind that never struck was not tested: take more worlds, or another load.",
    )
    rows = [[arm, f"{times:,}"] for arm, times in built["settlements"].items()]
    yield pages.table("What became of deliveries", ["outcome", "times"], rows)


def _finding(number: int, finding: Mapping[str, Any], story: WorldStory) -> Iterator[str]:
    yield '<section class="finding">'
    yield f"<h3>{number}. {escape(finding['signature'])}</h3>"
    yield f'<p class="bad">{escape(story.end)}</p>'
    also = f", and {counted(finding['worlds'] - 1, 'more world')}" if finding["worlds"] > 1 else ""
    yield f'<p class="note">The world of seed {finding["seed"]}{also}; shrunk to what is shown.</p>'
    yield f'<div class="scroll">{picture(story)}</div>'
    lines = (
        f'<li class="{line.tone}"><time>{clock(line.at_s)}</time><b>{escape(line.lane)}</b>{escape(line.text)}</li>'
        for line in story.lines
    )
    yield f'<ol class="story">{"".join(lines)}</ol>'
    yield f"<p>Run it again: <code>{escape(again(finding['replay']))}</code></p></section>"
