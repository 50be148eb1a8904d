"""What the API shows of people: members, invites, sessions, staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from libs.common.contracts import people as contract
from libs.common.contracts import sso as signing_on
from libs.common.contracts import staff as platform
from libs.common.contracts.access import ROLES, STAFF_ROLES, Permission, Role, StaffPermission, StaffRole
from libs.common.contracts.ids import InviteId, SessionId, StaffId, TenantId, UserId
from libs.common.contracts.people import Language, UserState
from services.gateway.views import shown

_AT, _LATER = "2026-03-01T09:30:00Z", "2026-03-31T09:30:00Z"
TENANT_ID = "ten_01hzy3k5v7m9q2w4x6z8b0c1d0"
USER_ID = "usr_01hzy3k5v7m9q2w4x6z8b0c1d8"
INVITE_ID = "inv_01hzy3k5v7m9q2w4x6z8b0c1d9"
SESSION_ID = "ses_01hzy3k5v7m9q2w4x6z8b0c1da"
STAFF_ID = "stf_01hzy3k5v7m9q2w4x6z8b0c1db"
MEMBER: dict[str, Any] = {
    "id": USER_ID,
    "email": "layla@shop.example",
    "name": "Layla Haddad",
    "role": "operator",
    "language": "ar",
    "state": "active",
    "password": True,
    "totp": True,
    "sso": False,
    "created_at": _AT,
    "last_login_at": _AT,
}
INVITE: dict[str, Any] = {
    "id": INVITE_ID,
    "email": "omar@shop.example",
    "role": "viewer",
    "language": "en",
    "invited_by": USER_ID,
    "created_at": _AT,
    "expires_at": "2026-03-08T09:30:00Z",
    "link": None,
}
SESSION: dict[str, Any] = {
    "id": SESSION_ID,
    "method": "password",
    "ip": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "created_at": _AT,
    "last_used_at": _AT,
    "expires_at": _LATER,
    "current": True,
}
SIGNED_IN: dict[str, Any] = {
    "tenant_id": TENANT_ID,
    "session_id": SESSION_ID,
    "user": MEMBER,
    "permissions": ["images:read", "images:write", "me:write"],
    "access_expires_at": "2026-03-01T09:40:00Z",
    "session_expires_at": _LATER,
}
SSO: dict[str, Any] = {
    "issuer": "https://login.shop.example",
    "client_id": "mannequin",
    "allowed_domains": ["shop.example"],
    "default_role": "viewer",
    "enforce": False,
    "start_url": f"https://api.example.com/api/v1/auth/sso/{TENANT_ID}/start",
    "redirect_url": "https://api.example.com/api/v1/auth/sso/callback",
    "updated_at": _AT,
}
STAFF: dict[str, Any] = {
    "id": STAFF_ID,
    "email": "noor@platform.example",
    "name": "Noor",
    "role": "support",
    "state": "active",
    "totp": True,
    "created_at": _AT,
    "last_login_at": _AT,
}
IMPERSONATION: dict[str, Any] = {
    "session_id": SESSION_ID,
    "tenant_id": TENANT_ID,
    "staff_id": STAFF_ID,
    "reason": "Ticket 4711: the tenant asks why a batch hangs",
    "role": "viewer",
    "began_at": _AT,
    "expires_at": "2026-03-01T10:00:00Z",
    "ended_at": None,
}


class Member(BaseModel):
    """Somebody of the tenant. `password`, `totp`, `sso`: which ways in are set up."""

    model_config = shown(MEMBER)

    id: UserId
    email: str
    name: str
    role: Role
    language: Language
    state: UserState
    password: bool
    totp: bool
    sso: bool
    created_at: datetime
    last_login_at: datetime | None

    @classmethod
    def of(cls, user: contract.User) -> Self:
        return cls.model_validate(user.model_dump())


class MemberList(BaseModel):
    items: tuple[Member, ...]


class Me(BaseModel):
    """Who makes the request, and what they may do."""

    tenant_id: TenantId
    session_id: SessionId | None
    user: Member
    permissions: tuple[Permission, ...]


class SignedIn(BaseModel):
    """Somebody is signed in: the tokens are in cookies, which scripts can't read."""

    model_config = shown(SIGNED_IN)

    tenant_id: TenantId
    session_id: SessionId
    user: Member
    permissions: tuple[Permission, ...]
    access_expires_at: datetime = Field(description="Refresh before then.")
    session_expires_at: datetime = Field(description="Sign in again after that.")

    @classmethod
    def of(cls, opened: contract.OpenedSession, access_expires_at: datetime) -> Self:
        return cls(
            tenant_id=opened.tenant,
            session_id=opened.session_id,
            user=Member.of(opened.user),
            permissions=tuple(sorted(ROLES[opened.user.role])),
            access_expires_at=access_expires_at,
            session_expires_at=opened.expires_at,
        )


