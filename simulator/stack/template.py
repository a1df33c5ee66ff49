"""template.yaml -> Stack: which functions, triggers, queues, buckets and tables a SAM template declares.

Reads a mapping in both SAM form and plain CloudFormation form. Every value is resolved and checked for its type;
`rules.py` decides whether AWS would accept the combination. A property that the twin does not act on is listed in
`Stack.ignored`; a resource or trigger that it does not know is a `TemplateError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from simulator.base import limits
from simulator.base.documents import DocumentError, from_json
from simulator.base.files import UnusableFileError, read_bounded
from simulator.base.names import NamedKind, fitted
from simulator.stack.intrinsics import Document, Located, TemplateError, plain_text, pseudo_parameters
from simulator.stack.model import (
    OWN_HANDLERS,
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
from simulator.stack.packaged import packaged_template, shown_template
from simulator.stack.patterns import read_pattern
from simulator.stack.properties import Properties
from simulator.stack.variables import leads_away

__all__ = ["TemplateError", "load"]

T = TypeVar("T")
_FUNCTION = "AWS::Serverless::Function"
_QUEUE = "AWS::SQS::Queue"
_QUEUE_POLICY = "AWS::SQS::QueuePolicy"
_BUCKET = "AWS::S3::Bucket"
_TABLE = "AWS::DynamoDB::Table"
_MAPPING = "AWS::Lambda::EventSourceMapping"

# Resources that change nothing about what happens to a row, and why the twin ignores them.
_WITHOUT_EFFECT = {
    "AWS::CloudWatch::Alarm": "alarms need CloudWatch",
    "AWS::CloudWatch::CompositeAlarm": "alarms need CloudWatch",
    "AWS::CloudWatch::Dashboard": "the live dashboard replaces it",
    "AWS::Logs::LogGroup": "--logs keeps the logs",
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
_KINDS: Mapping[str, NamedKind] = {_FUNCTION: "function", _QUEUE: "queue", _BUCKET: "bucket", _TABLE: "table"}
_ARN = {
    _FUNCTION: "arn:aws:lambda:{region}:{account}:function:{name}",
    _QUEUE: "arn:aws:sqs:{region}:{account}:{name}",
    _BUCKET: "arn:aws:s3:::{name}",
    _TABLE: "arn:aws:dynamodb:{region}:{account}:table/{name}",
}


def load(
    path: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    *,
    defaults: Mapping[str, str] | None = None,
    stack_name: str = "stockpipe",
) -> Stack:
    """The stack that a template declares (None: the pipeline's own) with `parameters` over its defaults.

    `defaults` replace those of parameters that the template has; others are ignored. Raises `TemplateError`, one line
    with file, line and resource, for what cannot be read, is not supported or has the wrong type.
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
    return _Loader(document, stack_name).stack()


class _Loader:
    """One reading of one document: resources by type, references between them by name and ARN."""

    def __init__(self, document: Document, stack_name: str) -> None:
        self._document = document
        self._stack_name = stack_name
        self._naming: list[str] = []
        self._names: dict[str, str] = {}
        self._ignored: list[Ignored] = []
        self._event_lines: dict[str, int] = {}
        self._mappings: dict[str, EventSourceMapping] = {}
        self._schedules: dict[str, Schedule] = {}
        self._policies: dict[str, Mapping[str, Any]] = {}
        document.reference = self._reference
        self._types = self._read_types()
        self._by_arn = {self._arn(logical_id): logical_id for logical_id, kind in self._types.items() if kind in _ARN}

    def stack(self) -> Stack:
        """Everything that the document declares."""
        self._each(_QUEUE_POLICY, self._queue_policy)
        queues = self._each(_QUEUE, self._queue)
        functions = self._each(_FUNCTION, self._function)
        self._mappings |= self._each(_MAPPING, self._plain_mapping)
        for logical_id, kind in self._types.items():
            if kind in _WITHOUT_EFFECT:
                self._ignored.append(Ignored(logical_id, kind, _WITHOUT_EFFECT[kind]))
        return Stack(
            name=self._stack_name,
            parameters=self._document.parameters,
            functions=functions,
            mappings=self._mappings,
            schedules=self._schedules,
            queues=queues,
            buckets=self._each(_BUCKET, self._bucket),
            tables=self._each(_TABLE, self._table),
            ignored=tuple(self._ignored),
            lines=self._event_lines | {each: self._document.resources.lines[each] for each in self._types},
            document=self._document.root,
        )

    def _each(self, kind: str, read: Callable[[str, Properties], T]) -> dict[str, T]:
        """The result of `read` for each resource of this type; the properties that it did not read are noted."""
        made = {}
        for logical_id in self._of_type(kind):
            properties = self._properties(logical_id)
            if kind in _NAME_PROPERTY:
                properties.raw(_NAME_PROPERTY[kind])
            made[logical_id] = read(logical_id, properties)
            self._ignored.extend(Ignored(logical_id, path, "not simulated") for path in properties.unread())
        return made

    # Names and references

    def _read_types(self) -> dict[str, str]:
        types: dict[str, str] = {}
        known = {*_NAME_PROPERTY, _QUEUE_POLICY, _MAPPING, *_WITHOUT_EFFECT}
        if (count := len(self._document.resources)) > limits.TEMPLATE_RESOURCES:
            most = limits.TEMPLATE_RESOURCES
            self._document.fail(f"Number of resources, {count}, is greater than maximum allowed, {most}")
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

    def _properties(self, logical_id: str) -> Properties:
        resource = self._document.resources[logical_id]
        resolved = self._document.resolve(resource.get("Properties", Located()), resource.lines.get("Properties"))
        if not isinstance(resolved, Located):
            self._document.fail("Properties must be a mapping", resource.lines.get("Properties"), logical_id)
        resolved.line = resolved.line or self._document.resources.lines[logical_id]
        if self._types[logical_id] == _FUNCTION:
            shared = self._document.resolve(self._shared())
            if not isinstance(shared, Located):
                self._document.fail("Globals.Function must be a mapping", self._document.root.lines["Globals"])
            resolved = _merged(shared, resolved)
        return Properties(self._document, logical_id, resolved)

    def _shared(self) -> Located:
        """SAM's Globals for functions."""
        found = self._document.root
        for name in ("Globals", "Function"):
            inner = found.get(name) or Located()
            if not isinstance(inner, Located):
                self._document.fail(f"{name} must be a mapping", found.lines[name])
            found = inner
        return found

    def _name(self, logical_id: str) -> str:
        if logical_id not in self._names:
            kind = self._types[logical_id]
            resource = self._document.resources[logical_id]
            line = self._document.resources.lines[logical_id]
            if logical_id in self._naming:
                self._document.fail("its name depends on itself: " + " -> ".join(self._naming), line, logical_id)
            self._naming.append(logical_id)
            properties = resource.get("Properties")
            given = properties.get(_NAME_PROPERTY[kind]) if isinstance(properties, Located) else None
            name = self._document.resolve(given, line) if given is not None else None
            self._names[logical_id] = plain_text(name) or self._derived_name(logical_id, kind)
            self._naming.pop()
        return self._names[logical_id]

    def _derived_name(self, logical_id: str, kind: str) -> str:
        """What CloudFormation would generate, without its random ending."""
        derived = f"{self._stack_name}-{logical_id}"
        return fitted(_KINDS[kind], derived.lower() if kind == _BUCKET else derived)

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

    def _queue_at(self, section: Properties, key: str) -> str:
        """The queue whose ARN is the value of this key."""
        arn = section.text(key)
        logical_id = self._by_arn.get(arn)
        if logical_id is None or self._types[logical_id] != _QUEUE:
            section.fail(f"{arn} is not an {_QUEUE} in this template", key)
        return logical_id

    # Resources

    def _function(self, logical_id: str, properties: Properties) -> Function:
        for event, section in properties.members("Events"):
            self._event_lines[f"{logical_id}{event}"] = section.line
            self._event(logical_id, f"{logical_id}{event}", section)
        logging = properties.section("LoggingConfig")
        log_format = logging.text("LogFormat", "Text")
        if log_format not in ("Text", "JSON"):
            logging.fail(f"must be Text or JSON, not '{log_format}'", "LogFormat")
        level = logging.text("ApplicationLogLevel", "INFO")
        if level not in limits.LOG_LEVELS:
            logging.fail(f"must be one of {', '.join(limits.LOG_LEVELS)}, not '{level}'", "ApplicationLogLevel")
        properties.raw("CodeUri")
        environment = properties.section("Environment").mapping("Variables")
        for name in filter(leads_away, environment):
            self._ignored.append(
                Ignored(logical_id, f"Environment.Variables.{name}", "it would lead away from the endpoint")
            )
        return Function(
            logical_id=logical_id,
            name=self._name(logical_id),
            handler=properties.text("Handler"),
            runtime=properties.text("Runtime"),
            memory_mb=properties.integer("MemorySize", 128),
            timeout_s=properties.integer("Timeout", 3),
            environment={name: plain_text(value) for name, value in environment.items()},
            reserved_concurrency=properties.optional_integer("ReservedConcurrentExecutions"),
            log_format="JSON" if log_format == "JSON" else "Text",
            log_level=logging.optional_text("ApplicationLogLevel"),
            asynchronous=_asynchronous(properties),
            arn=self._arn(logical_id),
            is_own=properties.text("Handler") in OWN_HANDLERS,
        )

    def _event(self, function: str, logical_id: str, section: Properties) -> None:
        kind = section.text("Type")
        properties = section.section("Properties")
        if kind == "SQS":
            self._mappings[logical_id] = self._mapping(logical_id, function, properties, "Queue")
        elif kind in ("Schedule", "ScheduleV2"):
            self._schedules[logical_id] = self._schedule(logical_id, function, kind == "ScheduleV2", properties)
        else:
            section.fail(f"a trigger of type {kind} is not supported by the simulator", "Type")

    def _plain_mapping(self, logical_id: str, properties: Properties) -> EventSourceMapping:
        given = properties.text("FunctionName")
        for function in self._of_type(_FUNCTION):
            if given in (self._name(function), self._arn(function)):
                return self._mapping(logical_id, function, properties, "EventSourceArn")
        return properties.fail(f"{given} is not an {_FUNCTION} in this template", "FunctionName")

    def _mapping(self, logical_id: str, function: str, properties: Properties, queue_key: str) -> EventSourceMapping:
        scaling, provisioned = properties.section("ScalingConfig"), properties.section("ProvisionedPollerConfig")
        responses = properties.texts("FunctionResponseTypes")
        if unknown := [response for response in responses if response != "ReportBatchItemFailures"]:
            properties.fail(f"must be ReportBatchItemFailures, not '{unknown[0]}'", "FunctionResponseTypes")
        filters = properties.section("FilterCriteria").sections("Filters")
        return EventSourceMapping(
            logical_id=logical_id,
            function=function,
            queue=self._queue_at(properties, queue_key),
            **properties.integers(batch_size="BatchSize", window_s="MaximumBatchingWindowInSeconds"),
            maximum_concurrency=scaling.optional_integer("MaximumConcurrency"),
            provisioned=ProvisionedPollers(**provisioned.integers(minimum="MinimumPollers", maximum="MaximumPollers"))
            if properties.has("ProvisionedPollerConfig")
            else None,
            reports_batch_item_failures=bool(responses),
            filters=tuple(read_pattern(section.text("Pattern")) for section in filters),
            enabled=properties.boolean("Enabled", True),
        )

    def _schedule(self, logical_id: str, function: str, scheduler: bool, properties: Properties) -> Schedule:
        name = properties.text("Name", f"{self._stack_name}-{logical_id}")
        service, path = ("scheduler", "schedule/default") if scheduler else ("events", "rule")
        if (given := properties.optional_text("Input")) is not None:
            try:
                from_json(given.encode())
            except DocumentError as error:
                properties.fail(str(error), "Input")
        return Schedule(
            logical_id=logical_id,
            name=name,
            function=function,
            expression=properties.text("ScheduleExpression" if scheduler else "Schedule"),
            kind="scheduler" if scheduler else "rule",
            arn=f"arn:aws:{service}:{limits.REGION}:{limits.ACCOUNT_ID}:{path}/{name}",
            input=given,
            enabled=properties.boolean("Enabled", True) and properties.text("State", "ENABLED") == "ENABLED",
        )

    def _queue_policy(self, _: str, properties: Properties) -> None:
        document = properties.mapping("PolicyDocument")
        queues = {self._name(queue): queue for queue in self._of_type(_QUEUE)}
        for url in properties.texts("Queues"):
            if (owner := queues.get(url.rsplit("/", 1)[-1])) is None:
                properties.fail(f"{url} is not an {_QUEUE} in this template", "Queues")
            self._policies[owner] = document

    def _queue(self, logical_id: str, properties: Properties) -> Queue:
        if properties.boolean("FifoQueue", False):
            properties.fail("FIFO queues are not supported, and S3 notifies only standard queues", "FifoQueue")
        redrive = properties.section("RedrivePolicy")
        return Queue(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            **properties.integers(
                visibility_timeout_s="VisibilityTimeout",
                receive_wait_s="ReceiveMessageWaitTimeSeconds",
                retention_s="MessageRetentionPeriod",
                delay_s="DelaySeconds",
                maximum_message_bytes="MaximumMessageSize",
            ),
            redrive=Redrive(self._queue_at(redrive, "deadLetterTargetArn"), redrive.integer("maxReceiveCount", 10))
            if properties.has("RedrivePolicy")
            else None,
            policy=self._policies.get(logical_id),
        )

    def _bucket(self, logical_id: str, properties: Properties) -> Bucket:
        configuration = properties.section("NotificationConfiguration")
        for kind in ("LambdaConfigurations", "TopicConfigurations", "EventBridgeConfiguration"):
            if configuration.has(kind):
                configuration.fail("is not supported by the simulator; notify a queue", kind)
        return Bucket(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            versioned=properties.section("VersioningConfiguration").text("Status", "Suspended") == "Enabled",
            notifications=tuple(map(self._notification, configuration.sections("QueueConfigurations"))),
        )

    def _notification(self, section: Properties) -> Notification:
        rules = section.section("Filter").section("S3Key").sections("Rules")
        wanted = {rule.text("Name").lower(): rule.text("Value", "") for rule in rules}
        if unknown := set(wanted) - {"prefix", "suffix"}:
            section.fail(f"a filter rule must be prefix or suffix, not '{unknown.pop()}'", "Filter")
        return Notification(self._queue_at(section, "Queue"), tuple(section.texts("Event")), **wanted)

    def _table(self, logical_id: str, properties: Properties) -> Table:
        types = {
            attribute.text("AttributeName"): attribute.text("AttributeType")
            for attribute in properties.sections("AttributeDefinitions")
        }
        keys = {element.text("KeyType"): element.text("AttributeName") for element in properties.sections("KeySchema")}
        if "HASH" not in keys:
            properties.fail("needs a key of type HASH", "KeySchema")
        if undefined := [name for name in keys.values() if name not in types]:
            properties.fail(f"'{undefined[0]}' is missing from AttributeDefinitions", "KeySchema")
        on_demand = properties.text("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST"
        throughput, warm = properties.section("ProvisionedThroughput"), properties.section("WarmThroughput")
        return Table(
            logical_id=logical_id,
            name=self._name(logical_id),
            arn=self._arn(logical_id),
            partition_key=(keys["HASH"], types[keys["HASH"]]),
            sort_key=(keys["RANGE"], types[keys["RANGE"]]) if "RANGE" in keys else None,
            provisioned_units=None
            if on_demand
            else (throughput.integer("ReadCapacityUnits", 5), throughput.integer("WriteCapacityUnits", 5)),
            maximum_write_units=properties.section("OnDemandThroughput").optional_integer("MaxWriteRequestUnits"),
            warm_read_units=warm.optional_integer("ReadUnitsPerSecond"),
            warm_write_units=warm.optional_integer("WriteUnitsPerSecond"),
        )


def _asynchronous(properties: Properties) -> AsynchronousInvocation:
    configuration = properties.section("EventInvokeConfig")
    failure = configuration.section("DestinationConfig").section("OnFailure")
    failure.raw("Type")
    dead_letter = properties.section("DeadLetterQueue")
    dead_letter.raw("Type")
    return AsynchronousInvocation(
        **configuration.integers(
            maximum_retries="MaximumRetryAttempts", maximum_event_age_s="MaximumEventAgeInSeconds"
        ),
        dead_letter_arn=dead_letter.optional_text("TargetArn"),
        on_failure_arn=failure.optional_text("Destination"),
    )


def _merged(shared: Any, own: Located) -> Located:
    """SAM's Globals merged into a function's own properties: mappings merge, lists are joined, the rest is replaced."""
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
