"""Signs requests in advance, with botocore's own signers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simulator.files.finding import content_type


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A complete HTTP request."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """The signing credentials and region. Keys leave this process only through the generator's standard input."""

    access_key: str
    secret_key: str
    token: str | None
    region: str


class Signer:
    """Creates signed requests to one endpoint."""

    def __init__(self, endpoint: str, identity: Identity) -> None:
        self._endpoint = endpoint.rstrip("/")
        who, region = Credentials(identity.access_key, identity.secret_key, identity.token), identity.region
        self._signers: dict[str, Any] = {"s3": S3SigV4Auth(who, "s3", region)}
        self._signers |= {service: SigV4Auth(who, service, region) for service in ("sqs", "dynamodb")}

    def put_object(self, bucket_url: str, key: str, body: bytes) -> SignedRequest:
        """PutObject, with the media type of the key's suffix; `bucket_url` has no trailing slash."""
        return self._signed("s3", "PUT", f"{bucket_url}/{quote(key)}", {"Content-Type": content_type(key)}, body)

    def get_object(self, bucket_url: str, key: str) -> SignedRequest:
        """GetObject."""
        return self._signed("s3", "GET", f"{bucket_url}/{quote(key)}")

    def call(self, service: str, target: str, body: bytes) -> SignedRequest:
        """A call in the JSON protocol of SQS and DynamoDB; `target` is the X-Amz-Target."""
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
        return self._signed(service, "POST", f"{self._endpoint}/", headers, body)

    def _signed(
        self, service: str, method: str, url: str, headers: Mapping[str, str] = {}, body: bytes = b""
    ) -> SignedRequest:
        request = AWSRequest(method, url, dict(headers), body)
        # Objects travel over loopback or TLS, so there is no need to hash them twice.
        request.context["payload_signing_enabled"] = service != "s3"
        self._signers[service].add_auth(request)
        return SignedRequest(method, url, dict(request.headers.items()), body)
