"""Signature Version 4, as in the IAM User Guide ("Create a signed AWS API request"), for one kind of request.

What does not depend on the body is cached: the signing key for a day, everything but the body's hash for a second.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass
class PostSigner:
    """Request heads for POSTs to one endpoint that differ only in time and body.

    `path` is as sent over the wire. `headers` are those to sign in addition to `host`, `x-amz-date` and
    `x-amz-security-token`; their values must not hold line ends. `credentials` is called at most once per second, which
    picks up renewed ones; `now` gives seconds since the epoch.
    """

    host: str
    path: str
    headers: dict[str, str]
    region: str
    service: str
    credentials: Callable[[], Awaitable[ReadOnlyCredentials]]
    now: Callable[[], float]

    def __post_init__(self) -> None:
        self.path = self.path or "/"
        self._second = -1
        self._key = self._to_sign = self._head = b""
        self._canonical = hashlib.sha256()

    async def head(self, body: bytes) -> bytes:
        """Everything of the request before its body, signed for this second."""
        second = int(self.now())
        if second != self._second:
            self._prepare(second, await self.credentials())
        canonical = self._canonical.copy()
        canonical.update(hashlib.sha256(body).hexdigest().encode())
        signature = hmac.digest(self._key, self._to_sign + canonical.hexdigest().encode(), "sha256")
        return b"%b%b\r\nContent-Length: %d\r\n\r\n" % (self._head, signature.hex().encode(), len(body))

    def _prepare(self, second: int, credentials: ReadOnlyCredentials) -> None:
        stamp = datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
        parts = (stamp[:8], self.region, self.service, "aws4_request")
        scope = "/".join(parts)
        self._key = _signing_key(credentials.secret_key, parts)
        headers = {"Host": self.host, **self.headers, "X-Amz-Date": stamp}
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
        signed = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
        names = ";".join(name for name, _ in signed)
        canonical = "".join(f"{name}:{value}\n" for name, value in signed)
        self._canonical = hashlib.sha256(f"POST\n{quote(self.path, safe='/-_.~')}\n\n{canonical}\n{names}\n".encode())
        self._to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n".encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = (
            f"POST {self.path} HTTP/1.1\r\n{lines}Accept-Encoding: identity\r\n"
            f"Authorization: {ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature="
        ).encode()
        self._second = second


@lru_cache(4)
def _signing_key(secret_key: str, scope: tuple[str, ...]) -> bytes:
    """The key for a day, a region and a service. A few are cached: each serves until midnight or a renewal."""
    key = f"AWS4{secret_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key
