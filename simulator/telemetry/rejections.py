"""Why rows were rejected, by reason: the consumer logs it for each object (`rows rejected`). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.telemetry.reasons import Causes, ReasonGroup, mappings_in, shortened, spot, structured, text_in, whole_in
from simulator.telemetry.snapshot import Cause, Example

OBJECTS_KEPT = 10_000
"""How many objects are tracked separately, so that one that is read again counts once."""


class Rejections:
    """The rows that one function rejected. If an object is read again, the last reading counts.

    `parameters` are the template parameters behind the function's settings.
    """

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._reasons = Causes()
        self._objects: dict[tuple[str | None, str], list[tuple[ReasonGroup, int]]] = {}
        self.last = ""

    def logged(self, line: str) -> None:
        """Read a log line, which may say what was rejected in an object. `last` is then its first reason, in words."""
        document = structured(line, "rows rejected") or {}
        if (key := text_in(document, "key")) is None:
            return
        where = (text_in(document, "bucket"), key)
        for group, count in self._objects.pop(where, ()):
            group.count -= count
        counted, words = [], []
        for reason in mappings_in(document, "reasons"):
            count = whole_in(reason, "count") or 1
            example = Example(key, whole_in(reason, "line"), shortened(reason.get("cell")))
            text = text_in(reason, "reason") or "no reason given"
            # Every delivery reads the row in the same way, so none helps.
            group = self._reasons.group(text, True, text_in(reason, "setting"))
            group.add(example, count)
            counted.append((group, count))
            words.append(f"{text} ({spot(example.object, example.line, example.cell)})")
        if (rest := (whole_in(document, "rejected") or 0) - sum(count for _, count in counted)) > 0:
            self._reasons.others.add(Example(key), rest)
            counted.append((self._reasons.others, rest))
        self.last = next(iter(words), spot(key, None, None))
        if len(self._objects) >= OBJECTS_KEPT:
            del self._objects[next(iter(self._objects))]
        self._objects[where] = counted

    def view(self) -> tuple[Cause, ...]:
        """Every reason, the most frequent first."""
        return self._reasons.view(self._parameters)
