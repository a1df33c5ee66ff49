"""The context object of a handler, as AWS's Python runtime client builds it (awslambdaric, `lambda_context.py`)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from simulator.base.clock import Clock


class LambdaContext:
    """AWS's own attributes and methods. Names come from the function's variables; memory is a string on AWS, too."""

    def __init__(
        self, request_id: str, environ: Mapping[str, str], function_arn: str, deadline_at: float, clock: Clock
    ) -> None:
        self.aws_request_id = request_id
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = function_arn
        self.tenant_id: str | None = None
        self.client_context: Any = None
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline_at = deadline_at
        self._clock = clock

    def __repr__(self) -> str:
        return f"LambdaContext([aws_request_id={self.aws_request_id},function_name={self.function_name}])"

    def get_remaining_time_in_millis(self) -> int:
        """The time until the function's timeout; never below zero."""
        return max(0, int((self._deadline_at - self._clock.now()) * 1000))

    def log(self, message: object) -> None:
        """Write to the log stream without a newline, as the runtime client does."""
        sys.stdout.write(str(message))
