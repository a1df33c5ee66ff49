"""Which resources a document declares: their types, their names and ARNs, and what references to them give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from simulator.base import limits
from simulator.base.names import NamedKind, fitted
from simulator.stack.constraints import is_known
from simulator.stack.intrinsics import Document, Located, plain_text
from simulator.stack.model import Ignored
from simulator.stack.properties import Properties

SAM_FUNCTION, SIMPLE_TABLE = "AWS::Serverless::Function", "AWS::Serverless::SimpleTable"
KINDS: Mapping[str, NamedKind] = {
    SAM_FUNCTION: "function",
    "AWS::Lambda::Function": "function",
    "AWS::SQS::Queue": "queue",
    "AWS::S3::Bucket": "bucket",
    "AWS::DynamoDB::Table": "table",
    "AWS::DynamoDB::GlobalTable": "table",
    SIMPLE_TABLE: "table",
}
_QUEUE_URL = "https://sqs.{region}.amazonaws.com/{account}/{name}"
_TABLE_ARN = "arn:aws:dynamodb:{region}:{account}:table/{name}"
_VALUES = {
    "function.": "{name}",
    "function.Arn": "arn:aws:lambda:{region}:{account}:function:{name}",
    "queue.": _QUEUE_URL,
    "queue.Arn": "arn:aws:sqs:{region}:{account}:{name}",
    "queue.QueueName": "{name}",
    "queue.QueueUrl": _QUEUE_URL,
    "bucket.": "{name}",
    "bucket.Arn": "arn:aws:s3:::{name}",
    "bucket.DomainName": "{name}.s3.amazonaws.com",
    "bucket.DualStackDomainName": "{name}.s3.dualstack.{region}.amazonaws.com",
    "bucket.RegionalDomainName": "{name}.s3.{region}.amazonaws.com",
    "bucket.WebsiteURL": "http://{name}.s3-website-{region}.amazonaws.com",
    "table.": "{name}",
    "table.Arn": _TABLE_ARN,
    "table.StreamArn": f"{_TABLE_ARN}/stream/2026-01-01T00:00:00.000",
}
"""What Ref, after the dot nothing, and GetAtt give."""
_REF_IS_ARN = re.compile(r"AWS::\w+::(LayerVersion|Secret|StateMachine|Topic)")
# What SAM adds to a template, most of it named after a resource: `FunctionRole`, `ApiProdStage`.
_BY_SAM = re.compile(r"(Role|Url|Alias\w*|Version\w*|\w*Stage|Deployment\w*)?")
_LONGEST_ID = 255
_SAMS_OWN = ("ServerlessRestApi", "ServerlessHttpApi", "ServerlessDeploymentApplication")


class NotSimulatedError(Exception):
    """AWS takes what a part of a template says, and the twin cannot act on it; the message is the reason."""


class Declarations:
    """The resources of one document that its conditions keep, and the answers to its references."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.ignored: list[Ignored] = []
        self._naming: list[str] = []
        self._names: dict[str, str] = {}
        self.types = self._read_types()
        sams = {each for each, type_name in self.types.items() if type_name.startswith("AWS::Serverless::")}
        self._sams = sams and sams.union(_SAMS_OWN)
        document.reference = self.reference
        self._by_arn = {self.value(each, "Arn"): each for each, type_name in self.types.items() if type_name in KINDS}

    def _read_types(self) -> dict[str, str]:
        types: dict[str, str] = {}
        resources = self.document.resources
        if (count := len(resources)) > limits.TEMPLATE_RESOURCES:
            most = limits.TEMPLATE_RESOURCES
            self.document.fail(f"Number of resources, {count}, is greater than maximum allowed, {most}")
        for logical_id, resource in resources.items():
            line = resources.lines[logical_id]
            if logical_id.startswith("Fn::"):
                self.ignore(logical_id, logical_id, "not simulated", line)
                continue
            if not isinstance(resource, Located) or not isinstance(resource.get("Type"), str):
                self.document.fail("a resource needs a Type", line, logical_id)
            if "Condition" not in resource or self.document.condition(str(resource["Condition"]), line):
                types[logical_id] = resource["Type"]
        return types

    def of(self, *types: str) -> list[str]:
        """The logical ids of the resources of these types, or of these kinds, in the template's order."""
        return [each for each, its in self.types.items() if KINDS.get(its) in types or ("::" in its and its in types)]

    def properties(self, logical_id: str) -> Properties:
        """The resource's properties, of a SAM function with its Globals."""
        resource = self.document.resources[logical_id]
        resolved = self.document.resolve(resource.get("Properties") or Located(), resource.lines.get("Properties"))
        if not isinstance(resolved, Located):
            self.document.fail("Properties must be a mapping", resource.lines.get("Properties"), logical_id)
        resolved.line = resolved.line or self.document.resources.lines[logical_id]
        if self.types[logical_id] == SAM_FUNCTION:
            shared = self.document.resolve(self.document.section("Globals", "Function"))
            if not isinstance(shared, Located):
                self.document.fail("Globals.Function must be a mapping", self.document.root.lines["Globals"])
            resolved = _merged(shared, resolved)
        return Properties(self.document, logical_id, resolved)

    def ignore(self, logical_id: str, what: str, reason: str, line: int) -> None:
        """Note what AWS would act on and the twin does not."""
        self.ignored.append(Ignored(logical_id, what, reason, line))

    @contextmanager
    def tolerating(self, section: Properties) -> Iterator[None]:
        """Leave out a resource or a section of it, if what reads it finds that it cannot be simulated."""
        try:
            yield
        except NotSimulatedError as reason:
            section.dismiss()
            line = section.line if section.path else self.document.resources.lines[section.logical_id]
            self.ignore(section.logical_id, section.path or self.types[section.logical_id], str(reason), line)

    # Names and references

    def name(self, logical_id: str) -> str:
        """The name of a function, queue, bucket or table: its own, or what CloudFormation would generate."""
        if logical_id not in self._names:
            line = self.document.resources.lines[logical_id]
            if logical_id in self._naming:
                self.document.fail("its name depends on itself: " + " -> ".join(self._naming), line, logical_id)
            self._naming.append(logical_id)
            kind = KINDS[self.types[logical_id]]
            name = plain_text(self._early(logical_id, f"{kind.title()}Name"))
            self._names[logical_id] = name if name and is_known(name) else self._derived_name(logical_id, kind)
            self._naming.pop()
        return self._names[logical_id]

    def _early(self, logical_id: str, key: str) -> object:
        """One property, before the others are resolved, which may need it."""
        resource = self.document.resources[logical_id]
        properties = resource.get("Properties")
        given = properties.get(key) if isinstance(properties, Located) else None
        return self.document.resolve(given, self.document.resources.lines[logical_id]) if given is not None else None

    def _derived_name(self, logical_id: str, kind: NamedKind) -> str:
        """What CloudFormation would generate, without its random ending."""
        derived = f"{self.document.stack_name}-{logical_id}"
        fifo = ".fifo" if self.is_fifo(logical_id) else ""
        return fitted(kind, derived.lower() if kind == "bucket" else derived) + fifo

    def value(self, logical_id: str, attribute: str) -> str | None:
        """An attribute of a function, queue, bucket or table, "" for Ref; None if its type has no such attribute."""
        pattern = _VALUES.get(f"{KINDS[self.types[logical_id]]}.{attribute}")
        name = self.name(logical_id)
        return pattern and pattern.format(region=limits.REGION, account=limits.ACCOUNT_ID, name=name)

    def identity(self, logical_id: str) -> dict[str, Any]:
        """What a function, queue, bucket or table is called, as the fields that they have in common."""
        return {"logical_id": logical_id, "name": self.name(logical_id), "arn": self.value(logical_id, "Arn")}

    def reference(self, logical_id: str, attribute: str | None) -> str | None:
        """What Ref (attribute None) or GetAtt gives, a made-up text if it is not simulated; None: AWS refuses it."""
        head, _, tail = f"{logical_id}.{attribute or ''}".partition(".")
        if tail.rstrip(".") in ("Alias", "Version") and self.types.get(head) == SAM_FUNCTION:
            return self.value(head, "Arn")  # SAM takes them in Ref, too
        type_name = self.types.get(logical_id)
        if type_name in KINDS:
            return self.value(logical_id, attribute or "")
        if type_name is None and not self._is_made_by_sam(logical_id):
            return None
        return self._plausible(logical_id, type_name or "AWS::IAM::Role", attribute)

    def _is_made_by_sam(self, logical_id: str) -> bool:
        lengths = range(1, min(len(logical_id), _LONGEST_ID) + 1)
        return logical_id not in self.document.resources and any(
            logical_id[:length] in self._sams and _BY_SAM.fullmatch(logical_id, length) for length in lengths
        )

    def _plausible(self, logical_id: str, type_name: str, attribute: str | None) -> str:
        name = f"{self.document.stack_name}-{logical_id}"
        if attribute is None and not _REF_IS_ARN.fullmatch(type_name):
            return name
        if attribute is not None and not attribute.endswith("Arn"):
            return f"{name}.{attribute}"
        service = (type_name.split("::")[1:2] or ["custom"])[0].lower().replace("serverless", "lambda")
        return f"arn:aws:{service}:{limits.REGION}:{limits.ACCOUNT_ID}:{name}"

    def _queue(self, given: str) -> str | None:
        """What an ARN means, or the queue that a name or a URL means."""
        named = (each for each in self.of("queue") if given in (self.name(each), self.value(each, "")))
        return self._by_arn.get(given) or next(named, None)

    def _function(self, given: str) -> str | None:
        """The same for functions: an ARN may be partial, and has a version or an alias or not."""
        parts = given.split(":")
        if given.startswith("arn:"):
            return self._by_arn.get(":".join(parts[:7]))
        name = parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]
        return next((each for each in self.of("function") if self.name(each) == name), None)

    def target(
        self, section: Properties, key: str, kind: Literal["queue", "function"], *, by_name: bool = False
    ) -> str:
        """The queue or function whose ARN is the value of this key; `by_name`: a function's name will do.

        Raises `NotSimulatedError` for what is not in this template, and fails where AWS wants the ARN of what is.
        """
        given = section.text(key, "")
        logical_id = self._function(given) if kind == "function" else self._queue(given)
        if logical_id is None or KINDS[self.types[logical_id]] != kind:
            raise NotSimulatedError(f"{given or key} is not a {kind} in this template")
        if not (by_name or given.startswith("arn:")):
            section.fail(f"must be an ARN, like !GetAtt {logical_id}.Arn, not '{given}'", key)
        if self.is_fifo(logical_id):
            raise NotSimulatedError(f"its {key} is a FIFO queue")
        return logical_id

    def is_fifo(self, logical_id: str) -> bool:
        """Whether it is a FIFO queue."""
        return (
            KINDS[self.types[logical_id]] == "queue"
            and plain_text(self._early(logical_id, "FifoQueue")).lower() == "true"
        )


def _merged(shared: Located, own: Located) -> Located:
    """SAM's Globals merged into a function's own properties: mappings merge, lists are joined, the rest is replaced."""
    result = Located(own.line)
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
