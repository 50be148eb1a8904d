"""A tenant's inference server is reached at public addresses over TLS and nowhere else, by HTTP and gRPC."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
from yarl import URL

from libs.common.contracts.providers import FaultCode, ProviderName
from libs.common.egress import Guard
from libs.common.egress.addresses import is_public
from services.inference.providers.open_inference_grpc import GrpcConnection, numeric_target
from services.inference.providers.open_inference_http import HttpConnection
from services.inference.providers.open_inference_target import SCHEMES, Target
from services.inference.providers.provider import Account, CallFailed, Connection
from services.inference.providers.registry import open_connection
from tests.security.test_egress_guard import LOOPBACK, NAME, PUBLIC, Answers, Inside, _certificate, inside

__all__ = ["inside"]
ONE = {"image": np.zeros((1, 2, 2, 3), np.uint8)}


def only_loopback(address: str) -> bool:
    return address == LOOPBACK


async def failure(connection: Connection) -> FaultCode:
    try:
        with pytest.raises(CallFailed) as failed:
            await connection.segment(ONE, ["maps"])
        return failed.value.fault.code
    finally:
        await connection.close()


def target(scheme: str, port: int, host: str = NAME) -> Target:
    return Target(URL(f"{scheme}://{host}:{port}"), "mannequin", "", {"X-API-Key": "key"})


def guard(*answers: list[str], permits: Callable[[str], bool] = is_public, **more: ssl.SSLContext) -> Guard:
    resolver = Answers(*answers)
    return Guard(
        allow_private=False, timeout_s=5, schemes=SCHEMES, resolver=resolver, permits=permits, **more
    )


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[fe80::1]", "[::ffff:127.0.0.1]", "0.0.0.0"),
        *("localhost", "2130706433", "0x7f.1", "127.1"),
    ],
)
async def test_an_address_that_is_not_public_is_not_called(scheme: str, host: str) -> None:
    """However it is spelled; the default refuses, so no setting can be forgotten."""
    settings = {"url": f"{scheme}://{host}:8443", "model": "mannequin"}
    account = Account(settings, {"api_key": "key"})
    connection = await open_connection(ProviderName.OPEN_INFERENCE, account)
    assert await failure(connection) is FaultCode.MALFORMED


@pytest.mark.parametrize(
    "url", ["http://1.1.1.1", "grpc://1.1.1.1", "https://1.1.1.1:22", "grpcs://1.1.1.1:22"]
)
async def test_keys_are_not_sent_in_the_clear_or_to_system_ports(url: str) -> None:
    """Refused before anything is opened."""
    account = Account({"url": url, "model": "mannequin"}, {"api_key": "key"})
    with pytest.raises(CallFailed) as refused:
        await open_connection(ProviderName.OPEN_INFERENCE, account)
    assert refused.value.fault.code is FaultCode.MALFORMED


async def test_a_name_that_leads_inside_is_not_called_by_http(inside: Inside) -> None:
    """Its server never hears of it."""
    connection = HttpConnection(target("https", inside.port), guard([LOOPBACK], tls=inside.trust))
    assert await failure(connection) is FaultCode.MALFORMED
    assert inside.requests == 0


async def test_a_name_that_is_permitted_is_called_by_http(inside: Inside) -> None:
    """The refusal above is the guard's doing: here the same server answers."""
    permitted = guard([LOOPBACK], permits=only_loopback, tls=inside.trust)
    connection = HttpConnection(target("https", inside.port), permitted)
    assert await failure(connection) is FaultCode.BAD_ANSWER
    assert inside.requests > 0


@dataclass
class InsideGrpc:
    """A gRPC server of our own network, with TLS, that counts its calls."""

    port: int
    trust: bytes
    calls: int = 0

    async def intercept(self, continuation: object, details: object) -> None:
        self.calls += 1


@pytest.fixture
async def inside_grpc(tmp_path: Path) -> AsyncIterator[InsideGrpc]:
    _certificate(tmp_path)
    pem = (tmp_path / "tls.pem").read_bytes()
    here = InsideGrpc(0, pem)
    server = grpc.aio.server(interceptors=[_Counting(here)])
    credentials = grpc.ssl_server_credentials([((tmp_path / "tls.key").read_bytes(), pem)])
    here.port = server.add_secure_port(f"{LOOPBACK}:0", credentials)
    await server.start()
    yield here
    await server.stop(None)


class _Counting(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    def __init__(self, here: InsideGrpc) -> None:
        self._here = here

    async def intercept_service(self, continuation: object, details: object) -> None:
        """No handler: the call is not implemented."""
        self._here.calls += 1


async def test_a_name_is_resolved_once_for_grpc(inside_grpc: InsideGrpc) -> None:
    """DNS rebinding: the channel goes to the address that was looked at, whatever the name says later."""
    answers = guard([LOOPBACK], ["10.0.0.1"], permits=only_loopback)
    connection = GrpcConnection(target("grpcs", inside_grpc.port), answers, inside_grpc.trust)
    for _ in range(2):
        with pytest.raises(CallFailed) as failed:
            await connection.segment(ONE, ["maps"])
        assert failed.value.fault.code is FaultCode.NOT_FOUND
    await connection.close()
    assert inside_grpc.calls == 2


async def test_a_name_that_leads_inside_is_not_called_by_grpc(inside_grpc: InsideGrpc) -> None:
    """Its server never hears of it."""
    connection = GrpcConnection(target("grpcs", inside_grpc.port), guard([LOOPBACK]), inside_grpc.trust)
    assert await failure(connection) is FaultCode.MALFORMED
    assert inside_grpc.calls == 0


async def test_the_certificate_must_be_that_of_the_name(inside_grpc: InsideGrpc) -> None:
    """Though the channel is told a number: another name's, or one that nobody vouches for, is refused."""
    for host, trust in (("other.example", inside_grpc.trust), (NAME, None)):
        answers = guard([LOOPBACK], permits=only_loopback)
        connection = GrpcConnection(target("grpcs", inside_grpc.port, host), answers, trust)
        assert await failure(connection) is FaultCode.UNAVAILABLE
    assert inside_grpc.calls == 0


async def test_a_name_that_does_not_resolve_is_the_providers_fault() -> None:
    """A name server's bad minute must not fail a good key."""
    for kind, scheme in ((HttpConnection, "https"), (GrpcConnection, "grpcs")):
        connection: Connection = kind(target(scheme, 8443), guard([]))
        assert await failure(connection) is FaultCode.UNAVAILABLE


def test_only_addresses_of_one_family_are_tried_by_grpc() -> None:
    """Its names hold no mixture."""
    assert numeric_target([PUBLIC, "::1", "1.1.1.1"], 443) == f"ipv4:{PUBLIC}:443,1.1.1.1:443"
    assert numeric_target(["::1", PUBLIC], 8443) == "ipv6:[::1]:8443"
