"""The queues and tables of a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from simulator.stack.declared import QUEUE, SIMPLE_TABLE, TABLE, Declarations, NotSimulatedError
from simulator.stack.model import Index, Queue, Redrive, Table
from simulator.stack.properties import Properties

_SIMPLE_TYPES = {"String": "S", "Number": "N", "Binary": "B"}
_PROJECTIONS: Mapping[str, Literal["ALL", "KEYS_ONLY", "INCLUDE"]] = {
    "ALL": "ALL",
    "KEYS_ONLY": "KEYS_ONLY",
    "INCLUDE": "INCLUDE",
}


class Storage:
    """Reads queues, with the policies that are attached to them, and tables."""

    def __init__(self, declared: Declarations) -> None:
        self._declared = declared
        self._policies: dict[str, Mapping[str, Any]] = {}

    def queue_policy(self, _: str, properties: Properties) -> None:
        """An `AWS::SQS::QueuePolicy`, which must be read before the queues."""
        document = properties.mapping("PolicyDocument")
        queues = {self._declared.name(each): each for each in self._declared.of(QUEUE)}
        for url in properties.texts("Queues"):
            with self._declared.tolerating(properties):
                if (owner := queues.get(url.rsplit("/", 1)[-1])) is None:
                    raise NotSimulatedError(f"{url} is not a queue in this template")
                self._policies[owner] = document

    def queue(self, logical_id: str, properties: Properties) -> Queue:
        """A standard queue."""
        if properties.boolean("FifoQueue", False):
            raise NotSimulatedError("FIFO queues are not simulated")
        redrive = None
        if properties.has("RedrivePolicy"):
            section = properties.document("RedrivePolicy")
            with self._declared.tolerating(section):
                target = self._declared.target(section, "deadLetterTargetArn", "queue")
                redrive = Redrive(target, section.integer("maxReceiveCount", 10))
        return Queue(
            logical_id=logical_id,
            name=self._declared.name(logical_id),
            arn=self._declared.arn(logical_id),
            **properties.integers(
                visibility_timeout_s="VisibilityTimeout",
                receive_wait_s="ReceiveMessageWaitTimeSeconds",
                retention_s="MessageRetentionPeriod",
                delay_s="DelaySeconds",
                maximum_message_bytes="MaximumMessageSize",
            ),
            redrive=redrive,
            policy=self._policies.get(logical_id),
        )

    def table(self, logical_id: str, properties: Properties) -> Table:
        """A table with its indexes. Of a global table the single replica here is on demand."""
        kind = self._declared.types[logical_id]
        throughput, warm = properties.section("ProvisionedThroughput"), properties.section("WarmThroughput")
        if kind == SIMPLE_TABLE:
            key = properties.section("PrimaryKey")
            given = key.text("Type", "String")
            if given not in _SIMPLE_TYPES:
                key.fail(f"must be one of {', '.join(_SIMPLE_TYPES)}, not '{given}'", "Type")
            types, keys = {key.text("Name", "id"): _SIMPLE_TYPES[given]}, {"HASH": key.text("Name", "id")}
            on_demand = not properties.has("ProvisionedThroughput")
        else:
            types = {
                attribute.text("AttributeName"): attribute.text("AttributeType")
                for attribute in properties.sections("AttributeDefinitions")
            }
            keys = _keys(properties)
            on_demand = properties.text("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST" or kind != TABLE
        typed = {role: (name, types.get(name, "S")) for role, name in keys.items()}
        return Table(
            logical_id=logical_id,
            name=self._declared.name(logical_id),
            arn=self._declared.arn(logical_id),
            partition_key=typed["HASH"],
            sort_key=typed.get("RANGE"),
            provisioned_units=None
            if on_demand
            else (throughput.integer("ReadCapacityUnits", 5), throughput.integer("WriteCapacityUnits", 5)),
            maximum_write_units=properties.section("OnDemandThroughput").optional_integer("MaxWriteRequestUnits"),
            warm_read_units=warm.optional_integer("ReadUnitsPerSecond"),
            warm_write_units=warm.optional_integer("WriteUnitsPerSecond"),
            attributes=types,
            indexes=(
                *(_index(each, True) for each in properties.sections("GlobalSecondaryIndexes")),
                *(_index(each, False) for each in properties.sections("LocalSecondaryIndexes")),
            ),
        )


def _keys(section: Properties) -> dict[str, str]:
    """The names of the key attributes by type, the partition key first."""
    keys = {element.text("KeyType"): element.text("AttributeName") for element in section.sections("KeySchema")}
    if "HASH" not in keys:
        section.fail("needs a key of type HASH", "KeySchema")
    return {role: keys[role] for role in sorted(keys)}


def _index(section: Properties, is_global: bool) -> Index:
    projection = section.section("Projection")
    kind = projection.text("ProjectionType", "ALL")
    if kind not in _PROJECTIONS:
        projection.fail(f"must be one of {', '.join(_PROJECTIONS)}, not '{kind}'", "ProjectionType")
    return Index(
        name=section.text("IndexName"),
        is_global=is_global,
        keys=tuple(_keys(section).values()),
        projection=_PROJECTIONS[kind],
        projected=tuple(projection.texts("NonKeyAttributes")),
    )
