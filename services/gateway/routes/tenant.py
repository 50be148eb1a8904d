"""A tenant's own view of itself: what it is called, how it stands, what it bought."""

from __future__ import annotations

from libs.common.contracts import tenants as contract
from libs.common.contracts.access import Permission
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import Asking
from services.gateway.tenant_views import ChangedTenant, OwnTenant

router = guarded_router(prefix="/api/v1", tags=["Tenant"])


@router.get(
    "/tenant",
    summary="Get your tenant",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.TENANT_READ),
)
async def get_tenant(ask: Asking) -> OwnTenant:
    """Name, status and plan. `GET /quotas` says how much of the plan is used."""
    return OwnTenant.of(await ask.service(contract.GetTenant()))


@router.patch(
    "/tenant",
    summary="Change your tenant",
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.TENANT_WRITE),
)
async def change_tenant(body: ChangedTenant, ask: Asking) -> OwnTenant:
    """What it is called, and who is to be written to. Plan, slug and status are the platform's to change."""
    query = contract.UpdateTenant(name=body.name, contact_email=body.contact_email)
    return OwnTenant.of(await ask.service(query))
