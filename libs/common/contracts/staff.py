"""The platform's own people, a realm apart from any tenant (owner: the tenants service)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from libs.common.contracts.access import Role, StaffRole
from libs.common.contracts.ids import SessionId, StaffId, TenantId
from libs.common.contracts.message import Body, Query, Secret
from libs.common.contracts.people import TEXT, Client, Done, Email, PersonName, TotpEnrolment, UserState


class Staff(Body):
    """One of the platform's people. `totp` is False until the first sign-in is through."""

    id: StaffId
    email: str
    name: str
    role: StaffRole
    state: UserState
    totp: bool
    created_at: datetime
    last_login_at: datetime | None = None


class StaffList(Body):
    items: tuple[Staff, ...]


class CreatedStaff(Body):
    """`password` opens the first sign-in alone, which replaces it; shown this once."""

    staff: Staff
    password: Secret


class CreateStaff(Query[CreatedStaff]):
    """AlreadyStaff."""

    wire = "tenants.create_staff.v1"
    reply = CreatedStaff
    email: Email
    name: PersonName
    role: StaffRole


class ListStaff(Query[StaffList]):
    wire = "tenants.list_staff.v1"
    reply = StaffList


class GetStaff(Query[Staff]):
    """NoSuchStaff."""

    wire = "tenants.get_staff.v1"
    reply = Staff
    staff_id: StaffId


class ChangeStaff(Query[Staff]):
    """None leaves it. NoSuchStaff, LastPlatformAdmin."""

    wire = "tenants.change_staff.v1"
    reply = Staff
    staff_id: StaffId
    role: StaffRole | None = None
    state: UserState | None = None


class RemoveStaff(Query[Done]):
    """NoSuchStaff, LastPlatformAdmin."""

    wire = "tenants.remove_staff.v1"
    reply = Done
    staff_id: StaffId


class StaffSession(Body):
    session_id: SessionId
    staff: Staff
    refresh_token: Secret
    expires_at: datetime


class StaffLogin(Body):
    """`enrolment`: the first sign-in is half through; it goes on with a code of this, and a new password.

    recovery_codes: of the sign-in that confirmed the enrolment, shown this once.
    """

    session: StaffSession | None = None
    enrolment: TotpEnrolment | None = None
    recovery_codes: tuple[Secret, ...] = ()


class LogInStaff(Query[StaffLogin]):
    """LoginFailed, TotpRequired, TooManyAttempts; at the first sign-in also WrongCode, PasswordWeak."""

    wire = "tenants.log_in_staff.v1"
    reply = StaffLogin
    email: Email
    password: Secret
    code: Secret | None = None
    new_password: Secret | None = None
    client: Client = Client()


class RefreshStaffSession(Query[StaffSession]):
    """SessionEnded."""

    wire = "tenants.refresh_staff_session.v1"
    reply = StaffSession
    refresh_token: Secret


class EndStaffSession(Query[Done]):
    wire = "tenants.end_staff_session.v1"
    reply = Done
    refresh_token: Secret


class Impersonation(Body):
    """One of the platform's people inside a tenant, under a reason that the tenant reads in its audit log."""

    session_id: SessionId
    tenant: TenantId
    staff_id: StaffId
    reason: str
    role: Role
    began_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


class ImpersonationList(Body):
    items: tuple[Impersonation, ...]


class BeginImpersonation(Query[Impersonation]):
    """Of the tenant in the envelope, which is told in its audit log. NoSuchTenant, NoSuchStaff."""

    wire = "tenants.begin_impersonation.v1"
    reply = Impersonation
    staff_id: StaffId
    reason: str = Field(min_length=10, max_length=500, pattern=TEXT)
    role: Literal[Role.VIEWER, Role.OPERATOR, Role.ADMIN] = Role.VIEWER
    minutes: int = Field(30, ge=1, le=60)


class ListImpersonations(Query[ImpersonationList]):
    """Of the tenant in the envelope, the newest first, at most 200."""

    wire = "tenants.list_impersonations.v1"
    reply = ImpersonationList


class EndImpersonation(Query[Impersonation]):
    """Its token ends at once. NoSuchImpersonation."""

    wire = "tenants.end_impersonation.v1"
    reply = Impersonation
    session_id: SessionId


STAFF_QUERIES = (
    LogInStaff,
    RefreshStaffSession,
    EndStaffSession,
    GetStaff,
    ListStaff,
    CreateStaff,
    ChangeStaff,
    RemoveStaff,
    BeginImpersonation,
    ListImpersonations,
    EndImpersonation,
)
