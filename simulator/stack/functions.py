"""The functions of a template: their settings, where their code and their layers are, and whose code it is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from simulator.base import limits
from simulator.stack.declared import PLAIN_FUNCTION, PLAIN_LAYER, SAM_FUNCTION, SAM_LAYER, Declarations
from simulator.stack.intrinsics import plain_text
from simulator.stack.model import OWN_HANDLERS, AsynchronousInvocation, Function, Ignored
from simulator.stack.packaged import packaged_template
from simulator.stack.properties import Properties
from simulator.stack.variables import leads_away

_OWN_NAMES = ("GeneratorLambda", "ConsumerLambda")


class Functions:
    """Reads functions, with paths beside the template in `folder`."""

    def __init__(self, declared: Declarations, folder: Path) -> None:
        self._declared, self._folder = declared, folder
        self._layers = {
            declared.reference(each, None): self._layer(each) for each in declared.of(SAM_LAYER, PLAIN_LAYER)
        }

    def function(self, logical_id: str, properties: Properties) -> Function:
        """A function in SAM's or CloudFormation's form. That of a container image has neither handler nor runtime."""
        logging = properties.section("LoggingConfig")
        logging.choice("ApplicationLogLevel", limits.LOG_LEVELS, "INFO")
        environment = properties.section("Environment").mapping("Variables")
        for name in filter(leads_away, environment):
            why = "it would lead away from the endpoint"
            self._declared.ignored.append(Ignored(logical_id, f"Environment.Variables.{name}", why, properties.line))
        code, source, is_image = self._code(logical_id, properties)
        handler = properties.text("Handler", "" if is_image else None)
        return Function(
            **self._declared.identity(logical_id),
            handler=handler,
            runtime=properties.text("Runtime", "" if is_image else None),
            memory_mb=properties.integer("MemorySize", 128),
            timeout_s=properties.integer("Timeout", 3),
            environment={name: plain_text(value) for name, value in environment.items()},
            reserved_concurrency=properties.optional_integer("ReservedConcurrentExecutions"),
            log_format=logging.choice("LogFormat", ("Text", "JSON"), "Text"),
            log_level=logging.optional_text("ApplicationLogLevel"),
            asynchronous=_asynchronous(properties, self._declared.types[logical_id] == SAM_FUNCTION),
            code=code,
            source=source,
            layers=tuple(self._layers.get(each) or each for each in properties.texts("Layers")),
            is_own=handler in OWN_HANDLERS and (logical_id in _OWN_NAMES or _is_ours(code, handler)),
        )

    def _code(self, logical_id: str, properties: Properties) -> tuple[Path | None, str | None, bool]:
        """Its folder, file or zip, or its text, and whether it is a container image instead."""
        is_image = properties.text("PackageType", "Zip") == "Image"
        if self._declared.types[logical_id] == PLAIN_FUNCTION:
            if isinstance(code := properties.raw("Code"), str):
                return self._local(code), None, is_image
            given = properties.section("Code")
            given.dismiss()
            return None, given.optional_text("ZipFile"), is_image or given.has("ImageUri")
        is_image = is_image or properties.raw("ImageUri") is not None
        if (source := properties.optional_text("InlineCode")) is not None or is_image:
            return None, source, is_image
        return self._local(properties.raw("CodeUri") or "."), None, False

    def _layer(self, logical_id: str) -> Path | None:
        is_sam = self._declared.types[logical_id] == SAM_LAYER
        return self._local(self._declared.properties(logical_id).raw("ContentUri" if is_sam else "Content"))

    def _local(self, given: Any) -> Path | None:
        """The path that a template names; None for code in a bucket."""
        is_local = isinstance(given, str) and not given.startswith(("s3://", "https://"))
        return self._folder / given if is_local else None


def _is_ours(code: Path | None, handler: str) -> bool:
    """Whether a handler with our name runs from this installation: it has no code of that name, or this very file."""
    module = handler.rpartition(".")[0].replace(".", "/") + ".py"
    with suppress(OSError, ValueError):  # a zip, or a path that no file can have
        return code is None or (code / module).samefile(packaged_template().parent.parent / module)
    return True


def _asynchronous(properties: Properties, is_sam: bool) -> AsynchronousInvocation:
    if not is_sam:
        return AsynchronousInvocation(dead_letter_arn=properties.section("DeadLetterConfig").optional_text("TargetArn"))
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
