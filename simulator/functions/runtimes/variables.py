"""The variables that a function sees: its own, those that AWS reserves, and those that keep it on loopback.

AWS: Lambda Developer Guide, "Defined runtime environment variables" (configuration-envvars).
"""

from __future__ import annotations

import os

from simulator.base import limits
from simulator.base.principals import session_token
from simulator.stack.model import Function
from simulator.stack.variables import leads_away

DUMMY_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "dummy-access-key",
    "AWS_SECRET_ACCESS_KEY": "dummy-secret-key",
    "AWS_SESSION_TOKEN": "dummy-session-token",
}
_UNTRACED = {"AWS_XRAY_SDK_ENABLED": "false", "POWERTOOLS_TRACE_DISABLED": "true"}  # X-Ray is not simulated


def function_environ(function: Function, endpoint: str, log_stream: str, *, task_root: str) -> dict[str, str]:
    """The complete variables of one of the function's environments; nothing comes from this process.

    The variables that keep the handler away from AWS win over the function's own: the store's endpoint, dummy
    credentials, no metadata service, none of the user's configuration files. Variables that would lead elsewhere are
    left out. X-Ray's clients are off unless the function turns them on.
    """
    return {
        **_UNTRACED,
        **{name: value for name, value in function.environment.items() if not leads_away(name)},
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        **({"AWS_LAMBDA_LOG_LEVEL": function.log_level or "INFO"} if function.log_format == "JSON" else {}),
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": task_root,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        **on_loopback(endpoint),
        "AWS_SESSION_TOKEN": session_token(function.logical_id, log_stream),
    }


def on_loopback(endpoint: str) -> dict[str, str]:
    """The variables that keep code away from AWS."""
    return {
        **DUMMY_CREDENTIALS,
        "AWS_DEFAULT_REGION": limits.REGION,
        "AWS_REGION": limits.REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
