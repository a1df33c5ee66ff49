"""The path from bucket to table through a template."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from simulator.base.errors import InputError
from simulator.stack.packaged import packaged_template
from simulator.stack.template import load
from simulator.stack.wiring import own_path, wiring


def test_wiring_is_the_path_from_bucket_to_table() -> None:
    """The run follows the notification to the queue, the mapping to the consumer, and its variable to the table."""
    path = wiring(load())

    assert path.queue.logical_id == path.notification.target == "StockQueue"
    assert path.dead_letter_queue is not None
    assert path.dead_letter_queue.logical_id == "StockDLQ"
    assert (path.consumer.logical_id, path.table.name) == ("ConsumerLambda", "StockData")
    assert path.rejected_prefix == "rejected/"


def test_a_table_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    """A TABLE_NAME that is not a table in the template is one clear line."""
    copy = tmp_path / "t.yaml"
    text = packaged_template().read_text(encoding="utf-8")
    copy.write_text(text.replace("TABLE_NAME: !Ref StockData", "TABLE_NAME: Elsewhere"), encoding="utf-8")

    with pytest.raises(InputError, match="TABLE_NAME is 'Elsewhere', which is not a table in the template"):
        wiring(load(copy))


@pytest.mark.parametrize(
    ("variables", "keys", "is_pipeline"),
    [
        ({"TABLE_NAME": "StockData"}, (("PK", "S"), ("SK", "S")), True),
        ({"TABLE_NAME": "StockData"}, (("id", "S"),), False),
        ({"TABLE_NAME": "Elsewhere"}, (("PK", "S"), ("SK", "S")), False),
        ({}, (("PK", "S"), ("SK", "S")), False),
    ],
)
def test_a_foreign_consumer_of_our_name_is_ours_only_before_our_keys(
    variables: dict[str, str], keys: tuple[tuple[str, str], ...], is_pipeline: bool
) -> None:
    """`ConsumerLambda` is a name that others choose, too: their application is not refused, nor proven row by row."""
    stack = load()
    consumer = dataclasses.replace(stack.functions["ConsumerLambda"], is_own=False, environment=variables)
    table = dataclasses.replace(stack.tables["StockData"], keys=keys)
    functions = {**stack.functions, "ConsumerLambda": consumer}
    path = own_path(dataclasses.replace(stack, functions=functions, tables={"StockData": table}))
    assert (path is not None) == is_pipeline
