"""What botocore works out anew for every call, and what a world remembers of it."""

from __future__ import annotations

import json
from copy import copy
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore import parsers
from botocore.config import Config
from botocore.context import with_current_context
from botocore.endpoint_provider import EndpointProvider
from botocore.useragent import UserAgentString, register_feature_id

from simulator.base.clients import offline_session
from simulator.world.memos import remembered


def data(name: str) -> Any:
    """One of botocore's files."""
    return offline_session(botocore.session.Session).get_component("data_loader").load_data(name)


def test_no_rule_of_s3s_endpoints_mentions_a_key() -> None:
    """Otherwise two keys could have two endpoints, and a world would remember the wrong one."""
    rules = data("s3/2006-03-01/endpoint-rule-set-1")
    assert "Key" in rules["parameters"]
    assert '"Key"' not in json.dumps(rules["rules"])
    assert "{Key}" not in json.dumps(rules["rules"])


def test_endpoints_are_those_of_botocore_worked_out_once_per_bucket() -> None:
    """Another key gets the same object back, another bucket another endpoint."""
    provider = EndpointProvider(data("s3/2006-03-01/endpoint-rule-set-1"), data("partitions"))
    where = {"Region": "us-east-1", "UseFIPS": False, "UseDualStack": False}
    own, plain = EndpointProvider.resolve_endpoint, provider.resolve_endpoint(**where, Bucket="one", Key="a")
    with remembered():
        first, second, other = (
            provider.resolve_endpoint(**where, Bucket=bucket, Key=key)
            for bucket, key in (("one", "a"), ("one", "b"), ("two", "a"))
        )
    assert (first.url, first is second) == (plain.url, True)
    assert other.url != first.url
    assert EndpointProvider.resolve_endpoint is own


def agent() -> UserAgentString:
    """A session's user agent."""
    return UserAgentString.from_environment().set_session_config("Boto3", "1", "")


def test_a_user_agent_is_spelt_as_botocore_does() -> None:
    """For each client's own settings, and each set of features that a call uses."""
    clients = [agent().with_client_config(Config(user_agent_extra=extra)) for extra in ("one", "two")]
    wanted = [client.to_string() for client in clients]
    with remembered():
        shared = agent()
        clients = [shared.with_client_config(Config(user_agent_extra=extra)) for extra in ("one", "two")]
        shared.to_string()
        assert [client.to_string() for client in clients] == wanted
        assert [client.to_string() for client in clients] == wanted

        featured = copy(clients[0])
        featured.set_client_features({"WAITER"})
        assert featured.to_string() != wanted[0]
        assert clients[0].to_string() == wanted[0]

        @with_current_context()
        def paginated() -> str:
            register_feature_id("PAGINATOR")
            return str(clients[0].to_string())

        assert paginated() != wanted[0]
        assert clients[0].to_string() == wanted[0]


def test_an_instant_is_read_as_botocore_reads_it() -> None:
    """Numbers of different types are not taken for each other, and afterwards it is botocore's own function."""
    own = parsers.DEFAULT_TIMESTAMP_PARSER
    with remembered():
        read: Any = parsers.DEFAULT_TIMESTAMP_PARSER
        assert read("Thu, 01 Jan 2026 00:00:04 GMT") == datetime(2026, 1, 1, 0, 0, 4, tzinfo=UTC)
        assert read("1") == own("1")
    assert parsers.DEFAULT_TIMESTAMP_PARSER is own
