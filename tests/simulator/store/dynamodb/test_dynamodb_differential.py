"""Random sequences of DynamoDB calls get the same answers from stock moto and from the store without AWS's rules."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_numbers = itertools.count()
_hashes = st.sampled_from(["A", "B", "\u00e9"])
_ranges = st.sampled_from(["1", "2", "10", "3"])
_values = st.one_of(
    st.builds(lambda text: {"S": text}, st.text("ab\u20ac", max_size=3)),
    st.builds(lambda number: {"N": number}, st.sampled_from(["1", "1.50", "-0.5", "12e2", "007"])),
    st.just({"BOOL": True}),
    st.just({"NULL": True}),
    st.just({"L": [{"S": "x"}, {"N": "2"}]}),
    st.just({"M": {"inner": {"N": "1"}, "deep": {"L": [{"S": "y"}]}}}),
    st.just({"SS": ["p", "q"]}),
    st.builds(lambda value: {"B": value}, st.sampled_from(["aGVsbG8=", "/w==", "AA=="])),
    st.just({"BS": ["/w==", "AA=="]}),
    st.just({"M": {"b": {"B": "/w=="}, "deep": {"L": [{"B": "AA=="}]}}}),
)
# In the order of their bytes, which differs from the order of the texts.
_BINARY = {"1": "AA==", "10": "AP8=", "2": "YQ==", "3": "/w=="}
_items = st.builds(
    lambda hash_key, range_key, value, more: {"h": hash_key, "r": range_key, "v": value, **more},
    _hashes,
    _ranges,
    _values,
    st.dictionaries(st.sampled_from(["w", "long name"]), _values, max_size=2),
)
_keys = st.tuples(_hashes, _ranges)
_SCANS = (
    "", "count", "filter", "compare", "nested", "both", "unused", "projection", "segments", "colon", "binary",
    "not binary", "in", "contains", "in a map", "older",
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.just("batch"), st.lists(_items, max_size=5), st.lists(_keys, max_size=2)),
    st.tuples(st.just("put"), _items, st.sampled_from(["", "condition", "old", "capacity"])),
    st.tuples(st.just("get"), _keys, st.booleans()),
    st.tuples(st.just("delete"), _keys),
    st.tuples(st.just("update"), _keys, st.sampled_from(["set", "remove", "add"])),
    st.tuples(st.just("old_update"), _keys, st.sampled_from(["PUT", "ADD", "DELETE"]), _values),
    st.tuples(st.just("old_query"), _hashes, st.sampled_from(["EQ", "LE", "GT", "BETWEEN"]), st.booleans()),
    st.tuples(st.just("projected_query"), _hashes, st.integers(1, 3), st.booleans()),
    st.tuples(st.just("query"), _hashes, st.sampled_from(["", "=", "<", ">=", "between", "begins"]), st.booleans()),
    st.tuples(st.just("pages"), st.sampled_from(["Scan", "Query"]), st.integers(1, 3), st.booleans()),
    st.tuples(
        st.just("scan"),
        st.sampled_from(_SCANS),
    ),
    st.tuples(st.just("filtered_query"), _hashes, st.integers(1, 4)),
    st.tuples(st.just("transact"), _items, _keys),
    st.tuples(st.just("mistake"), st.sampled_from(["table", "key", "empty", "type", "expression"])),
)


class _Side:
    """One of the two servers with its own table; `kind` is the sort key's type, empty if there is none."""

    def __init__(self, server: Any, name: str, kind: str) -> None:
        self._server, self._name, self._kind = server, name, kind
        attributes = [{"AttributeName": "h", "AttributeType": "S"}]
        schema = [{"AttributeName": "h", "KeyType": "HASH"}]
        if kind:
            attributes.append({"AttributeName": "r", "AttributeType": kind})
            schema.append({"AttributeName": "r", "KeyType": "RANGE"})
        status, answer = server.json(
            "dynamodb",
            "CreateTable",
            {
                "TableName": name,
                "KeySchema": schema,
                "AttributeDefinitions": attributes,
                "BillingMode": "PAY_PER_REQUEST",
            },
        )
        assert status == 200, answer

    def do(self, operation: str, **parameters: Any) -> Any:
        return self._server.json("dynamodb", operation, {"TableName": self._name, **parameters})

    def step(self, step: Any) -> Any:
        kind, *arguments = step
        return getattr(self, f"_{kind}")(*arguments)

    def _key(self, key: tuple[str, str]) -> dict[str, Any]:
        return {"h": {"S": key[0]}} | ({"r": self._sort_key(key[1])} if self._kind else {})

    def _sort_key(self, value: str) -> dict[str, str]:
        return {self._kind or "S": _BINARY[value] if self._kind == "B" else value}

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in item.items() if name not in ("h", "r")}
        return self._key((item["h"], item["r"])) | rest

    def _batch(self, puts: list[Any], deletes: list[Any]) -> Any:
        requests = [{"PutRequest": {"Item": self._item(item)}} for item in puts]
        requests += [{"DeleteRequest": {"Key": self._key(key)}} for key in deletes]
        return self._server.json("dynamodb", "BatchWriteItem", {"RequestItems": {self._name: requests}})

    def _put(self, item: Any, how: str) -> Any:
        more: dict[str, Any] = {
            "condition": {"ConditionExpression": "attribute_not_exists(h)"},
            "old": {"ReturnValues": "ALL_OLD"},
            "capacity": {"ReturnConsumedCapacity": "INDEXES"},
        }.get(how, {})
        return self.do("PutItem", Item=self._item(item), **more)

    def _get(self, key: Any, consistent: bool) -> Any:
        return self.do("GetItem", Key=self._key(key), ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL")

    def _delete(self, key: Any) -> Any:
        return self.do("DeleteItem", Key=self._key(key), ReturnValues="ALL_OLD")

    def _update(self, key: Any, how: str) -> Any:
        expression = {"set": "SET #n = :v", "remove": "REMOVE #n", "add": "ADD #n :v"}[how]
        values = {} if how == "remove" else {"ExpressionAttributeValues": {":v": {"N": "3"}}}
        return self.do(
            "UpdateItem",
            Key=self._key(key),
            UpdateExpression=expression,
            ExpressionAttributeNames={"#n": "n"},
            ReturnValues="ALL_NEW",
            **values,
        )

    def _query(self, hash_key: str, comparison: str, forward: bool) -> Any:
        expression, values = "h = :h", {":h": {"S": hash_key}}
        first, two = self._sort_key("10"), self._sort_key("3")
        if comparison == "between":
            expression, values = expression + " AND r BETWEEN :a AND :b", values | {":a": first, ":b": two}
        elif comparison == "begins":
            expression, values = (
                expression + " AND begins_with(r, :a)",
                values | {":a": {"B": "AA=="} if self._kind == "B" else {"S": "1"}},
            )
        elif comparison:
            expression, values = expression + f" AND #r {comparison} :a", values | {":a": two}
        names = {"ExpressionAttributeNames": {"#r": "r"}} if "#r" in expression else {}
        return self.do(
            "Query",
            KeyConditionExpression=expression,
            ExpressionAttributeValues=values,
            ScanIndexForward=forward,
            **names,
        )

    def _old_update(self, key: Any, action: str, value: Any) -> Any:
        # moto treats a binary value as text; its handling of a value that it cannot add is its own business.
        kind = next(iter(value))
        if kind in ("B", "BS", "BOOL", "NULL", "L", "M") or (action != "PUT" and kind not in ("N", "SS")):
            return None
        updates = {f"old {kind}": {"Action": action, "Value": value}}
        if (action, kind) == ("DELETE", "N"):
            updates[f"old {kind}"].pop("Value")
        self.do("UpdateItem", Key=self._key(key), AttributeUpdates=updates)
        return self.do("GetItem", Key=self._key(key))

    def _old_query(self, hash_key: str, comparison: str, forward: bool) -> Any:
        conditions: dict[str, Any] = {"h": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": hash_key}]}}
        if self._kind:
            bounds = [self._sort_key("10"), self._sort_key("3")]
            operands = bounds if comparison == "BETWEEN" else bounds[:1]
            conditions["r"] = {"ComparisonOperator": comparison, "AttributeValueList": operands}
        return self.do("Query", KeyConditions=conditions, ScanIndexForward=forward)

    def _projected_query(self, hash_key: str, limit: int, forward: bool) -> Any:
        return self.do(
            "Query",
            KeyConditionExpression="#h = :h",
            ProjectionExpression="#h, v, r",
            ExpressionAttributeNames={"#h": "h"},
            ExpressionAttributeValues={":h": {"S": hash_key}},
            ScanIndexForward=forward,
            Limit=limit,
        )

    def _filtered_query(self, hash_key: str, limit: int) -> Any:
        return self.do(
            "Query",
            KeyConditionExpression="#h = :h",
            FilterExpression="attribute_not_exists(w) AND #v <> :v",
            ExpressionAttributeNames={"#h": "h", "#v": "v"},
            ExpressionAttributeValues={":h": {"S": hash_key}, ":v": {"BOOL": True}},
            Limit=limit,
        )

    def _pages(self, operation: str, limit: int, forward: bool) -> Any:
        more: dict[str, Any] = {}
        if operation == "Query":
            more = {
                "KeyConditionExpression": "h = :h",
                "ExpressionAttributeValues": {":h": {"S": "A"}},
                "ScanIndexForward": forward,
            }
        answers = []
        for _ in range(15):
            status, answer = self.do(operation, Limit=limit, **more)
            answers.append((status, answer))
            if answer is None or "LastEvaluatedKey" not in answer:
                return answers
            more["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        raise AssertionError(answers[-3:])

    def _scan(self, how: str) -> Any:
        if how == "segments":
            return [self.do("Scan", Segment=segment, TotalSegments=3) for segment in range(3)]
        more: dict[str, Any] = {
            "count": {"Select": "COUNT"},
            "filter": {"FilterExpression": "attribute_exists(w)"},
            "compare": {"FilterExpression": "v = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
            "nested": {
                "FilterExpression": "attribute_type(v, :t) OR w = :t",
                "ExpressionAttributeValues": {":t": {"S": "N"}},
            },
            "both": {
                "FilterExpression": "attribute_exists(#w)",
                "ProjectionExpression": "#v",
                "ExpressionAttributeNames": {"#v": "v", "#w": "w"},
            },
            "binary": {"FilterExpression": "v = :v", "ExpressionAttributeValues": {":v": {"B": "/w=="}}},
            "not binary": {"FilterExpression": "v <> :v", "ExpressionAttributeValues": {":v": {"B": "/w=="}}},
            "in": {
                "FilterExpression": "v IN (:v, :w)",
                "ExpressionAttributeValues": {":v": {"B": "/w=="}, ":w": {"B": "AA=="}},
            },
            "contains": {"FilterExpression": "contains(v, :v)", "ExpressionAttributeValues": {":v": {"B": "/w=="}}},
            "in a map": {
                "FilterExpression": "v.b = :v AND v.deep[0] = :w",
                "ExpressionAttributeValues": {":v": {"B": "/w=="}, ":w": {"B": "AA=="}},
            },
            "older": {"ScanFilter": {"v": {"ComparisonOperator": "EQ", "AttributeValueList": [{"B": "/w=="}]}}},
            "colon": {"FilterExpression": "v = :v", "ExpressionAttributeValues": {":v": {"S": "x"}, "w": {"S": "x"}}},
            "unused": {"FilterExpression": "attribute_exists(w)", "ExpressionAttributeNames": {"#v": "v"}},
            "projection": {"ProjectionExpression": "#v,#h", "ExpressionAttributeNames": {"#v": "v", "#h": "h"}},
        }.get(how, {})
        return self.do("Scan", **more)

    def _transact(self, item: Any, key: Any) -> Any:
        actions = [
            {"Put": {"TableName": self._name, "Item": self._item(item)}},
            {
                "Delete": {
                    "TableName": self._name,
                    "Key": self._key(key),
                    "ConditionExpression": "attribute_exists(h)",
                }
            },
        ]
        status, _ = self._server.json("dynamodb", "TransactWriteItems", {"TransactItems": actions})
        return status

    def _mistake(self, kind: str) -> Any:
        if kind == "table":
            request = [{"DeleteRequest": {"Key": {"h": {"S": "a"}}}}]
            return self._server.json("dynamodb", "BatchWriteItem", {"RequestItems": {"no-such": request}})
        if kind == "key":
            return self.do("PutItem", Item={"other": {"S": "x"}})
        if kind == "empty":
            return self.do("PutItem", Item=self._item({"h": "", "r": "1"}))
        if kind == "type":
            return self.do("PutItem", Item=self._key(("A", "1")) | {"n": {"N": "abc"}})
        return self.do("Scan", FilterExpression="")


def _sorted_sets(answer: Any) -> Any:
    """An answer with its sets in order, because moto's come in any."""
    if isinstance(answer, dict):
        return {
            name: sorted(value) if name in ("SS", "NS", "BS") else _sorted_sets(value) for name, value in answer.items()
        }
    return type(answer)(map(_sorted_sets, answer)) if isinstance(answer, list | tuple) else answer


@pytest.mark.parametrize("kind", ["S", "N", "B", ""])
@given(steps=st.lists(STEPS, min_size=4, max_size=20))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_of_table_calls_is_answered_as_by_stock_moto(twins: Any, kind: str, steps: list[Any]) -> None:
    """Batches, puts, updates, transactions, queries, pages and mistakes, with every kind of sort key, match moto."""
    name = f"d{next(_numbers)}"
    stock, store = _Side(twins.stock, name, kind), _Side(twins.store, name, kind)
    for step in steps:
        assert _sorted_sets(store.step(step)) == _sorted_sets(stock.step(step)), step
