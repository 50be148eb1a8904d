"""Single sign-on: how it is set up, and the way through the tenant's identity provider."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import SecretStr

from libs.common.contracts import sso as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import TenantId
from libs.common.contracts.people import PATH, TEXT
from libs.common.errors import Denied
from services.gateway import people_views as views
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import Asking
from services.gateway.people_bodies import NewSso
from services.gateway.people_views import Sso
from services.gateway.sign_in import BINDING, SLOW_S, Door

setup = guarded_router(prefix="/api/v1/sso", tags=["Single sign-on"])
doors = APIRouter(prefix="/api/v1/auth/sso", tags=["Single sign-on"])
_TO_THE_PROVIDER: responses.Responses = {302: {"description": "To the identity provider."}}
_BACK: responses.Responses = {302: {"description": "Signed in, and back to where it began."}}


@setup.get(
    "",
    summary="Get single sign-on",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.SSO_READ),
)
async def get_sso(ask: Asking) -> Sso:
    """As it is set; 404 if it is not."""
    return Sso.of(await ask.service(contract.GetSso()))


@setup.put(
    "",
    summary="Set up single sign-on",
    responses=responses.errors(402, 409),
    openapi_extra=needs(Permission.SSO_WRITE),
)
async def set_sso(body: NewSso, ask: Asking) -> Sso:
    """By OpenID Connect. The provider's configuration is read before it counts; the secret is encrypted in
    the vault and never shown. Needs a plan with single sign-on.
    """
    return Sso.of(await ask.service(contract.SetSso(**dict(body)), SLOW_S))


@setup.delete(
    "",
    status_code=204,
    summary="End single sign-on",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.SSO_WRITE),
)
async def remove_sso(ask: Asking) -> None:
    """People keep the other ways in that they have; open sessions go on."""
    await ask.service(contract.RemoveSso())


@doors.get(
    "/{tenant_id}/start",
    status_code=302,
    summary="Begin single sign-on",
    response_class=RedirectResponse,
    responses=_TO_THE_PROVIDER | responses.errors(402, 404, 409),
)
async def begin_sso(
    tenant_id: Annotated[TenantId, Path(description="Whose.", examples=[views.TENANT_ID])],
    request: Request,
    return_to: Annotated[
        str, Query(max_length=500, pattern=PATH, description="A path here to come back to.")
    ] = "/",
) -> Response:
    """For a browser: sends it to the tenant's identity provider."""
    door = Door(request)
    query = contract.BeginSso(return_to=return_to)
    begun = await door.gateway.bus.request(query, tenant=tenant_id, timeout=SLOW_S)
    response = RedirectResponse(begun.url, 302)
    door.bind(response, begun.binding)
    return response


@doors.get(
    "/callback",
    status_code=302,
    summary="End single sign-on's way",
    response_class=RedirectResponse,
    responses=_BACK | responses.errors(402, 404, 409),
)
async def finish_sso(
    request: Request,
    state: Annotated[str, Query(min_length=1, max_length=300, pattern=TEXT)],
    code: Annotated[str | None, Query(min_length=1, max_length=4000, pattern=TEXT)] = None,
    iss: Annotated[str | None, Query(max_length=500, pattern=TEXT)] = None,
    error: Annotated[str | None, Query(max_length=200, pattern=TEXT)] = None,
) -> Response:
    """Where the identity provider sends the browser back to; sets the cookies of a session."""
    if code is None or error is not None:
        raise Denied("The identity provider did not let you in.", code="sso_failed")
    door = Door(request)
    query = contract.FinishSso(
        state=SecretStr(state), code=SecretStr(code), binding=door.binding(), issuer=iss, client=door.client
    )
    finished = await door.ask(query)
    response = RedirectResponse(finished.return_to, 302)
    await door.let_in(response, finished.session)
    response.delete_cookie(BINDING, "/api/v1/auth/sso")
    return response


router = APIRouter()
router.include_router(setup)
router.include_router(doors)
