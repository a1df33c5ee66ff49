"""Who may use one of our ports: a program on this machine, but not a web page in its browser. Pure.

A page from anywhere can make a browser send requests to loopback: a form, an image, or a script from a name that its
owner points at 127.0.0.1 (DNS rebinding). The browser's headers show it: Host has the name that the page used, Origin
where the page is from, Sec-Fetch-Site whether that is another site. AWS's clients send only a loopback Host.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"([\w-]+\.)*localhost|127(\.[0-9]{1,3}){3}|\[::1\]", re.ASCII)
_PORT = re.compile(r":[0-9]{0,5}$")
_LONGEST = 300
_WAY_OUT = "only programs on this machine may use the port, at http://127.0.0.1 or http://localhost"


def is_loopback_name(host: str) -> bool:
    """Whether the name or address refers only to this machine; an IPv6 address is in brackets."""
    return len(host) <= _LONGEST and _LOOPBACK.fullmatch(host.lower().removesuffix(".")) is not None


def is_loopback_url(url: str) -> bool:
    """Whether the HTTP or HTTPS URL refers only to this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and is_loopback_name(_PORT.sub("", parts.netloc))
    except ValueError:  # brackets that do not close
        return False


def refusal(host: str | None, origin: str | None, site: str | None) -> str | None:
    """Why a request with these headers is refused, in one line; None if it is accepted.

    `host`, `origin` and `site` are Host, Origin and Sec-Fetch-Site, None or empty if missing: HTTP/1.0 has no Host, and
    only browsers send the others.
    """
    if len(host or "") + len(origin or "") + len(site or "") > _LONGEST:
        return _refusal.__wrapped__(host, origin, site)  # too long for a name of this machine, and not worth caching
    return _refusal(host, origin, site)


@lru_cache(maxsize=1_024)
def _refusal(host: str | None, origin: str | None, site: str | None) -> str | None:
    if host and not is_loopback_name(_PORT.sub("", host.strip())):
        return f"the host {_short(host)} is not this machine: {_WAY_OUT}"
    if origin and not is_loopback_url(origin.strip()):
        return f"the origin {_short(origin)} is not this machine: {_WAY_OUT}"
    if site and not origin and site.strip().lower() == "cross-site":
        return f"a page from another site sent this request: {_WAY_OUT}"
    return None


def _short(value: str) -> str:
    return ascii(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}...")