class Session(BaseModel):
    """Where you are signed in. `method`: how you came in; `current`: whether this request is of it."""

    model_config = shown(SESSION)

    id: SessionId
    method: Literal["password", "sso", "invite"]
    ip: str | None
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, session: contract.Session, current: SessionId | None) -> Self:
        fields = session.model_dump(mode="json")
        return cls.model_validate({**fields, "current": session.id == current})


class SessionList(BaseModel):
    items: tuple[Session, ...]


class TotpEnrolment(BaseModel):
    """For an authenticator app; it counts once a code of it was confirmed. `qr_svg` pictures the URI."""

    secret: str | None = Field(description="Base 32; null in a repeated answer.")
    otpauth_uri: str | None
    qr_svg: str | None


class RecoveryCodes(BaseModel):
    """Each opens the door once in place of a code. Shown this once."""

    recovery_codes: tuple[str, ...] | None


class Invite(BaseModel):
    """Somebody who was asked to come. `link`: to pass on, where the platform sends no e-mail; this once."""

    model_config = shown(INVITE)

    id: InviteId
    email: str
    role: Role
    language: Language
    invited_by: str
    created_at: datetime
    expires_at: datetime
    link: str | None = None

    @classmethod
    def of(cls, invite: contract.Invite) -> Self:
        return cls.model_validate(invite.model_dump())


class InviteList(BaseModel):
    items: tuple[Invite, ...]


class Sso(BaseModel):
    """Single sign-on as it is set; the client's secret is never shown."""

    model_config = shown(SSO)

    issuer: str
    client_id: str
    allowed_domains: tuple[str, ...]
    default_role: Role
    enforce: bool
    start_url: str = Field(description="Where your people begin.")
    redirect_url: str = Field(description="To be registered at the identity provider.")
    updated_at: datetime

    @classmethod
    def of(cls, sso: signing_on.Sso) -> Self:
        return cls.model_validate(sso.model_dump())


class StaffMember(BaseModel):
    """One of the platform's people."""

    model_config = shown(STAFF)

    id: StaffId
    email: str
    name: str
    role: StaffRole
    state: UserState
    totp: bool
    created_at: datetime
    last_login_at: datetime | None

    @classmethod
    def of(cls, staff: platform.Staff) -> Self:
        return cls.model_validate(staff.model_dump())


class StaffMemberList(BaseModel):
    items: tuple[StaffMember, ...]


class NewStaffMember(StaffMember):
    """`initial_password` opens the first sign-in alone; shown this once."""

    model_config = shown({**STAFF, "totp": False, "last_login_at": None, "initial_password": "…"})

    initial_password: str | None


class StaffMe(BaseModel):
    """Who makes the request, and what they may do."""

    staff: StaffMember
    session_id: SessionId | None
    permissions: tuple[StaffPermission, ...]


class StaffSignIn(BaseModel):
    """Either signed in, with the tokens in cookies, or half through the first sign-in (`enrolment`): send the
    same again with a code of it and a new password. `recovery_codes` come once, at the end of that.
    """

    staff: StaffMember | None = None
    session_id: SessionId | None = None
    permissions: tuple[StaffPermission, ...] = ()
    access_expires_at: datetime | None = None
    session_expires_at: datetime | None = None
    enrolment: TotpEnrolment | None = None
    recovery_codes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, session: platform.StaffSession, access_expires_at: datetime, codes: tuple[str, ...] = ()
    ) -> Self:
        return cls(
            staff=StaffMember.of(session.staff),
            session_id=session.session_id,
            permissions=tuple(sorted(STAFF_ROLES[session.staff.role])),
            access_expires_at=access_expires_at,
            session_expires_at=session.expires_at,
            recovery_codes=codes,
        )


class Impersonation(BaseModel):
    """One of the platform's people inside the tenant, as the tenant's own audit log tells it."""

    model_config = shown(IMPERSONATION)

    session_id: SessionId
    tenant_id: TenantId
    staff_id: StaffId
    reason: str
    role: Role
    began_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, told: platform.Impersonation) -> Self:
        return cls.model_validate({**told.model_dump(exclude={"tenant"}), "tenant_id": told.tenant})


class ImpersonationList(BaseModel):
    items: tuple[Impersonation, ...]


class BegunImpersonation(Impersonation):
    """`access_token` is a bearer token of the tenant's API; shown this once."""

    model_config = shown({**IMPERSONATION, "access_token": "eyJ…"})

    access_token: str | None
