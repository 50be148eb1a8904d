"""Every service's part in erasing a tenant, in one process, on a real database, broker, vault and folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from deploy.local.servers.openbao import OpenBao
from deploy.local.servers.server import Server
from deploy.operator.scan import Findings, Places, scan
from deploy.vault.keys import VaultAccess
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.bus.remains import remains_at
from libs.common.bus.service_bus import Limits
from libs.common.contracts import flow
from libs.common.contracts.erasure import Erasure, GetErasure, RequestErasure, TenantErasureBegan
from libs.common.contracts.ids import ErasureId, TenantId
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import TenantStatusChanged
from libs.common.db import Database, Transaction
from libs.common.db.migrate import SERVICES
from libs.common.erasure import Beyond, subscribe_erasure
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects, tenant_key
from libs.common.outbox import Relay, once
from services.batch.erase import objects_of
from services.gateway.erasure import answers_about, telling_replicas
from services.keyvault.erase import Erasures, kept_secrets_of
from services.keyvault.revoke import Revoker
from services.keyvault.secrets import handlers as secrets
from services.keyvault.transit import TransitVault
from services.tenants.audit import handlers as audit
from services.tenants.erasure import handlers as erasure
from services.tenants.erasure.rules import Patience
from services.tenants.erasure.saga import ErasureSaga, Terms
from tests.servers.databases import TestDatabase
from tests.servers.filled import fill, loosen
from tests.servers.vaults import vault_of

LIMIT_S = 30.0


async def _nothing(message: Message, tx: Transaction) -> None: ...


@dataclass
class Desk:
    """admin: the database's superuser. tables: those that `tenant` filled."""

    databases: dict[str, Database]
    buses: dict[str, Bus]
    vault: TransitVault
    objects: Objects
    places: Places
    admin: asyncpg.Connection[asyncpg.Record]
    saga: ErasureSaga
    operator: Bus
    running: dict[str, Lifecycle] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)

    async def tenant(self) -> TenantId:
        """One that has something everywhere."""
        tenant = TenantId.new()
        self.tables = await fill(self.admin, tenant)
        await self.vault.ensure_tenant_key(tenant)
        await self.vault.ensure_secrets_key(tenant)
        for number in range(5):
            await self.objects.put(tenant_key(tenant, "batches", "bat_1", f"{number}.png"), b"picture")
        return tenant

    async def request(self, tenant: TenantId, confirm: str = "a shop") -> Erasure:
        return await self.operator.request(RequestErasure(confirm=confirm), tenant=tenant)

    async def done(self, erasure_id: ErasureId) -> Erasure:
        """Let the saga go on until it is through."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                await self.saga.turn()
                found = await self.operator.request(GetErasure(erasure_id=erasure_id))
                if found.completed_at is not None:
                    return found
                await asyncio.sleep(0.05)

    async def reported(self, erasure_id: ErasureId) -> None:
        """Returns when every other service has done its part of the round."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                found = await self.operator.request(GetErasure(erasure_id=erasure_id))
                if found.waiting_for == ("tenants",):
                    return
                await asyncio.sleep(0.05)

    async def left(self, tenant: TenantId) -> Findings:
        return await scan(self.places, [tenant, tenant.removeprefix("ten_")])

    async def settled(self, tenant: TenantId) -> Findings:
        """What is left once the last messages are through, or after a while."""
        end = asyncio.get_running_loop().time() + LIMIT_S
        while any((found := await self.left(tenant)).values()) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.1)
        return found

    async def run(self, service: str) -> None:
        """Start a service's part: its relay and its queue."""
        lifecycle = self.running[service] = Lifecycle()
        database, bus = self.databases[service], self.buses[service]
        await lifecycle.open("bus", bus)
        lifecycle.background("outbox", Relay(database, bus, interval=0.1).run())
        also: list[Beyond] = []
        if service == "batch":
            also = [objects_of(self.objects)]
        elif service == "gateway":
            also = [answers_about(database), telling_replicas(bus)]
        elif service == "keyvault":
            erasures = Erasures(database, self.vault, Revoker(bus), backup_days=35)
            also = [erasures.destroy, kept_secrets_of(self.vault)]
            await secrets.attach(bus, database, self.vault)
        for queue in flow.SERVICES[service].queues:
            if TenantErasureBegan in queue.messages:
                await subscribe_erasure(bus, database, queue, also=also)
            elif TenantStatusChanged in queue.messages:
                await bus.subscribe(queue, once(database, queue, _nothing))
        if service == "tenants":
            await audit.attach(bus, database)
            await erasure.attach(bus, database)

    async def stop(self, service: str) -> None:
        """End it; `run` needs a new bus, so that it is a new process in all but name."""
        await self.running.pop(service).close()
        url = self.places.bus_url
        self.buses[service] = connect(url, service)


@asynccontextmanager
async def erasure_desk(
    database: TestDatabase, broker: Server, vault_server: OpenBao, folder: Path, repeat_s: float = 1.0
) -> AsyncIterator[Desk]:
    """All services but those that a test starts later itself."""
    bus_url, objects_url = SecretStr(broker.url), SecretStr(folder.as_uri())
    async with AsyncExitStack() as stack:
        vault = await stack.enter_async_context(vault_of(vault_server))
        databases = {service: database.of(service) for service in SERVICES}
        for one in databases.values():
            stack.push_async_callback(one.close)
            await one.start()
        buses = {service: connect(bus_url, service) for service in SERVICES}
        # Whoever comes first makes every queue, which takes its time on a busy machine.
        operator = connect(bus_url, flow.OPERATOR, limits=Limits(start_s=60))
        stack.push_async_callback(operator.close)
        await operator.start()
        admin = await asyncpg.connect(database.admin_url)
        stack.push_async_callback(admin.close)
        await loosen(admin)
        patience = Patience(settle=timedelta(0), repeat=timedelta(seconds=repeat_s))
        terms = Terms(patience, timedelta(days=35), 0.05)
        access = VaultAccess(vault_server.url, vault_server.ca, vault_server.approles)
        places = Places(SecretStr(database.admin_url), objects_url, bus_url, access)
        saga = ErasureSaga(databases["tenants"], buses["tenants"], remains_at(bus_url), terms)
        desk = Desk(databases, buses, vault, Objects(objects_url), places, admin, saga, operator)
        try:
            yield desk
        finally:
            for service in list(desk.running):
                await desk.stop(service)
