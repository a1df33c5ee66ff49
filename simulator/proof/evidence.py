"""What the audit has read, kept in bounded memory and returned key by key.

Each key has two sides: objects claim what should be stored, the store shows what is. Both are appended in the order in
which they are read, and brought together at the end. Memory stays bounded however many rows there are; the disk holds
about 250 bytes per row. Verdicts are the business of `comparison.py`.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from enum import IntEnum
from functools import partial
from typing import NamedTuple

from simulator.base import limits
from simulator.proof.partitions import Partitions, Statement, disk_errors

FETCH_ROWS = 1_000
_disk = partial(disk_errors, sqlite3.OperationalError)
_SHOWN = 3  # members of a statement of the store: key and content

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -%d;
CREATE TABLE reference (bucket BLOB, key BLOB, standing INTEGER, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE object (id INTEGER PRIMARY KEY, key BLOB, standing INTEGER, keys INTEGER DEFAULT 0);
CREATE INDEX object_key ON object (key);
CREATE INDEX unsettled ON object (id) WHERE standing != 0;
BEGIN;
"""


class Standing(IntEnum):
    """What is known about an object's message."""

    SETTLED = 0
    """No queue holds it: all of the object's rows must be stored, or rejected with a reason."""
    DEAD_LETTERED = 1
    """The dead-letter queue holds it: any of the object's rows may be stored."""
    PENDING = 2
    """The queue still holds it: any of the object's rows may be stored."""
    UNREADABLE = 3
    """No queue holds it, but the object cannot be read, so it should be in the dead-letter queue."""
    VOID = 4
    """A reading that broke off: the object was read again under another number."""
    REPLACED = 5
    """An earlier content of its key, overwritten since: its rows may be stored, but need not be."""
    FILTERED = 6
    """The mapping's filter criteria deleted its message: another message may have stored any of the object's rows."""


class Kind(IntEnum):
    """What a key identifies."""

    ROW = 0
    """pk and sk are the item's partition and sort key."""
    REJECTION = 1
    """pk is the object's key, sk the physical line of the rejected row, both as text."""


Claim = tuple[int, int, str]
"""An object's number, the line with the claim, and the content that belongs under the key."""


class Case(NamedTuple):
    """Everything known about one key.

    `claims` are in order of object and line; `stored` has more than one content only for rejections, when a line was
    recorded twice.
    """

    pk: str
    sk: str
    claims: list[Claim]
    stored: list[str]


class Gathered(NamedTuple):
    """What is known about some keys, from `statements` statements.

    On `agreed` keys one settled object claims what the store shows, and there is no other statement; `cases` are the
    other keys.
    """

    kind: Kind
    statements: int
    agreed: int
    cases: list[Case]


