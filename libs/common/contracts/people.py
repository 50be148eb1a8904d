"""Users of tenants and how they get in (owner: the tenants service).

Every query is for the tenant in the envelope, but those that have to find out which one it is: signing in,
refreshing, and following a link. Single sign-on is in `sso.py`, the platform's own people in `staff.py`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Final, Literal

from pydantic import Field

from libs.common.contracts.access import Permission, Role
from libs.common.contracts.ids import InviteId, SessionId, TenantId, UserId
from libs.common.contracts.message import Body, Query, Secret

TEXT: Final = r"^[^\u0000-\u001f\u007f]*$"
PATH: Final = r"^/([^/\\\u0000-\u0020\u007f][^\\\u0000-\u0020\u007f]*)?$"
"""Of our own: it names no other host, however a browser reads it."""
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=TEXT)]
PersonName = Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
Address = IPv4Address | IPv6Address


class Language(StrEnum):
    """Of the API's letters to a person (BCP 47)."""

    ENGLISH = "en"
    ARABIC = "ar"


class UserState(StrEnum):
    """`disabled`: can't sign in; keeps the seat's history but takes no seat."""

    ACTIVE = "active"
    DISABLED = "disabled"


class User(Body):
    """Somebody of a tenant. `email` is normalised and unique within it, whatever the case.

    password, totp, sso: which ways in are set up.
    """

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
    last_login_at: datetime | None = None


class UserList(Body):
    items: tuple[User, ...]


class Done(Body):
    """It is done, or was before."""


class OpenedSession(Body):
    """A session as it was opened or refreshed. `refresh_token` works once; the next one comes with the reply.

    expires_at: when the session ends at the latest.
    """

    tenant: TenantId
    session_id: SessionId
    user: User
    refresh_token: Secret
    expires_at: datetime


class Client(Body):
    """What somebody signs in from, as the session's list shows it."""

    ip: Address | None = None
    user_agent: str = Field("", max_length=300)


class TenantChoice(Body):
    id: TenantId
    name: str


class LoginOutcome(Body):
    """Either the session, or the tenants of which one is to be named: the password is right in each."""

    session: OpenedSession | None = None
    choices: tuple[TenantChoice, ...] = ()


class LogIn(Query[LoginOutcome]):
    """Of no tenant yet. LoginFailed tells nothing of why; TotpRequired; SsoRequired; TooManyAttempts.

    code: of TOTP, or one of the recovery codes.
    """

    wire = "tenants.log_in.v1"
    reply = LoginOutcome
    email: Email
    password: Secret
    code: Secret | None = None
    tenant: TenantId | None = None
    client: Client = Client()


class RefreshSession(Query[OpenedSession]):
    """Of no tenant yet: the token names it. SessionEnded where it is not good (any more)."""

    wire = "tenants.refresh_session.v1"
    reply = OpenedSession
    refresh_token: Secret


class EndSession(Query[Done]):
    """By its refresh token, of no tenant yet; one that is not known ends nothing and is fine."""

    wire = "tenants.end_session.v1"
    reply = Done
    refresh_token: Secret


class RequestPasswordReset(Query[Done]):
    """Of no tenant: a letter goes to whoever has that address, in each tenant; the reply tells nothing."""

    wire = "tenants.request_password_reset.v1"
    reply = Done
    email: Email


class ResetPassword(Query[Done]):
    """By the link of the letter, of no tenant yet. All of the user's sessions end. LinkDead, PasswordWeak."""

    wire = "tenants.reset_password.v1"
    reply = Done
    token: Secret
    password: Secret


class AcceptInvite(Query[OpenedSession]):
    """By the link, of no tenant yet; it works once. LinkDead, PasswordWeak, SeatsTaken."""

    wire = "tenants.accept_invite.v1"
    reply = OpenedSession
    token: Secret
    name: PersonName
    password: Secret
    client: Client = Client()


class ListUsers(Query[UserList]):
    wire = "tenants.list_users.v1"
    reply = UserList


class GetUser(Query[User]):
    wire = "tenants.get_user.v1"
    reply = User
    user_id: UserId


class ChangeProfile(Query[User]):
    """What a person may change of themselves; None leaves it."""

    wire = "tenants.change_profile.v1"
    reply = User
    user_id: UserId
    name: PersonName | None = None
    language: Language | None = None


