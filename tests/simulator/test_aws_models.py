"""AWS's quotas as its own API models state them, held against ours: a change of AWS's is noticed, not met by chance.

The models are the ones that the installed botocore carries; `make aws-models` adds those of the newest one. Each
difference stands in `REVIEWED` with its reason; any other fails, and so does one that has gone. When this fails: read
the service's guide, decide whether to refuse, to advise or to leave it out, and mend `simulator/base/limits.py`, the
template and docs/fidelity.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from pipeline.log import LEVELS
from simulator.base import limits
from simulator.stack import template
from simulator.store.s3.rules import CHECKSUMS, NOT_COMPUTED

NEWEST = os.environ.get("AWS_MODELS")
"""A directory of botocore's models, of a newer version than the installed one."""
EDITIONS = {"installed": None, **({"newest": NEWEST} if NEWEST else {})}


@cache
def model(edition: str, service: str) -> Any:
    """A service's API model."""
    if EDITIONS[edition] is None:
        return Loader().load_service_model(service, "service-2")
    return Loader(extra_search_paths=[EDITIONS[edition]], include_default_search_paths=False).load_service_model(
        service, "service-2"
    )


def shape(edition: str, service: str, name: str) -> Any:
    """One shape of it."""
    return model(edition, service)["shapes"][name]


Value = tuple[Any, ...] | frozenset[str]


@dataclass(frozen=True)
class Quota:
    """A shape of a model, what we hold it to be, and where that is."""

    service: str
    shape: str
    ours: Value
    where: str

    def theirs(self, edition: str) -> Value:
        """The model's range, or the members of its list; of runtimes Python's alone."""
        found = shape(edition, self.service, self.shape)
        if "enum" not in found:
            return found.get("min"), found.get("max")
        return frozenset(each for each in found["enum"] if self.shape != "Runtime" or each.startswith("python"))


PYTHONS = (*limits.PYTHON_RUNTIMES_ENDED, *limits.PYTHON_RUNTIMES, *limits.PYTHON_RUNTIMES_UNCONFIRMED)
THROTTLES = frozenset(
    {
        "ConcurrentInvocationLimitExceeded",
        "ReservedFunctionConcurrentInvocationLimitExceeded",
        "FunctionInvocationRateLimitExceeded",
        "ReservedFunctionInvocationRateLimitExceeded",
        "EnvironmentStartRateExceeded",
    }
)
LIMITS = "simulator/base/limits.py: "
QUOTAS = (
    Quota("lambda", "Timeout", limits.FUNCTION_TIMEOUT_S, LIMITS + "FUNCTION_TIMEOUT_S"),
    Quota("lambda", "MemorySize", limits.FUNCTION_MEMORY_MB, LIMITS + "FUNCTION_MEMORY_MB"),
    Quota("lambda", "BatchSize", limits.MAPPING_BATCH_SIZE, LIMITS + "MAPPING_BATCH_SIZE"),
    Quota("lambda", "MaximumBatchingWindowInSeconds", limits.MAPPING_WINDOW_S, LIMITS + "MAPPING_WINDOW_S"),
    Quota("lambda", "MaximumConcurrency", limits.MAPPING_MAXIMUM_CONCURRENCY, LIMITS + "MAPPING_MAXIMUM_CONCURRENCY"),
    Quota(
        "lambda", "MinimumNumberOfPollers", limits.PROVISIONED_POLLERS_MINIMUM, LIMITS + "PROVISIONED_POLLERS_MINIMUM"
    ),
    Quota(
        "lambda", "MaximumNumberOfPollers", limits.PROVISIONED_POLLERS_MAXIMUM, LIMITS + "PROVISIONED_POLLERS_MAXIMUM"
    ),
    Quota("lambda", "MaximumRetryAttempts", limits.ASYNC_RETRIES, LIMITS + "ASYNC_RETRIES"),
    Quota("lambda", "MaximumEventAgeInSeconds", limits.ASYNC_EVENT_AGE_S, LIMITS + "ASYNC_EVENT_AGE_S"),
    Quota("lambda", "Runtime", frozenset(f"python{each}" for each in PYTHONS), LIMITS + "PYTHON_RUNTIMES"),
    Quota(
        "lambda",
        "FunctionResponseType",
        frozenset({"ReportBatchItemFailures"}),
        "simulator/stack/triggers.py: FunctionResponseTypes",
    ),
    Quota("lambda", "ThrottleReason", THROTTLES, "simulator/functions/environments.py: Throttled"),
    Quota("lambda", "ApplicationLogLevel", frozenset(limits.LOG_LEVELS), LIMITS + "LOG_LEVELS"),
    Quota("lambda", "ApplicationLogLevel", frozenset(LEVELS), "pipeline/log.py: LEVELS"),
    Quota("s3", "Event", limits.S3_EVENTS, LIMITS + "S3_EVENTS"),
    Quota(
        "s3",
        "ChecksumAlgorithm",
        frozenset(each.upper() for each in (*CHECKSUMS, *NOT_COMPUTED)),
        "simulator/store/s3/rules.py: CHECKSUMS",
    ),
)


@dataclass(frozen=True)
class Reviewed:
    """A difference that is meant: the model's range and ours, or what its list has too little and too much; and why."""

    shape: str
    difference: Value
    reason: str
    editions: tuple[str, ...] = ("installed", "newest")


