"""Case by case: what the objects claim against what the store holds. Pure; the audit's arithmetic and its words.

Contents are texts that are equal exactly when they mean the same (`content.py`), so that a case is decided by comparing
texts, and only a difference is taken apart again.
"""

from __future__ import annotations

import json
from bisect import insort
from collections import Counter
from collections.abc import Callable, Mapping, Set
from itertools import chain, groupby, islice, zip_longest
from operator import itemgetter
from typing import Literal, get_args

from simulator.base import limits
from simulator.base.shown import visible
from simulator.proof.content import cells
from simulator.proof.evidence import Case, Claim, Gathered, Kind, Standing

MANY_REJECTED, MANY_REJECTED_SHARE = 10, 0.1
"""An object has many rejected rows when they are more than this, and more than this share of its rows."""
_SHOWN_CHARACTERS = 120
_COUNTS = (
    *("rejected", "duplicates", "expected_rows", "missing", "extra", "different", "ambiguous"),
    *("overwritten", "superseded", "objects_all_rejected", "objects_many_rejected"),
)

Sort = Literal["missing", "extra", "different", "overwritten"]


class Comparison:
    """Counts over all cases, and the first differences in words.

    `counts` have the names of the account. `held_rows` are, by standing, the distinct keys of each object whose message
    a queue still has, `held_rows_stored` those of them that are stored. `overwriting` are the numbers of the first
    objects in which a row replaced another one. `object_key` names an object by its number; it is asked only for what
    is shown.
    """

    def __init__(self, object_key: Callable[[int], str]) -> None:
        self._object_key = object_key
        self._words: dict[Sort, list[tuple[str, str]]] = {sort: [] for sort in get_args(Sort)}
        self._first: dict[str, tuple[str, str]] = {}
        self.overwriting: list[int] = []
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.held_rows, self.held_rows_stored = Counter[Standing](), Counter[Standing]()

    def judge(self, part: Gathered, unsettled: Mapping[int, Standing]) -> None:
        """Account for some keys. `unsettled` has the standing of each object, by its number, that is not settled."""
        rows = part.kind is Kind.ROW
        self.counts["expected_rows" if rows else "rejected"] += part.agreed
        judge = self._judge_row if rows else self._judge_rejection
        for case in part.cases:
            current: list[tuple[Claim, Standing]] = []
            earlier: set[str] = set()
            for claim in case.claims:
                standing = unsettled.get(claim[0], Standing.SETTLED)
                if standing is Standing.REPLACED:
                    earlier.add(claim[2])
                elif standing is not Standing.VOID:
                    current.append((claim, standing))
            if current or case.stored:
                judge(case, current, earlier)

    def read_whole(self, key: str, rows: int, rejected: int) -> None:
        """A settled object has these `rows`, of which `rejected` are rejected."""
        if rejected and rejected == rows:
            sort = "objects_all_rejected"
        elif rejected > MANY_REJECTED and rejected > MANY_REJECTED_SHARE * rows:
            sort = "objects_many_rejected"
        else:
            return
        self.counts[sort] += 1
        # Objects are read several at a time: the first is the one that is listed first.
        said = key, f"{shown(key)}: {rejected:,} of {rows:,} rows rejected"
        self._first[sort] = min(said, self._first.get(sort, said))

    def unreadable(self, key: str, reason: str) -> None:
        """An object that cannot be read and whose message is in no queue: what it held is lost."""
        self._find("missing", key, f"{shown(key)} cannot be read ({reason}), and no queue holds a message about it")

    def no_rejection(self, name: str, number: int) -> None:
        """A line of a file of rejected rows that is not a record of one."""
        self._find("extra", name, f"{shown(name)} line {number}: not a record of a rejected row")

    def unexplained_rejections(self, name: str) -> None:
        """A file of rejected rows about an object that does not exist."""
        self._find("extra", name, f"{shown(name)}: rejected rows of an object that does not exist")

    @property
    def notes(self) -> dict[str, str]:
        """The first object of each sort that `read_whole` counts, in words."""
        return {sort: said for sort, (_, said) in self._first.items()}

    def differences(self, accepted: Set[str] = frozenset()) -> tuple[str, ...]:
        """The first of each sort that is not accepted, so that a thousand missing rows do not hide a changed cell."""
        told = (words for sort, words in self._words.items() if sort not in accepted)
        in_turn = chain.from_iterable(zip_longest(*told))
        return tuple(islice((said[1] for said in in_turn if said is not None), limits.AUDIT_DIFFERENCES))

    def _judge_row(self, case: Case, current: list[tuple[Claim, Standing]], earlier: set[str]) -> None:
        # The last row of a key wins within its object, so the others of a settled object may not be stored.
        versions = [list(rows) for _, rows in groupby(current, key=lambda each: each[0][0])]
        last = [rows[-1] for rows in versions]
        settled = [claim for claim, standing in last if standing is Standing.SETTLED]
        stored = case.stored[0] if case.stored else None
        self.counts["duplicates"] += len(current) - len(last)
        self.counts["ambiguous"] += len({claim[2] for claim, _ in last}) > 1
        self.counts["expected_rows"] += bool(settled)
        explained = {claim[2] for claim in settled}
        for rows in versions:
            contents, standing = [claim[2] for claim, _ in rows], rows[0][1]
            if standing is Standing.SETTLED:
                self._count_overwritten(case, [claim for claim, _ in rows])
            else:
                explained.update(contents)
                self.held_rows[standing] += 1
                self.held_rows_stored[standing] += stored in contents
        if stored is None:
            if settled:
                self._find("missing", _row(case), f"{_row(case)}: missing, {self._place(settled[-1])} has it")
        elif stored in explained:
            return
        elif stored in earlier:
            self.counts["superseded"] += 1
        elif not current:
            self._find("extra", _row(case), f"{_row(case)}: extra, no object has this row")
        else:
            claims = [claim for claim, _ in current]
            self._find("different", _row(case), self._difference(case, claims, (settled or claims)[-1], stored))

    def _count_overwritten(self, case: Case, rows: list[Claim]) -> None:
        """Of the rows of one object under one key, those whose content is not the last one's."""
        last = rows[-1]
        lost = [row for row in rows if row[2] != last[2]]
        if not lost:
            return
        self.counts["overwritten"] += len(lost)
        if last[0] not in self.overwriting:
            insort(self.overwriting, last[0])
            del self.overwriting[limits.AUDIT_DIFFERENCES :]

        def words() -> str:
            name, before, after, _ = _first_change(lost[0][2], last[2])
            where = f"line {lost[0][1]} is overwritten by line {last[1]}, {shown(self._object_key(last[0]))}"
            return f"{_row(case)}: {where}: {name} is {before} in one and {after} in the other"

        self._tell("overwritten", _row(case), words)

    def _difference(self, case: Case, claims: list[Claim], claim: Claim, stored: str) -> str:
        name, expected, found, others = _first_change(claim[2], stored)
        more = f" (and {others} more)" if others else ""
        older = [row[1] for row in claims if row[0] == claim[0] and row[2] == stored]
        late = f"; it is the row of line {older[-1]}, which a later one should have replaced" if older else ""
        return f"{_row(case)}: {name} should be {expected} and is {found}{more}, {self._place(claim)}{late}"

    def _judge_rejection(self, case: Case, current: list[tuple[Claim, Standing]], earlier: set[str]) -> None:
        self.counts["rejected"] += len(current)
        if any(standing is not Standing.SETTLED for _, standing in current):
            return
        name = f"{shown(case.pk)} line {case.sk.lstrip('0')}"
        expected = current[0][0][2] if current else None
        if not case.stored:
            if current:
                self._find("missing", name, f"{name}: the row is rejected, but not recorded as such")
        elif case.stored[0] in earlier and case.stored[0] != expected:
            self.counts["superseded"] += 1
        elif expected is None:
            self._find("extra", name, f"{name}: recorded as rejected, but the object has no such rejected row")
        elif case.stored[0] != expected:
            recorded = shown(case.stored[0])
            self._find("different", name, f"{name}: the row recorded as rejected is {recorded}, not as in the object")
        elif len(case.stored) > 1:
            self._find("extra", name, f"{name}: recorded as rejected {len(case.stored)} times")

    def _place(self, claim: Claim) -> str:
        return f"{shown(self._object_key(claim[0]))} line {claim[1]}"

    def _find(self, sort: Sort, key: str, text: str) -> None:
        self.counts[sort] += 1
        self._tell(sort, key, lambda: text)

    def _tell(self, sort: Sort, key: str, words: Callable[[], str]) -> None:
        """Keep the first in the order of their keys, since cases come in none."""
        told = self._words[sort]
        if len(told) < limits.AUDIT_DIFFERENCES or key < told[-1][0]:
            insort(told, (key, words()), key=itemgetter(0))
            del told[limits.AUDIT_DIFFERENCES :]


def shown(text: str) -> str:
    """One printable line of bounded length."""
    short = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
    return visible(short)


def _row(case: Case) -> str:
    return f"{shown(case.pk)} {shown(case.sk)}"


def _first_change(one: str, other: str) -> tuple[str, str, str, int]:
    """The first attribute that differs, its value in both contents, and how many more there are."""
    before, after = cells(one), cells(other)
    name, *others = [name for name in sorted(before | after) if before.get(name) != after.get(name)]
    return shown(name), _cell(before.get(name)), _cell(after.get(name)), len(others)


def _cell(cell: tuple[str, str] | None) -> str:
    if cell is None:
        return "absent"
    kind, text = cell
    return f"the number {shown(text)}" if kind == "N" else f"{kind} {shown(json.dumps(text, ensure_ascii=False))}"
