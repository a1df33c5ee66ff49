"""template.yaml -> Stack: which functions, triggers, queues, buckets and tables a SAM template declares.

Reads SAM's form and CloudFormation's. Every value is resolved and checked for its type; `rules.py` decides whether AWS
would accept the combination. What AWS would act on and the twin does not is listed in `Stack.ignored`: resources,
triggers and properties, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from simulator.base import limits
from simulator.base.files import UnusableFileError, read_bounded
from simulator.stack.declared import KINDS, SAM_FUNCTION, SIMPLE_TABLE, Declarations, NotSimulatedError
from simulator.stack.intrinsics import Document, TemplateError, plain_text
from simulator.stack.model import (
    OWN_HANDLERS,
    AsynchronousInvocation,
    Bucket,
    Function,
    Index,
    Queue,
    Redrive,
    Stack,
    Table,
)
from simulator.stack.packaged import packaged_template, shown_template
from simulator.stack.properties import Properties
from simulator.stack.triggers import Triggers
from simulator.stack.variables import leads_away

__all__ = ["TemplateError", "load"]

T = TypeVar("T")
_LAYERS = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
_OWN_NAMES = ("GeneratorLambda", "ConsumerLambda")

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
    document = Document(text, str(shown_template(path)), parameters or {}, stack_name, defaults or {})
    return _Loader(document, file.parent).stack()


class _Loader:
    """One reading of one document, resource type by resource type."""

    def __init__(self, document: Document, folder: Path) -> None:
        self._document, self._folder = document, folder
        declared = self._declared = Declarations(document)
        self._triggers = Triggers(declared)
        self._layers = {
            declared.reference(each, None): self._local(declared.properties(each).raw(content))
            for type_name, content in _LAYERS.items()
            for each in declared.of(type_name)
        }
        self._policies: dict[str, Mapping[str, Any]] = {}
        self._read = set(_LAYERS)
        self._faults: list[TemplateError] = []

    def stack(self) -> Stack:
        """Everything that the document declares."""
        self._each("AWS::SQS::QueuePolicy", self._queue_policy)
        queues = self._each("queue", self._queue)
        functions = self._each("function", self._function)
        self._each("AWS::Events::Rule", self._triggers.rule)
        mappings = self._triggers.mappings | self._each("AWS::Lambda::EventSourceMapping", self._triggers.mapping)
        schedules = self._triggers.schedules | self._each("AWS::Scheduler::Schedule", self._triggers.schedule)
        buckets = self._each("bucket", self._bucket)
        tables = self._each("table", self._table)
        if self._faults:
            raise TemplateError(*dict.fromkeys(each.args[0] for each in self._faults), hint=self._faults[0].hint)
        lines = {each: self._document.resources.lines[each] for each in self._declared.types}
        for logical_id, kind in self._declared.types.items():
            if kind not in self._read:
                reason = next(reason for pattern, reason in _REASONS if re.fullmatch(pattern, kind))
                self._declared.ignore(logical_id, kind, reason, lines[logical_id])
        return Stack(
            name=self._document.stack_name,
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

    def _each(self, type_or_kind: str, read: Callable[[str, Properties], T]) -> dict[str, T]:
        """The result of `read` for each of these resources; the properties that it did not read are noted."""
        made = {}
        for logical_id in self._declared.of(type_or_kind):
            type_name = self._declared.types[logical_id]
            self._read.add(type_name)
            try:
                properties = self._declared.properties(logical_id)
                if (kind := KINDS.get(type_name)) is not None:
                    properties.raw(f"{kind.title()}Name")
                with self._declared.tolerating(properties):
                    made[logical_id] = read(logical_id, properties)
            except TemplateError as fault:
                if self._document.is_exhausted:
                    raise
                self._faults.append(fault)
                continue
            for path, line in properties.unread():
                self._declared.ignore(logical_id, path, "not simulated", line)
        return made

    def _function(self, logical_id: str, properties: Properties) -> Function:
        self._triggers.events(logical_id, properties)
        is_sam = self._declared.types[logical_id] == SAM_FUNCTION
        logging = properties.section("LoggingConfig")
        logging.choice("ApplicationLogLevel", limits.LOG_LEVELS, "INFO")
        variables = properties.section("Environment").mapping("Variables")
        for name in filter(leads_away, variables):
            what, why = f"Environment.Variables.{name}", "it would lead away from the endpoint"
            self._declared.ignore(logical_id, what, why, properties.line_of("Environment"))
        given = properties.raw("CodeUri") or "." if is_sam else properties.raw("Code")
        packed = given if isinstance(given, dict) else {}
        source = packed.get("ZipFile") or properties.optional_text("InlineCode")
        is_image = properties.raw("PackageType") == "Image" or bool(
            properties.raw("ImageUri") or packed.get("ImageUri")
        )
        code = None if source or is_image else self._local(given)
        handler = properties.text("Handler", "" if is_image else None)
        return Function(
            **self._declared.identity(logical_id),
            handler=handler,
            runtime=properties.text("Runtime", "" if is_image else None),
            memory_mb=properties.integer("MemorySize", 128),
            timeout_s=properties.integer("Timeout", 3),
            environment={name: plain_text(value) for name, value in variables.items()},
            reserved_concurrency=properties.optional_integer("ReservedConcurrentExecutions"),
            log_format=logging.choice("LogFormat", ("Text", "JSON"), "Text"),
            log_level=logging.optional_text("ApplicationLogLevel"),
            asynchronous=_asynchronous(properties, "DeadLetterQueue" if is_sam else "DeadLetterConfig"),
            code=code,
            source=source and plain_text(source),
            layers=tuple(self._layers.get(each) or each for each in properties.texts("Layers")),
            is_own=handler in OWN_HANDLERS and (logical_id in _OWN_NAMES or _is_ours(code, handler)),
        )

    def _local(self, given: Any) -> Path | None:
        """The path that a template names; None for what is in a bucket."""
        is_local = isinstance(given, str) and not given.startswith(("s3://", "https://"))
        return self._folder / given if is_local else None

    def _bucket(self, logical_id: str, properties: Properties) -> Bucket:
        return Bucket(
            **self._declared.identity(logical_id),
            versioned=properties.section("VersioningConfiguration").text("Status", "Suspended") == "Enabled",
            notifications=self._triggers.of_bucket(logical_id, properties.section("NotificationConfiguration")),
        )

    def _queue_policy(self, _: str, properties: Properties) -> None:
        document = properties.mapping("PolicyDocument")
        queues = {self._declared.name(each): each for each in self._declared.of("queue")}
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
            on_demand = properties.text("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST" or "Global" in kind
        return Table(
            **self._declared.identity(logical_id),
            keys=tuple((keys[role], types.get(keys[role], "S")) for role in ("HASH", "RANGE") if role in keys),
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


def _is_ours(code: Path | None, handler: str) -> bool:
    """Whether a handler with our name runs from this installation: it has no code of that name, or this very file."""
    module = handler.rpartition(".")[0].replace(".", "/") + ".py"
    with suppress(OSError, ValueError):  # a zip, or a path that no file can have
        return code is None or (code / module).samefile(packaged_template().parent.parent / module)
    return True


def _asynchronous(properties: Properties, dead_letters: str) -> AsynchronousInvocation:
    config, dead_letter = properties.section("EventInvokeConfig"), properties.section(dead_letters)
    failure = config.section("DestinationConfig").section("OnFailure")
    for target in (failure, dead_letter):
        target.raw("Type")
    return AsynchronousInvocation(
        **config.integers(maximum_retries="MaximumRetryAttempts", maximum_event_age_s="MaximumEventAgeInSeconds"),
        dead_letter_arn=dead_letter.optional_text("TargetArn"),
        on_failure_arn=failure.optional_text("Destination"),
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
