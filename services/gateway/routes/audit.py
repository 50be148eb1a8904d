"""What was done in a tenant, by whom and from where; and the same of the platform's own people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel

from libs.common.contracts import audit as contract
from libs.common.contracts.access import Permission, StaffPermission
from services.gateway import responses
from services.gateway.audit_views import AuditEntry, AuditPage, ChainState
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import Ask, Asking, StaffAsk, StaffAsking
from services.gateway.pages import opened, sealed
from services.gateway.routes.batches import Cursor

router = guarded_router(prefix="/api/v1", tags=["Audit log"])
NDJSON = "application/x-ndjson"
VERIFIED_S = 120.0
_EXPORT_PAGE = 500
_LISTING = "audit-log"
_Words = Query(max_length=100, pattern=r"^[\x21-\x7e]+$")


class Filters(BaseModel):
    """Which entries are wanted; all where nothing is said."""

    action: str | None = None
    actor_id: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


def _filters(
    action: Annotated[
        str | None, _Words, Query(description="`api_key.issued`, or `api_key` for all that begin so.")
    ] = None,
    actor: Annotated[str | None, _Words, Query(description="Id of who did it.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="From this moment on.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this moment.")] = None,
) -> Filters:
    return Filters(action=action, actor_id=actor, since=since, until=until)


Filtered = Annotated[Filters, Depends(_filters)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get(
    "/audit-log",
    summary="List the audit log",
    responses=responses.errors(),
    openapi_extra=needs(Permission.AUDIT_READ),
)
async def list_audit_log(
    ask: Asking, filters: Filtered, cursor: Cursor = None, limit: Limit = 50
) -> AuditPage:
    """Every change and every use of a credential, newest first. Nobody can change or remove an entry."""
    return await _page(ask, filters, cursor, limit)


@router.get(
    "/audit-log/verification",
    summary="Verify the audit log",
    responses=responses.errors(),
    openapi_extra=needs(Permission.AUDIT_READ),
)
async def verify_audit_log(ask: Asking) -> ChainState:
    """Follows the whole chain of hashes and says where it breaks, if it does."""
    found = await ask.service(contract.VerifyAuditLog(), VERIFIED_S)
    return ChainState.model_validate(found.model_dump())


@router.get(
    "/audit-log/export",
    summary="Export the audit log",
    response_class=StreamingResponse,
    responses={200: responses.content("An entry a line, the oldest first.", NDJSON), **responses.errors()},
    openapi_extra=needs(Permission.AUDIT_READ),
)
async def export_audit_log(ask: Asking) -> StreamingResponse:
    """All of it as JSON lines, which can be verified without us: each line's `hash` is that of the line
    without it, keys sorted and no blanks, and the next line's `previous`.
    """
    return StreamingResponse(_lines(ask), media_type=NDJSON)


@router.get(
    "/platform/audit-log",
    summary="List the platform's audit log",
    responses=responses.errors(),
    openapi_extra=needs(StaffPermission.AUDIT_READ),
)
async def list_platform_audit_log(
    ask: StaffAsking, filters: Filtered, cursor: Cursor = None, limit: Limit = 50
) -> AuditPage:
    """What the platform's own people did that concerns no tenant; the rest is in the log of its tenant."""
    return await _page(ask, filters, cursor, limit)


@router.get(
    "/platform/audit-log/verification",
    summary="Verify the platform's audit log",
    responses=responses.errors(),
    openapi_extra=needs(StaffPermission.AUDIT_READ),
)
async def verify_platform_audit_log(ask: StaffAsking) -> ChainState:
    """Follows the whole chain of hashes and says where it breaks, if it does."""
    found = await ask.service(contract.VerifyAuditLog(), limit_s=VERIFIED_S)
    return ChainState.model_validate(found.model_dump())


async def _page(ask: Ask | StaffAsk, filters: Filters, cursor: str | None, limit: int) -> AuditPage:
    query = contract.ListAuditLog(**filters.model_dump(), limit=limit, cursor=opened(_LISTING, cursor))
    page = await ask.service(query)
    items = tuple(AuditEntry.model_validate(entry.model_dump()) for entry in page.items)
    return AuditPage(items=items, next_cursor=sealed(_LISTING, page.next_cursor))


async def _lines(ask: Ask) -> AsyncIterator[str]:
    cursor: str | None = None
    while True:
        query = contract.ListAuditLog(oldest_first=True, limit=_EXPORT_PAGE, cursor=cursor)
        page = await ask.service(query, 30.0)
        yield "".join(f"{entry.model_dump_json()}\n" for entry in page.items)
        cursor = page.next_cursor
        if cursor is None:
            return
