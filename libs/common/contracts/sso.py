"""Single sign-on of a tenant's people by its own identity provider (owner: the tenants service)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.common.contracts.access import Role
from libs.common.contracts.message import Body, Query, Secret
from libs.common.contracts.people import PATH, TEXT, Client, Done, OpenedSession

Domain = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")]


class Sso(Body):
    """Single sign-on by OpenID Connect Core 1.0, as it is set. The client's secret is never shown.

    allowed_domains: of e-mail addresses. default_role: of whoever comes for the first time. enforce: nobody
    but owners signs in with a password. start_url and redirect_url: where people begin, and what the
    provider must be told.
    """

    issuer: str
    client_id: str
    allowed_domains: tuple[str, ...]
    default_role: Role
    enforce: bool
    start_url: str
    redirect_url: str
    updated_at: datetime


class GetSso(Query[Sso]):
    """NoSso."""

    wire = "tenants.get_sso.v1"
    reply = Sso


class SetSso(Query[Sso]):
    """NotInPlan, IssuerRefused. client_secret None keeps the one before."""

    wire = "tenants.set_sso.v1"
    reply = Sso
    issuer: str = Field(max_length=500, pattern=TEXT)
    client_id: str = Field(min_length=1, max_length=300, pattern=TEXT)
    client_secret: Secret | None = None
    allowed_domains: tuple[Domain, ...] = Field(min_length=1, max_length=50)
    default_role: Literal[Role.ADMIN, Role.OPERATOR, Role.VIEWER] = Role.VIEWER
    enforce: bool = False


class RemoveSso(Query[Done]):
    wire = "tenants.remove_sso.v1"
    reply = Done


class SsoRedirect(Body):
    """Where the browser goes. `binding` is kept in a cookie, so that no other browser can end this."""

    url: str
    binding: Secret


class BeginSso(Query[SsoRedirect]):
    """For the tenant in the envelope. return_to: a path of our own. NoSso, NotInPlan, IssuerAway."""

    wire = "tenants.begin_sso.v1"
    reply = SsoRedirect
    return_to: str = Field("/", max_length=500, pattern=PATH)


class SsoSession(Body):
    session: OpenedSession
    return_to: str


class FinishSso(Query[SsoSession]):
    """Of no tenant yet: `state` names it, and works once. SsoFailed says why.

    issuer: `iss` of the answer, where the provider sends it (RFC 9207).
    """

    wire = "tenants.finish_sso.v1"
    reply = SsoSession
    state: Secret
    code: Secret
    binding: Secret
    issuer: str | None = Field(None, max_length=500)
    client: Client = Client()


SSO_QUERIES = (GetSso, SetSso, RemoveSso, BeginSso, FinishSso)
