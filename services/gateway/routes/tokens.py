"""Access tokens: got for an API key or a session, given back, and the keys that anybody can verify them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.common.audit import acting
from libs.common.errors import Refusal
from services.gateway import responses
from services.gateway.auth import oauth
from services.gateway.auth.addresses import address_of
from services.gateway.auth.bearer import actor_of
from services.gateway.auth.caller import Caller, Principal
from services.gateway.auth.issuing import LIFETIME_S, issue
from services.gateway.auth.oauth import Client, OAuthRefusal
from services.gateway.auth.revoking import revoke
from services.gateway.errors import TooManyRequests
from services.gateway.gateway import Gateway

router = APIRouter(tags=["Signing in"])
JWKS_TYPE = "application/jwk-set+json"
JWKS_MAX_AGE_S = 60
"""Shorter than a new key is published before it signs."""


class AccessToken(BaseModel):
    """As RFC 6749, 5.1 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "access_token": "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln",
                    "token_type": "Bearer",
                    "expires_in": 600,
                    "scope": "images:read images:write",
                }
            ]
        }
    )

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # no password but a word of RFC 6749
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="The permissions that it has, separated by blanks.")


def _form(required: list[str], **fields: str) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in fields.items()}
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {oauth.FORM: {"schema": schema}}}}


def _refused(description: str) -> dict[str, Any]:
    return {"model": oauth.OAuthError, "description": description}


_CLIENT = {
    "client_id": "Id of an API key, or its visible part; unless HTTP Basic is used.",
    "client_secret": "The whole API key; unless HTTP Basic is used.",
}
_TOKEN = {"token": "The access token.", "token_type_hint": "Not needed."}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    **responses.errors(415),
    400: _refused("The request can't be granted; `error` says why."),
    401: _refused("The client could not show who it is."),
}
del _REFUSALS[422]


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


Parts = Annotated[Gateway, Depends(_gateway)]


@router.post(
    "/api/v1/auth/token",
    summary="Get an access token",
    response_model=AccessToken,
    responses=_REFUSALS,
    openapi_extra=_form(
        ["grant_type"],
        grant_type=f"`client_credentials` with an API key; `{oauth.SESSION_GRANT}` for who is signed in.",
        scope="The permissions that it should have, separated by blanks; all that the caller has if absent.",
        **_CLIENT,
    ),
)
async def get_token(request: Request, gateway: Parts) -> Response:
    """OAuth 2.0 client credentials (RFC 6749, 4.4) with an API key, by HTTP Basic or in the form. The answer
    is a JWT that is good for ten minutes, so that the key itself need not travel with every request. Whoever
    is signed in gets one for the session, which ends with it.
    """
    try:
        fields = await oauth.form(request)
        caller = await _grantee(request, gateway, fields)
        granted = await _grant(gateway, caller, fields.get("scope"))
    except OAuthRefusal as refusal:
        return refusal.response()
    return JSONResponse(granted.model_dump(), headers=oauth.NO_STORE)


@router.post(
    "/api/v1/auth/revoke",
    summary="Revoke an access token",
    response_model=None,
    responses={200: {"description": "It is good no longer, if it ever was."}, **_REFUSALS},
    openapi_extra=_form(["token"], **_TOKEN, **_CLIENT),
)
async def revoke_token(request: Request, gateway: Parts) -> Response:
    """RFC 7009, for access tokens of the caller's own tenant: refused everywhere within a second. What is no
    living token of the tenant is answered alike.
    """
    try:
        fields = await oauth.form(request)
        caller = await _anybody(request, gateway, fields)
        if not fields.get("token"):
            raise OAuthRefusal("invalid_request", "There is no token.")
    except OAuthRefusal as refusal:
        return refusal.response()
    with acting(actor_of(request.scope, caller)):
        await revoke(gateway, caller, fields["token"])
    return Response(headers=oauth.NO_STORE)


@router.get(
    "/.well-known/jwks.json",
    summary="Public keys of access tokens",
    responses={
        200: {"description": "A JWK set (RFC 7517).", "content": {JWKS_TYPE: {"schema": {"type": "object"}}}}
    },
    response_class=JSONResponse,
)
async def jwks(gateway: Parts) -> JSONResponse:
    """Every key whose tokens may still be alive, and the next one before it signs. Look again for a `kid`
    that you don't know.
    """
    if not gateway.token_keys.jwks["keys"]:
        await gateway.token_keys.read()
    headers = {"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}", "Access-Control-Allow-Origin": "*"}
    return JSONResponse(gateway.token_keys.jwks, headers=headers, media_type=JWKS_TYPE)


async def _grantee(request: Request, gateway: Gateway, fields: dict[str, str]) -> Principal:
    """Who gets the token. OAuthRefusal."""
    grant = fields.get("grant_type")
    if grant == oauth.SESSION_GRANT:
        return _signed_in(request)
    if grant != "client_credentials":
        raise OAuthRefusal(
            "unsupported_grant_type" if grant else "invalid_request",
            f"The grant type is client_credentials or {oauth.SESSION_GRANT}.",
        )
    if (client := oauth.client_of(request, fields)) is None:
        raise OAuthRefusal("invalid_client", "Send an API key as client_secret, or by HTTP Basic.")
    return await _client(request, gateway, client)


async def _anybody(request: Request, gateway: Gateway, fields: dict[str, str]) -> Principal:
    """A client with its key, or whoever has a credential as for any other request. OAuthRefusal."""
    if (client := oauth.client_of(request, fields)) is not None:
        return await _client(request, gateway, client)
    caller = request.scope.get("caller")
    if caller is None:
        raise OAuthRefusal("invalid_client", "Send an API key, or sign in.")
    found: Principal = caller
    return found


def _signed_in(request: Request) -> Principal:
    caller = request.scope.get("caller")
    if caller is None or caller.session is None:
        raise OAuthRefusal("invalid_client", "Nobody is signed in.")
    found: Principal = caller
    return found


async def _client(request: Request, gateway: Gateway, client: Client) -> Caller:
    """The API key's caller. OAuthRefusal for whatever is wrong with it."""
    try:
        caller = await gateway.access.by_key(client.secret, address_of(request.scope))
    except TooManyRequests:
        raise
    except Refusal as error:
        raise OAuthRefusal("invalid_client", error.detail) from None
    if client.id not in (caller.subject, oauth.public_id(client.secret)):
        raise OAuthRefusal("invalid_client", "The client id is not that of the key.")
    return caller


async def _grant(gateway: Gateway, caller: Principal, scope: str | None) -> AccessToken:
    """A token that lives no longer than what it is given for. OAuthRefusal, Unavailable."""
    now = datetime.now(UTC).timestamp()
    left = LIFETIME_S if caller.good_until is None else int(caller.good_until - now)
    permissions = oauth.narrowed(scope, caller.permissions)
    if left < 1:
        raise OAuthRefusal("invalid_client", "The credential is about to expire.")
    issued = await issue(
        gateway,
        tenant=caller.tenant,
        subject=caller.subject,
        permissions=permissions,
        session=caller.session,
        lifetime_s=min(left, LIFETIME_S),
        test=caller.test,
        acting_for=caller.acting_for,
    )
    claims, token = issued.claims, issued.token.get_secret_value()
    return AccessToken(access_token=token, expires_in=claims.exp - claims.iat, scope=claims.scope)
