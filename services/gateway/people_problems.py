"""Codes of problems about people, for the catalogue: title, and what to do."""

from __future__ import annotations

from typing import Final

PEOPLE: Final[dict[str, tuple[str, str]]] = {
    "login_failed": (
        "Not signed in",
        "Check the address, the password and the code; or ask for a new password.",
    ),
    "totp_required": ("A code is needed", "Send the same again with `code`, from the authenticator app."),
    "choose_tenant": ("More than one tenant", "Send the same again with one of `tenants` as `tenant`."),
    "too_many_attempts": ("Too many sign-ins failed", "Wait for as many seconds as Retry-After says."),
    "session_ended": ("The session has ended", "Sign in again."),
    "wrong_password": (
        "The present password is another one",
        "Try again, or sign out and ask for a new one.",
    ),
    "wrong_code": (
        "The code is wrong",
        "Take the next code that the app shows, and check the clock of its phone.",
    ),
    "password_weak": ("Password too easy to guess", "Take a longer one, such as four words by chance."),
    "new_password_required": ("A new password is needed", "Send new_password with the code."),
    "link_dead": ("The link does not work (any more)", "Ask for another."),
    "email_invalid": ("Not an e-mail address", "Check its spelling."),
    "sso_required": ("Single sign-on is required", "Begin at the tenant's own identity provider."),
    "sso_failed": (
        "Single sign-on did not work",
        "Begin again; if it stays, ask who runs the identity provider.",
    ),
    "sso_not_found": ("Single sign-on is not set up", "Sign in with a password, or have an owner set it up."),
    "issuer_refused": (
        "Issuer not taken",
        "Give the issuer exactly as its configuration names it, with https.",
    ),
    "issuer_unreachable": (
        "The identity provider does not answer",
        "Try again; ask who runs it if it stays.",
    ),
    "quota_exceeded": (
        "A quota of the plan is used up",
        "See the detail; wait until it resets, or ask for more.",
    ),
    "role_not_yours": ("Beyond your own role", "Ask somebody whose role may do as much."),
    "last_owner": ("The last owner", "Make somebody else an owner first."),
    "last_platform_admin": ("The last admin", "Make somebody else an admin first."),
    "already_member": ("A member already", "List the members."),
    "already_staff": ("Of the staff already", "List the staff."),
    "member_not_found": ("No such member", "List the members to see who there is."),
    "invite_not_found": ("No such open invite", "List the invites; it may be used, or too old."),
    "session_not_found": ("No such open session", "List your sessions to see which there are."),
    "staff_not_found": ("No such member of staff", "List the staff to see who there is."),
    "impersonation_not_found": ("No such impersonation", "List them to see which there are."),
    "tenant_not_found": ("No such tenant", "List the tenants to see which there are."),
    "totp_active": ("Two-factor sign-in is on", "End it first."),
    "totp_not_set_up": ("Two-factor sign-in is not set up", "Begin it first."),
}
