"""A tenant's own hosts, proved by DNS."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from libs.common.contracts import branding as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import DomainId
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.branding import examples
from services.gateway.branding.views import Domain, DomainPage, NewDomain
from services.gateway.gateway import Acting, Asking
from services.gateway.idempotency import Answer

router = guarded_router(prefix="/api/v1/tenant", tags=["Branding"])
DomainPath = Annotated[DomainId, Path(description="Id of the domain.", examples=[examples.DOMAIN_ID])]
_LOOK_S = 15.0


@router.post(
    "/domains",
    status_code=201,
    summary="Add a domain",
    response_model=Domain,
    responses=responses.errors(402, 409, 413),
    openapi_extra=needs(Permission.BRANDING_WRITE),
)
async def add_domain(body: NewDomain, act: Acting) -> Response:
    """Put the answer's `record` into your DNS to prove that the host is yours, point the host at us, then
    verify it. A host that you added before is answered as it is.
    """

    async def work() -> Answer:
        made = await act.service(contract.AddDomain(host=body.host))
        location = f"{act.links.base}/tenant/domains/{made.id}"
        return Answer(201, Domain.of(made).model_dump(mode="json"), {"Location": location})

    return await act.once(work)


@router.get(
    "/domains",
    summary="List domains",
    responses=responses.errors(),
    openapi_extra=needs(Permission.BRANDING_READ),
)
async def list_domains(ask: Asking) -> DomainPage:
    """In the order in which they were added."""
    found = await ask.service(contract.ListDomains())
    return DomainPage(items=tuple(map(Domain.of, found.items)))


@router.get(
    "/domains/{domain_id}",
    summary="Get a domain",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.BRANDING_READ),
)
async def get_domain(domain_id: DomainPath, ask: Asking) -> Domain:
    """With the record that proves it."""
    found = await ask.service(contract.GetDomain(domain_id=domain_id))
    return Domain.of(found)


@router.post(
    "/domains/{domain_id}/verify",
    summary="Verify a domain",
    response_model=Domain,
    responses=responses.errors(402, 404, 409, 413),
    openapi_extra=needs(Permission.BRANDING_WRITE),
)
async def verify_domain(domain_id: DomainPath, act: Acting) -> Response:
    """Looks its record up now: `status` says what came of it, and `fault` why it is not `verified`. A new
    record may take minutes to be seen everywhere.
    """

    async def work() -> Answer:
        found = await act.service(contract.VerifyDomain(domain_id=domain_id), _LOOK_S)
        return Answer(200, Domain.of(found).model_dump(mode="json"))

    return await act.once(work)


@router.delete(
    "/domains/{domain_id}",
    status_code=204,
    summary="Remove a domain",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.BRANDING_WRITE),
)
async def remove_domain(domain_id: DomainPath, ask: Asking) -> None:
    """Your brand is no longer shown there."""
    await ask.service(contract.RemoveDomain(domain_id=domain_id))
