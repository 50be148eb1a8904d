"""Deliveries go to public addresses over TLS and nowhere else, whatever a tenant's name servers say."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from libs.common.egress import ForbiddenAddress, is_forbidden
from libs.common.egress.addresses import is_public
from libs.common.egress.connector import GuardedConnector, GuardedResolver
from services.webhooks.errors import UrlRefused
from services.webhooks.guard import Guard

NAME = "shop.example"
PUBLIC = "93.184.215.14"
LOOPBACK = "127.0.0.1"

NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.0.9", "192.0.2.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.1", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1"),
    *("2001:db8::1", "3fff::1", "2001::1", "5f00::1", "64:ff9b:1::1", "::127.0.0.1", "::10.0.0.1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:a00:1::1"),
]
IN_PUBLIC = [
    *("1.1.1.1", "8.8.8.8", PUBLIC, "172.32.0.1", "100.128.0.1", "223.255.255.254"),
    *("2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_everyones_is_not_public(address: str) -> None:
    """By the registries of IANA, in whatever spelling."""
    assert not is_public(address)


@pytest.mark.parametrize("address", IN_PUBLIC)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    """Else nothing would ever be delivered."""
    assert is_public(address)


class Answers(AbstractResolver):
    """A name server that says something else each time; the last answer stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [
            ResolveResult(hostname=host, host=a, port=port, family=_family(a), proto=0, flags=0)
            for a in addresses
        ]

    async def close(self) -> None:
        pass


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def guard(*answers: Sequence[str]) -> Guard:
    return Guard(allow_private=False, timeout_s=5, resolver=Answers(*answers))


@pytest.mark.parametrize(
    "url",
    [
        *("http://shop.example/", "ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example/"),
        *("shop.example/hooks", "//shop.example/", "https://", "https:///hooks", "", "https://[::1"),
        *("https://user@shop.example/", "https://user:password@shop.example/", "https://:p@shop.example/"),
        *("https://shop.example:22/", "https://shop.example:25/", "https://shop.example:80/"),
        *("https://shop.example:0/", "https://shop.example:99999/", "https://shop.example:x/"),
        *("https://shop.example/a b", "https://shop.example/\r\nx: y", "https://shop.example\x00/"),
    ],
)
async def test_a_url_of_the_wrong_form_is_refused_when_registered(url: str) -> None:
    """Though its name leads to a public address."""
    with pytest.raises(UrlRefused) as refused:
        await guard([PUBLIC]).check(url)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{NAME}/hooks?a=b",
        f"https://{NAME}:8443/",
        f"https://{PUBLIC}/",
        "https://[2606:4700::1111]/",
    ],
)
async def test_a_public_https_url_is_accepted(url: str) -> None:
    """Names and addresses both."""
    await guard([PUBLIC]).check(url)


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/"),
        *("https://[64:ff9b::7f00:1]/", "https://10.0.0.1:8443/"),
    ],
)
async def test_an_address_that_is_not_public_is_refused_when_registered(url: str) -> None:
    """No name is needed to point inside."""
    with pytest.raises(UrlRefused):
        await guard([PUBLIC]).check(url)


@pytest.mark.parametrize(
    "url", ["https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://localhost/"]
)
async def test_other_spellings_of_this_machine_are_refused(url: str) -> None:
    """As the system's own resolver reads them."""
    own = Guard(allow_private=False, timeout_s=5)
    with pytest.raises(UrlRefused):
        await own.check(url)
    await own.close()


@pytest.mark.parametrize("answer", [[LOOPBACK], [PUBLIC, "10.0.0.1"], ["::1"], []])
async def test_a_name_that_leads_inside_or_nowhere_is_refused_when_registered(answer: list[str]) -> None:
    """Also if only one of its addresses does."""
    with pytest.raises(UrlRefused):
        await guard(answer).check(f"https://{NAME}/")


async def test_the_check_at_registration_may_be_turned_off_for_one_machine() -> None:
    """Credentials in the URL stay refused even then."""
    own = Guard(allow_private=True, timeout_s=5)
    await own.check("http://127.0.0.1:8000/hooks")
    with pytest.raises(UrlRefused):
        await own.check("http://user:password@127.0.0.1:8000/")
    await own.close()


