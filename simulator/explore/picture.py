"""The picture of a story: time to the right, a lane for each part, a mark for each line. SVG; pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from simulator.explore.telling import Line, WorldStory

WIDTH, LANE, TOP, LABEL = 1_000, 46, 18, 150
"""In pixels: the whole width, a lane's height, what is above the first, and what the lanes' names take."""
_COLOURS = {"plain": "var(--blue)", "fault": "var(--bad)", "good": "var(--good)", "bad": "var(--warn)"}
_GAP_S = 5.0
"""From so long a wait on, its length is written."""


def lanes_of(lines: Sequence[Line]) -> list[str]:
    """The lanes in the order of the data's way: what comes first, is first."""
    seen = list(dict.fromkeys(line.lane for line in lines))
    if "DynamoDB" in seen:
        seen.remove("DynamoDB")
        seen.append("DynamoDB")
    return seen


def picture(story: WorldStory) -> str:
    """An SVG element. The lines are as far apart as their texts need; waits are written between them."""
    lines = story.lines
    lanes = lanes_of(lines)
    step = (WIDTH - LABEL - 40) / max(1, len(lines))
    bottom = TOP + len(lanes) * LANE
    parts = [
        f'<svg class="story" viewBox="0 0 {WIDTH} {bottom + 44}" role="img">',
        f"<title>{escape(story.end)}</title>",
    ]
    for place, lane in enumerate(lanes):
        y = TOP + place * LANE + LANE / 2
        parts.append(f'<text x="{LABEL - 10}" y="{y + 4:.0f}" text-anchor="end" class="lane">{escape(lane)}</text>')
        parts.append(f'<line x1="{LABEL}" x2="{WIDTH - 20}" y1="{y:.0f}" y2="{y:.0f}" class="way"/>')
    before: tuple[float, float, float] | None = None
    for number, line in enumerate(lines, start=1):
        x, y = LABEL + step * (number - 0.5), TOP + lanes.index(line.lane) * LANE + LANE / 2
        if before is not None:
            parts.append(f'<line x1="{before[0]:.0f}" y1="{before[1]:.0f}" x2="{x:.0f}" y2="{y:.0f}" class="then"/>')
            if (gap_s := round(line.at_s - before[2], 3)) >= _GAP_S:
                middle = (before[0] + x) / 2
                parts.append(_label(middle, bottom + 34, f"+{clock(gap_s)}", "gap"))
        parts.append(_mark(x, y, number, line))
        parts.append(_label(x, bottom + 14, clock(line.at_s), "at"))
        before = x, y, line.at_s
    return "".join([*parts, "</svg>"])


def clock(at_s: float) -> str:
    """Minutes, seconds and milliseconds; without milliseconds from a quarter of an hour on."""
    minutes, seconds = divmod(round(at_s, 3), 60)
    return f"{int(minutes)}:{seconds:06.3f}" if at_s < 900 else f"{int(minutes)}:{int(seconds):02}"


def _mark(x: float, y: float, number: int, line: Line) -> str:
    colour = _COLOURS[line.tone]
    if line.tone == "fault":
        shape = f'<path d="M{x:.0f} {y - 15:.0f} l13 26 h-26 z" fill="{colour}"/>'
    else:
        shape = f'<circle cx="{x:.0f}" cy="{y:.0f}" r="10" fill="{colour}"/>'
    told = f"<title>{escape(f'{clock(line.at_s)} {line.lane}: {line.text}')}</title>"
    return f'<g>{told}{shape}<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle" class="number">{number}</text></g>'


def _label(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" class="{kind}">{escape(text)}</text>'
