"""Case by case: what the objects claim against what the store holds. Pure; the audit's arithmetic and its words.

A row's content and a rejection's are texts that are equal exactly when they mean the same (`cells_text`,
`rejection_text`), so that a case is decided by comparing texts, and only a difference is taken apart again.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, DecimalException, Inexact, InvalidOperation, Overflow
from itertools import chain, groupby, islice, zip_longest
from typing import Any, Literal

from simulator.base import limits
from simulator.proof.evidence import Case, Claim, Kind, Standing

MANY_REJECTED, MANY_REJECTED_SHARE = 10, 0.1
"""An object has many rejected rows when they are more than this, and more than this share of its rows."""
_SHOWN_CHARACTERS = 120
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
# DynamoDB keeps 38 digits; a store that keeps more is told from one that does not.
_EXACT = Context(prec=400, traps=[InvalidOperation, Overflow, Inexact])
_LARGEST_EXPONENT = 200
_encode = json.JSONEncoder(separators=(",", ":")).encode

Cell = tuple[str, str, str]
"""Attribute name, DynamoDB type, value as text."""


def number_text(text: str) -> str:
    """The number's one spelling: `1.50`, `1.5` and `15e-1` are the same number, and DynamoDB returns any of them.

    What is no number, or has an exponent that no store takes, stays as it is.
    """
    if _PLAIN_NUMBER.fullmatch(text) and text != "-0":
        return text
    try:
        number = _EXACT.create_decimal(text)
    except DecimalException:
        return text
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        return text
    return format(number.normalize(_EXACT), "f") if number else "0"


def cells_text(cells: Iterable[Cell]) -> str:
    """An item's attributes without its key as one text: equal texts, equal items."""
    return _encode(sorted((name, kind, number_text(v) if kind == "N" else v) for name, kind, v in cells))


def item_text(item: Mapping[str, Mapping[str, Any]]) -> str:
    """The same for an item in DynamoDB's own JSON, its key attributes already taken away."""
    return cells_text(
        (name, kind, value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str))
        for name, typed in item.items()
        for kind, value in typed.items()
    )


def rejection_text(row: Iterable[str]) -> str:
    """A rejected row's fields as one text."""
    return _encode(list(row))