class Inside:
    """A TLS server of our own network that nobody outside may reach, and what reached it."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self.port, self.trust = port, trust
        self.requests = 0

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}/"


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    server_tls, trust = _certificate(tmp_path)

    async def answer(_: web.Request) -> web.Response:
        here.requests += 1
        return web.Response(status=204)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0, ssl_context=server_tls).start()
    here = Inside(runner.addresses[0][1], trust)
    yield here
    await runner.cleanup()


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server called NAME and LOOPBACK, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = folder / "tls.pem", folder / "tls.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, key_pem)
    return server, ssl.create_default_context(cafile=str(pem))


async def _post(session: ClientSession, url: str) -> int:
    async with session.post(url, data=b"{}", allow_redirects=False) as response:
        return response.status


async def test_where_addresses_are_permitted_deliveries_pass(inside: Inside) -> None:
    """The same way as below, but for what counts as public: the refusals are the guard's doing."""
    own = Guard(
        allow_private=False,
        timeout_s=5,
        resolver=Answers([LOOPBACK]),
        permits=lambda address: address == LOOPBACK,
        tls=inside.trust,
    )
    async with own.session() as session:
        assert await _post(session, inside.url) == 204
        assert await _post(session, f"https://{LOOPBACK}:{inside.port}/") == 204


async def test_of_a_names_addresses_only_public_ones_are_tried() -> None:
    """And a name without any is as good as forbidden."""
    resolver = GuardedResolver(Answers(["10.0.0.1", PUBLIC, "::1"], ["10.0.0.1"]), is_public)
    assert [result["host"] for result in await resolver.resolve(NAME, 443)] == [PUBLIC]
    with pytest.raises(ForbiddenAddress):
        await resolver.resolve(NAME, 443)


async def test_a_name_that_changes_its_mind_gets_nowhere(inside: Inside) -> None:
    """DNS rebinding: public when registered, our own network when delivered to."""
    answers = Answers([PUBLIC], [LOOPBACK])
    own = Guard(allow_private=False, timeout_s=5, resolver=answers, tls=inside.trust)
    await own.check(inside.url)
    async with own.session() as session:
        with pytest.raises(ClientError) as failed:
            await _post(session, inside.url)
    assert is_forbidden(failed.value)
    assert answers.asked == 2
    assert inside.requests == 0


@pytest.mark.parametrize("host", [LOOPBACK, "[::1]", "[::ffff:127.0.0.1]"])
async def test_an_address_in_a_url_gets_nowhere(inside: Inside, host: str) -> None:
    """It is never resolved, so the socket is where it fails."""
    own = Guard(allow_private=False, timeout_s=5, resolver=Answers([PUBLIC]), tls=inside.trust)
    async with own.session() as session:
        with pytest.raises(ClientError) as failed:
            await _post(session, f"https://{host}:{inside.port}/")
    assert is_forbidden(failed.value)
    assert inside.requests == 0


async def test_without_tls_nothing_is_sent(inside: Inside) -> None:
    """An endpoint registered while http was allowed is not delivered to when it is not any more."""
    own = Guard(allow_private=False, timeout_s=5, resolver=Answers([PUBLIC]), tls=inside.trust)
    async with own.session() as session:
        with pytest.raises(ClientError) as failed:
            await _post(session, f"http://{NAME}:{inside.port}/")
    assert is_forbidden(failed.value)


@asynccontextmanager
async def connected(inside: Inside, permits: Callable[[str], bool]) -> AsyncIterator[ClientSession]:
    """A session without the guarded resolver: only what the sockets are allowed counts."""
    connector = GuardedConnector(Answers([LOOPBACK]), permits, tls=inside.trust)
    async with ClientSession(connector=connector) as session:
        yield session


async def test_a_resolver_that_lies_gets_nowhere(inside: Inside) -> None:
    """The address is looked at again before a socket is opened for it."""
    async with connected(inside, is_public) as session:
        with pytest.raises(ClientError) as failed:
            await _post(session, inside.url)
    assert is_forbidden(failed.value)
    assert inside.requests == 0


async def test_a_connection_that_ends_up_inside_is_dropped_before_a_byte_is_sent(inside: Inside) -> None:
    """Whatever was dialled, the peer is what counts; also of a connection that was kept."""
    looks: list[str] = []

    def permits(address: str) -> bool:
        looks.append(address)
        return len(looks) == 1

    async with connected(inside, permits) as session:
        with pytest.raises(ClientError) as failed:
            await _post(session, inside.url)
    assert is_forbidden(failed.value)
    assert looks == [LOOPBACK, LOOPBACK]
    assert inside.requests == 0


async def test_a_certificate_of_somebody_else_is_refused(inside: Inside) -> None:
    """A public name that points to a server without its certificate is no way in either."""
    own = Guard(allow_private=False, timeout_s=5, resolver=Answers([LOOPBACK]), permits=lambda _: True)
    async with own.session() as session:
        with pytest.raises(ClientError):
            await _post(session, inside.url)
    assert inside.requests == 0