INSTALLED, LATER = ("installed",), ("newest",)
OLDER = "the installed botocore is older than the change"
REVIEWED = (
    Reviewed("Timeout", ((1, None), (1, 1_800)), "an older model: its text says 900 s", INSTALLED),
    Reviewed(
        "Timeout", ((1, 5_400), (1, 1_800)), "5,400 s are for Managed Instances; the member's text says 1,800 s", LATER
    ),
    Reviewed("MemorySize", ((128, 10_240), (128, 32_768)), OLDER, INSTALLED),
    Reviewed("MinimumNumberOfPollers", ((1, 200), (2, 200)), "for all sources; the text asks for 2 of SQS"),
    Reviewed("MaximumNumberOfPollers", ((1, 2_000), (2, 10_000)), OLDER, INSTALLED),
    Reviewed(
        "MaximumNumberOfPollers", ((1, 10_000), (2, 10_000)), "for all sources; the text asks for 2 of SQS", LATER
    ),
    Reviewed("Runtime", (frozenset({"python3.14", "python3.15"}), frozenset()), OLDER, INSTALLED),
    Reviewed(
        "ThrottleReason",
        (
            frozenset({"EnvironmentStartRateExceeded"}),
            frozenset({"CallerRateLimitExceeded", "ConcurrentSnapshotCreateLimitExceeded"}),
        ),
        "what AWS calls a start rate that is too high is not published; callers and snapshots are not simulated",
    ),
    Reviewed(
        "Event",
        (
            frozenset({f"s3:{each}" for each in ("ObjectAnnotation:*", "ObjectAnnotation:Put")})
            | {"s3:ObjectAnnotation:Delete", "s3:ObjectRetention:Put"},
            frozenset(),
        ),
        OLDER,
        INSTALLED,
    ),
    Reviewed(
        "ChecksumAlgorithm",
        (frozenset({"SHA512", "MD5", *NOT_COMPUTED}), frozenset()),
        OLDER,
        INSTALLED,
    ),
)


def difference(quota: Quota, edition: str) -> Value | None:
    """The model's range and ours, or what our list has and the model's lacks, and the reverse; None if they agree."""
    theirs, ours = quota.theirs(edition), quota.ours
    if theirs == ours:
        return None
    if isinstance(theirs, frozenset) and isinstance(ours, frozenset):
        return ours - theirs, theirs - ours
    return theirs, ours


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("quota", QUOTAS, ids=lambda quota: quota.shape)
def test_a_quota_is_the_models(quota: Quota, edition: str) -> None:
    """A range or a list is what AWS's model says, but for what was reviewed."""
    found = difference(quota, edition)
    known = [each.difference for each in REVIEWED if each.shape == quota.shape and edition in each.editions]
    message = f"{quota.shape}: the {edition} model says {quota.theirs(edition)}, {quota.where} says {quota.ours}"
    assert found is None or found in known, message


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_was_reviewed_is_still_so(edition: str) -> None:
    """A reviewed difference that no longer exists leaves the table."""
    quotas = {quota.shape: quota for quota in QUOTAS}
    gone = [
        f"{each.shape}: reviewed was {each.difference}, now it is {difference(quotas[each.shape], edition)}"
        for each in REVIEWED
        if edition in each.editions and difference(quotas[each.shape], edition) != each.difference
    ]
    assert gone == []


LEFT_OUT = {
    "StreamSpecification": "nothing reads the stream",
    "SSESpecification": "nothing is encrypted",
    "Tags": "they describe, and are not told of",
    "TableClass": "a matter of price",
    "DeletionProtectionEnabled": "the store ends with the run",
    "ResourcePolicy": "the store has no IAM",
    "GlobalTableSourceArn": "there is one Region",
    "GlobalTableSettingsReplicationMode": "there is one Region",
    "VectorIndexes": "only the other indexes are made",
}
"""Members of CreateTable that change nothing of what happens to a row here, and why."""
TABLE = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: prices
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
"""


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_member_of_a_table_is_read_or_left_out_for_a_reason(edition: str, tmp_path: Path) -> None:
    """CreateTable: what a template may say of a table is acted on, or named with the reason why not."""
    members = set(shape(edition, "dynamodb", "CreateTableInput")["members"])
    file = tmp_path / "template.yaml"
    file.write_text(TABLE + "".join(f"      {name}: {{}}\n" for name in members if name not in TABLE))
    told = {each.property for each in template.load(file).ignored}
    assert told == (members & set(LEFT_OUT)) - {"Tags"}


PROSE: Mapping[str, tuple[str, Callable[[], int]]] = {
    "1,048,576": ("SQS_MESSAGE_BYTES", lambda: limits.SQS_MESSAGE_BYTES[1]),
    "43,200": ("SQS_VISIBILITY_TIMEOUT_S", lambda: limits.SQS_VISIBILITY_TIMEOUT_S[1]),
    "1,209,600": ("SQS_RETENTION_S", lambda: limits.SQS_RETENTION_S[1]),
    "120,000": ("SQS_IN_FLIGHT_MESSAGES", lambda: limits.SQS_IN_FLIGHT_MESSAGES),
}


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("stated", PROSE)
def test_a_figure_of_sqs_still_stands_in_its_texts(stated: str, edition: str) -> None:
    """SQS states its ranges in prose alone: our figure is among it."""
    name, ours = PROSE[stated]
    assert f"{ours():,}" == stated
    assert stated in str(model(edition, "sqs")), f"SQS no longer says {stated}; look at {name} in limits.py"
