"""The platform's people inside a tenant: with a reason, for a time, told in the tenant's audit log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from libs.common.contracts import staff as contract
from libs.common.contracts.access import API_KEY_PERMISSIONS, ROLES, StaffPermission
from libs.common.contracts.ids import SessionId, StaffId, TenantId
from services.gateway import people_views as views
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.auth.issuing import issue
from services.gateway.gateway import StaffActing, StaffAsking
from services.gateway.idempotency import Answer
from services.gateway.people_bodies import NewImpersonation
from services.gateway.people_views import BegunImpersonation, Impersonation, ImpersonationList

router = guarded_router(prefix="/api/v1/platform/tenants/{tenant_id}/impersonation", tags=["Platform staff"])
TenantPath = Annotated[TenantId, Path(description="Id of the tenant.", examples=[views.TENANT_ID])]
SessionPath = Annotated[SessionId, Path(description="Id of the impersonation.", examples=[views.SESSION_ID])]


@router.post(
    "",
    status_code=201,
    summary="Act inside a tenant",
    response_model=BegunImpersonation,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(StaffPermission.IMPERSONATE),
)
async def begin_impersonation(tenant_id: TenantPath, body: NewImpersonation, act: StaffActing) -> Response:
    """Answers with a bearer token of the tenant's API that has the role's permissions, without those by which
    access could be left behind: members, API keys, single sign-on, sign-in. The tenant reads of it, and of
    everything that is done with it, in its audit log.
    """
    query = contract.BeginImpersonation(
        staff_id=StaffId(act.caller.subject), reason=body.reason, role=body.role, minutes=body.minutes
    )

    async def work() -> Answer:
        begun = await act.service(query, tenant_id)
        issued = await issue(
            act.gateway,
            tenant=tenant_id,
            subject=begun.staff_id,
            permissions=ROLES[begun.role] & API_KEY_PERMISSIONS,
            session=begun.session_id,
            lifetime_s=_left_s(begun.expires_at),
            acting_for=begun.reason,
        )
        shown = Impersonation.of(begun).model_dump(mode="json")
        return Answer(201, shown, once={"access_token": issued.token.get_secret_value()})

    return await act.once(work)


@router.get(
    "",
    summary="List who acted inside a tenant",
    responses=responses.errors(),
    openapi_extra=needs(StaffPermission.IMPERSONATE),
)
async def list_impersonations(tenant_id: TenantPath, ask: StaffAsking) -> ImpersonationList:
    """The newest first, at most 200."""
    found = await ask.service(contract.ListImpersonations(), tenant_id)
    return ImpersonationList(items=tuple(map(Impersonation.of, found.items)))


@router.delete(
    "/{session_id}",
    summary="Stop acting inside a tenant",
    responses=responses.errors(404),
    openapi_extra=needs(StaffPermission.IMPERSONATE),
)
async def end_impersonation(
    tenant_id: TenantPath, session_id: SessionPath, ask: StaffAsking
) -> Impersonation:
    """The token stops working within a second. Stopping twice is fine."""
    return Impersonation.of(await ask.service(contract.EndImpersonation(session_id=session_id), tenant_id))


def _left_s(until: datetime) -> int:
    return max(1, min(3600, int((until - datetime.now(UTC)).total_seconds())))
