"""The tenants service's branding beside a DNS server, on real servers; and the gateway that shows brands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import CreateTenant, Plan, SetPlan
from libs.common.db import Database
from libs.common.objects import Objects
from services.tenants.branding.domains import Domains
from services.tenants.branding.proof import DnsProof
from services.tenants.branding.service import BrandingService
from services.tenants.branding.studio import Studio
from services.tenants.service import TenantsService
from tests.servers.databases import TestDatabase
from tests.servers.dns import Zone, dns_server

BASE_DOMAIN = "client.example"
WHITE_LABEL = Plan(name="enterprise", white_label=True)


@dataclass
class Desk:
    """The use cases, and what lies beneath them."""

    database: Database
    objects: Objects
    folder: Path
    brands: BrandingService
    domains: Domains
    tenants: TenantsService
    zone: Zone

    async def tenant(self, name: str = "Maison", plan: Plan = WHITE_LABEL) -> TenantId:
        made = await self.tenants.create_tenant(CreateTenant(name=name))
        await self.tenants.set_plan(SetPlan(plan=plan), made.id)
        return made.id

    async def told(self, tenant: TenantId, wire: str) -> list[dict[str, Any]]:
        """Bodies of the messages of this kind that left for the tenant, oldest first."""
        async with self.database.platform("look at the outbox") as tx:
            rows = await tx.fetch(
                "select data from outbox where tenant_id = $1 and headers ->> 'type' = $2 order by id",
                tenant,
                wire,
            )
            return [await tx.fetchval("select convert_from($1, 'utf8')::jsonb", row["data"]) for row in rows]

    def stored(self, tenant: TenantId) -> list[str]:
        """Objects below the tenant's branding, by their names there."""
        below = self.folder / "tenants" / tenant / "branding"
        return sorted(str(path.relative_to(below)) for path in below.rglob("*") if path.is_file())


@asynccontextmanager
async def branding_desk(database: TestDatabase, folder: Path) -> AsyncIterator[Desk]:
    own = database.of("tenants")
    await own.start()
    objects = Objects(SecretStr(folder.as_uri()))
    with dns_server() as zone:
        try:
            yield Desk(
                own,
                objects,
                folder,
                BrandingService(own, objects, Studio()),
                Domains(own, DnsProof(zone.address, timeout_s=2), BASE_DOMAIN),
                TenantsService(own),
                zone,
            )
        finally:
            await own.close()
