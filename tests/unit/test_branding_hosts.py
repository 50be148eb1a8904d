"""Which hosts may be a tenant's own, and at which host a request was made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.branding.hosts import ForwardedHost, host_of
from services.tenants.branding.errors import HostRefused
from services.tenants.branding.hosts import proper_host

BASE = "client.example"


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("photos.example.com", "photos.example.com"),
        (" Photos.Example.COM. ", "photos.example.com"),
        ("bücher.example.com", "xn--bcher-kva.example.com"),
        ("متجر.example.com", "xn--pgbep1f.example.com"),
        ("shop.co.uk", "shop.co.uk"),
        ("notclient.example", "notclient.example"),
    ],
)
def test_hosts_are_taken_as_dns_has_them(given_: str, expected: str) -> None:
    """Lower case and in A-labels."""
    assert proper_host(given_, BASE) == expected


@pytest.mark.parametrize(
    "given_",
    [
        "",
        ".",
        "com",
        "co.uk",
        "com.au",
        "localhost",
        "printer.local",
        "db.internal",
        "1.168.192.in-addr.arpa",
        "192.0.2.7",
        "[2001:db8::1]",
        "2001:db8::1",
        "0x7f.1",
        "client.example",
        "other.client.example",
        "a.b.client.example",
        "CLIENT.example.",
        "https://photos.example.com",
        "photos.example.com:443",
        "photos.example.com/x",
        "user@photos.example.com",
        "*.example.com",
        "-a.example.com",
        "a..example.com",
        "_dmarc.example.com",
        "a b.example.com",
        "a\u0000.example.com",
        "\u202e.example.com",
        "a" * 64 + ".example.com",
        "a." * 125 + "com",
    ],
)
def test_what_is_no_host_of_a_tenant_is_refused(given_: str) -> None:
    """Registries' names, addresses, the platform's own, and what is no host name at all."""
    with pytest.raises(HostRefused):
        proper_host(given_, BASE)


@given(st.text(max_size=80))
def test_any_text_is_a_host_or_refused(text: str) -> None:
    """And what is taken once is taken again as it is."""
    try:
        host = proper_host(text, BASE)
    except HostRefused:
        return
    assert proper_host(host, BASE) == host


def scope(*headers: tuple[str, str], client: str = "203.0.113.9") -> dict[str, Any]:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "headers": raw, "client": (client, 40000)}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example:8080", "shop.example"),
        ("shop.example.:8080", "shop.example"),
        ("a@shop.example", None),
        ("shop.example/x", None),
        ("shop.example, other.example", None),
        ("shop.example#other.example", None),
        ("shop.example:80:80", None),
        ("", None),
        ("sh\xf6p.example", None),
        ("shop.example\\x", None),
    ],
)
def test_the_host_is_one_name_or_none(told: str, expected: str | None) -> None:
    """Nothing is guessed from what is not one."""
    assert host_of(scope(("host", told))) == expected


def test_two_host_headers_are_no_host() -> None:
    """Proxies disagree on which of them counts."""
    assert host_of(scope(("host", "a.example"), ("host", "b.example"))) is None


async def through(trusted: str, asked: dict[str, Any]) -> str | None:
    seen: list[str | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(host_of(scope))

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is received or sent")

    await ForwardedHost(app, trusted)(asked, nothing, nothing)
    return seen[0]


@pytest.mark.parametrize("trusted", ["", "127.0.0.1", "10.0.0.0/8, 127.0.0.1", "unix:"])
async def test_a_forwarded_host_of_a_stranger_is_not_believed(trusted: str) -> None:
    """Else anybody could have one tenant's page cached as another's."""
    asked = scope(("host", "mine.example"), ("x-forwarded-host", "theirs.example"))
    assert await through(trusted, asked) == "mine.example"


@pytest.mark.parametrize("trusted", ["*", "203.0.113.9", "203.0.113.0/24,127.0.0.1"])
async def test_a_forwarded_host_of_a_trusted_proxy_counts(trusted: str) -> None:
    """The last one, which is what the proxy itself wrote; what it passed on stands before."""
    asked = scope(("host", "inside"), ("x-forwarded-host", "evil.example, theirs.example"))
    assert await through(trusted, asked) == "theirs.example"


async def test_a_trusted_proxy_that_names_no_host_leaves_the_host() -> None:
    """Most pass the Host header on as it is."""
    assert await through("*", scope(("host", "mine.example"))) == "mine.example"


async def test_a_scope_cannot_be_told_a_forwarded_host_by_its_headers() -> None:
    """The note is no header, whatever a header is called."""
    asked = scope(("host", "mine.example"), ("mannequin.forwarded_host", "theirs.example"))
    assert await through("127.0.0.1", asked) == "mine.example"
