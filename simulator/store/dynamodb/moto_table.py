"""moto's table with its rows kept in `Rows`: a write, a page of a scan and a lookup cost the same at any size.

It also measures reads of indexes.
"""

from __future__ import annotations

from typing import Any

from simulator.store.dynamodb.rows import Rows, encode_item
from simulator.store.dynamodb.rules import rows_size, trimmed
from simulator.store.moto.replacement import Replacement
from simulator.store.moto.scope import SCOPE
from simulator.store.wire.messages import HOME

_AT_HOME = f"arn:aws:dynamodb:{HOME.region}:{HOME.account}:"


def rows_of(table: Any) -> Rows | None:
    """The rows of a moto table; None if moto keeps them itself."""
    rows = table.items
    return rows if isinstance(rows, Rows) else None


def full_name(table: Any) -> str:
    """The name under which a table is counted, as defined by `Home.full_name`."""
    name: str = table.name if table.table_arn.startswith(_AT_HOME) else table.table_arn
    return name


def _install() -> None:
    from moto.dynamodb.models.table import Table

    own_init = Table.__init__

    def initialise(self: Any, *arguments: Any, **named: Any) -> None:
        own_init(self, *arguments, **named)
        # An import makes its table in a thread of its own, outside of any request.
        scope = SCOPE.get(None)
        as_stored = trimmed if scope is None or scope.store.strict else bytes
        self.items = Rows(self.hash_key_type, self.range_key_type if self.range_key_attr else None, as_stored)

    def has_idx_items(self: Any, index_name: str) -> list[Any]:
        wanted = {key["AttributeName"] for key in self.get_index(index_name).schema}
        return [item for item in self.items.items_in_order() if wanted.issubset(item.attrs)]

    Table.has_idx_items = has_idx_items  # type: ignore[method-assign]
    Table.__init__ = initialise  # type: ignore[method-assign]
    Table.__len__ = lambda self: self.items.count  # type: ignore
    Table.all_items = lambda self: self.items.items_in_order()  # type: ignore


def _install_meter() -> None:
    from moto.dynamodb.models.table import SecondaryIndex

    own_project = SecondaryIndex.project

    def project(self: Any, item: Any) -> Any:
        entry = own_project(self, item)
        SCOPE.get().index_bytes += rows_size((encode_item(entry),))
        return entry

    SecondaryIndex.project = project  # type: ignore[method-assign]


DEPTH = Replacement("dynamodb.depth", _install)
INDEX_READS = Replacement("dynamodb.index_reads", _install_meter)
