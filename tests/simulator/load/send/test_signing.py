"""The load test's own signatures."""

from __future__ import annotations

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from simulator.load.send.signing import Identity, Signer

WHO = Identity("stockpipe", "stockpipe", None, "us-east-1")


def test_a_put_is_signed_as_botocore_signs_it() -> None:
    """The prepared request carries the signature that botocore computes for the same instant."""
    request = Signer("http://127.0.0.1:1", WHO).put_object("http://127.0.0.1:1/b", "stocks/a b.csv", b"body")
    assert request.url == "http://127.0.0.1:1/b/stocks/a%20b.csv"
    mine = AWSRequest("PUT", request.url, {"Content-Type": "text/csv"}, b"body")
    mine.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = S3SigV4Auth(Credentials("stockpipe", "stockpipe"), "s3", "us-east-1")
    mine.headers["X-Amz-Date"] = request.headers["X-Amz-Date"]
    mine.headers["X-Amz-Content-SHA256"] = request.headers["X-Amz-Content-SHA256"]
    canonical = signer.canonical_request(mine)
    signature = signer.signature(signer.string_to_sign(mine, canonical), mine)
    assert request.headers["Authorization"].endswith(f"Signature={signature}")


def test_an_object_has_the_media_type_of_its_suffix() -> None:
    """A function may look at it; S3's own default stands for any other suffix."""
    signer = Signer("http://127.0.0.1:1", WHO)
    kinds = [signer.put_object("http://e/b", key, b"").headers["Content-Type"] for key in ("1.csv", "1-x.json", "1")]
    assert kinds == ["text/csv", "application/json", "binary/octet-stream"]
