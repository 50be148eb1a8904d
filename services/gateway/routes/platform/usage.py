"""What tenants use, cost and bring in."""

from __future__ import annotations

from datetime import date

from fastapi import Request
from fastapi.responses import Response

from libs.common.contracts import quotas as contract
from libs.common.contracts import routing
from libs.common.contracts.access import StaffPermission
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.byok_views import Savings, Usage, today
from services.gateway.gateway import StaffAsking
from services.gateway.pages import sealed
from services.gateway.platform_views import Margins, TenantUsage, TenantUsagePage
from services.gateway.routes.batches import Cursor
from services.gateway.routes.platform.listing import (
    AsCsv,
    Limit,
    OfTenant,
    csv_too,
    listed,
    place_of_tenant,
)
from services.gateway.routes.platform.tenants import TenantPath
from services.gateway.routes.usage import REPORT_S, First, Last, a_year_before, check_period

router = guarded_router(prefix="/api/v1/platform", tags=["Platform usage"])
_LISTING = "platform-usage"
_COLUMNS = tuple(TenantUsage.model_fields)


@router.get(
    "/usage",
    summary="List the usage of tenants",
    response_model=TenantUsagePage,
    responses=csv_too(_COLUMNS),
    openapi_extra=needs(StaffPermission.USAGE_READ),
)
async def list_tenant_usage(
    request: Request,
    ask: StaffAsking,
    as_csv: AsCsv,
    first: First = None,
    last: Last = None,
    tenant: OfTenant = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Images, cost, revenue and margin of each tenant, of the present month unless days are given. As JSON,
    or as CSV.
    """
    start, end = _period(first, last)
    query = contract.ListTenantUsage(
        start=start, end=end, tenant_id=tenant, cursor=place_of_tenant(_LISTING, cursor), limit=limit
    )
    found = await ask.service(query, limit_s=REPORT_S)
    page = TenantUsagePage(
        start=found.start,
        end=found.end,
        currency=found.currency,
        items=tuple(TenantUsage.model_validate(row.model_dump()) for row in found.items),
        next_cursor=sealed(_LISTING, found.next_cursor),
    )
    return listed(request, page, _COLUMNS, f"usage-{start}-{end}", as_csv=as_csv)


@router.get(
    "/margins",
    summary="Get the margins",
    responses=responses.errors(),
    openapi_extra=needs(StaffPermission.USAGE_READ),
)
async def get_margins(ask: StaffAsking, first: First = None, last: Last = None) -> Margins:
    """The same of all tenants together."""
    start, end = _period(first, last)
    found = await ask.service(contract.GetMargins(start=start, end=end), limit_s=REPORT_S)
    return Margins.model_validate(found.model_dump())


@router.get(
    "/tenants/{tenant_id}/usage",
    summary="Get the charges of a tenant",
    responses=responses.errors(),
    openapi_extra=needs(StaffPermission.USAGE_READ),
)
async def get_platform_tenant_usage(
    tenant_id: TenantPath, ask: StaffAsking, first: First = None, last: Last = None
) -> Usage:
    """By day, provider and payer, as the tenant sees them under `/usage`."""
    start, end = _period(first, last)
    report = await ask.service(routing.GetUsage(start=start, end=end), tenant_id, REPORT_S)
    return Usage.model_validate(report.model_dump())


@router.get(
    "/tenants/{tenant_id}/savings",
    summary="Get the savings of a tenant",
    responses=responses.errors(),
    openapi_extra=needs(StaffPermission.USAGE_READ),
)
async def get_platform_tenant_savings(
    tenant_id: TenantPath, ask: StaffAsking, first: First = None, last: Last = None
) -> Savings:
    """What its own keys moved to its own accounts, by month, the last twelve unless days are given."""
    end = last or today()
    start = first or a_year_before(end)
    check_period(start, end)
    report = await ask.service(routing.GetSavings(start=start, end=end), tenant_id, REPORT_S)
    return Savings.model_validate(report.model_dump())


def _period(first: date | None, last: date | None) -> tuple[date, date]:
    """The present month unless days are given. InvalidPeriod."""
    end = last or today()
    start = first or end.replace(day=1)
    check_period(start, end)
    return start, end
