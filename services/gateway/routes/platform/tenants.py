"""All tenants: making them, how they stand, what they bought. For the platform's own people."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.responses import Response

from libs.common.contracts import tenants as contract
from libs.common.contracts.access import StaffPermission
from libs.common.contracts.ids import TenantId
from libs.common.contracts.message import Query as BusQuery
from libs.common.contracts.plans import ChangePlan
from libs.common.contracts.tenants import PlanCode, TenantStatus
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import StaffAct, StaffActing, StaffAsking
from services.gateway.idempotency import Answer
from services.gateway.moments import Moment
from services.gateway.pages import sealed
from services.gateway.platform_bodies import ChangedPlatformTenant, NewTenant, PlanChoice, Suspension
from services.gateway.platform_views import PlatformTenant, PlatformTenantPage
from services.gateway.routes.batches import Cursor
from services.gateway.routes.platform.listing import AsCsv, Limit, csv_too, listed, place_of_tenant
from services.gateway.tenant_views import TENANT_ID, TEXT

router = guarded_router(prefix="/api/v1/platform", tags=["Platform tenants"])
TenantPath = Annotated[TenantId, Path(description="Id of the tenant.", examples=[TENANT_ID])]
_LISTING = "platform-tenants"
_COLUMNS = (
    *("id", "name", "slug", "status", "status_reason", "plan_code", "plan.name", "weight"),
    *("plan.quotas.images_month", "plan.prices.monthly", "contact_email", "created_by", "created_at"),
)


def _filters(
    status: TenantStatus | None = None,
    plan: Annotated[PlanCode | None, Query(description="Code of the plan that they are on.")] = None,
    name: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            pattern=TEXT,
            description="What name or slug begins with, whatever the case.",
        ),
    ] = None,
    created_from: Annotated[Moment | None, Query(description="Made at this moment or later.")] = None,
    created_before: Annotated[Moment | None, Query(description="Made before this moment.")] = None,
) -> contract.ListTenants:
    return contract.ListTenants(
        status=status,
        plan_code=plan,
        name_prefix=name,
        created_from=created_from,
        created_before=created_before,
    )


@router.get(
    "/tenants",
    summary="List tenants",
    response_model=PlatformTenantPage,
    responses=csv_too(_COLUMNS),
    openapi_extra=needs(StaffPermission.TENANTS_READ),
)
async def list_tenants(
    request: Request,
    ask: StaffAsking,
    filters: Annotated[contract.ListTenants, Depends(_filters)],
    as_csv: AsCsv,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The oldest first, those that every filter fits. As JSON, or as CSV."""
    place = place_of_tenant(_LISTING, cursor)
    found = await ask.service(filters.model_copy(update={"cursor": place, "limit": limit}))
    page = PlatformTenantPage(
        items=tuple(map(PlatformTenant.of, found.items)), next_cursor=sealed(_LISTING, found.next_cursor)
    )
    return listed(request, page, _COLUMNS, "tenants", as_csv=as_csv)


@router.post(
    "/tenants",
    status_code=201,
    summary="Create a tenant",
    response_model=PlatformTenant,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(StaffPermission.TENANTS_WRITE),
)
async def create_tenant(body: NewTenant, act: StaffActing) -> Response:
    """Invite its first owner next: `POST /platform/tenants/{tenant_id}/invites`."""

    async def work() -> Answer:
        made = await act.service(contract.CreateTenant(**dict(body)))
        headers = {"Location": f"{act.links.base}/platform/tenants/{made.id}"}
        return Answer(201, PlatformTenant.of(made).model_dump(mode="json"), headers)

    return await act.once(work)


@router.get(
    "/tenants/{tenant_id}",
    summary="Get a tenant",
    responses=responses.errors(404),
    openapi_extra=needs(StaffPermission.TENANTS_READ),
)
async def get_platform_tenant(tenant_id: TenantPath, ask: StaffAsking) -> PlatformTenant:
    """With the plan that holds for it, and what differs of that from the plan that is sold."""
    return PlatformTenant.of(await ask.service(contract.GetTenant(), tenant_id))


@router.patch(
    "/tenants/{tenant_id}",
    summary="Change a tenant",
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(StaffPermission.TENANTS_WRITE),
)
async def change_platform_tenant(
    tenant_id: TenantPath, body: ChangedPlatformTenant, ask: StaffAsking
) -> PlatformTenant:
    """A new slug moves its brand to another host at once, and leaves the old one for others to take."""
    return PlatformTenant.of(await ask.service(contract.UpdateTenant(**dict(body)), tenant_id))


@router.post(
    "/tenants/{tenant_id}/suspend",
    summary="Suspend a tenant",
    response_model=PlatformTenant,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(StaffPermission.TENANTS_WRITE),
)
async def suspend_tenant(tenant_id: TenantPath, body: Suspension, act: StaffActing) -> Response:
    """Within a second its callers may look but change nothing, and its waiting images wait on. Suspending
    twice is fine.
    """
    return await _answered(act, tenant_id, contract.SuspendTenant(reason=body.reason))


@router.post(
    "/tenants/{tenant_id}/resume",
    summary="Resume a tenant",
    response_model=PlatformTenant,
    responses=responses.errors(404, 409),
    openapi_extra=needs(StaffPermission.TENANTS_WRITE),
)
async def resume_tenant(tenant_id: TenantPath, act: StaffActing) -> Response:
    """What waited goes on. Resuming one that is active is fine; one that is being erased is lost."""
    return await _answered(act, tenant_id, contract.ResumeTenant())


@router.put(
    "/tenants/{tenant_id}/plan",
    summary="Put a tenant on a plan",
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(StaffPermission.TENANTS_WRITE),
)
async def put_tenant_on_plan(tenant_id: TenantPath, body: PlanChoice, ask: StaffAsking) -> PlatformTenant:
    """From now on, with the terms of its own that are named here. Later changes of the plan reach it, but
    for those terms.
    """
    query = ChangePlan(code=body.code, overrides=body.terms())
    return PlatformTenant.of(await ask.service(query, tenant_id))


async def _answered(act: StaffAct, tenant: TenantId, query: BusQuery[contract.Tenant]) -> Response:
    async def work() -> Answer:
        shown = PlatformTenant.of(await act.service(query, tenant))
        return Answer(200, shown.model_dump(mode="json"))

    return await act.once(work)
