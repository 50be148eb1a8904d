"""What is wrong at tenants: their keys, and the endpoints that they want to be told at."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from libs.common.contracts.access import StaffPermission
from libs.common.contracts.credentials import HealthState
from libs.common.contracts.key_health import ListCredentialHealth
from libs.common.contracts.providers import ProviderName
from libs.common.contracts.webhooks import EndpointState, ListEndpointHealth
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import StaffAsking
from services.gateway.pages import opened, sealed
from services.gateway.platform_views import (
    CredentialHealthPage,
    CredentialStanding,
    EndpointHealthPage,
    EndpointStanding,
)
from services.gateway.routes.batches import Cursor
from services.gateway.routes.platform.listing import AsCsv, Limit, OfTenant, csv_too, listed
from services.gateway.routes.usage import REPORT_S

router = guarded_router(prefix="/api/v1/platform", tags=["Platform health"])
_CREDENTIALS, _ENDPOINTS = "platform-credentials", "platform-endpoints"
_KEY_COLUMNS = tuple(CredentialStanding.model_fields)
_ENDPOINT_COLUMNS = tuple(EndpointStanding.model_fields)


@router.get(
    "/credential-health",
    summary="List the health of credentials",
    response_model=CredentialHealthPage,
    responses=csv_too(_KEY_COLUMNS),
    openapi_extra=needs(StaffPermission.HEALTH_READ),
)
async def list_credential_health(
    request: Request,
    ask: StaffAsking,
    as_csv: AsCsv,
    tenant: OfTenant = None,
    state: Annotated[HealthState | None, Query(description="Only those that stand so.")] = None,
    provider: Annotated[ProviderName | None, Query(description="Only those of this provider.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Every tenant's own keys, by tenant. As JSON, or as CSV."""
    place = opened(_CREDENTIALS, cursor)
    query = ListCredentialHealth(tenant_id=tenant, state=state, provider=provider, cursor=place, limit=limit)
    found = await ask.service(query, limit_s=REPORT_S)
    page = CredentialHealthPage(
        items=tuple(CredentialStanding.model_validate(one.model_dump()) for one in found.items),
        next_cursor=sealed(_CREDENTIALS, found.next_cursor),
    )
    return listed(request, page, _KEY_COLUMNS, "credential-health", as_csv=as_csv)


@router.get(
    "/webhook-health",
    summary="List the health of webhook endpoints",
    response_model=EndpointHealthPage,
    responses=csv_too(_ENDPOINT_COLUMNS),
    openapi_extra=needs(StaffPermission.HEALTH_READ),
)
async def list_webhook_health(
    request: Request,
    ask: StaffAsking,
    as_csv: AsCsv,
    tenant: OfTenant = None,
    state: Annotated[EndpointState | None, Query(description="Only those that stand so.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Every tenant's endpoints, by tenant, with what is under way and what was given up in the last 24 hours.
    As JSON, or as CSV.
    """
    place = opened(_ENDPOINTS, cursor)
    query = ListEndpointHealth(tenant_id=tenant, state=state, cursor=place, limit=limit)
    found = await ask.service(query, limit_s=REPORT_S)
    page = EndpointHealthPage(
        items=tuple(EndpointStanding.model_validate(one.model_dump()) for one in found.items),
        next_cursor=sealed(_ENDPOINTS, found.next_cursor),
    )
    return listed(request, page, _ENDPOINT_COLUMNS, "webhook-health", as_csv=as_csv)