class ChangeUser(Query[User]):
    """What those who run a tenant may change; None leaves it. LastOwner, RoleNotYours, SeatsTaken.

    within: permissions of whoever asks: nobody gives or takes a role that has more than their own.
    """

    wire = "tenants.change_user.v1"
    reply = User
    user_id: UserId
    within: frozenset[Permission]
    role: Role | None = None
    state: UserState | None = None


class RemoveUser(Query[Done]):
    """Forgets everything of the user. LastOwner, RoleNotYours."""

    wire = "tenants.remove_user.v1"
    reply = Done
    user_id: UserId
    within: frozenset[Permission]


class ChangePassword(Query[Done]):
    """All sessions but `session_id` end. WrongPassword, PasswordWeak; `current` is None where there was none
    (single sign-on).
    """

    wire = "tenants.change_password.v1"
    reply = Done
    user_id: UserId
    session_id: SessionId | None
    current: Secret | None
    new: Secret


class TotpEnrolment(Body):
    """RFC 6238 (SHA-1, 6 digits, 30 s). `secret` is base 32; `uri` is the otpauth:// form of it."""

    secret: Secret
    uri: Secret


class BeginTotp(Query[TotpEnrolment]):
    """Counts once it is confirmed. TotpActive."""

    wire = "tenants.begin_totp.v1"
    reply = TotpEnrolment
    user_id: UserId


class RecoveryCodes(Body):
    """Each opens the door once in place of a code; only their hashes are kept."""

    codes: tuple[Secret, ...]


class ConfirmTotp(Query[RecoveryCodes]):
    """WrongCode, NoTotp."""

    wire = "tenants.confirm_totp.v1"
    reply = RecoveryCodes
    user_id: UserId
    code: Secret


class RemoveTotp(Query[Done]):
    """With a code, or a recovery code. WrongCode, NoTotp."""

    wire = "tenants.remove_totp.v1"
    reply = Done
    user_id: UserId
    code: Secret


class Session(Body):
    """Where somebody is signed in. `method`: how they came in."""

    id: SessionId
    method: Literal["password", "sso", "invite"]
    ip: Address | None
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class SessionList(Body):
    items: tuple[Session, ...]


class ListSessions(Query[SessionList]):
    """That have not ended, the newest first."""

    wire = "tenants.list_sessions.v1"
    reply = SessionList
    user_id: UserId


class EndSessions(Query[Done]):
    """One of the user's sessions, or all if None. NoSuchSession."""

    wire = "tenants.end_sessions.v1"
    reply = Done
    user_id: UserId
    session_id: SessionId | None = None


class Invite(Body):
    """Somebody who was asked to come and has not yet. `invited_by`: id of a user, a person or a key."""

    id: InviteId
    email: str
    role: Role
    language: Language
    invited_by: str
    created_at: datetime
    expires_at: datetime


class InviteList(Body):
    items: tuple[Invite, ...]


class CreatedInvite(Body):
    """`link` only where the platform sends no letters: whoever asked passes it on, this once."""

    invite: Invite
    link: Secret | None = None


class CreateInvite(Query[CreatedInvite]):
    """RoleNotYours, SeatsTaken, AlreadyMember. A second invite of an address replaces the first."""

    wire = "tenants.create_invite.v1"
    reply = CreatedInvite
    email: Email
    role: Role
    language: Language = Language.ENGLISH
    within: frozenset[Permission]


class ListInvites(Query[InviteList]):
    wire = "tenants.list_invites.v1"
    reply = InviteList


class RevokeInvite(Query[Done]):
    """NoSuchInvite, RoleNotYours. within: permissions of whoever asks."""

    wire = "tenants.revoke_invite.v1"
    reply = Done
    invite_id: InviteId
    within: frozenset[Permission]


PEOPLE_QUERIES = (
    LogIn,
    RefreshSession,
    EndSession,
    RequestPasswordReset,
    ResetPassword,
    AcceptInvite,
    ListUsers,
    GetUser,
    ChangeProfile,
    ChangeUser,
    RemoveUser,
    ChangePassword,
    BeginTotp,
    ConfirmTotp,
    RemoveTotp,
    ListSessions,
    EndSessions,
    CreateInvite,
    ListInvites,
    RevokeInvite,
)
