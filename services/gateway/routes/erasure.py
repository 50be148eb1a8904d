"""The end of a tenant: asked for by its owner or by the platform, and proved afterwards."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from libs.common.contracts import erasure as contract
from libs.common.contracts.access import Permission, StaffPermission
from libs.common.contracts.ids import ErasureId, TenantId
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.erasure import EXAMPLE_ID, Confirmation, Erasure
from services.gateway.gateway import Acting, Gateway, StaffActing, StaffAsking
from services.gateway.idempotency import Answer
from services.gateway.views import Links

_TAGS: list[str | Enum] = ["Export and erasure"]
guarded = guarded_router(prefix="/api/v1", tags=_TAGS)
unguarded = APIRouter(prefix="/api/v1", tags=_TAGS)

ErasurePath = Annotated[ErasureId, Path(description="Id of the erasure.", examples=[EXAMPLE_ID])]
TenantPath = Annotated[
    TenantId, Path(description="Id of the tenant.", examples=["ten_01hzy3k5v7m9q2w4x6z8b0c1d2"])
]


@guarded.post(
    "/tenant/erase",
    status_code=202,
    summary="Erase the tenant",
    response_model=Erasure,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.ERASE),
)
async def erase_tenant(body: Confirmation, act: Acting) -> Response:
    """Removes everything of the tenant for good: people, keys, images, charges, the audit log, and the key
    that its secrets are encrypted under. Nobody gets in from now on. `Location` is where the signed
    certificate will be; it needs no credential, as there will be none. Take an export before.
    """

    async def work() -> Answer:
        asked = await act.service(contract.RequestErasure(confirm=body.confirm))
        return _accepted(asked, act.links)

    return await act.once(work)


@unguarded.get(
    "/erasures/{erasure_id}",
    summary="Get an erasure",
    responses=responses.errors(404),
)
async def get_erasure(erasure_id: ErasurePath, request: Request) -> Erasure:
    """How far it is, and its certificate once all is done. Nobody can guess an id, and nothing here names
    the tenant.
    """
    gateway: Gateway = request.app.state.gateway
    return Erasure.of(await gateway.bus.request(contract.GetErasure(erasure_id=erasure_id)))


@guarded.post(
    "/platform/tenants/{tenant_id}/erase",
    status_code=202,
    summary="Erase a tenant",
    response_model=Erasure,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(StaffPermission.TENANTS_ERASE),
)
async def erase_any_tenant(tenant_id: TenantPath, body: Confirmation, act: StaffActing) -> Response:
    """As its owner could. Asking again answers with what the first request began."""

    async def work() -> Answer:
        asked = await act.service(contract.RequestErasure(confirm=body.confirm), tenant_id)
        return _accepted(asked, act.links)

    return await act.once(work)


@guarded.get(
    "/platform/erasures/{erasure_id}",
    summary="Get any erasure",
    responses=responses.errors(404),
    openapi_extra=needs(StaffPermission.TENANTS_ERASE),
)
async def get_any_erasure(erasure_id: ErasurePath, ask: StaffAsking) -> Erasure:
    """How far it is, and its certificate once all is done."""
    return Erasure.of(await ask.service(contract.GetErasure(erasure_id=erasure_id)))


def _accepted(asked: contract.Erasure, links: Links) -> Answer:
    shown = Erasure.of(asked)
    where = f"{links.base}/erasures/{shown.id}"
    return Answer(202, shown.model_dump(mode="json"), {"Location": where})


router = APIRouter()
router.include_router(guarded)
router.include_router(unguarded)
