"""Asking people to come, and their coming."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from libs.common.audit import current_actor
from libs.common.audit.record import record
from libs.common.contracts.access import Role
from libs.common.contracts.ids import InviteId, TenantId, UserId
from libs.common.contracts.people import (
    AcceptInvite,
    CreatedInvite,
    CreateInvite,
    Done,
    InviteList,
    ListInvites,
    OpenedSession,
    RevokeInvite,
)
from libs.common.db import Database, Row, Transaction
from services.tenants.mail.jobs import Outgoing
from services.tenants.people import store
from services.tenants.people.acting import by_user
from services.tenants.people.emails import normalised
from services.tenants.people.errors import (
    AlreadyMember,
    LinkDead,
    NoSuchInvite,
    SsoRequired,
)
from services.tenants.people.links import Presented, digest, new_token, presented
from services.tenants.people.members import must_cover
from services.tenants.people.passwords import Passwords, refuse_weak
from services.tenants.people.sessions import Sessions
from services.tenants.people.store import sql

INVITE_LIFE = timedelta(days=7)


class Invites:
    """The use cases."""

    def __init__(
        self, database: Database, passwords: Passwords, sessions: Sessions, outgoing: Outgoing
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._outgoing = outgoing

    async def create(self, query: CreateInvite, tenant: TenantId) -> CreatedInvite:
        """EmailInvalid, RoleNotYours, AlreadyMember, SeatsTaken, NoSuchTenant."""
        email = normalised(query.email)
        must_cover(query.within, query.role)
        async with self._database.tenant(tenant) as tx:
            await store.seat_for(tx, tenant, email)
            if await tx.fetchrow(sql.user_by_email, tenant, email):
                raise AlreadyMember(field="email")
            before = await tx.fetchrow(sql.invite_by_email, tenant, email)
            if before:
                must_cover(query.within, before["role"])
                await tx.execute(sql.delete_invite, tenant, before["id"])  # and a letter that still waits
            return await self._written(tx, query, tenant, email)

    async def list(self, _: ListInvites, tenant: TenantId) -> InviteList:
        async with self._database.tenant(tenant) as tx:
            return InviteList(items=tuple(map(store.invite, await tx.fetch(sql.list_invites, tenant))))

    async def revoke(self, query: RevokeInvite, tenant: TenantId) -> Done:
        """NoSuchInvite, RoleNotYours."""
        async with self._database.tenant(tenant) as tx:
            gone = await tx.fetchrow(sql.delete_invite, tenant, query.invite_id)
            if gone is None:
                raise NoSuchInvite
            must_cover(query.within, gone["role"])
            record(tx, "invite.revoked", query.invite_id)
        return Done()

    async def accept(self, query: AcceptInvite) -> OpenedSession:
        """Somebody new, signed in. LinkDead, PasswordWeak, SeatsTaken, SsoRequired."""
        given = presented(query.token.get_secret_value(), InviteId)
        if given is None or given.tenant is None:
            raise LinkDead
        async with self._database.tenant(given.tenant) as tx:
            invite = await _of_link(tx, given)
        if invite["sso_enforced"] and invite["role"] != Role.OWNER:
            raise SsoRequired
        refuse_weak(query.password, invite["email"], query.name)
        fresh = await self._passwords.hash(query.password)
        async with self._database.tenant(given.tenant) as tx:
            user = await _joined(tx, given, query.name, fresh)
            return await self._sessions.open(tx, user, "invite", query.client)

    async def _written(
        self, tx: Transaction, query: CreateInvite, tenant: TenantId, email: str
    ) -> CreatedInvite:
        """The row, and either a letter that will be sent or the link."""
        invite_id, asking = InviteId.new(), current_actor()
        token = None if self._outgoing.sends else new_token(invite_id, tenant)
        row = await tx.fetchrow(
            sql.insert_invite,
            tenant,
            invite_id,
            email,
            query.role,
            query.language,
            asking.id if asking else "operator",
            digest(token) if token else None,
            datetime.now(UTC) + INVITE_LIFE,
        )
        assert row is not None
        record(tx, "invite.created", invite_id, role=query.role)
        if token is None:
            await tx.execute(sql.insert_invite_mail, tenant, invite_id)
            tx.after_commit.append(self._outgoing.wake)
        link = SecretStr(self._outgoing.link("invite", token)) if token else None
        return CreatedInvite(invite=store.invite(row), link=link)


async def _of_link(tx: Transaction, given: Presented[InviteId]) -> Row:
    row = await tx.fetchrow(sql.get_invite, given.tenant, given.row, given.sha256)
    if row is None:
        raise LinkDead
    return row


async def _joined(tx: Transaction, given: Presented[InviteId], name: str, password_hash: str) -> Row:
    """The invite is used up, and its seat taken."""
    tenant, user_id = given.tenant, UserId.new()
    assert tenant is not None
    await store.lock_tenant(tx, tenant)  # before the invite, as whoever invites does
    invite = await tx.fetchrow(sql.take_invite, tenant, given.row, given.sha256)
    if invite is None:
        raise LinkDead
    await store.seat_for(tx, tenant, invite["email"])
    if await tx.fetchrow(sql.user_by_email, tenant, invite["email"]):
        raise LinkDead
    who = (invite["email"], name, invite["role"], invite["language"], password_hash, None, None)
    row = await tx.fetchrow(sql.insert_user, tenant, user_id, *who)
    assert row is not None
    record(tx, "user.joined", user_id, actor=by_user(user_id), role=invite["role"], invite=given.row)
    return row
