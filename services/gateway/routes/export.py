"""Everything that is kept of a tenant, to take away."""

from __future__ import annotations

from typing import Any

from fastapi.responses import StreamingResponse

from libs.common.audit.record import record
from libs.common.contracts.access import Permission
from libs.common.contracts.erasure import ExportedRows
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.export import Export
from services.gateway.gateway import Asking

router = guarded_router(prefix="/api/v1", tags=["Export and erasure"])
_PAGE_S = 30.0


@router.get(
    "/tenant/export",
    summary="Export the tenant",
    response_class=StreamingResponse,
    responses={
        200: responses.content("A ZIP of rows, files and an index of both.", "application/zip"),
        **responses.errors(),
    },
    openapi_extra=needs(Permission.EXPORT),
)
async def export_tenant(ask: Asking) -> StreamingResponse:
    """All rows as JSON lines in `data/`, all stored files in `objects/`, and `index.json` with the media
    type, size, SHA-256 and count of each; without hashes of credentials, ciphertexts and tokens. It is made
    while it is sent and is no snapshot of one moment. An archive without its end was broken off: ask again.
    """
    gateway = ask.gateway

    async def pages(query: Any) -> ExportedRows:
        found: ExportedRows = await ask.service(query, _PAGE_S)
        return found

    async with gateway.database.tenant(ask.tenant) as tx:
        record(tx, "tenant.exported", ask.tenant)
    archive = Export(ask.tenant, pages, gateway.database, gateway.objects)
    return StreamingResponse(
        archive.stream(),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{ask.tenant}.zip"',
            "Cache-Control": "no-store",
        },
    )