class Evidence(AbstractContextManager["Evidence"]):
    """Temporary files, as a context manager. One thread at a time may use it.

    They have no names, so that nothing is left however the process ends. Every method raises `CouldNotFinish` when the
    disk is full.
    """

    def __init__(self) -> None:
        with ExitStack() as owned:
            with _disk():
                self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
                owned.callback(self._db.close)
                self._db.executescript(_SCHEMA % limits.AUDIT_CACHE_KIB)
            self._statements = {kind: owned.enter_context(closing(Partitions())) for kind in Kind}
            self._owned = owned.pop_all()

    def __exit__(self, *_: object) -> None:
        self._owned.close()

    @property
    def statements(self) -> int:
        """How many claims and contents were appended."""
        return sum(partitions.count for partitions in self._statements.values())

    def refer(self, bucket: str, key: str, standing: Standing) -> None:
        """A queue holds a message about this object, or its filter deleted it. The first standing recorded stays."""
        self._run("INSERT OR IGNORE INTO reference VALUES (?, ?, ?)", _bytes(bucket), _bytes(key), standing)

    def referred(self, standing: Standing) -> int:
        """How many objects have this standing because of a message, whether they still exist or not."""
        return int(self._run("SELECT count(*) FROM reference WHERE standing = ?", standing).fetchone()[0])

    def add_objects(self, bucket: str, keys: Iterable[str]) -> None:
        """These objects exist; each is settled unless a queue referred to it before."""
        with _disk():
            self._db.executemany(
                "INSERT INTO object (key, standing) VALUES "
                "(:key, coalesce((SELECT standing FROM reference WHERE bucket = :bucket AND key = :key), 0))",
                ({"bucket": _bytes(bucket), "key": _bytes(key)} for key in keys),
            )

    def objects(self) -> Iterator[tuple[int, str, Standing]]:
        """Number, key and standing of every object added before this call, in order, a page at a time."""
        last, end = 0, int(self._run("SELECT coalesce(max(id), 0) FROM object").fetchone()[0])
        some = "SELECT id, key, standing FROM object WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        while page := self._run(some, last, end, FETCH_ROWS).fetchall():
            for last, key, standing in page:
                yield last, _text(key), Standing(standing)

    def keep(self, chosen: Collection[int]) -> None:
        """Forget every object but those of these numbers; nothing was claimed of any yet."""
        with _disk():
            self._db.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)")
            self._db.executemany("INSERT INTO chosen VALUES (?)", ((number,) for number in chosen))
            self._db.execute("DELETE FROM object WHERE id NOT IN (SELECT id FROM chosen)")

    def claimed_keys(self) -> Iterator[tuple[str, str]]:
        """The keys of all rows that were said so far, each once; of what is said meanwhile, some may be among them."""
        for statements in self._statements[Kind.ROW]:
            yield from dict.fromkeys((statement[0], statement[1]) for statement in statements)

    def object_count(self) -> int:
        """How many objects were added."""
        return int(self._run("SELECT count(*) FROM object").fetchone()[0])

    def object_key(self, source: int) -> str:
        """The key of an object by its number."""
        return _text(self._run("SELECT key FROM object WHERE id = ?", source).fetchone()[0])

    def standing_of(self, key: str) -> Standing | None:
        """The standing of an object by its key, None if there is no such object."""
        current = "SELECT standing FROM object WHERE key = ? AND standing NOT IN (?, ?)"
        row = self._run(current, _bytes(key), Standing.VOID, Standing.REPLACED).fetchone()
        return Standing(row[0]) if row else None

    def set_standing(self, source: int, standing: Standing) -> None:
        """Record what reading an object has shown about it."""
        self._run("UPDATE object SET standing = ? WHERE id = ?", standing, source)

    def set_keys(self, source: int, keys: int) -> None:
        """Record which of the audit's ways to choose keys the object uses; the default is 0."""
        self._run("UPDATE object SET keys = ? WHERE id = ?", keys, source)

    def keys_of(self, source: int) -> int:
        """The value recorded with `set_keys`."""
        return int(self._run("SELECT keys FROM object WHERE id = ?", source).fetchone()[0])

    def begin_again(self, source: int) -> int:
        """Void everything read from an object, and return the number under which to read it again."""
        (key, standing) = self._run("SELECT key, standing FROM object WHERE id = ?", source).fetchone()
        self.set_standing(source, Standing.VOID)
        return self._added(key, standing)

    def add_replaced(self, key: str) -> int:
        """The key had another content before; returns the number under which to claim its rows."""
        return self._added(_bytes(key), Standing.REPLACED)

    def unsettled(self) -> dict[int, Standing]:
        """The standing, by number, of every object whose rows need not all be stored."""
        rows = self._run("SELECT id, standing FROM object WHERE standing != 0")
        return {source: Standing(standing) for source, standing in rows}

    def claim(self, kind: Kind, source: int, claims: Collection[tuple[str, str, int, str]]) -> None:
        """Record rows of an object: (pk, sk, line, content) each."""
        self._statements[kind].add([(pk, sk, source, line, content) for pk, sk, line, content in claims])

    def show(self, kind: Kind, stored: Iterable[tuple[str, str, str]]) -> None:
        """Record what the store holds: (pk, sk, content) each."""
        self._statements[kind].add(stored)

    def parts(self, unsettled: Mapping[int, Standing]) -> Iterator[Gathered]:
        """Everything recorded, key by key, a part at a time and in no order: rows before rejections.

        `unsettled` are the standings that decide whether the two sides agree.
        """
        for kind, partitions in self._statements.items():
            for statements in partitions:
                yield _part(kind, statements, unsettled)

    def _added(self, key: bytes, standing: int) -> int:
        added = self._run("INSERT INTO object (key, standing) VALUES (?, ?)", key, standing).lastrowid
        assert added is not None  # noqa: S101 - an INSERT has one
        return added

    def _run(self, statement: str, *parameters: bytes | int) -> sqlite3.Cursor:
        with _disk():
            return self._db.execute(statement, parameters)


def _part(kind: Kind, statements: list[Statement], unsettled: Mapping[int, Standing]) -> Gathered:
    by_key = defaultdict[Statement, list[Statement]](list)
    for statement in statements:
        by_key[statement[:2]].append(statement)
    agreed, cases = 0, []
    for (pk, sk), about in by_key.items():
        # The usual case, of which there are millions.
        if len(about) == 2 and about[0][-1] == about[1][-1] and len(about[0]) != len(about[1]):
            claim = about[0] if len(about[1]) == _SHOWN else about[1]
            if claim[2] not in unsettled:
                agreed += 1
                continue
        claims = sorted(statement[2:] for statement in about if len(statement) != _SHOWN)
        stored = [statement[2] for statement in about if len(statement) == _SHOWN]
        cases.append(Case(pk, sk, claims, stored))
    return Gathered(kind, len(statements), agreed, cases)


def _bytes(text: str) -> bytes:
    # A lone surrogate, which JSON can express, must not stop the audit of the rest.
    return text.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")
