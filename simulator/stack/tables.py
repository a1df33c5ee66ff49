"""What AWS refuses about a table's keys, indexes and capacity, in DynamoDB's words. Pure.

Sources: API reference, CreateTable, AttributeDefinition and ProvisionedThroughput; Developer Guide, LSI, ServiceQuotas
and warm-throughput. The texts were seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from simulator.base import limits
from simulator.base.names import fits_pattern, length_fault
from simulator.stack.constraints import broken, out_of_range
from simulator.stack.model import Sentences, Stack, Table
from simulator.stack.settings import properties_of

_INVALID = "One or more parameter values were invalid: "
_DEFINED = "AttributeDefinitions"


def refused_tables(stack: Stack) -> Sentences:
    """Everything about the tables, each with its own sentence."""
    for table in stack.tables.values():
        yield from _attributes(table)
        yield from _local_indexes(table)
        yield from _index_names(table)
        yield from _capacity(table, properties_of(stack, table.logical_id).keys())


def _attributes(table: Table) -> Sentences:
    keys = dict(filter(None, (table.partition_key, table.sort_key)))
    for kind in dict.fromkeys(({**keys, **table.attributes}).values()):
        if kind not in ("B", "N", "S"):
            said = broken(kind, "attributeDefinitions.attributeType", "satisfy enum value set: [B, N, S]")
            yield table.logical_id, said, _DEFINED
    used = dict.fromkeys([*keys, *(key for index in table.indexes for key in index.keys)])
    defined = f"{_DEFINED}: [{', '.join(table.attributes)}]"
    if not table.attributes or table.attributes.keys() == used.keys():
        return
    if missing := [key for key in used if key not in table.attributes]:
        said = f"Some index key attributes are not defined in {_DEFINED}. Keys: [{', '.join(missing)}], {defined}"
    elif table.indexes:
        said = f"Some {_DEFINED} are not used. {defined}, keys used: [{', '.join(used)}]"
    else:
        said = f"Number of attributes in KeySchema does not exactly match number of attributes defined in {_DEFINED}"
    yield table.logical_id, _INVALID + said, _DEFINED


def _local_indexes(table: Table) -> Sentences:
    local = [index for index in table.indexes if not index.is_global]
    said = []
    if len(local) > limits.TABLE_LOCAL_INDEXES:
        said.append(f"Number of LocalSecondaryIndexes exceeds per-table limit of {limits.TABLE_LOCAL_INDEXES}")
    if local and table.sort_key is None:
        said.append(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    for index in local:
        if len(index.keys) < 2:
            said.append(f"Index KeySchema does not have a range key for index: {index.name}")
        if index.keys and index.keys[0] != table.partition_key[0]:
            said.append(
                f"Index KeySchema does not have the same leading hash key as table KeySchema for index: {index.name}. "
                f"index hash key: {index.keys[0]}, table hash key: {table.partition_key[0]}"
            )
    for each in said:
        yield table.logical_id, _INVALID + each, "LocalSecondaryIndexes"


def _index_names(table: Table) -> Sentences:
    names = Counter(index.name for index in table.indexes)
    for name, count in names.items():
        length = length_fault("table", name)  # an index's name is like a table's
        if length or not fits_pattern("table", name):
            wrong = f"have length {length}" if length else "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
            yield table.logical_id, broken(name, "indexName", wrong)
        elif count > 1:
            yield table.logical_id, f"{_INVALID}Duplicate index name: {name}"
    if sum(index.is_global for index in table.indexes) > limits.TABLE_GLOBAL_INDEXES:
        said = f"GlobalSecondaryIndex count exceeds the per-table limit of {limits.TABLE_GLOBAL_INDEXES}"
        yield table.logical_id, _INVALID + said, "GlobalSecondaryIndexes"


def _capacity(table: Table, given: Collection[str]) -> Sentences:
    """`given` has the names of the table's properties: what the template leaves out has a default value here."""
    units = table.provisioned_units
    said = None
    if units is not None and "KeySchema" in given and "ProvisionedThroughput" not in given:
        said = "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
    if units is None and "ProvisionedThroughput" in given:
        said = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
    if said:
        yield table.logical_id, _INVALID + said, "BillingMode"
    for member, value in zip(("readCapacityUnits", "writeCapacityUnits"), units or (), strict=False):
        yield from out_of_range(table.logical_id, f"provisionedThroughput.{member}", value, 1, limits.TABLE_UNITS)
    for member, warm, least in (
        ("ReadUnitsPerSecond", table.warm_read_units, limits.ON_DEMAND_NEW_TABLE_READ_UNITS),
        ("WriteUnitsPerSecond", table.warm_write_units, limits.ON_DEMAND_NEW_TABLE_WRITE_UNITS),
    ):
        if warm is not None and units is None and warm < least:
            said = (
                f"Requested {member} for WarmThroughput for table is lower than initial throughput for OnDemand: "
                f"{warm} is less than {least}"
            )
            yield table.logical_id, _INVALID + said, f"WarmThroughput.{member}"
