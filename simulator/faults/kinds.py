"""The kinds of faults: where each may strike, what it does, and the AWS page or report that it is modelled on. Pure.

A site is where a fault is decided: a service's operation (`s3.GetObject`), an event of S3 (`s3.notification`), a
function's invocation or init (`invoke.ConsumerLambda`, `init.ConsumerLambda`), a schedule's tick (`tick.Schedule`).
The calls of functions to S3 and DynamoDB count, and everybody's to SQS, because the pollers' are AWS's own there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from simulator.base.errors import UnusableValueError
from simulator.base.nearest import did_you_mean

if TYPE_CHECKING:
    from random import Random

Unit = Literal["", "s", "share", "waits"]
Scope = Literal["call", "service", "function", "environment"]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    `sites` are patterns. `told` says what it does, in words for a story; `{}` is the argument, in `unit`, which is
    drawn between `least` and `most`. A fault with a `scope` other than `call` lasts: it strikes everything in the scope
    for as many seconds as the argument says.
    """

    name: str
    sites: tuple[str, ...]
    told: str
    source: str
    unit: Unit = ""
    least: float = 0.0
    most: float = 0.0
    scope: Scope = "call"

    @property
    def meaning(self) -> str:
        """What it does, with the range of its argument."""
        if self.unit == "waits":
            return self.told.format(f"n-th time (n from {self.least:.0f} to {self.most:.0f})")
        percents = f"{self.least:.0%} to {self.most:.0%}"
        return self.told.format(percents if self.unit == "share" else f"{self.least:g} to {self.most:g} s")

    def may_strike(self, site: str) -> bool:
        """Whether it is one of its sites."""
        return any(fnmatchcase(site, pattern) for pattern in self.sites)

    def draw(self, chance: Random) -> float:
        """An argument: small ones are as frequent as large ones, on a logarithmic scale."""
        if self.unit == "" or self.least == self.most:
            return self.least
        if self.least <= 0:
            return round(chance.uniform(self.least, self.most), 3)
        drawn = math.exp(chance.uniform(math.log(self.least), math.log(self.most)))
        return float(round(drawn)) if self.unit == "waits" else round(drawn, 3)


_S3 = ("s3.GetObject", "s3.PutObject", "s3.HeadObject", "s3.CopyObject", "s3.DeleteObject*", "s3.ListObjects*",
       "s3.*Upload*", "s3.UploadPart*")  # fmt: skip
_READ = ("s3.GetObject",)
_DYNAMODB = ("dynamodb.*Item*", "dynamodb.Query", "dynamodb.Scan")
_CALLS = (*_S3, *_DYNAMODB)
_RECEIVE = ("sqs.ReceiveMessage",)
_VISIBILITY = (*_RECEIVE, "sqs.ChangeMessageVisibility*")
_DELETE = ("sqs.DeleteMessage", "sqs.DeleteMessageBatch")
_EVENT = ("s3.notification",)
_INVOKE, _INIT = ("invoke.*",), ("init.*",)

_S3_ERRORS = "S3 API Reference, ErrorResponses"
_S3_RETRIES = "S3 User Guide, ErrorBestPractices"
_S3_READS = "S3 User Guide, Welcome (ConsistencyModel)"
_S3_BROKEN = "aws/aws-cli#2772: S3's connection is closed before there is an answer"
_EVENTS = "S3 User Guide, EventNotifications"
_SQS_GUIDE = "SQS Developer Guide"
_SQS_RETRY = "SQS Developer Guide, handling-request-errors: requests fail or time out, and are sent again"
_DB_ERRORS = "DynamoDB Developer Guide, Programming.Errors"
_ENVIRONMENT = "Lambda Developer Guide, lambda-runtime-environment"

