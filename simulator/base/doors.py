"""Who may ask a port of ours: a program of this machine, and no web page that its browser shows. Pure.

A page from anywhere can make a browser send requests to loopback: a form, an image, a script of a name that its owner
points at 127.0.0.1 (DNS rebinding). A browser says so: Host has the name that the page used, Origin where the page is
from, Sec-Fetch-Site whether that is another site. AWS's clients send a loopback Host and nothing else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"([\w-]+\.)*localhost|127(\.[0-9]{1,3}){3}|\[::1\]", re.ASCII)
_PORT = re.compile(r":[0-9]{0,5}$")
_LONGEST = 300
_WAY_OUT = "the port is for programs of this machine, which reach it at http://127.0.0.1 or http://localhost"


def is_loopback_name(host: str) -> bool:
    """Whether it is a name or an address of this machine alone, in brackets if it is of IPv6."""
    return len(host) <= _LONGEST and _LOOPBACK.fullmatch(host.lower().removesuffix(".")) is not None


def is_loopback_url(url: str) -> bool:
    """Whether the URL, of HTTP or HTTPS, is of this machine alone."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and is_loopback_name(_PORT.sub("", parts.netloc))
    except ValueError:  # of brackets that do not close
        return False


def refusal(host: str | None, origin: str | None, site: str | None) -> str | None:
    """Why a request with these headers is refused, in one line; None for one that is not.

    `host`, `origin` and `site` are Host, Origin and Sec-Fetch-Site, None or empty where there is none: HTTP/1.0 has no
    Host, and only a browser sends the others.
    """
    if len(host or "") + len(origin or "") + len(site or "") > _LONGEST:
        return _refusal.__wrapped__(host, origin, site)  # no names of this machine, and not worth keeping
    return _refusal(host, origin, site)


@lru_cache(maxsize=1_024)
def _refusal(host: str | None, origin: str | None, site: str | None) -> str | None:
    if host and not is_loopback_name(_PORT.sub("", host.strip())):
        return f"the host {_short(host)} is not this machine: {_WAY_OUT}"
    if origin and not is_loopback_url(origin.strip()):
        return f"the origin {_short(origin)} is not this machine: {_WAY_OUT}"
    if site and not origin and site.strip().lower() == "cross-site":
        return f"a page of another site sent this request: {_WAY_OUT}"
    return None


def _short(value: str) -> str:
    return ascii(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}...")
