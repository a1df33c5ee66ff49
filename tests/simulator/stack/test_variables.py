"""Which variables are withheld from a handler, and that the rest is not."""

from __future__ import annotations

import pytest

from fakes import declare
from simulator.stack.template import load
from simulator.stack.variables import leads_away, withheld


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_EVENTBRIDGE", "AWS_CSM_PORT", "https_proxy"),
        *("HTTP_PROXY", "All_Proxy", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_USE_FIPS_ENDPOINT"),
        *("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    ],
)
def test_what_leads_away_is_withheld(name: str) -> None:
    """It is reported for its function, and for no other."""
    assert leads_away(name)
    functions = {"One": declare.function("One", environment={name: "x", "OTHER": "y"}), "Two": declare.function("Two")}
    assert withheld(declare.stack(functions=functions)) == {"One": [name]}


@pytest.mark.parametrize(
    "name", ["PROXY", "proxy_", "MY_PROXY_URL", "AWS_PROFILE", "AWS_MAX_ATTEMPTS", "AWS_ENDPOINT", "aws_endpoint_url"]
)
def test_what_leads_nowhere_is_not(name: str) -> None:
    """AWS's variables are upper case, and only the end of a name makes it a proxy."""
    assert not leads_away(name)


def test_the_pipeline_s_own_template_has_none() -> None:
    """No line is printed about it."""
    assert withheld(load()) == {}
