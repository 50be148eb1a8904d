"""Every request but those for public paths carries an API key, checked before anything else is looked at."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KeyRing
from services.gateway.errors import Unauthorized
from services.gateway.problems import of_error

PUBLIC_PATHS = frozenset({"/", "/docs", "/healthz", "/api/v1/openapi.json"})


class Authenticate:
    """Puts the Caller into the scope, or answers 401."""

    def __init__(self, app: ASGIApp, keys: KeyRing) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PUBLIC_PATHS:
            await self._app(scope, receive, send)
            return
        caller = self._keys.find(presented(Headers(scope=scope)))
        if caller is None:
            await of_error(Unauthorized(), scope.get("request_id"))(scope, receive, send)
            return
        scope["caller"] = caller
        with bound_contextvars(tenant=str(caller.tenant), api_key=str(caller.key_id)):
            await self._app(scope, receive, send)


def presented(headers: Headers) -> str:
    """The key in `Authorization: Bearer` (RFC 6750) or `X-API-Key`; empty if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-api-key", "").strip()


async def caller(request: Request) -> Caller:
    """Who makes the request. Unauthorized where the middleware was passed by, which must not happen."""
    found = request.scope.get("caller")
    if not isinstance(found, Caller):
        raise Unauthorized
    return found
