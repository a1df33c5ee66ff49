"""What AWS refuses about a table's keys, indexes and capacity, in DynamoDB's words. Pure.

Sources: API reference, CreateTable, AttributeDefinition and ProvisionedThroughput; Developer Guide, LSI, ServiceQuotas
and warm-throughput. The texts were seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from simulator.base import limits
from simulator.stack.constraints import broken, out_of_range
from simulator.stack.model import Sentences, Stack, Table
from simulator.stack.names import name_fault
from simulator.stack.settings import properties_of, section

_DEFINED, _LOCAL = "AttributeDefinitions", "LocalSecondaryIndexes"


def refused_tables(stack: Stack) -> Sentences:
    """Everything that is wrong with the tables, each with its own sentence."""
    for table in stack.tables.values():
        name = table.logical_id
        for text, path in (*_attributes(stack, table), *_indexes(table), *_capacity(stack, table)):
            yield name, f"One or more parameter values were invalid: {text}", path
        for kind in dict.fromkeys((*dict(table.keys).values(), *table.attributes.values())):
            if kind not in ("B", "N", "S"):
                wrong = "satisfy enum value set: [B, N, S]"
                yield name, broken(kind, "attributeDefinitions.attributeType", wrong), _DEFINED
        for index in table.indexes:
            if fault := name_fault("table", index.name, "indexName"):
                yield name, fault
        for member, units in zip(("read", "write"), table.provisioned_units or (), strict=False):
            yield from out_of_range(name, f"provisionedThroughput.{member}CapacityUnits", units, 1, limits.TABLE_UNITS)


def _attributes(stack: Stack, table: Table) -> Iterator[tuple[str, str]]:
    """What is defined must be what keys and indexes use."""
    used = dict.fromkeys([*dict(table.keys), *(key for index in table.indexes for key in index.keys)])
    missing = ", ".join(key for key in used if key not in table.attributes)
    defined = f"{_DEFINED}: [{', '.join(table.attributes)}]"
    is_declared = table.attributes or "KeySchema" in properties_of(stack, table.logical_id)
    if not is_declared or table.attributes.keys() == used.keys():
        return
    if missing:
        yield f"Some index key attributes are not defined in {_DEFINED}. Keys: [{missing}], {defined}", _DEFINED
    elif table.indexes:
        yield f"Some {_DEFINED} are not used. {defined}, keys used: [{', '.join(used)}]", _DEFINED
    else:
        said = "Number of attributes in KeySchema does not exactly match number of attributes defined in"
        yield f"{said} {_DEFINED}", _DEFINED


def _indexes(table: Table) -> Iterator[tuple[str, str]]:
    local = [index for index in table.indexes if not index.is_global]
    if len(local) > (most := limits.TABLE_LOCAL_INDEXES):
        yield f"Number of {_LOCAL} exceeds per-table limit of {most}", _LOCAL
    if len(table.indexes) - len(local) > (most := limits.TABLE_GLOBAL_INDEXES):
        yield f"GlobalSecondaryIndex count exceeds the per-table limit of {most}", "GlobalSecondaryIndexes"
    if local and len(table.keys) < 2:
        yield f"Table KeySchema does not have a range key, which is required when specifying a {_LOCAL[:-2]}", _LOCAL
    partition_key = table.keys[0][0]
    for index in local:
        if len(index.keys) < 2:
            yield f"Index KeySchema does not have a range key for index: {index.name}", _LOCAL
        if index.keys[0] != partition_key:
            said = f"Index KeySchema does not have the same leading hash key as table KeySchema for index: {index.name}"
            yield f"{said}. index hash key: {index.keys[0]}, table hash key: {partition_key}", _LOCAL
    for name, count in Counter(index.name for index in table.indexes).items():
        if count > 1:
            yield f"Duplicate index name: {name}", _LOCAL


def _capacity(stack: Stack, table: Table) -> Iterator[tuple[str, str]]:
    """The template itself is asked what it gives: the model has default values."""
    given = properties_of(stack, table.logical_id)
    if table.provisioned_units is not None:
        if "KeySchema" in given and "ProvisionedThroughput" not in given:
            text = "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
            yield text, "BillingMode"
        return
    if "ReadCapacityUnits" in section(given, "ProvisionedThroughput"):
        text = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
        yield text, "ProvisionedThroughput"
    for verb, warm, least in (
        ("Read", table.warm_read_units, limits.ON_DEMAND_NEW_TABLE_READ_UNITS),
        ("Write", table.warm_write_units, limits.ON_DEMAND_NEW_TABLE_WRITE_UNITS),
    ):
        if warm is not None and warm < least:
            said = f"Requested {verb}UnitsPerSecond for WarmThroughput for table is lower than initial throughput for"
            yield f"{said} OnDemand: {warm} is less than {least}", "WarmThroughput"
