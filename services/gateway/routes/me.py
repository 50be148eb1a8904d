"""What concerns the caller alone: profile, password, two-factor sign-in, sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path
from fastapi.responses import Response
from pydantic import SecretStr

from libs.common.contracts import people as contract
from libs.common.contracts.access import ActorKind, Permission
from libs.common.contracts.ids import SessionId, UserId
from services.gateway import people_views as views
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.errors import Forbidden
from services.gateway.gateway import Acting, Ask, Asking
from services.gateway.idempotency import Answer
from services.gateway.people_bodies import ChangedPassword, ChangedProfile, TotpCode
from services.gateway.people_views import Me, Member, RecoveryCodes, Session, SessionList, TotpEnrolment
from services.gateway.sign_in import SLOW_S, enrolment

router = guarded_router(prefix="/api/v1/me", tags=["Me"])
SessionPath = Annotated[SessionId, Path(description="Id of the session.", examples=[views.SESSION_ID])]
CodeHeader = Annotated[
    str,
    Header(
        min_length=6,
        max_length=32,
        pattern=r"^[0-9A-Za-z -]+$",
        description="A code of the authenticator app, or a recovery code.",
        examples=["123456"],
    ),
]


@router.get("", summary="Get yourself", responses=responses.errors(404), openapi_extra=needs(Permission.ME))
async def get_me(ask: Asking) -> Me:
    """Who you are, and what you may do here."""
    user = await ask.service(contract.GetUser(user_id=_self(ask)))
    return Me(
        tenant_id=ask.tenant,
        session_id=ask.caller.session,
        user=Member.of(user),
        permissions=tuple(sorted(ask.caller.permissions)),
    )


@router.patch(
    "", summary="Change your profile", responses=responses.errors(404), openapi_extra=needs(Permission.ME)
)
async def change_me(body: ChangedProfile, ask: Asking) -> Member:
    """Name and language."""
    query = contract.ChangeProfile(user_id=_self(ask), name=body.name, language=body.language)
    return Member.of(await ask.service(query))


@router.put(
    "/password",
    status_code=204,
    summary="Change your password",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.ME),
)
async def change_password(body: ChangedPassword, ask: Asking) -> None:
    """Every other session of yours ends."""
    query = contract.ChangePassword(
        user_id=_self(ask),
        session_id=ask.caller.session,
        current=body.current_password,
        new=body.new_password,
    )
    await ask.service(query, SLOW_S)


@router.post(
    "/totp",
    summary="Begin two-factor sign-in",
    response_model=TotpEnrolment,
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.ME),
)
async def begin_totp(act: Acting) -> Response:
    """A secret for an authenticator app, also as a QR code. It counts once a code of it is confirmed."""
    query = contract.BeginTotp(user_id=_self(act))

    async def work() -> Answer:
        begun = enrolment(await act.service(query))
        return Answer(200, {}, once=begun.model_dump(mode="json"))

    return await act.once_with_secret(work)


@router.post(
    "/totp/confirm",
    summary="Confirm two-factor sign-in",
    response_model=RecoveryCodes,
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.ME),
)
async def confirm_totp(body: TotpCode, act: Acting) -> Response:
    """From now on signing in needs a code. Answers with recovery codes, this once."""
    query = contract.ConfirmTotp(user_id=_self(act), code=body.code)

    async def work() -> Answer:
        codes = (await act.service(query)).codes
        return Answer(200, {}, once={"recovery_codes": [code.get_secret_value() for code in codes]})

    return await act.once_with_secret(work)


@router.delete(
    "/totp",
    status_code=204,
    summary="End two-factor sign-in",
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.ME),
)
async def remove_totp(ask: Asking, totp_code: CodeHeader) -> None:
    """With a code, so that nobody else does it on a screen that was left open."""
    await ask.service(contract.RemoveTotp(user_id=_self(ask), code=SecretStr(totp_code)))


@router.get(
    "/sessions",
    summary="List your sessions",
    responses=responses.errors(),
    openapi_extra=needs(Permission.ME),
)
async def list_sessions(ask: Asking) -> SessionList:
    """Where you are signed in, the newest first."""
    found = await ask.service(contract.ListSessions(user_id=_self(ask)))
    return SessionList(items=tuple(Session.of(one, ask.caller.session) for one in found.items))


@router.delete(
    "/sessions",
    status_code=204,
    summary="End all your sessions",
    responses=responses.errors(),
    openapi_extra=needs(Permission.ME),
)
async def end_all_sessions(ask: Asking) -> None:
    """This one too: its tokens stop working within a second."""
    await ask.service(contract.EndSessions(user_id=_self(ask)))


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="End one of your sessions",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.ME),
)
async def end_session(session_id: SessionPath, ask: Asking) -> None:
    """Its tokens stop working within a second."""
    await ask.service(contract.EndSessions(user_id=_self(ask), session_id=session_id))


def _self(ask: Ask) -> UserId:
    """The caller, who must be a person of the tenant. Forbidden for a key, and for the platform's people."""
    if ask.caller.kind is not ActorKind.USER:
        raise Forbidden(Permission.ME)
    return UserId(ask.caller.subject)
