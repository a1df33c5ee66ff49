"""Which requests our ports accept: those of this machine's programs, none from a foreign web page."""

from __future__ import annotations

import pytest

from simulator.base import doors
from simulator.base.doors import is_loopback_name, is_loopback_url, refusal


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "bucket.localhost", "a.b.localhost", "127.0.0.1", "127.255.0.3", "[::1]"],
)
def test_names_of_this_machine_are_let_in(host: str) -> None:
    """They may have any port or none, as the host or as the origin of a page that this machine serves."""
    assert is_loopback_name(host)
    for port in ("", ":", ":1", ":65535"):
        assert refusal(f"{host}{port}", None, None) is None
        for scheme in ("http", "https"):
            assert refusal("127.0.0.1", f"{scheme}://{host}{port}", None) is None


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evillocalhost", "128.0.0.1", "127.0.0"),
        *("[::2]", "::1", "[::1", "0.0.0.0", "192.168.0.1", "localhost:1:2", "localhost:x", "a" * 400 + ".localhost"),
        *("localhost@evil.example", "2130706433", "\x00", "é.example", "127.0.0.1\nX: y"),
        *("evil.example/.localhost", "evil.example#.localhost", "evil.example:80.localhost", "..localhost"),
    ],
)  # fmt: skip
def test_a_host_or_an_origin_of_elsewhere_is_refused(host: str) -> None:
    """The line says which and why, on one line of plain letters, and where programs reach the port."""
    for why, what in (
        (refusal(host, None, None), "host"),
        (refusal("localhost", f"http://{host}", None), "origin"),
    ):
        assert why is not None
        assert why.startswith(f"the {what} '")
        assert why.isprintable()
        assert why.isascii()
        assert "http://127.0.0.1" in why
        assert len(why) < 500


@pytest.mark.parametrize("origin", ["null", "file://localhost", "ftp://localhost", "localhost", "chrome-extension://a"])
def test_an_origin_that_is_not_a_page_of_this_machine_is_refused(origin: str) -> None:
    """A page without an origin, from a file or an extension, may be anybody's."""
    assert "is not this machine" in (refusal("localhost", origin, None) or "")


def test_without_a_host_or_an_origin_it_is_a_program() -> None:
    """HTTP/1.0 has no Host, and no program sends an Origin."""
    assert refusal(None, None, None) is None
    assert refusal("", "", "") is None


def test_another_site_is_refused_where_no_origin_says_more() -> None:
    """An image or a link on a foreign page has no Origin, but the browser still says `cross-site`."""
    assert "another site" in (refusal("localhost:1", None, "cross-site") or "")
    assert "another site" in (refusal("localhost:1", "", " Cross-Site") or "")
    for site in ("same-origin", "same-site", "none"):
        assert refusal("localhost:1", None, site) is None
    assert refusal("localhost:1", "http://localhost:2", "cross-site") is None


def test_a_name_is_of_bounded_length() -> None:
    """Longer values are not names; in the message they are cut."""
    assert is_loopback_name(f"{'a' * 290}.localhost")
    assert not is_loopback_name(f"{'a' * 291}.localhost")
    assert f"'{'x' * 300}'" in (refusal("x" * 300, None, None) or "")
    assert f"'{'x' * 300}...'" in (refusal("x" * 301, None, None) or "")


def test_what_is_longer_than_names_is_not_kept() -> None:
    """A page's requests do not fill the cache of decisions; a program's are decided once."""
    doors._refusal.cache_clear()
    for given in ((100, 100, 101), (301, 0, 0), (0, 301, 0), (0, 0, 301)):
        refusal(*("x" * length for length in given))
    assert doors._refusal.cache_info().currsize == 0
    assert refusal("x" * 100, "x" * 100, "x" * 100)
    assert refusal("localhost", None, None) is None
    assert doors._refusal.cache_info().currsize == 2


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://localhost:4566", True),
        ("http://[::1]:80", True),
        ("https://s3.eu-central-1.amazonaws.com", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("http://s3.localhost.localstack.cloud:4566", False),
        ("ftp://127.0.0.1", False),
        ("http://[::1", False),
        ("127.0.0.1:5000", False),
    ],
)
def test_loopback_is_this_machine_alone(url: str, expected: bool) -> None:
    """Only addresses of this machine count as local endpoints."""
    assert is_loopback_url(url) is expected
