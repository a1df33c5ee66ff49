"""template.yaml -> Stack: which functions, triggers, queues, buckets and tables a SAM template declares.

Reads SAM's form and CloudFormation's. Every value is resolved and checked for its type; `rules.py` decides whether AWS
would accept the combination. What AWS would act on and the twin does not is listed in `Stack.ignored`: resources,
triggers and properties, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from simulator.base import limits
from simulator.base.files import UnusableFileError, read_bounded
from simulator.stack import declared
from simulator.stack.declared import BUCKET, KINDS, QUEUE, SIMPLE_TABLE, TABLE, Declarations, NotSimulatedError
from simulator.stack.functions import Functions
from simulator.stack.intrinsics import Document, TemplateError, pseudo_parameters
from simulator.stack.model import Bucket, Function, Ignored, Index, Queue, Redrive, Stack, Table
from simulator.stack.packaged import packaged_template, shown_template
from simulator.stack.properties import Properties
from simulator.stack.triggers import Triggers

__all__ = ["TemplateError", "load"]

T = TypeVar("T")
_QUEUE_POLICY = "AWS::SQS::QueuePolicy"
_MAPPING = "AWS::Lambda::EventSourceMapping"
_SCHEDULE = "AWS::Scheduler::Schedule"
_RULE = "AWS::Events::Rule"
_SIMULATED = {*KINDS, declared.SAM_LAYER, declared.PLAIN_LAYER, _QUEUE_POLICY, _MAPPING, _SCHEDULE, _RULE}

# Why the twin ignores a resource, by the first pattern that its type matches.
_REASONS = (
    (r"AWS::CloudWatch::\w*Alarm", "alarms need CloudWatch"),
    (r"AWS::CloudWatch::Dashboard", "the live dashboard replaces it"),
    (r"AWS::Logs::LogGroup", "--logs keeps the logs"),
    (r"AWS::(IAM::\w+|S3::BucketPolicy|SNS::TopicPolicy|Serverless::Connector)", "the store has no IAM"),
    (r"AWS::SNS::\w+", "nothing publishes to it here"),
    (r"AWS::Lambda::Permission", "the twin's triggers need no permission"),
    (r"(?s).*", "not simulated"),
)


def load(
    path: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    *,
    defaults: Mapping[str, str] | None = None,
    stack_name: str = "stockpipe",
) -> Stack:
    """The stack that a template declares (None: the pipeline's own) with `parameters` over its defaults.

    `defaults` replace those of parameters that the template has; others are ignored. Raises `TemplateError`, one line
    with file, line and resource, for what cannot be read or has the wrong type.
    """
    file = path or packaged_template()
    try:
        text = read_bounded(file, limits.TEMPLATE_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise TemplateError(f"there is no template '{file}'") from None
    except UnusableFileError as error:
        raise TemplateError(f"'{file}' {error}") from None
    except UnicodeDecodeError:
        raise TemplateError(f"'{file}' cannot be read: it is not text in UTF-8") from None
    document = Document(
        text, str(shown_template(path)), parameters or {}, pseudo_parameters(stack_name), defaults or {}
    )
    return _Loader(document, stack_name, file.parent).stack()


class _Loader:
    """One reading of one document, resource type by resource type."""

    def __init__(self, document: Document, stack_name: str, folder: Path) -> None:
        self._document = document
        self._declared = Declarations(document, stack_name)
        self._functions = Functions(self._declared, folder)
        self._triggers = Triggers(self._declared)
        self._policies: dict[str, Mapping[str, Any]] = {}

    def stack(self) -> Stack:
        """Everything that the document declares."""
        self._each((_QUEUE_POLICY,), self._queue_policy)
        queues = self._each((QUEUE,), self._queue)
        functions = self._each(_types("function"), self._function)
        self._each((_RULE,), self._triggers.rule)
        mappings = self._triggers.mappings | self._each((_MAPPING,), self._triggers.mapping)
        schedules = self._triggers.schedules | self._each((_SCHEDULE,), self._triggers.schedule)
        buckets = self._each((BUCKET,), self._bucket)
        tables = self._each(_types("table"), self._table)
        lines = {each: self._document.resources.lines[each] for each in self._declared.types}
        for logical_id, kind in self._declared.types.items():
            if kind not in _SIMULATED:
                reason = next(reason for pattern, reason in _REASONS if re.fullmatch(pattern, kind))
                self._ignore(logical_id, kind, reason, lines[logical_id])
        return Stack(
            name=self._declared.stack_name,
            parameters=self._document.parameters,
            functions=functions,
            mappings=mappings,
            schedules=schedules,
            queues=queues,
            buckets=buckets,
            tables=tables,
            ignored=tuple(sorted(self._declared.ignored, key=lambda each: each.line or 0)),
            lines=self._triggers.lines | lines,
            document=self._document.root,
        )

    def _each(self, types: tuple[str, ...], read: Callable[[str, Properties], T]) -> dict[str, T]:
        """The result of `read` for each resource of these types; the properties that it did not read are noted."""
        made = {}
        for logical_id in self._declared.of(*types):
            properties = self._declared.properties(logical_id)
            if (kind := KINDS.get(self._declared.types[logical_id])) is not None:
                properties.raw(f"{kind.title()}Name")
            with self._declared.tolerating(properties):
                made[logical_id] = read(logical_id, properties)
            for path, line in properties.unread():
                self._ignore(logical_id, path, "not simulated", line)
        return made

    def _ignore(self, logical_id: str, what: str, reason: str, line: int) -> None:
        self._declared.ignored.append(Ignored(logical_id, what, reason, line))

    def _function(self, logical_id: str, properties: Properties) -> Function:
        self._triggers.events(logical_id, properties)
        return self._functions.function(logical_id, properties)

    def _bucket(self, logical_id: str, properties: Properties) -> Bucket:
        return Bucket(
            **self._declared.identity(logical_id),
            versioned=properties.section("VersioningConfiguration").text("Status", "Suspended") == "Enabled",
            notifications=self._triggers.of_bucket(logical_id, properties.section("NotificationConfiguration")),
        )

    def _queue_policy(self, _: str, properties: Properties) -> None:
        document = properties.mapping("PolicyDocument")
        queues = {self._declared.name(each): each for each in self._declared.of(QUEUE)}
        for url in properties.texts("Queues"):
            with self._declared.tolerating(properties):
                if (owner := queues.get(url.rsplit("/", 1)[-1])) is None:
                    raise NotSimulatedError(f"{url} is not a queue in this template")
                self._policies[owner] = document

    def _queue(self, logical_id: str, properties: Properties) -> Queue:
        if properties.boolean("FifoQueue", False):
            raise NotSimulatedError("FIFO queues are not simulated")
        redrive = None
        if properties.has("RedrivePolicy"):
            section = properties.document("RedrivePolicy")
            with self._declared.tolerating(section):
                target = self._declared.target(section, "deadLetterTargetArn", "queue")
                redrive = Redrive(target, section.integer("maxReceiveCount", 10))
        return Queue(
            **self._declared.identity(logical_id),
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

    def _table(self, logical_id: str, properties: Properties) -> Table:
        kind = self._declared.types[logical_id]
        throughput, warm = properties.section("ProvisionedThroughput"), properties.section("WarmThroughput")
        if kind == SIMPLE_TABLE:
            key = properties.section("PrimaryKey")
            keys = {"HASH": key.text("Name", "id")}
            types = {keys["HASH"]: key.choice("Type", ("String", "Number", "Binary"), "String")[0]}
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
            **self._declared.identity(logical_id),
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
    return Index(
        name=section.text("IndexName"),
        is_global=is_global,
        keys=tuple(_keys(section).values()),
        projection=projection.choice("ProjectionType", ("ALL", "KEYS_ONLY", "INCLUDE"), "ALL"),
        projected=tuple(projection.texts("NonKeyAttributes")),
    )


def _types(kind: str) -> tuple[str, ...]:
    return tuple(each for each, its in KINDS.items() if its == kind)
