"""template.yaml -> Stack: which functions, triggers, queues, buckets and tables a SAM template declares.

Reads the SAM form and the plain CloudFormation form of a mapping. Every value is resolved and checked for its type;
whether AWS would accept the combination is `rules.py`'s question. A property that the twin does not act on is listed
in `Stack.ignored`; a resource or trigger that it does not know is a `TemplateError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from simulator.base import limits
from simulator.stack.intrinsics import Document, Located, TemplateError, pseudo_parameters
from simulator.stack.model import (
    AsynchronousInvocation,
    Bucket,
    EventSourceMapping,
    Function,
    Ignored,
    Notification,
    ProvisionedPollers,
    Queue,
    Redrive,
    Schedule,
    Stack,
    Table,
)
from simulator.stack.properties import Properties

__all__ = ["TemplateError", "load", "packaged_template"]

_FUNCTION = "AWS::Serverless::Function"
_QUEUE = "AWS::SQS::Queue"
_QUEUE_POLICY = "AWS::SQS::QueuePolicy"
_BUCKET = "AWS::S3::Bucket"
_TABLE = "AWS::DynamoDB::Table"
_MAPPING = "AWS::Lambda::EventSourceMapping"

# Resources that change nothing about what happens to a row, and why the twin passes them over.
_WITHOUT_EFFECT = {
    "AWS::CloudWatch::Alarm": "alarms need CloudWatch",
    "AWS::CloudWatch::CompositeAlarm": "alarms need CloudWatch",
    "AWS::CloudWatch::Dashboard": "the live dashboard stands in for it",
    "AWS::Logs::LogGroup": "logs are kept by --logs",
    "AWS::S3::BucketPolicy": "the store has no IAM",
    "AWS::SNS::Topic": "nothing publishes to it here",
    "AWS::SNS::TopicPolicy": "the store has no IAM",
    "AWS::SNS::Subscription": "nothing publishes to it here",
    "AWS::IAM::Role": "the store has no IAM",
    "AWS::IAM::Policy": "the store has no IAM",
    "AWS::IAM::ManagedPolicy": "the store has no IAM",
    "AWS::Lambda::Permission": "the twin's triggers need no permission",
}
_NAME_PROPERTY = {_FUNCTION: "FunctionName", _QUEUE: "QueueName", _BUCKET: "BucketName", _TABLE: "TableName"}
_ARN = {
    _FUNCTION: "arn:aws:lambda:{region}:{account}:function:{name}",
    _QUEUE: "arn:aws:sqs:{region}:{account}:{name}",
    _BUCKET: "arn:aws:s3:::{name}",
    _TABLE: "arn:aws:dynamodb:{region}:{account}:table/{name}",
}


def packaged_template() -> Path:
    """Where the pipeline's own template stands, in a checkout and in an installed package alike."""
    return Path(str(resources.files("pipeline").joinpath("template.yaml")))


def load(
    path: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    *,
    defaults: Mapping[str, str] | None = None,
    stack_name: str = "stockpipe",
) -> Stack:
    """The stack that a template declares (None: the pipeline's own) with `parameters` over its defaults.

    `defaults` stand in for the template's own where it has such a parameter, and are passed over where not. Raises
    `TemplateError`, one line with file, line and resource, for what cannot be read, is not known here or has the wrong
    type.
    """
    file = path or packaged_template()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"there is no template {file}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    shown = path or Path("pipeline/template.yaml")
    document = Document(text, str(shown), parameters or {}, pseudo_parameters(stack_name), defaults or {})
    return _Loader(document, stack_name).stack()


