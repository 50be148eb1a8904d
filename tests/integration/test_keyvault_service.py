"""The keyvault service as its own wiring puts it together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.credentials import GetIntakeKey, ListAudit, ListCredentials, RotateKey
from libs.common.contracts.ids import TenantId
from libs.common.errors import Invalid, Unavailable
from libs.common.lifecycle import Lifecycle
from services.keyvault.settings import KeyvaultSettings
from services.keyvault.wiring import wire
from tests.servers.databases import TestDatabase

START_S = 10.0


@asynccontextmanager
async def running(
    database: TestDatabase, nats: Nats, server: OpenBao, **changes: Any
) -> AsyncIterator[tuple[Lifecycle, Bus, Bus]]:
    """The service, and the buses of the gateway and the operator."""
    given: dict[str, Any] = {
        "bus_url": SecretStr(nats.url),
        "database_url": database.url("keyvault"),
        "platform_database_url": database.url("keyvault_platform"),
        "vault_addr": server.url,
        "vault_ca": server.ca,
        "approle_folder": server.approles,
    }
    settings = KeyvaultSettings.model_validate(given | changes)
    lifecycle = Lifecycle()
    gateway, operator = connect(nats.url, "gateway"), connect(nats.url, flow.OPERATOR)
    try:
        await wire(settings, lifecycle)
        await gateway.start()
        await operator.start()
        yield lifecycle, gateway, operator
    finally:
        await operator.close()
        await gateway.close()
        await lifecycle.close()


async def test_it_answers_all_that_the_map_of_the_flow_gives_it(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao
) -> None:
    """And is ready when database, bus and vault are; what is of tenants names one."""
    tenant = TenantId.new()
    async with running(database, nats_server, vault_server) as (lifecycle, gateway, operator):
        assert set(lifecycle.pings) == {"database", "bus", "vault"}
        for ping in lifecycle.pings.values():
            await ping()
        assert "BEGIN PUBLIC KEY" in (await gateway.request(GetIntakeKey())).public_key
        assert (await gateway.request(ListCredentials(), tenant=tenant)).items == ()
        assert (await operator.request(ListAudit(), tenant=tenant)).items == ()
        with pytest.raises(Invalid):
            await gateway.request(ListCredentials())
        with pytest.raises(Invalid):
            await operator.request(RotateKey())


async def test_without_a_vault_it_runs_is_not_ready_and_says_so(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao
) -> None:
    """What needs no key is answered; what does is to be tried again."""
    began = time.monotonic()
    away = running(database, nats_server, vault_server, vault_addr="https://127.0.0.1:1")
    async with away as (lifecycle, gateway, _):
        assert time.monotonic() - began < START_S
        with pytest.raises(Unavailable):
            await lifecycle.pings["vault"]()
        with pytest.raises(Unavailable):
            await gateway.request(GetIntakeKey())
        assert (await gateway.request(ListCredentials(), tenant=TenantId.new())).items == ()
