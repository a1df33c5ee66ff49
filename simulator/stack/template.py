"""template.yaml -> Stack: which functions, triggers, queues, buckets and tables a SAM template declares.

Reads SAM's form and CloudFormation's. Every value is resolved and checked for its type; `rules.py` decides whether AWS
would accept the combination. What AWS would act on and the twin does not is listed in `Stack.ignored`: resources,
triggers and properties, each with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from simulator.base import limits
from simulator.base.files import UnusableFileError, read_bounded
from simulator.stack.declared import (
    BUCKET,
    KINDS,
    NAME_PROPERTY,
    PLAIN_LAYER,
    QUEUE,
    SAM_LAYER,
    Declarations,
)
from simulator.stack.functions import Functions
from simulator.stack.intrinsics import Document, TemplateError, pseudo_parameters
from simulator.stack.model import Bucket, Function, Ignored, Stack
from simulator.stack.packaged import packaged_template, shown_template
from simulator.stack.properties import Properties
from simulator.stack.storage import Storage
from simulator.stack.triggers import Triggers

__all__ = ["TemplateError", "load"]

T = TypeVar("T")
_QUEUE_POLICY = "AWS::SQS::QueuePolicy"
_MAPPING = "AWS::Lambda::EventSourceMapping"
_SCHEDULE = "AWS::Scheduler::Schedule"
_RULE = "AWS::Events::Rule"
_SIMULATED = {*KINDS, SAM_LAYER, PLAIN_LAYER, _QUEUE_POLICY, _MAPPING, _SCHEDULE, _RULE}

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
    "AWS::Serverless::Connector": "the store has no IAM",
    "AWS::Lambda::Permission": "the twin's triggers need no permission",
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
        self._storage = Storage(self._declared)

    def stack(self) -> Stack:
        """Everything that the document declares."""
        self._each((_QUEUE_POLICY,), self._storage.queue_policy)
        queues = self._each((QUEUE,), self._storage.queue)
        functions = self._each(_types("function"), self._function)
        self._each((_RULE,), self._triggers.rule)
        mappings = self._triggers.mappings | self._each((_MAPPING,), self._triggers.mapping)
        schedules = self._triggers.schedules | self._each((_SCHEDULE,), self._triggers.schedule)
        buckets = self._each((BUCKET,), self._bucket)
        tables = self._each(_types("table"), self._storage.table)
        lines = {each: self._document.resources.lines[each] for each in self._declared.types}
        for logical_id, kind in self._declared.types.items():
            if kind not in _SIMULATED:
                self._ignore(logical_id, kind, _WITHOUT_EFFECT.get(kind, "not simulated"), lines[logical_id])
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
            if (kind := self._declared.types[logical_id]) in KINDS:
                properties.raw(NAME_PROPERTY[KINDS[kind]])
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
            logical_id=logical_id,
            name=self._declared.name(logical_id),
            arn=self._declared.arn(logical_id),
            versioned=properties.section("VersioningConfiguration").text("Status", "Suspended") == "Enabled",
            notifications=self._triggers.of_bucket(logical_id, properties.section("NotificationConfiguration")),
        )


def _types(kind: str) -> tuple[str, ...]:
    return tuple(each for each, its in KINDS.items() if its == kind)
