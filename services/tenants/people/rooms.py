"""The parts of people, put together by hand."""

from __future__ import annotations

from dataclasses import dataclass

from libs.common.bus.bus import Bus
from libs.common.db import Database
from libs.common.egress import Guard
from libs.common.lifecycle import Lifecycle
from services.tenants.mail.brand import BrandOf, own_brand
from services.tenants.mail.jobs import MailSender, Outgoing
from services.tenants.mail.smtp import MailServer, SmtpPost
from services.tenants.people.changing import PasswordChanges
from services.tenants.people.invites import Invites
from services.tenants.people.login import Logins
from services.tenants.people.members import Members
from services.tenants.people.passwords import Passwords
from services.tenants.people.second_factor import SecondFactor
from services.tenants.people.sessions import Sessions
from services.tenants.people.settings import PeopleSettings
from services.tenants.people.sso.setup import SsoSetup
from services.tenants.people.sso.signing_in import SsoLogins
from services.tenants.people.staff.impersonation import Impersonations
from services.tenants.people.staff.login import StaffLogins
from services.tenants.people.staff.roster import Roster
from services.tenants.people.staff.sessions import StaffSessions
from services.tenants.people.sweep import sweeping

_ISSUER_S = 8.0
"""For one answer of an identity provider."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Every use case of people."""

    logins: Logins
    sessions: Sessions
    passwords: PasswordChanges
    members: Members
    invites: Invites
    factor: SecondFactor
    sso: SsoSetup
    sso_logins: SsoLogins
    roster: Roster
    staff_logins: StaffLogins
    staff_sessions: StaffSessions
    impersonations: Impersonations


async def furnish(
    settings: PeopleSettings,
    database: Database,
    bus: Bus,
    lifecycle: Lifecycle,
    brand_of: BrandOf = own_brand,
) -> Rooms:
    """Everything of people on open connections, with what runs beside it."""
    hashing = Passwords(settings)
    lifecycle.at_stop(hashing.close)
    outgoing = Outgoing(settings.public_url, sends=settings.smtp_url is not None)
    if settings.smtp_url and settings.mail_from:
        post = SmtpPost(MailServer.of(settings.smtp_url))
        sender = MailSender(database, post, outgoing, brand_of, settings.mail_from)
        lifecycle.background("letters", sender.run())
    lifecycle.background("people sweep", sweeping(database))
    guard = Guard(allow_private=settings.sso_allow_private, timeout_s=_ISSUER_S)
    lifecycle.at_stop(guard.close)
    egress = guard.session()
    lifecycle.at_stop(egress.close)
    sessions, staff_sessions = Sessions(database, settings), StaffSessions(database, settings)
    factor = SecondFactor(database, bus)
    return Rooms(
        logins=Logins(database, hashing, factor, sessions),
        sessions=sessions,
        passwords=PasswordChanges(database, hashing, outgoing),
        members=Members(database),
        invites=Invites(database, hashing, sessions, outgoing),
        factor=factor,
        sso=SsoSetup(database, bus, guard, egress, settings),
        sso_logins=SsoLogins(database, bus, guard, egress, settings, sessions),
        roster=Roster(database, hashing),
        staff_logins=StaffLogins(database, bus, hashing, staff_sessions),
        staff_sessions=staff_sessions,
        impersonations=Impersonations(database),
    )
