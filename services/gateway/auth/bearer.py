"""Every request but those for public paths carries a credential, checked before anything else is looked at.

It is an API key or an access token in a header, or else the access token in the cookie of a session.
"""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from libs.common.audit import acting
from libs.common.contracts.access import Actor
from libs.common.errors import MannequinError
from services.gateway.auth.access import Access
from services.gateway.auth.addresses import address_of
from services.gateway.auth.caller import Caller, Principal, StaffCaller
from services.gateway.auth.cookies import SAFE, access_cookie, cookies_sent, same_origin
from services.gateway.auth.paths import PUBLIC_PATHS
from services.gateway.errors import CrossSite, TenantSuspended, Unauthorized
from services.gateway.problems import of_error
from services.gateway.settings import GatewaySettings


class Authenticate:
    """Puts the caller into the scope, or answers 401 or 403."""

    def __init__(self, app: ASGIApp, access: Access, settings: GatewaySettings) -> None:
        self._app = app
        self._access = access
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._admitted(scope)
        except MannequinError as error:
            await of_error(error, scope.get("request_id"))(scope, receive, send)
            return
        if caller is None:
            await self._app(scope, receive, send)
            return
        scope["caller"] = caller
        bound = bound_contextvars(tenant=str(caller.tenant or ""), caller=caller.subject)
        with bound, acting(actor_of(scope, caller)):
            await self._app(scope, receive, send)

    async def _admitted(self, scope: Scope) -> Principal | None:
        """None: nobody known, and nobody has to be. Unauthorized, CrossSite, TenantSuspended, Unavailable."""
        public = scope["path"] in PUBLIC_PATHS
        credential = self._credential(scope)
        if not credential and not public:
            raise Unauthorized
        try:
            caller = await self._access.find(credential, address_of(scope)) if credential else None
        except MannequinError:
            if public:
                return None
            raise
        if caller and not public and scope["method"] not in SAFE and self._access.suspended(caller):
            raise TenantSuspended
        scope["credential"] = credential
        return caller

    def _credential(self, scope: Scope) -> str:
        """A header goes before a cookie; empty if there is neither. CrossSite."""
        headers = Headers(scope=scope)
        if credential := in_headers(headers):
            return credential
        cookies = cookies_sent(headers, self._settings)
        if cookies and not same_origin(scope, self._settings):
            raise CrossSite
        return cookies.get(access_cookie(self._settings), "")


def actor_of(scope: Scope, caller: Principal) -> Actor:
    """Who the audit log names."""
    return Actor(
        kind=caller.kind,
        id=caller.subject,
        ip=address_of(scope),
        request_id=scope.get("request_id"),
        acting_for=caller.acting_for,
    )


def presented(scope: Scope) -> str:
    """The credential that the caller was found by, as it was sent; empty if there was none."""
    return str(scope.get("credential", ""))


def in_headers(headers: Headers) -> str:
    """What `Authorization: Bearer` (RFC 6750) or `X-API-Key` has; empty if there is neither."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-api-key", "").strip()


async def caller(request: Request) -> Caller:
    """Who of a tenant makes the request. Unauthorized for anybody else."""
    found = request.scope.get("caller")
    if not isinstance(found, Caller):
        raise Unauthorized
    return found


async def staff_caller(request: Request) -> StaffCaller:
    """Who of the platform's own people makes the request. Unauthorized for anybody else."""
    found = request.scope.get("caller")
    if not isinstance(found, StaffCaller):
        raise Unauthorized
    return found
