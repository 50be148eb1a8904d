"""The bus edge of the tenants service: queries to use cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from libs.common.bus.bus import Bus, Delivery, Responder
from libs.common.bus.responders import UseCase, for_tenant
from libs.common.contracts.message import Query
from libs.common.contracts.plans import ChangePlan, DefinePlan, GetPlan, ListPlans, RetirePlan
from libs.common.contracts.tenants import (
    CreateTenant,
    GetApiKey,
    GetTenant,
    IssueApiKey,
    ListApiKeys,
    ListTenants,
    ResumeTenant,
    RevokeApiKey,
    RotateApiKey,
    SetPlan,
    SuspendTenant,
    UpdateApiKey,
    UpdateTenant,
)
from services.tenants.keys import ApiKeys
from services.tenants.plans import PlansService
from services.tenants.service import TenantsService

PlatformUseCase = Callable[[Any], Awaitable[BaseModel]]
"""Takes the query alone: it is about no tenant, or about all."""


async def attach(bus: Bus, tenants: TenantsService, plans: PlansService, keys: ApiKeys) -> None:
    """Respond to what `flow.py` gives this service, but for its areas."""
    for query, platform_use_case in _of_the_platform(tenants, plans).items():
        await bus.respond(query, _for_platform(platform_use_case))
    for query, use_case in _of_tenants(tenants, keys).items():
        await bus.respond(query, for_tenant(use_case))


def _of_the_platform(tenants: TenantsService, plans: PlansService) -> dict[type[Query[Any]], PlatformUseCase]:
    return {
        CreateTenant: tenants.create_tenant,
        ListTenants: tenants.list_tenants,
        ListPlans: plans.list_all,
        GetPlan: plans.get,
        DefinePlan: plans.define,
        RetirePlan: plans.retire,
    }


def _of_tenants(tenants: TenantsService, keys: ApiKeys) -> dict[type[Query[Any]], UseCase]:
    return {
        GetTenant: tenants.get_tenant,
        UpdateTenant: tenants.update_tenant,
        SuspendTenant: tenants.suspend_tenant,
        ResumeTenant: tenants.resume_tenant,
        SetPlan: tenants.set_plan,
        ChangePlan: tenants.change_plan,
        IssueApiKey: keys.issue,
        RotateApiKey: keys.rotate,
        UpdateApiKey: keys.update,
        GetApiKey: keys.get,
        ListApiKeys: keys.list_all,
        RevokeApiKey: keys.revoke,
    }


def _for_platform(use_case: PlatformUseCase) -> Responder:
    async def respond(delivery: Delivery) -> BaseModel:
        return await use_case(delivery.message)

    return respond
