"""The function variables that would lead an AWS SDK away from this machine, or from the endpoint given to it. Pure.

The SDKs and Tools Reference Guide lists them; the handlers here use botocore, boto3 and Python's own urllib.
"""

from __future__ import annotations

from simulator.stack.model import Stack

_NAMES = frozenset(
    {
        "AWS_ENDPOINT_URL",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",  # the endpoint that we give is a configured one
        "AWS_USE_FIPS_ENDPOINT",  # no SDK accepts it together with an endpoint
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_ENDPOINT_DISCOVERY_ENABLED",  # asks the endpoint for another one
        "AWS_ENABLE_ENDPOINT_DISCOVERY",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_XRAY_DAEMON_ADDRESS",
    }
)
_PREFIXES = ("AWS_ENDPOINT_URL_", "AWS_EC2_METADATA_SERVICE_", "AWS_CONTAINER_", "AWS_CSM_")


def leads_away(variable: str) -> bool:
    """Whether a handler must not see this variable of its function."""
    return variable in _NAMES or variable.startswith(_PREFIXES) or variable.lower().endswith("_proxy")


def withheld(stack: Stack) -> dict[str, list[str]]:
    """The variables withheld from each function's handler, by logical id; functions without any are left out."""
    found = {each.logical_id: sorted(filter(leads_away, each.environment)) for each in stack.functions.values()}
    return {logical_id: names for logical_id, names in found.items() if names}
