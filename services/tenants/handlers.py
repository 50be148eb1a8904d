"""The bus edge of the tenants service: queries to use cases."""

from __future__ import annotations

from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.responders import for_tenant
from libs.common.contracts.tenants import (
    CreateTenant,
    IssueApiKey,
    ListApiKeys,
    ListTenants,
    RevokeApiKey,
    SetPlan,
    Tenant,
    TenantList,
)
from services.tenants.service import TenantsService


async def attach(bus: Bus, service: TenantsService) -> None:
    """Respond to everything that `flow.py` gives this service; the first two are the platform's own."""

    async def create(delivery: Delivery) -> Tenant:
        assert isinstance(delivery.message, CreateTenant)
        return await service.create_tenant(delivery.message)

    async def list_all(delivery: Delivery) -> TenantList:
        assert isinstance(delivery.message, ListTenants)
        return await service.list_tenants(delivery.message)

    await bus.respond(CreateTenant, create)
    await bus.respond(ListTenants, list_all)
    await bus.respond(SetPlan, for_tenant(service.set_plan))
    await bus.respond(IssueApiKey, for_tenant(service.issue_api_key))
    await bus.respond(ListApiKeys, for_tenant(service.list_api_keys))
    await bus.respond(RevokeApiKey, for_tenant(service.revoke_api_key))
