"""A frame as an SVG file that opens offline: no font, style or picture is loaded from anywhere."""

from __future__ import annotations

import io
import os
from pathlib import Path

from rich.console import Console

from simulator.dashboard.lines import Frame

# As rich's own format, without the web fonts that it would load.
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace;
    font-size: {char_height}px;
    line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def svg(frame: Frame, title: str = "stockpipe") -> str:
    """The frame as SVG text."""
    console = Console(
        record=True,
        file=io.StringIO(),
        width=frame.width,
        height=len(frame.lines),
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        legacy_windows=False,
    )
    console.print(frame, soft_wrap=True)
    return console.export_svg(title=title, code_format=_FORMAT, unique_id="stockpipe")


def save(frame: Frame, path: Path) -> None:
    """Write the frame to `path`, whole or not at all; OSError when it cannot be written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(svg(frame), encoding="utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