ALL: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        # S3
        FaultKind("s3-slow-down", _S3, "S3 answers 503 SlowDown", f"{_S3_ERRORS}: SlowDown, with status 503"),
        FaultKind("s3-internal-error", _S3, "S3 answers 500 InternalError",
             f"{_S3_RETRIES}: after an InternalError, send the request again"),
        FaultKind("s3-no-answer", _S3, "the connection breaks after {}, and nothing is done", _S3_BROKEN, "s", 0, 30),
        FaultKind("s3-answer-lost", _S3, "it is done, and the connection breaks after {}",
             f"{_S3_BROKEN}; {_S3_RETRIES}: what failed may be done", "s", 0, 30),
        FaultKind("s3-cut-short", _READ, "the connection breaks after {} of the body",
             "boto/botocore#2745, boto/boto3#2495: the connection breaks while the body is read", "share", 0, 1),
        FaultKind("s3-slow", _S3, "S3 takes {} longer",
             "S3 User Guide, optimizing-performance-design-patterns: some requests are slow; send those again",
             "s", 0.2, 40),
        FaultKind("s3-gone", _READ, "somebody has deleted the object",
             f"{_S3_READS}: a read after a delete finds nothing"),
        FaultKind("s3-replaced", _READ, "somebody has replaced the object with another one",
             f"{_S3_READS}: a read after an overwrite finds what is new"),
        # S3's events
        FaultKind("notification-late", _EVENT, "the event is {} late",
             f"{_EVENTS}: it takes seconds as a rule, and now and then over a minute", "s", 10, 300),
        FaultKind("notification-twice", _EVENT, "the event comes twice, {} apart",
             f"{_EVENTS}: each event comes once or more", "s", 0.1, 120),
        FaultKind("notification-out-of-order", _EVENT, "the bucket's next event comes first, if within {}",
             "S3 User Guide, notification-content-structure: events come in any order, and have a sequencer",
             "s", 5, 120),
        FaultKind("notification-together", _EVENT, "the event comes with the bucket's next, if within {}",
             "S3 User Guide, notification-content-structure: a message has a list of records", "s", 5, 120),
        # SQS
        FaultKind("sqs-delivered-twice", _RECEIVE, "the messages stay visible, and come again",
             f"{_SQS_GUIDE}, standard-queues-at-least-once-delivery: a server that was away still has its copy"),
        FaultKind("sqs-out-of-order", _RECEIVE, "the last messages come first",
             f"{_SQS_GUIDE}, standard-queues: messages come in order as far as possible, not always"),
        FaultKind("sqs-empty-receive", _RECEIVE, "the answer is empty although there are messages",
             f"{_SQS_GUIDE}, best-practices-setting-up-long-polling: some empty answers are false"),
        FaultKind("sqs-receive-lost", _RECEIVE, "messages are received, and the answer is lost",
             f"{_SQS_GUIDE}, avoiding-inconsistent-message-processing: a receive counts that never reached anybody"),
        FaultKind("sqs-delete-failed", _DELETE, "SQS does not delete: InternalError",
             "SQS API Reference, API_DeleteMessageBatch: entries may fail in a good answer; bbc/sqs-consumer#193"),
        FaultKind("sqs-delete-lost", _DELETE, "the request is lost, and nothing is deleted", _SQS_RETRY),
        FaultKind("sqs-delete-answer-lost", _DELETE, "the messages are deleted, and the answer is lost",
             f"{_SQS_RETRY}; numaproj/numaflow#3615: a second delete succeeds"),
        FaultKind("sqs-visibility-late", _VISIBILITY, "a visibility takes effect {} late",
             f"{_SQS_GUIDE}, sqs-visibility-timeout: a standard queue may send a message again before it ends",
             "s", 1, 120),
        # DynamoDB
        FaultKind("dynamodb-throttled-some", ("dynamodb.BatchWriteItem",), "{} of the rows are left unprocessed",
             f"{_DB_ERRORS} (BatchOperations): single rows fail, mostly throttled, and are UnprocessedItems",
             "share", 0.05, 0.95),
        FaultKind("dynamodb-throttled", _DYNAMODB, "DynamoDB throttles everything for {}",
             f"{_DB_ERRORS}: ProvisionedThroughputExceededException, with status 400", "s", 0.1, 240, "service"),
        FaultKind("dynamodb-internal-error", _DYNAMODB, "DynamoDB answers 500 InternalServerError",
             f"{_DB_ERRORS} (http5xx): status 500 is normal now and then; send the request again"),
        FaultKind("dynamodb-no-answer", _DYNAMODB, "the connection breaks after {}, and nothing is done",
             f"{_DB_ERRORS} (RetryAndBackoff): whatever is on the way may fail at any moment", "s", 0, 10),
        FaultKind("dynamodb-answer-lost", _DYNAMODB, "it is done, and the connection breaks after {}",
             f"{_DB_ERRORS} (http5xx): a write that failed with status 500 may be done", "s", 0, 10),
        FaultKind("dynamodb-applied-late", ("dynamodb.*Write*", "dynamodb.PutItem", "dynamodb.UpdateItem",
             "dynamodb.DeleteItem"), "no answer comes, and it is done {} later",
             "AWS Builders' Library, timeouts-retries-and-backoff-with-jitter: a call that timed out may be done",
             "s", 0.05, 20),
        FaultKind("dynamodb-damaged", _DYNAMODB, "it is done, and the answer is damaged",
             "aws-sdk-go-v2, dynamodb/internal/customizations: clients check X-Amz-Crc32; aws/aws-sdk-java#1018"),
        FaultKind("dynamodb-slow", _DYNAMODB, "DynamoDB takes {} longer",
             "repost.aws, dynamodb-maximum-latency: one request is slow while a node is busy or fails", "s", 0.1, 20),
        # Lambda
        FaultKind("lambda-init-failed", _INIT, "the runtime exits during init", f"{_ENVIRONMENT}: a crash during init"),
        FaultKind("lambda-init-slow", _INIT, "init takes {} longer",
             f"{_ENVIRONMENT}: init may take 10 seconds, and is then done again in the invocation", "s", 1, 15),
        FaultKind("lambda-crash", _INVOKE, "the runtime exits when the handler waits for the {}",
             f"{_ENVIRONMENT}: a crash during invoke resets the environment", "waits", 1, 400),
        FaultKind("lambda-out-of-memory", _INVOKE, "the runtime is killed, out of memory, at the {}",
             "DataDog/datadog-lambda-extension#776, #1241: with Python, the error type is Runtime.OutOfMemory",
             "waits", 1, 400),
        FaultKind("lambda-deadline", _INVOKE, "the handler gets no further than the {}, and is killed at its deadline",
             f"{_ENVIRONMENT}: a timeout during invoke resets the environment", "waits", 1, 400),
        FaultKind("lambda-throttled", _INVOKE, "Lambda throttles the function for {}",
             "Lambda Developer Guide, services-sqs-errorhandling and invocation-async: what was throttled is retried",
             "s", 0.5, 240, "function"),
        FaultKind("lambda-frozen", _CALLS, "the environment was frozen: its connections are dead",
             f"{_ENVIRONMENT}: freeze and thaw; psf/requests#4506, aws/aws-lambda-web-adapter#830"),
        FaultKind("lambda-clock-apart", _INIT, "the environment's clock is {} apart",
             "Lambda Developer Guide, configuration-envvars (TZ): the environment's clock is as good as NTP",
             "s", -5, 5),
        # EventBridge
        FaultKind("tick-twice", ("tick.*",), "the schedule's event is sent twice, {} apart",
             "EventBridge User Guide, eb-troubleshooting: a rule may run, or call its target, twice at one time",
             "s", 0.1, 30),
        FaultKind("tick-late", ("tick.*",), "the schedule's event is {} late",
             "EventBridge User Guide, eb-troubleshooting: a rule runs within a minute, or is delivered again for a day",
             "s", 5, 150),
        # IAM
        FaultKind("iam-denied", _CALLS, "the function may not use the service for {}",
             "IAM User Guide, troubleshoot (troubleshoot_general_eventual-consistency): changes are seen late",
             "s", 0.5, 240, "function"),
        FaultKind("credentials-expired", _CALLS, "the environment's credentials have expired, for {}",
             "IAM User Guide, id_credentials_temp; aws-solutions/centralized-logging-with-opensearch#313: expired",
             "s", 0.5, 120, "environment"),
    )
}  # fmt: skip


def matching(kinds: Iterable[str], site: str) -> tuple[FaultKind, ...]:
    """Those of these kinds that may strike at a site, in the catalogue's order."""
    asked = set(kinds)
    return tuple(kind for kind in ALL.values() if kind.name in asked and kind.may_strike(site))


def find(name: str) -> FaultKind:
    """The kind of this name; the `ValueError` says which one may have been meant."""
    kind = ALL.get(name.strip())
    if kind is None:
        how = did_you_mean(name, ALL, "`stockpipe simulate --fault list` lists them")
        raise UnusableValueError(f"there is no fault '{name}'", how)
    return kind
