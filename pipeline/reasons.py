"""Why rows of an object were rejected, by kind: what a log line reports about them, in bounded memory. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.rows import RejectedRow

KINDS_REPORTED = 10
CELL_CHARS = 60


@dataclass(slots=True)
class _Kind:
    """How often, and the first such row."""

    count: int
    first: RejectedRow


class Reasons:
    """Counts rejected rows by kind, of which there are a few dozen at most."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def add(self, row: RejectedRow) -> None:
        """Count one row."""
        known = self._kinds.get(row.kind or row.reason)
        if known is None:
            self._kinds[row.kind or row.reason] = _Kind(1, row._replace(row=()))
            return
        known.count += 1
        if row.line < known.first.line:
            known.first = row._replace(row=())

    def most_frequent(self) -> list[dict[str, Any]]:
        """At most `KINDS_REPORTED` kinds, each with count, line and offending text of its first row, and a setting.

        The text is shortened, and None if there is none; the setting is the environment variable that might help.
        """
        ordered = sorted(self._kinds.items(), key=lambda item: (-item[1].count, item[1].first.line))
        return [
            {
                "reason": reason,
                "count": kind.count,
                "line": kind.first.line,
                "cell": _shortened(kind.first.cell),
                "setting": kind.first.setting,
            }
            for reason, kind in ordered[:KINDS_REPORTED]
        ]


def _shortened(text: str | None) -> str | None:
    """As much of it as a log line can hold; bytes that are not text are shown as such."""
    if text is None:
        return None
    short = text if len(text) <= CELL_CHARS else text[:CELL_CHARS] + "..."
    return short.encode(errors="backslashreplace").decode()
