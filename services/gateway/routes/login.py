"""How users of a tenant come in and go: with passwords, by links, and from one access token to the next."""

from __future__ import annotations

import asyncio
import json

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from libs.common.contracts import people as contract
from libs.common.errors import Denied
from services.gateway import problems, responses
from services.gateway.auth import cookies
from services.gateway.people_bodies import AcceptedInvite, ForgottenPassword, Login, PasswordByLink
from services.gateway.people_views import SignedIn
from services.gateway.sign_in import Door

router = APIRouter(prefix="/api/v1/auth", tags=["Signing in"])
FORGOTTEN_S = 0.3
"""Longer than it takes to write a letter down: the time tells nobody whose addresses are known."""


@router.post("/login", summary="Sign in", response_model=SignedIn, responses=responses.errors(409))
async def log_in(body: Login, request: Request, response: Response) -> SignedIn | Response:
    """With e-mail address and password, and a code where two-factor sign-in is on (`totp_required`). Answers
    with cookies: an access token for ten minutes, and what a new one is fetched with.

    An address that several tenants know, with a password that is right in more than one: 409 `choose_tenant`
    lists them in `tenants`; send the same again with `tenant`.
    """
    door = Door(request)
    door.no_other_site()
    query = contract.LogIn(
        email=body.email, password=body.password, code=body.code, tenant=body.tenant, client=door.client
    )
    outcome = await door.ask(query)
    if outcome.session is None:
        return _choose(outcome, request)
    return await door.let_in(response, outcome.session)


@router.post("/refresh", summary="Refresh a session", responses=responses.errors())
async def refresh_session(request: Request, response: Response) -> SignedIn:
    """A new access token by the refresh cookie, which is replaced too. A refresh cookie that was replaced
    already ends the session.
    """
    door = Door(request)
    token = door.refresh_token()
    if token is None:
        raise Denied("There is no session to refresh.", code="session_ended")
    return await door.let_in(response, await door.ask(contract.RefreshSession(refresh_token=token)))


@router.post("/logout", status_code=204, summary="Sign out", responses=responses.errors())
async def log_out(request: Request, response: Response) -> None:
    """Ends the session of the refresh cookie at once, everywhere, and takes the cookies away."""
    door = Door(request)
    token = door.refresh_token()
    if token is not None:
        await door.ask(contract.EndSession(refresh_token=token))
    cookies.clear(response, door.gateway.settings)


@router.post(
    "/password/forgot", status_code=202, summary="Ask for a new password", responses=responses.errors()
)
async def forgot_password(body: ForgottenPassword, request: Request) -> None:
    """A letter with a link goes to the address, if it is somebody's; the answer is always the same."""
    asking = Door(request).ask(contract.RequestPasswordReset(email=body.email))
    await asyncio.gather(asking, asyncio.sleep(FORGOTTEN_S))


@router.post("/password/reset", status_code=204, summary="Set a new password", responses=responses.errors())
async def reset_password(body: PasswordByLink, request: Request) -> None:
    """By the link of the letter, which works once, within an hour. Every session ends."""
    await Door(request).ask(contract.ResetPassword(token=body.token, password=body.password))


@router.post("/invites/accept", summary="Accept an invitation", responses=responses.errors(402))
async def accept_invite(body: AcceptedInvite, request: Request, response: Response) -> SignedIn:
    """By its link, which works once, within seven days. Answers as signing in does."""
    door = Door(request)
    door.no_other_site()
    query = contract.AcceptInvite(
        token=body.token, name=body.name, password=body.password, client=door.client
    )
    return await door.let_in(response, await door.ask(query))


def _choose(outcome: contract.LoginOutcome, request: Request) -> Response:
    detail = "The address and the password are right in more than one tenant."
    made = problems.problem_response(
        409, "choose_tenant", detail, request_id=request.scope.get("request_id"), field="tenant"
    )
    tenants = [choice.model_dump(mode="json") for choice in outcome.choices]
    content = {**json.loads(bytes(made.body)), "tenants": tenants}
    return JSONResponse(content, 409, media_type=problems.MEDIA_TYPE)
