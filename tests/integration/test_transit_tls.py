"""Servers are spoken to over TLS by nothing but settings, and never in the clear where TLS was asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from deploy.local.ports import Ports
from deploy.local.servers.certificates import Certificates
from deploy.local.servers.nats import Nats
from libs.common.bus.connect import connect
from libs.common.bus.service_bus import Limits
from libs.common.contracts import flow
from libs.common.db import Database
from libs.common.errors import Unavailable
from tests.servers.databases import TestDatabase
from tests.servers.having import fresh_state, having

PASSWORD = SecretStr("a-password")


class TlsNats(Nats):
    """Takes no connection without TLS."""

    certificates: Certificates

    def _config(self) -> dict[str, object]:
        files = {"cert_file": str(self.certificates.certificate), "key_file": str(self.certificates.key)}
        return super()._config() | {"tls": files}


@pytest.fixture(scope="module")
def tls_nats(ports: Ports) -> Iterator[TlsNats]:
    with fresh_state("tls-nats") as state:
        server = TlsNats(state, ports.get("tls-nats"), PASSWORD, durable=False)
        server.certificates = Certificates(state.root)
        server.certificates.make()
        yield from having(server)


async def test_the_bus_is_spoken_to_over_tls(tls_nats: TlsNats, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SSL_CERT_FILE naming the authority; without, the server is not believed."""
    url = SecretStr(tls_nats.url.replace("nats://", "tls://"))
    bus = connect(url, flow.OPERATOR, limits=Limits(start_s=1))
    with pytest.raises(Unavailable):
        await bus.start()
    await bus.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_nats.certificates.ca))
    bus = connect(url, flow.OPERATOR)
    await bus.start()
    await bus.ping()
    await bus.close()


async def test_a_database_that_has_no_tls_is_refused(database: TestDatabase, tls_nats: TlsNats) -> None:
    """Rather than spoken to in the clear, as a man in the middle could wish."""
    checked = f"?sslmode=verify-full&sslrootcert={tls_nats.certificates.ca}"
    url = SecretStr(database.url("tenants").get_secret_value() + checked)
    refused = Database(url, url, schema="tenants")
    with pytest.raises(Unavailable):
        await refused.start()
    await refused.close()
