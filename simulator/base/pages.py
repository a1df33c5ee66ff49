"""What our HTML pages share: how they look, and tables. A page opens offline, in light and dark, at any width."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from importlib import resources

WRAPPED = 26
"""A column with a longer text than this is a column of words."""
_TONES = {"held": "good", "missed": "bad", "too much": "warn"}


def css() -> str:
    """The style sheet of every page."""
    return (resources.files("simulator.base") / "page.css").read_text(encoding="utf-8")


def filled(text: str, parts: Mapping[str, str]) -> str:
    """The page with its placeholders, `{{NAME}}`, filled in.

    In one pass, because what is filled in has text from outside, which may look like a placeholder.
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda placeholder: parts[placeholder[1]], text)


def tiles(held: list[tuple[str, str]]) -> str:
    """Figures to see at first glance: what each is, and its value."""
    cells = (f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>' for label, value in held)
    return f'<div class="tiles">{"".join(cells)}</div>'


def table(title: str, head: list[str], rows: list[list[str]], note: str = "") -> str:
    """A section with a table, and a sentence about it. Words wrap, figures do not."""
    wide = [any(len(row[column]) > WRAPPED for row in rows) for column in range(len(head))]

    def row(cells: list[str], tag: str) -> str:
        tones = map(_tone, cells, wide)
        shown = (f"<{tag}{tone}>{escape(cell)}</{tag}>" for tone, cell in zip(tones, cells, strict=True))
        return "<tr>" + "".join(shown) + "</tr>"

    said = f'<p class="note">{escape(note)}</p>' if note else ""
    body = "".join(row(cells, "td") for cells in rows)
    kind = ' class="words"' if any(wide) else ""
    return (
        f'<section><h2>{escape(title)}</h2>{said}<div class="scroll"><table{kind}><thead>{row(head, "th")}</thead>'
        f"<tbody>{body}</tbody></table></div></section>"
    )


def _tone(cell: str, wrapped: bool) -> str:
    tone = _TONES.get(cell, "wrap" if wrapped else "")
    return f' class="{tone}"' if tone else ""
