"""What a request made by hand must carry: no signature is checked here, but without one AWS refuses."""

from __future__ import annotations


def signed(service: str, region: str = "us-east-1") -> str:
    """An Authorization header that names a service and a Region."""
    return f"AWS4-HMAC-SHA256 Credential=TESTING/20261122/{region}/{service}/aws4_request, Signature=0"


def signed_json(target: str, operation: str) -> dict[str, str]:
    """The headers of a request in the JSON protocol; `target` is the service as `X-Amz-Target` names it."""
    service = "sqs" if target == "AmazonSQS" else "dynamodb"
    named = {"X-Amz-Target": f"{target}.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    return {"Authorization": signed(service), **named}
