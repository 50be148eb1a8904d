"""The cookies of a session: an access token for every request, and what a new one is fetched with.

Source: draft-ietf-httpbis-rfc6265bis-20 (SameSite, and the name prefixes `__Host-` and `__Secure-`, by which
a browser lets neither another host nor an unencrypted page set them). Scripts can't read either of them. The
access cookie is `Lax`, so that links from elsewhere lead in, and is proof of nothing where something changes:
see `same_origin`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from services.gateway.settings import GatewaySettings

REFRESH_PATH = "/api/v1/auth"
"""Nothing but the routes that refresh or end a session is sent the refresh cookie."""
PLATFORM_REFRESH_PATH = "/api/v1/platform/auth"
"""The same for the platform's own people, so that one browser can hold a session of each realm."""
_ACCESS, _REFRESH = "mannequin", "mannequin-refresh"
SESSION_COOKIE = f"__Host-{_ACCESS}"
"""The name of the access cookie wherever cookies are safe; plain `mannequin` on a machine of one's own."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""


def access_cookie(settings: GatewaySettings) -> str:
    """The name of the cookie with the access token."""
    return SESSION_COOKIE if settings.cookie_secure else _ACCESS


def refresh_cookie(settings: GatewaySettings) -> str:
    """The name of the cookie with the refresh token; it has a path, so it can't be a `__Host-` one."""
    return f"__Secure-{_REFRESH}" if settings.cookie_secure else _REFRESH


def set_access(response: Response, settings: GatewaySettings, token: SecretStr, expires_at: datetime) -> None:
    """Give the browser an access token (of an `IssuedToken`); it goes when the token is dead."""
    _set(response, settings, access_cookie(settings), token, expires_at, "/", "lax")


def set_refresh(
    response: Response,
    settings: GatewaySettings,
    token: SecretStr,
    expires_at: datetime,
    path: str = REFRESH_PATH,
) -> None:
    """Give the browser the session's refresh token."""
    _set(response, settings, refresh_cookie(settings), token, expires_at, path, "strict")


def clear(response: Response, settings: GatewaySettings, path: str = REFRESH_PATH) -> None:
    """Take both away again. path: of the refresh cookie."""
    for name, place in ((access_cookie(settings), "/"), (refresh_cookie(settings), path)):
        response.delete_cookie(name, place, secure=settings.cookie_secure, httponly=True, samesite="lax")


def refresh_token(request: Request, settings: GatewaySettings) -> SecretStr | None:
    """The refresh token that the browser sent, if it did; from a page of ours, as `Authenticate` saw to."""
    value = request.cookies.get(refresh_cookie(settings))
    return SecretStr(value) if value else None


def cookies_sent(headers: Headers, settings: GatewaySettings) -> dict[str, str]:
    """Those of ours that a request carries."""
    sent = cookie_parser(headers.get("cookie", ""))
    return {name: sent[name] for name in (access_cookie(settings), refresh_cookie(settings)) if name in sent}


def same_origin(scope: Scope, settings: GatewaySettings) -> bool:
    """Whether a request with a cookie comes from a page of ours, so that no other site had it sent.

    Safe methods may come from anywhere. Source: OWASP Cross-Site Request Forgery Prevention, "Fetch Metadata"
    and "Verifying Origin With Standard Headers".
    """
    headers = Headers(scope=scope)
    if scope["method"] in SAFE or headers.get("sec-fetch-site") == "same-origin":
        return True
    origin = headers.get("origin", "").lower()
    ours = {f"{scope['scheme']}://{headers.get('host', '')}".lower(), *settings.cors_origins}
    if settings.public_url:
        ours.add("://".join(urlsplit(settings.public_url)[:2]).lower())
    return origin in ours


def _set(
    response: Response,
    settings: GatewaySettings,
    name: str,
    token: SecretStr,
    expires_at: datetime,
    path: str,
    samesite: Literal["lax", "strict"],
) -> None:
    left = max(0, int((expires_at - datetime.now(UTC)).total_seconds()))
    response.set_cookie(
        name,
        token.get_secret_value(),
        max_age=left,
        path=path,
        secure=settings.cookie_secure,
        httponly=True,
        samesite=samesite,
    )
