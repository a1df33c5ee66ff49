"""What DynamoDB refuses about a request before any of it is carried out, by us or by moto."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.store.dynamodb.attribute_updates import check_updates
from simulator.store.dynamodb.rules import check_body, check_index_keys, check_key, check_put, check_values, table_of
from simulator.store.wire.messages import Parameters, Routed


def check_request(routed: Routed, tables: Mapping[str, Any]) -> None:
    """Raise DynamoDB's error; `tables` are moto's by name. moto refuses what is not understood here."""
    operation, parameters = routed.operation, routed.parameters or {}
    if operation == "BatchWriteItem":
        check_body(len(routed.request.body))
    elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
        _check_write(operation.removesuffix("Item"), parameters, tables)
    elif operation == "TransactWriteItems":
        actions = parameters.get("TransactItems")
        for action in actions if isinstance(actions, list) else ():
            for name, content in action.items() if isinstance(action, dict) else ():
                if isinstance(content, dict):
                    _check_write(name, content, tables)


def _check_write(action: str, parameters: Parameters, tables: Mapping[str, Any]) -> None:
    """Check one write, on its own or in a transaction."""
    table, key_names = table_of(str(parameters.get("TableName")), tables), ()
    if action == "Put":
        if isinstance(item := parameters.get("Item"), dict):
            check_put(item)
            if table is not None:
                check_index_keys(table, item)
        return
    if table is not None:
        check_key(table, parameters.get("Key"))
        key_names = table.table_key_attrs
    if action == "Update":
        check_updates(parameters.get("AttributeUpdates"), key_names)
        check_values(parameters.get("ExpressionAttributeValues"))