class _Loader:
    """One reading of one document: resources by type, references between them by name and ARN."""

    def __init__(self, document: Document, stack_name: str) -> None:
        self._document = document
        self._stack_name = stack_name
        self._naming: list[str] = []
        self._names: dict[str, str] = {}
        self._ignored: list[Ignored] = []
        document.reference = self._reference
        self._types = self._read_types()
        self._by_arn = {self._arn(logical_id): logical_id for logical_id, kind in self._types.items() if kind in _ARN}

    def stack(self) -> Stack:
        """Everything that the document declares."""
        functions: dict[str, Function] = {}
        mappings: dict[str, EventSourceMapping] = {}
        schedules: dict[str, Schedule] = {}
        queues = self._queues()
        for logical_id in self._of_type(_FUNCTION):
            properties = self._properties(logical_id, globals_of="Function")
            functions[logical_id] = self._function(logical_id, properties)
            for event, section in properties.members("Events"):
                self._event(logical_id, event, section, mappings, schedules)
            self._note_unread(properties)
        for logical_id in self._of_type(_MAPPING):
            properties = self._properties(logical_id)
            function = self._function_named(properties, properties.text("FunctionName"))
            mappings[logical_id] = self._mapping(logical_id, function, properties, properties.text("EventSourceArn"))
            self._note_unread(properties)
        for logical_id, kind in self._types.items():
            if kind in _WITHOUT_EFFECT:
                self._ignored.append(Ignored(logical_id, kind, _WITHOUT_EFFECT[kind]))
        return Stack(
            name=self._stack_name,
            parameters=self._document.parameters,
            functions=functions,
            mappings=mappings,
            schedules=schedules,
            queues=queues,
            buckets={logical_id: self._bucket(logical_id) for logical_id in self._of_type(_BUCKET)},
            tables={logical_id: self._table(logical_id) for logical_id in self._of_type(_TABLE)},
            ignored=tuple(self._ignored),
            lines={logical_id: self._document.resources.lines[logical_id] for logical_id in self._types},
        )

    # Names and references

    def _read_types(self) -> dict[str, str]:
        types: dict[str, str] = {}
        known = {*_NAME_PROPERTY, _QUEUE_POLICY, _MAPPING, *_WITHOUT_EFFECT}
        for logical_id, resource in self._document.resources.items():
            line = self._document.resources.lines[logical_id]
            if not isinstance(resource, Located) or not isinstance(resource.get("Type"), str):
                self._document.fail("a resource needs a Type", line, logical_id)
            if "Condition" in resource and not self._document.condition(str(resource["Condition"]), line):
                continue
            if resource["Type"] not in known:
                self._document.fail(
                    f"{resource['Type']} is not supported by the simulator", resource.lines["Type"], logical_id
                )
            types[logical_id] = resource["Type"]
        return types

    def _of_type(self, kind: str) -> list[str]:
        return [logical_id for logical_id, type_name in self._types.items() if type_name == kind]

    def _properties(self, logical_id: str, globals_of: str | None = None) -> Properties:
        resource = self._document.resources[logical_id]
        resolved = self._document.resolve(resource.get("Properties", Located()), resource.lines.get("Properties"))
        if not isinstance(resolved, Located):
            self._document.fail("Properties must be a mapping", resource.lines.get("Properties"), logical_id)
        resolved.line = resolved.line or self._document.resources.lines[logical_id]
        if globals_of:
            shared = self._document.root.get("Globals") or Located()
            resolved = _merged(self._document.resolve(shared.get(globals_of) or Located()), resolved)
        return Properties(self._document, logical_id, resolved)

    def _name(self, logical_id: str) -> str:
        if logical_id not in self._names:
            kind = self._types[logical_id]
            resource = self._document.resources[logical_id]
            line = self._document.resources.lines[logical_id]
            if logical_id in self._naming:
                self._document.fail("its name refers to itself: " + " -> ".join(self._naming), line, logical_id)
            self._naming.append(logical_id)
            given = (resource.get("Properties") or {}).get(_NAME_PROPERTY[kind])
            name = self._document.resolve(given, line) if given is not None else None
            derived = f"{self._stack_name}-{logical_id}"
            self._names[logical_id] = str(name) if name else derived.lower() if kind == _BUCKET else derived
            self._naming.pop()
        return self._names[logical_id]

    def _arn(self, logical_id: str) -> str:
        pattern = _ARN[self._types[logical_id]]
        return pattern.format(region=limits.REGION, account=limits.ACCOUNT_ID, name=self._name(logical_id))

    def _reference(self, logical_id: str, attribute: str | None) -> str | None:
        kind = self._types.get(logical_id)
        if kind in _WITHOUT_EFFECT or kind == _MAPPING:
            return f"{self._stack_name}-{logical_id}"
        if kind not in _ARN:
            return None
        name = self._name(logical_id)
        if attribute is None:
            return f"https://sqs.{limits.REGION}.amazonaws.com/{limits.ACCOUNT_ID}/{name}" if kind == _QUEUE else name
        if attribute == "Arn":
            return self._arn(logical_id)
        return {"QueueName": name, "DomainName": f"{name}.s3.amazonaws.com"}.get(attribute)

    def _of_arn(self, section: Properties, key: str, arn: str, kind: str) -> str:
        logical_id = self._by_arn.get(arn)
        if logical_id is None or self._types[logical_id] != kind:
            section.fail(f"{arn} is no {kind} of this template", key)
        return logical_id

    def _function_named(self, section: Properties, given: str) -> str:
        for logical_id in self._of_type(_FUNCTION):
            if given in (self._name(logical_id), self._arn(logical_id)):
                return logical_id
        return section.fail(f"{given} is no {_FUNCTION} of this template", "FunctionName")

    def _note_unread(self, section: Properties, reason: str = "not simulated") -> None:
        self._ignored.extend(Ignored(section.logical_id, path, reason) for path in section.unread())

    # Resources

    def _function(self, logical_id: str, properties: Properties) -> Function:
        logging = properties.section("LoggingConfig")
        log_format = logging.text("LogFormat", "Text")
        if log_format not in ("Text", "JSON"):
            logging.fail(f"must be Text or JSON, not '{log_format}'", "LogFormat")
        properties.raw("FunctionName")
        environment = properties.section("Environment").mapping("Variables")
        properties.raw("CodeUri")
        return Function(
            logical_id=logical_id,
            name=self._name(logical_id),
            handler=properties.text("Handler"),
            runtime=properties.text("Runtime"),
            memory_mb=properties.integer("MemorySize", 128),
            timeout_s=properties.integer("Timeout", 3),
            environment={name: _variable(value) for name, value in environment.items()},
            reserved_concurrency=properties.optional_integer("ReservedConcurrentExecutions"),
            log_format="JSON" if log_format == "JSON" else "Text",
            log_level=logging.optional_text("ApplicationLogLevel"),
            asynchronous=_asynchronous(properties),
            arn=self._arn(logical_id),
        )

    def _event(
        self,
        function: str,
        event: str,
        section: Properties,
        mappings: dict[str, EventSourceMapping],
        schedules: dict[str, Schedule],
    ) -> None:
        kind = section.text("Type")
        properties = section.section("Properties")
        logical_id = f"{function}{event}"
        if kind == "SQS":
            mappings[logical_id] = self._mapping(logical_id, function, properties, properties.text("Queue"))
        elif kind in ("Schedule", "ScheduleV2"):
            schedules[logical_id] = self._schedule(logical_id, function, kind, properties)
        else:
            section.fail(f"a trigger of type {kind} is not supported by the simulator", "Type")

    def _mapping(self, logical_id: str, function: str, properties: Properties, queue_arn: str) -> EventSourceMapping:
        properties.raw("Queue" if properties.has("Queue") else "EventSourceArn")
        scaling, provisioned = properties.section("ScalingConfig"), properties.section("ProvisionedPollerConfig")
        responses = properties.texts("FunctionResponseTypes")
        if unknown := [response for response in responses if response != "ReportBatchItemFailures"]:
            properties.fail(f"must be ReportBatchItemFailures, not '{unknown[0]}'", "FunctionResponseTypes")
        return EventSourceMapping(
            logical_id=logical_id,
            function=function,
            queue=self._of_arn(properties, "Queue", queue_arn, _QUEUE),
            batch_size=properties.integer("BatchSize", 10),
            window_s=properties.integer("MaximumBatchingWindowInSeconds", 0),
            maximum_concurrency=scaling.optional_integer("MaximumConcurrency"),
            provisioned=ProvisionedPollers(
                provisioned.integer("MinimumPollers", 2), provisioned.integer("MaximumPollers", 200)
            )
            if properties.has("ProvisionedPollerConfig")
            else None,
            reports_batch_item_failures=bool(responses),
            filters=tuple(
                {"Pattern": section.text("Pattern")}
                for section in properties.section("FilterCriteria").sections("Filters")
            ),
            enabled=properties.boolean("Enabled", True),
        )

    def _schedule(
        self, logical_id: str, function: str, kind: Literal["Schedule", "ScheduleV2"] | str, properties: Properties
    ) -> Schedule:
        scheduler = kind == "ScheduleV2"
        name = properties.text("Name", f"{self._stack_name}-{logical_id}")
        path = f"schedule/default/{name}" if scheduler else f"rule/{name}"
        service = "scheduler" if scheduler else "events"
        enabled = properties.boolean("Enabled", True) and properties.text("State", "ENABLED") == "ENABLED"
        return Schedule(
            logical_id=logical_id,
            name=name,
            function=function,
            expression=properties.text("ScheduleExpression" if scheduler else "Schedule"),
            kind="scheduler" if scheduler else "rule",
            arn=f"arn:aws:{service}:{limits.REGION}:{limits.ACCOUNT_ID}:{path}",
            input=properties.optional_text("Input"),
            enabled=enabled,
        )

    def _queues(self) -> dict[str, Queue]:
        policies: dict[str, Mapping[str, Any]] = {}
        for logical_id in self._of_type(_QUEUE_POLICY):
            properties = self._properties(logical_id)
            document = properties.mapping("PolicyDocument")
            for url in properties.texts("Queues"):
                name = url.rsplit("/", 1)[-1]
                owner = next(
                    (logical_id for logical_id in self._of_type(_QUEUE) if self._name(logical_id) == name), None
                )
                if owner is None:
                    properties.fail(f"{url} is no {_QUEUE} of this template", "Queues")
                policies[owner] = document
            self._note_unread(properties)
        return {logical_id: self._queue(logical_id, policies.get(logical_id)) for logical_id in self._of_type(_QUEUE)}

    def _queue(self, logical_id: str, policy: Mapping[str, Any] | None) -> Queue:
        properties = self._properties(logical_id)
        if properties.boolean("FifoQueue", False):
            properties.fail("S3 notifies standard queues only, and FIFO queues are not supported", "FifoQueue")
        properties.raw("QueueName")
        redrive = properties.section("RedrivePolicy")
        queue = Queue(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            visibility_timeout_s=properties.integer("VisibilityTimeout", 30),
            receive_wait_s=properties.integer("ReceiveMessageWaitTimeSeconds", 0),
            retention_s=properties.integer("MessageRetentionPeriod", 345_600),
            delay_s=properties.integer("DelaySeconds", 0),
            maximum_message_bytes=properties.integer("MaximumMessageSize", 1_048_576),
            redrive=Redrive(
                self._of_arn(redrive, "deadLetterTargetArn", redrive.text("deadLetterTargetArn"), _QUEUE),
                redrive.integer("maxReceiveCount", 10),
            )
            if properties.has("RedrivePolicy")
            else None,
            policy=policy,
        )
        self._note_unread(properties)
        return queue

    def _bucket(self, logical_id: str) -> Bucket:
        properties = self._properties(logical_id)
        properties.raw("BucketName")
        configuration = properties.section("NotificationConfiguration")
        for kind in ("LambdaConfigurations", "TopicConfigurations", "EventBridgeConfiguration"):
            if configuration.has(kind):
                configuration.fail("is not supported by the simulator; notify a queue", kind)
        bucket = Bucket(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            versioned=properties.section("VersioningConfiguration").text("Status", "Suspended") == "Enabled",
            notifications=tuple(
                self._notification(section) for section in configuration.sections("QueueConfigurations")
            ),
        )
        self._note_unread(properties)
        return bucket

    def _notification(self, section: Properties) -> Notification:
        rules = section.section("Filter").section("S3Key").sections("Rules")
        wanted = {rule.text("Name").lower(): rule.text("Value", "") for rule in rules}
        if unknown := set(wanted) - {"prefix", "suffix"}:
            section.fail(f"a filter rule is prefix or suffix, not '{unknown.pop()}'", "Filter")
        return Notification(
            queue=self._of_arn(section, "Queue", section.text("Queue"), _QUEUE),
            events=tuple(section.texts("Event")),
            prefix=wanted.get("prefix", ""),
            suffix=wanted.get("suffix", ""),
        )

    def _table(self, logical_id: str) -> Table:
        properties = self._properties(logical_id)
        properties.raw("TableName")
        types = {
            attribute.text("AttributeName"): attribute.text("AttributeType")
            for attribute in properties.sections("AttributeDefinitions")
        }
        keys = {element.text("KeyType"): element.text("AttributeName") for element in properties.sections("KeySchema")}
        if "HASH" not in keys:
            properties.fail("needs a key of type HASH", "KeySchema")
        if undefined := [name for name in keys.values() if name not in types]:
            properties.fail(f"'{undefined[0]}' is in no AttributeDefinitions", "KeySchema")
        on_demand = properties.text("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST"
        throughput = properties.section("ProvisionedThroughput")
        table = Table(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            partition_key=(keys["HASH"], types[keys["HASH"]]),
            sort_key=(keys["RANGE"], types[keys["RANGE"]]) if "RANGE" in keys else None,
            provisioned_units=None
            if on_demand
            else (throughput.integer("ReadCapacityUnits", 5), throughput.integer("WriteCapacityUnits", 5)),
            maximum_write_units=properties.section("OnDemandThroughput").optional_integer("MaxWriteRequestUnits"),
        )
        self._note_unread(properties)
        return table


def _asynchronous(properties: Properties) -> AsynchronousInvocation:
    configuration = properties.section("EventInvokeConfig")
    failure = configuration.section("DestinationConfig").section("OnFailure")
    failure.raw("Type")
    dead_letter = properties.section("DeadLetterQueue")
    dead_letter.raw("Type")
    return AsynchronousInvocation(
        maximum_retries=configuration.integer("MaximumRetryAttempts", 2),
        maximum_event_age_s=configuration.integer("MaximumEventAgeInSeconds", 21_600),
        dead_letter_arn=dead_letter.optional_text("TargetArn"),
        on_failure_arn=failure.optional_text("Destination"),
    )


def _variable(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _merged(shared: Any, own: Located) -> Located:
    """SAM's Globals under a function's own properties: mappings merge, lists add, anything else is replaced."""
    result = Located()
    result.line = own.line
    for key in [*shared, *(name for name in own if name not in shared)]:
        theirs, ours = shared.get(key), own.get(key)
        result.lines[key] = own.lines.get(key) or shared.lines.get(key) or own.line
        if isinstance(theirs, Located) and isinstance(ours, Located):
            result[key] = _merged(theirs, ours)
        elif isinstance(theirs, list) and isinstance(ours, list):
            result[key] = theirs + ours
        else:
            result[key] = theirs if ours is None else ours
    return result
