"""What the audit has seen, in one private temporary file, and handed back sorted by key.

Two parties speak of each key: objects claim what should be stored, the store shows what is. Both are appended in the
order in which they are read, and sorted once at the end by SQLite's external sort. Memory stays bounded however many
rows there are; the disk holds about 150 bytes for each. Knows nothing of verdicts, which are `comparison.py`'s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from simulator.base import limits
from simulator.base.errors import CouldNotFinish

FETCH_ROWS = 1_000

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -%d;
CREATE TABLE reference (bucket BLOB, key BLOB, standing INTEGER, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE object (id INTEGER PRIMARY KEY, key BLOB, standing INTEGER);
CREATE INDEX object_key ON object (key);
CREATE TABLE statement (kind INTEGER, pk BLOB, sk BLOB, source INTEGER, line INTEGER, content TEXT);
BEGIN;
"""
_IN_ORDER = """
SELECT kind, pk, sk, source, standing, line, content FROM statement LEFT JOIN object ON object.id = source
WHERE source IS NULL OR standing != ? ORDER BY kind, pk, sk, source, line
"""


class Standing(IntEnum):
    """What is known of an object's message."""

    SETTLED = 0
    """No queue holds it: all that the object says must be stored, or rejected with a reason."""
    DEAD_LETTERED = 1
    """The dead-letter queue holds it: any part of the object may be stored."""
    PENDING = 2
    """The queue still holds it: any part of the object may be stored."""
    UNREADABLE = 3
    """No queue holds it, and the object cannot be read, so that it should be in the dead-letter queue."""
    VOID = 4
    """A reading that broke off: the object was read again under another number."""


class Kind(IntEnum):
    """What a key stands for."""

    ROW = 0
    """pk and sk are the item's partition and sort key."""
    REJECTION = 1
    """pk is the object's key, sk the physical line of the rejected row, both as text."""


# An enumeration's call costs more than all the rest of a case.
_STANDINGS, _KINDS = tuple(Standing), tuple(Kind)


class Claim(NamedTuple):
    """Line `line` of object `source` says that `content` belongs under the key."""

    source: int
    standing: Standing
    line: int
    content: str


class Case(NamedTuple):
    """All that is said of one key.

    `claims` are in order of object and line; `stored` has more than one content only
    for rejections, when a line was recorded twice.
    """

    kind: Kind
    pk: str
    sk: str
    claims: tuple[Claim, ...]
    stored: tuple[str, ...]


class Evidence(AbstractContextManager["Evidence"]):
    """The temporary file, as a context manager. One thread at a time may use it.

    SQLite unlinks the file as it opens it, so that nothing is left whatever way the process ends. Every method
    raises `CouldNotFinish` when the disk is full.
    """

    def __init__(self) -> None:
        with _disk():
            self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._db.executescript(_SCHEMA % limits.AUDIT_CACHE_KIB)
        self.statements = 0

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def interrupt(self) -> None:
        """Make a running sort give up, from another thread."""
        self._db.interrupt()

    def refer(self, bucket: str, key: str, standing: Standing) -> None:
        """A queue holds a message about this object. The first standing given for an object stays."""
        with _disk():
            self._db.execute(
                "INSERT OR IGNORE INTO reference VALUES (?, ?, ?)", (_bytes(bucket), _bytes(key), standing)
            )

    def referred(self, standing: Standing) -> int:
        """How many objects the queue of this standing holds, whether they still exist or not."""
        row = self._db.execute("SELECT count(*) FROM reference WHERE standing = ?", (standing,)).fetchone()
        return int(row[0])

    def add_objects(self, bucket: str, keys: Iterable[str]) -> None:
        """These objects exist; each is settled unless a queue referred to it before."""
        with _disk():
            self._db.executemany(
                "INSERT INTO object (key, standing) VALUES "
                "(:key, coalesce((SELECT standing FROM reference WHERE bucket = :bucket AND key = :key), 0))",
                ({"bucket": _bytes(bucket), "key": _bytes(key)} for key in keys),
            )

    def objects(self) -> Iterator[tuple[int, str, Standing]]:
        """Number, key and standing of every object added before this call, in that order, a page at a time."""
        last, end = 0, self.object_count()
        while page := self._db.execute(
            "SELECT id, key, standing FROM object WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
            (last, end, FETCH_ROWS),
        ).fetchall():
            for last, key, standing in page:
                yield last, _text(key), Standing(standing)

    def object_count(self) -> int:
        """How many objects were added."""
        return int(self._db.execute("SELECT count(*) FROM object").fetchone()[0])

    def object_key(self, source: int) -> str:
        """The key of an object by its number."""
        return _text(self._db.execute("SELECT key FROM object WHERE id = ?", (source,)).fetchone()[0])

    def standing_of(self, key: str) -> Standing | None:
        """The standing of an object by its key, None if there is no such object."""
        row = self._db.execute(
            "SELECT standing FROM object WHERE key = ? AND standing != ?", (_bytes(key), Standing.VOID)
        ).fetchone()
        return Standing(row[0]) if row else None

    def set_standing(self, source: int, standing: Standing) -> None:
        """What the reading of an object taught about it."""
        with _disk():
            self._db.execute("UPDATE object SET standing = ? WHERE id = ?", (standing, source))

    def begin_again(self, source: int) -> int:
        """Void all that was read of an object, and return the number under which to read it anew."""
        with _disk():
            cursor = self._db.execute(
                "INSERT INTO object (key, standing) SELECT key, standing FROM object WHERE id = ?", (source,)
            )
        self.set_standing(source, Standing.VOID)
        assert cursor.lastrowid is not None  # noqa: S101 - an INSERT has one
        return cursor.lastrowid

    def claim(self, kind: Kind, source: int, claims: Iterable[tuple[str, str, int, str]]) -> None:
        """Rows of an object: (pk, sk, line, content) each."""
        self._append((kind, _bytes(pk), _bytes(sk), source, line, content) for pk, sk, line, content in claims)

    def show(self, kind: Kind, stored: Iterable[tuple[str, str, str]]) -> None:
        """What the store holds: (pk, sk, content) each."""
        self._append((kind, _bytes(pk), _bytes(sk), None, None, content) for pk, sk, content in stored)

    def _append(self, statements: Iterable[tuple[object, ...]]) -> None:
        with _disk():
            cursor = self._db.executemany("INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?)", statements)
        self.statements += cursor.rowcount

    def cases(self) -> Iterator[Case]:
        """Every key that anyone spoke of, rows before rejections, in the order of their keys.

        The first one comes when all are sorted, which takes a few microseconds for each statement.
        """
        for (kind, pk, sk), statements in groupby(self._in_order(), key=itemgetter(0, 1, 2)):
            claims, stored = [], []
            for _, _, _, source, standing, line, content in statements:
                if source is None:
                    stored.append(content)
                else:
                    claims.append(Claim(source, _STANDINGS[standing], line, content))
            yield Case(_KINDS[kind], _text(pk), _text(sk), tuple(claims), tuple(stored))

    def _in_order(self) -> Iterator[tuple[int, bytes, bytes, int | None, int, int, str]]:
        with _disk():
            yield from self._db.execute(_IN_ORDER, (Standing.VOID,))


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise CouldNotFinish(
            f"the audit cannot use its temporary file ({error}): free some space, or name another directory with TMPDIR"
        ) from error


def _bytes(text: str) -> bytes:
    # A lone surrogate, which JSON can spell, must not stop the audit of the rest.
    return text.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")
