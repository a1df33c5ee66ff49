"""The triggers of a template, in SAM's and CloudFormation's form: mappings, schedules and notifications."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

from simulator.base import limits
from simulator.stack.declared import Declarations, NotSimulatedError
from simulator.stack.model import EventSourceMapping, Notification, ProvisionedPollers, Schedule
from simulator.stack.patterns import read_pattern
from simulator.stack.properties import Properties


class Triggers:
    """Collects the triggers of each kind while resources are read; those that cannot be simulated are left out.

    `lines` says where the functions' events are, `notifications` has those of each bucket.
    """

    def __init__(self, declared: Declarations) -> None:
        self._declared = declared
        self.mappings: dict[str, EventSourceMapping] = {}
        self.schedules: dict[str, Schedule] = {}
        self.notifications: dict[str, list[Notification]] = defaultdict(list)
        self.lines: dict[str, int] = {}

    def events(self, function: str, properties: Properties) -> None:
        """The events of a SAM function."""
        for name, section in properties.members("Events"):
            self.lines[f"{function}{name}"] = section.line
            with self._declared.tolerating(section):
                self._event(function, f"{function}{name}", section)

    def _event(self, function: str, logical_id: str, section: Properties) -> None:
        kind = section.text("Type")
        properties = section.section("Properties")
        if kind == "SQS":
            self.mappings[logical_id] = self._mapping(logical_id, function, properties, "Queue")
        elif kind in ("Schedule", "ScheduleV2"):
            is_rule = kind == "Schedule"
            self.schedules[logical_id] = self._schedule(logical_id, function, is_rule, properties, properties)
        elif kind == "S3":
            bucket = properties.text("Bucket")
            owners = [each for each in self._declared.of("bucket") if self._declared.name(each) == bucket]
            if not owners:
                raise NotSimulatedError(f"{bucket} is not a bucket in this template")
            self.notifications[owners[0]].append(_notification(properties, function, "Events"))
        else:
            raise NotSimulatedError(f"a trigger of type {kind} is not simulated")

    def mapping(self, logical_id: str, properties: Properties) -> EventSourceMapping:
        """An `AWS::Lambda::EventSourceMapping`."""
        function = self._declared.target(properties, "FunctionName", "function", by_name=True)
        return self._mapping(logical_id, function, properties, "EventSourceArn")

    def _mapping(self, logical_id: str, function: str, properties: Properties, queue_key: str) -> EventSourceMapping:
        queue = self._declared.target(properties, queue_key, "queue")
        scaling, provisioned = properties.section("ScalingConfig"), properties.section("ProvisionedPollerConfig")
        pollers = ProvisionedPollers(**provisioned.integers(minimum="MinimumPollers", maximum="MaximumPollers"))
        responses = properties.texts("FunctionResponseTypes")
        if unknown := [response for response in responses if response != "ReportBatchItemFailures"]:
            properties.fail(f"must be ReportBatchItemFailures, not '{unknown[0]}'", "FunctionResponseTypes")
        filters = properties.section("FilterCriteria").sections("Filters")
        return EventSourceMapping(
            logical_id=logical_id,
            function=function,
            queue=queue,
            **properties.integers(batch_size="BatchSize", window_s="MaximumBatchingWindowInSeconds"),
            maximum_concurrency=scaling.optional_integer("MaximumConcurrency"),
            provisioned=pollers if properties.has("ProvisionedPollerConfig") else None,
            reports_batch_item_failures=bool(responses),
            filters=tuple(read_pattern(section.text("Pattern")) for section in filters),
            enabled=properties.boolean("Enabled", True),
        )

    def schedule(self, logical_id: str, properties: Properties) -> Schedule:
        """An `AWS::Scheduler::Schedule`, if its target is a function."""
        target = properties.section("Target")
        function = self._declared.target(target, "Arn", "function")
        return self._schedule(logical_id, function, False, properties, target)

    def rule(self, logical_id: str, properties: Properties) -> None:
        """An `AWS::Events::Rule` with a schedule: one for each of its targets that is a function."""
        if not properties.has("ScheduleExpression"):
            raise NotSimulatedError("event buses are not simulated")
        for target in properties.sections("Targets"):
            each = logical_id if logical_id not in self.schedules else f"{logical_id}.{target.text('Id')}"
            self.lines[each] = target.line
            with self._declared.tolerating(target):
                target.raw("Id")
                function = self._declared.target(target, "Arn", "function")
                self.schedules[each] = self._schedule(each, function, True, properties, target)

    def _schedule(
        self, logical_id: str, function: str, is_rule: bool, properties: Properties, target: Properties
    ) -> Schedule:
        """One schedule of one function. `target` has the input, which a SAM event has among its properties."""
        is_event = target is properties
        owner = logical_id if is_event else properties.logical_id  # a rule with several targets has one name
        name = properties.text("Name", f"{self._declared.document.stack_name}-{owner}")
        path, time_zone = "events:{}:{}:rule", "UTC"
        if not is_rule:
            properties.section("FlexibleTimeWindow").raw("Mode")
            path = f"scheduler:{{}}:{{}}:schedule/{properties.text('GroupName', 'default')}"
            time_zone = properties.text("ScheduleExpressionTimezone", "UTC")
        return Schedule(
            logical_id=logical_id,
            name=name,
            function=function,
            expression=properties.text("Schedule" if is_event and is_rule else "ScheduleExpression"),
            kind="rule" if is_rule else "scheduler",
            arn=f"arn:aws:{path.format(limits.REGION, limits.ACCOUNT_ID)}/{name}",
            input=target.optional_text("Input"),
            enabled=(not is_event or properties.boolean("Enabled", True))
            and properties.text("State", "ENABLED").startswith("ENABLED"),
            time_zone=time_zone,
        )

    def of_bucket(self, bucket: str, configuration: Properties) -> tuple[Notification, ...]:
        """A bucket's notifications: those of its `NotificationConfiguration`, and those that functions declare.

        SAM makes one of each event of a function, unless the same one is there already (its `eventsources/push.py`).
        """
        own: list[Notification] = []
        for section in configuration.sections("QueueConfigurations"):
            with self._declared.tolerating(section):
                own.append(_notification(section, self._declared.target(section, "Queue", "queue")))
        for section in configuration.sections("LambdaConfigurations"):
            with self._declared.tolerating(section):
                own.append(_notification(section, self._declared.target(section, "Function", "function")))
        for declared in self.notifications[bucket]:
            each = (dataclasses.replace(declared, events=(event,)) for event in declared.events)
            own += [notification for notification in each if notification not in own]
        return tuple(own)


def _notification(section: Properties, target: str, events: str = "Event") -> Notification:
    rules = section.section("Filter").section("S3Key").sections("Rules")
    wanted = {rule.text("Name").lower(): rule.text("Value", "") for rule in rules}
    if unknown := set(wanted) - {"prefix", "suffix"}:
        section.fail(f"a filter rule must be prefix or suffix, not '{min(unknown)}'", "Filter")
    return Notification(target, tuple(section.texts(events)), **wanted)