class Comparison:
    """Counts over all cases, and the first differences in words.

    `counts` have the names of the account. `held_rows` are, by standing, the distinct keys of each object whose message
    a queue still has, `held_rows_stored` those of them that are stored. `object_key` names an object by its number; it
    is asked only for what is shown.
    """

    def __init__(self, object_key: Callable[[int], str]) -> None:
        self._object_key = object_key
        self._words: defaultdict[str, list[str]] = defaultdict(list)
        self._first: dict[str, tuple[str, str]] = {}
        self.counts = dict.fromkeys(
            (
                *("rejected", "duplicates", "expected_rows", "ambiguous", "missing", "extra", "different"),
                *("objects_all_rejected", "objects_many_rejected"),
            ),
            0,
        )
        self.held_rows, self.held_rows_stored = Counter[Standing](), Counter[Standing]()

    def judge(self, case: Case) -> None:
        """Account for one key."""
        if case.kind is Kind.ROW:
            self._judge_row(case)
        else:
            self._judge_rejection(case)

    def read_whole(self, key: str, rows: int, rejected: int) -> None:
        """A settled object has so many rows, of which so many are rejected."""
        if rejected and rejected == rows:
            sort = "objects_all_rejected"
        elif rejected > MANY_REJECTED and rejected > MANY_REJECTED_SHARE * rows:
            sort = "objects_many_rejected"
        else:
            return
        self.counts[sort] += 1
        # Objects are read several at a time: the first is the one that is listed first.
        said = key, f"{_shown(key)}: {rejected:,} of {rows:,} rows rejected"
        self._first[sort] = min(said, self._first.get(sort, said))

    def unreadable(self, key: str, reason: str) -> None:
        """An object that cannot be read and whose message is in no queue: what it held is lost."""
        self._find("missing", f"{_shown(key)} cannot be read ({reason}), and no queue holds a message about it")

    def no_rejection(self, name: str, number: int) -> None:
        """A line of a file of rejected rows that is no record of one."""
        self._find("extra", f"{_shown(name)} line {number}: not a record of a rejected row")

    def unexplained_rejections(self, name: str) -> None:
        """A file of rejected rows about an object that does not exist."""
        self._find("extra", f"{_shown(name)}: rejected rows of an object that does not exist")

    @property
    def notes(self) -> dict[str, str]:
        """The first object of each sort that `read_whole` counts, in words."""
        return {sort: said for sort, (_, said) in self._first.items()}

    @property
    def differences(self) -> tuple[str, ...]:
        """The first differences of each sort, so that a thousand missing rows do not hide a changed cell."""
        in_turn = chain.from_iterable(zip_longest(*self._words.values()))
        return tuple(islice((text for text in in_turn if text is not None), limits.AUDIT_DIFFERENCES))

    def _judge_row(self, case: Case) -> None:
        # The usual case: one object has the row, and the table has it too.
        if (
            len(case.claims) == 1
            and case.claims[0].standing is Standing.SETTLED
            and case.stored == (case.claims[0].content,)
        ):
            self.counts["expected_rows"] += 1
            return
        # The last row of a key wins within its object, so the others of a settled object may not be stored.
        versions = {source: list(rows) for source, rows in groupby(case.claims, key=lambda claim: claim.source)}
        last = [rows[-1] for rows in versions.values()]
        settled = [claim for claim in last if claim.standing is Standing.SETTLED]
        stored = case.stored[0] if case.stored else None
        self.counts["duplicates"] += len(case.claims) - len(last)
        self.counts["ambiguous"] += len({claim.content for claim in last}) > 1
        self.counts["expected_rows"] += bool(settled)
        explained = {claim.content for claim in settled}
        for rows in versions.values():
            if (standing := rows[0].standing) is not Standing.SETTLED:
                contents = {claim.content for claim in rows}
                explained |= contents
                self.held_rows[standing] += 1
                self.held_rows_stored[standing] += stored in contents
        if stored is None:
            if settled:
                self._find("missing", f"{_row(case)}: missing, {self._place(settled[-1])} has it")
        elif not case.claims:
            self._find("extra", f"{_row(case)}: extra, no object has this row")
        elif stored not in explained:
            self._find("different", self._changed_cells(case, (settled or last)[-1], stored))

    def _changed_cells(self, case: Case, claim: Claim, stored: str) -> str:
        expected, found = (
            {name: (kind, text) for name, kind, text in json.loads(content)} for content in (claim.content, stored)
        )
        names = [name for name in sorted(expected | found) if expected.get(name) != found.get(name)]
        name = names[0]
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        return (
            f"{_row(case)}: {_shown(name)} should be {_cell(expected.get(name))} and is {_cell(found.get(name))}{more},"
            f" {self._place(claim)}"
        )

    def _judge_rejection(self, case: Case) -> None:
        self.counts["rejected"] += len(case.claims)
        name = f"{_shown(case.pk)} line {case.sk.lstrip('0')}"
        if any(claim.standing is not Standing.SETTLED for claim in case.claims):
            return
        if not case.claims:
            self._find("extra", f"{name}: recorded as rejected, but the object has no such rejected row")
        elif not case.stored:
            self._find("missing", f"{name}: the row is rejected, but not recorded as such")
        elif case.stored[0] != case.claims[0].content:
            self._find(
                "different", f"{name}: the row recorded as rejected is {_shown(case.stored[0])}, not as in the object"
            )
        elif len(case.stored) > 1:
            self._find("extra", f"{name}: recorded as rejected {len(case.stored)} times")

    def _place(self, claim: Claim) -> str:
        return f"{_shown(self._object_key(claim.source))} line {claim.line}"

    def _find(self, sort: Literal["missing", "extra", "different"], text: str) -> None:
        self.counts[sort] += 1
        if len(self._words[sort]) < limits.AUDIT_DIFFERENCES:
            self._words[sort].append(text)


def _row(case: Case) -> str:
    return f"{_shown(case.pk)} {_shown(case.sk)}"


def _cell(cell: tuple[str, str] | None) -> str:
    if cell is None:
        return "absent"
    kind, text = cell
    return f"the number {_shown(text)}" if kind == "N" else f"{kind} {_shown(json.dumps(text, ensure_ascii=False))}"


def _shown(text: str) -> str:
    """One printable line of bounded length."""
    short = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in short)
