"""Signature Version 4, as the IAM User Guide has it ("Create a signed AWS API request").

`authorization` signs any request. `PostSigner` does the same for one kind of request and keeps what does not depend on
the body: the signing key for a day, everything but the body's hash for a second.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs; `token` for temporary credentials."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: one day (`YYYYMMDD`), region and service."""

    day: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def signing_key(secret_key: str, scope: Scope) -> bytes:
    """The key that signs within the scope."""
    key = f"AWS4{secret_key}".encode()
    for part in (scope.day, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def canonical_head(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: dict[str, str]
) -> tuple[str, str]:
    """The canonical request up to the body's hash, and the names of the signed headers.

    `path` is as it goes over the wire, `query` decoded; header values must not hold line ends.
    """
    pairs = sorted((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in query)
    lines = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in lines)
    canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
    canonical_headers = "".join(f"{name}:{value}\n" for name, value in lines)
    return f"{method}\n{quote(path, safe='/' + _UNRESERVED)}\n{canonical_query}\n{canonical_headers}\n{names}\n", names


def authorization(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: dict[str, str],
    body: bytes,
    credentials: Credentials,
    scope: Scope,
) -> str:
    """The Authorization header of a request; `headers` are all that are signed, `X-Amz-Date` among them."""
    head, names = canonical_head(method, path, query, headers)
    canonical = head + hashlib.sha256(body).hexdigest()
    stamp = next(value for name, value in headers.items() if name.lower() == "x-amz-date")
    to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(signing_key(credentials.secret_key, scope), to_sign.encode(), "sha256").hex()
    return f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"


class PostSigner:
    """Request heads for POSTs to one endpoint that differ in nothing but time and body.

    `headers` are the ones to sign besides `host`, `x-amz-date` and `x-amz-security-token`. `credentials` is asked at
    most once a second, which is how renewed ones come in; `now` gives seconds since the epoch.
    """

    def __init__(
        self,
        host: str,
        path: str,
        headers: dict[str, str],
        region: str,
        service: str,
        credentials: Callable[[], Awaitable[Credentials]],
        now: Callable[[], float],
    ) -> None:
        self._host = host
        self._path = path or "/"
        self._headers = headers
        self._region = region
        self._service = service
        self._credentials = credentials
        self._now = now
        self._second = -1
        self._key_of: tuple[Credentials, Scope] | None = None
        self._key = b""
        self._canonical = hashlib.sha256()
        self._to_sign = b""
        self._head = b""

    async def head(self, body: bytes) -> bytes:
        """Everything of the request before its body, signed for this second."""
        second = int(self._now())
        if second != self._second:
            self._prepare(second, await self._credentials())
        canonical = self._canonical.copy()
        canonical.update(hashlib.sha256(body).hexdigest().encode())
        signature = hmac.digest(self._key, self._to_sign + canonical.hexdigest().encode(), "sha256")
        return b"%b%b\r\nContent-Length: %d\r\n\r\n" % (self._head, signature.hex().encode(), len(body))

    def _prepare(self, second: int, credentials: Credentials) -> None:
        stamp = datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = Scope(stamp[:8], self._region, self._service)
        if self._key_of != (credentials, scope):
            self._key = signing_key(credentials.secret_key, scope)
            self._key_of = (credentials, scope)
        headers = {"Host": self._host, **self._headers, "X-Amz-Date": stamp}
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
        canonical, names = canonical_head("POST", self._path, (), headers)
        self._canonical = hashlib.sha256(canonical.encode())
        self._to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n".encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = (
            f"POST {self._path} HTTP/1.1\r\n{lines}Accept-Encoding: identity\r\n"
            f"Authorization: {ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature="
        ).encode()
        self._second = second
