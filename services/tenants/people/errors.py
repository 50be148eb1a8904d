"""Why somebody does not get in, or may not change who does.

libs.common.errors
├── Denied       LoginFailed, TotpRequired, SessionEnded, WrongPassword, WrongCode, SsoFailed
├── NotBought    SeatsTaken, SsoNotInPlan
├── NotAllowed   RoleNotYours, SsoRequired
├── NotFound     NoSuchUser, NoSuchInvite, NoSuchSession, NoSso, NoSuchStaff, NoSuchImpersonation
├── Conflict     LastOwner, LastPlatformAdmin, AlreadyMember, AlreadyStaff, TotpActive, NoTotp, IssuerAway
├── Invalid      EmailInvalid, PasswordWeak, NewPasswordRequired, LinkDead, IssuerRefused, SecretMissing
└── TooOften     TooManyAttempts
"""

from __future__ import annotations

from libs.common.errors import Conflict, Denied, Invalid, NotAllowed, NotBought, NotFound, TooOften


class LoginFailed(Denied):
    """The e-mail address, the password or the code is wrong."""

    default_code = "login_failed"


class TotpRequired(Denied):
    """The password is right; the code of the authenticator app is needed too."""

    default_code = "totp_required"


class SessionEnded(Denied):
    """The session has ended. Sign in again."""

    default_code = "session_ended"


class WrongPassword(Denied):
    """The present password is another one."""

    default_code = "wrong_password"


class WrongCode(Denied):
    """The code is wrong, too old, or was used before."""

    default_code = "wrong_code"


class SsoFailed(Denied):
    """The identity provider's answer can't be taken. Begin again."""

    default_code = "sso_failed"


class SeatsTaken(NotBought):
    """All seats of the plan are taken. seats: how many it has."""

    default_code = "quota_exceeded"

    def __init__(self, seats: int) -> None:
        super().__init__(
            f"The plan has {seats} seats, and members and open invites take all of them.", field="members"
        )


class SsoNotInPlan(NotBought):
    """Single sign-on is not in the plan."""

    default_code = "not_in_plan"


class RoleNotYours(NotAllowed):
    """Nobody gives, takes or changes a role that may do more than they may themselves."""

    default_code = "role_not_yours"


class SsoRequired(NotAllowed):
    """The tenant has its people sign in by its own identity provider."""

    default_code = "sso_required"


class NoSuchUser(NotFound):
    """The tenant has no such member."""

    default_code = "member_not_found"


class NoSuchInvite(NotFound):
    """The tenant has no such open invite."""

    default_code = "invite_not_found"


class NoSuchSession(NotFound):
    """There is no such open session of yours."""

    default_code = "session_not_found"


class NoSso(NotFound):
    """Single sign-on is not set up."""

    default_code = "sso_not_found"


class NoSuchStaff(NotFound):
    """The platform has no such member of staff."""

    default_code = "staff_not_found"


class NoSuchImpersonation(NotFound):
    """Nobody acts inside the tenant under this id."""

    default_code = "impersonation_not_found"


class LastOwner(Conflict):
    """A tenant keeps one owner who can sign in. Make somebody else an owner first."""

    default_code = "last_owner"


class LastPlatformAdmin(Conflict):
    """The platform keeps one admin. Make somebody else one first."""

    default_code = "last_platform_admin"


class AlreadyMember(Conflict):
    """Somebody with this address is a member already."""

    default_code = "already_member"


class AlreadyStaff(Conflict):
    """Somebody with this address is of the staff already."""

    default_code = "already_staff"


class TotpActive(Conflict):
    """Two-factor sign-in is active. Remove it first."""

    default_code = "totp_active"


class NoTotp(Conflict):
    """Two-factor sign-in is not set up, or not begun."""

    default_code = "totp_not_set_up"


class IssuerAway(Conflict):
    """The identity provider does not answer as it should. Try again, or ask who runs it."""

    default_code = "issuer_unreachable"


class EmailInvalid(Invalid):
    """This is no e-mail address that letters can be sent to."""

    default_code = "email_invalid"

    def __init__(self) -> None:
        super().__init__(field="email")


class PasswordWeak(Invalid):
    """The password is too easy to guess."""

    default_code = "password_weak"


class NewPasswordRequired(Invalid):
    """The first sign-in replaces the password that was given: send new_password too."""

    default_code = "new_password_required"

    def __init__(self) -> None:
        super().__init__(field="new_password")


class LinkDead(Invalid):
    """The link was used, replaced or is too old. Ask for another."""

    default_code = "link_dead"

    def __init__(self) -> None:
        super().__init__(field="token")


class IssuerRefused(Invalid):
    """The issuer can't be used."""

    default_code = "issuer_refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="issuer")


class SecretMissing(Invalid):
    """The client's secret is needed the first time."""

    default_code = "invalid"

    def __init__(self) -> None:
        super().__init__(field="client_secret")


class TooManyAttempts(TooOften):
    """Too many sign-ins failed. retry_after: seconds until the next is looked at."""

    default_code = "too_many_attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many sign-ins failed. Try again in {retry_after} s.")
        self.retry_after = retry_after
