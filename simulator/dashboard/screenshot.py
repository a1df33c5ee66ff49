"""A frame as an SVG file that opens offline: it loads no font, style or picture.

The picture looks like a dark terminal with a border, so it looks the same on a dark and on a light page.

Blocks and lines are shapes, not letters, because fonts leave gaps between them. Text is stretched to its cells, so any
monospaced font will do.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import blend_rgb
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME

from simulator.dashboard.lines import PLAIN, Frame, Line

_CELL_WIDTH, _CELL_HEIGHT = 8.4, 17
_FONT_SIZE, _BASELINE = 14, 13
_MARGIN, _TITLE_HEIGHT = 12, 30
_FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
_FIXED_SPACE = "\N{NO-BREAK SPACE}"
"""Viewers collapse several plain blanks into one."""
_BLOCKS = {glyph: (eighth / 8, 1.0) for eighth, glyph in enumerate("▁▂▃▄▅▆▇█", start=1)}
_BLOCKS |= {"░": (1.0, 0.25), "▒": (1.0, 0.5), "▓": (1.0, 0.75)}
_STRIPES = {"▌": (1.0, 1.0), "▖": (0.5, 1.0)}
"""Blocks of a whole cell's width and of half of it, by height and opacity; neighbours of the latter do not touch."""
_ARMS = {
    "─": "lr", "│": "ud", "┤": "udl", "├": "udr", "┴": "lru", "┬": "lrd", "┼": "lrud",
    "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu", "━": "lr", "╸": "l",
}  # fmt: skip
"""Lines, by the sides of the cell that they reach. Two sides that are not opposite make a rounded corner."""


def svg(frame: Frame, title: str = "stockpipe", description: str = "") -> str:
    """The frame as SVG text with `title` on its upper edge; `description` is for people who cannot see it."""
    width = round(frame.width * _CELL_WIDTH) + 2 * _MARGIN
    height = len(frame.lines) * _CELL_HEIGHT + _TITLE_HEIGHT + _MARGIN
    background = SVG_EXPORT_THEME.background_color.hex
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="frame-title frame-description">',
        f'<title id="frame-title">{escape(title)}</title>',
        f'<desc id="frame-description">{escape(description)}</desc>',
        f"<style>text{{font-family:{_FONTS};font-size:{_FONT_SIZE}px}}.b{{font-weight:bold}}"
        "path{fill:none}.s{shape-rendering:crispEdges}</style>",
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{background}" '
        'stroke="#6a6a6a"/>',
        f'<text x="{width / 2:g}" y="20" text-anchor="middle" fill="#9a9a9a">{escape(title)}</text>',
    ]
    for row, line in enumerate(frame.lines):
        parts += _line(line, _TITLE_HEIGHT + row * _CELL_HEIGHT)
    return "\n".join([*parts, "</svg>", ""])


def _line(line: Line, top: float) -> Iterator[str]:
    """One line of the frame, `top` pixels from the top: runs of equal glyphs as shapes, the rest as text."""
    column = 0
    for segment in line:
        style = segment.style or PLAIN
        color = _color(style)
        for kind, run in itertools.groupby(segment.text, key=_kind):
            text = "".join(run)
            left = _MARGIN + column * _CELL_WIDTH
            column += cell_len(text)
            right = _MARGIN + column * _CELL_WIDTH
            if kind in _BLOCKS:
                yield _block(*_BLOCKS[kind], left, right - left, top, color)
            elif kind in _STRIPES:
                places = (left + place * _CELL_WIDTH for place in range(len(text)))
                yield from (_block(*_STRIPES[kind], place, _CELL_WIDTH / 2, top, color) for place in places)
            elif kind in _ARMS:
                # A run of horizontal lines is one stroke; any other glyph is a shape of its own.
                strokes = 1 if _ARMS[kind] == "lr" else len(text)
                length = (right - left) / strokes
                yield from (_stroke(kind, left + place * length, length, top, color) for place in range(strokes))
            elif text.strip():
                yield _text(text, left, top, color, bold=bool(style.bold))


def _kind(character: str) -> str:
    """How to draw a character: the glyph itself for a shape, the empty text for a letter."""
    return character if character in _BLOCKS or character in _STRIPES or character in _ARMS else ""


def _block(share: float, opacity: float, left: float, width: float, top: float, color: str) -> str:
    height = _CELL_HEIGHT * share
    faded = f' fill-opacity="{opacity}"' if opacity < 1 else ""
    return (
        f'<rect class="s" x="{left:.1f}" y="{top + _CELL_HEIGHT - height:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" fill="{color}"{faded}/>'
    )


def _stroke(glyph: str, left: float, length: float, top: float, color: str) -> str:
    arms, right = _ARMS[glyph], left + length
    across, down = (left + right) / 2, top + _CELL_HEIGHT / 2
    ends = {"l": (left, down), "r": (right, down), "u": (across, top), "d": (across, top + _CELL_HEIGHT)}
    if arms in ("rd", "ld", "ru", "lu"):
        (from_x, from_y), (to_x, to_y) = ends[arms[0]], ends[arms[1]]
        path = f"M{from_x:.1f} {from_y:.1f}Q{across:.1f} {down:.1f} {to_x:.1f} {to_y:.1f}"
    else:
        path = "".join(f"M{across:.1f} {down:.1f}L{ends[arm][0]:.1f} {ends[arm][1]:.1f}" for arm in arms)
    return f'<path d="{path}" stroke="{color}" stroke-width="{3 if glyph in "━╸" else 1}"/>'


def _text(text: str, left: float, top: float, color: str, *, bold: bool) -> str:
    blank = len(text) - len(text.lstrip(" "))
    text = text.strip(" ")
    shown = escape(text).replace(" ", _FIXED_SPACE)
    weight = ' class="b"' if bold else ""
    return (
        f'<text{weight} x="{left + blank * _CELL_WIDTH:.1f}" y="{top + _BASELINE}" '
        f'textLength="{cell_len(text) * _CELL_WIDTH:.1f}" fill="{color}">{shown}</text>'
    )


def _color(style: Style) -> str:
    theme = SVG_EXPORT_THEME
    color = theme.foreground_color if style.color is None else style.color.get_truecolor(theme)
    return (blend_rgb(color, theme.background_color, 0.3) if style.dim else color).hex
