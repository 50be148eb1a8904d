"""What the doors have in common: who is asked, the token that is issued, the cookies that are set."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import segno
from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, SecretStr

from libs.common.contracts import people as contract
from libs.common.contracts import staff as platform
from libs.common.contracts.access import ROLES, STAFF_ROLES
from libs.common.contracts.message import Query
from libs.common.errors import Denied
from services.gateway.auth import cookies
from services.gateway.auth.addresses import address_of
from services.gateway.auth.issuing import issue
from services.gateway.errors import CrossSite
from services.gateway.gateway import Gateway
from services.gateway.people_views import SignedIn, StaffSignIn, TotpEnrolment

Reply = TypeVar("Reply", bound=BaseModel)
SLOW_S = 20.0
"""Hashing passwords takes its time, and they wait in line."""
BINDING = "mannequin-sso"
_BOUND_FOR = timedelta(minutes=10)


class Door:
    """A request without a credential, at a way in."""

    def __init__(self, request: Request) -> None:
        self._request = request
        gateway: Gateway = request.app.state.gateway
        self.gateway = gateway

    @property
    def client(self) -> contract.Client:
        """Where it comes from."""
        agent = self._request.headers.get("user-agent", "")
        shown = "".join(letter for letter in agent if letter.isprintable())[:300]
        return contract.Client(ip=address_of(self._request.scope), user_agent=shown)

    async def ask(self, query: Query[Reply]) -> Reply:
        return await self.gateway.bus.request(query, timeout=SLOW_S)

    def no_other_site(self) -> None:
        """CrossSite if a browser says that another site had this sent; others say nothing of it."""
        headers = self._request.headers
        told = "origin" in headers or "sec-fetch-site" in headers
        if told and not cookies.same_origin(self._request.scope, self.gateway.settings):
            raise CrossSite

    def refresh_token(self) -> SecretStr | None:
        """Of the cookie, which counts from a page of ours alone: `Authenticate` saw to it."""
        return cookies.refresh_token(self._request, self.gateway.settings)

    async def let_in(self, response: Response, opened: contract.OpenedSession) -> SignedIn:
        """A token for the session, and both cookies."""
        issued = await issue(
            self.gateway,
            tenant=opened.tenant,
            subject=opened.user.id,
            permissions=ROLES[opened.user.role],
            session=opened.session_id,
        )
        ends = datetime.fromtimestamp(issued.claims.exp, UTC)
        settings = self.gateway.settings
        cookies.set_access(response, settings, issued.token, ends)
        cookies.set_refresh(response, settings, opened.refresh_token, opened.expires_at)
        return SignedIn.of(opened, ends)

    async def let_staff_in(
        self, response: Response, session: platform.StaffSession, codes: tuple[str, ...] = ()
    ) -> StaffSignIn:
        """The same in the platform's realm."""
        issued = await issue(
            self.gateway,
            tenant=None,
            subject=session.staff.id,
            permissions=STAFF_ROLES[session.staff.role],
            session=session.session_id,
        )
        ends = datetime.fromtimestamp(issued.claims.exp, UTC)
        settings, path = self.gateway.settings, cookies.PLATFORM_REFRESH_PATH
        cookies.set_access(response, settings, issued.token, ends)
        cookies.set_refresh(response, settings, session.refresh_token, session.expires_at, path)
        return StaffSignIn.of(session, ends, codes)

    def bind(self, response: Response, binding: SecretStr) -> None:
        """A cookie that comes along when the identity provider sends the browser back: hence `lax`."""
        response.set_cookie(
            BINDING,
            binding.get_secret_value(),
            max_age=int(_BOUND_FOR.total_seconds()),
            path="/api/v1/auth/sso",
            secure=self.gateway.settings.cookie_secure,
            httponly=True,
            samesite="lax",
        )

    def binding(self) -> SecretStr:
        """Denied without it: the sign-in was not begun in this browser."""
        value = self._request.cookies.get(BINDING)
        if not value:
            raise Denied("This sign-in was not begun in this browser.", code="sso_failed")
        return SecretStr(value)


def enrolment(begun: contract.TotpEnrolment) -> TotpEnrolment:
    """With a picture of the URI: SVG without a script or a style."""
    uri = begun.uri.get_secret_value()
    drawn = io.BytesIO()
    segno.make(uri, error="m").save(drawn, kind="svg", scale=4, xmldecl=False)
    return TotpEnrolment(
        secret=begun.secret.get_secret_value(), otpauth_uri=uri, qr_svg=drawn.getvalue().decode()
    )
