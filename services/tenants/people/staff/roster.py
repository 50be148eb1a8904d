"""Who is of the staff, and as what."""

from __future__ import annotations

import secrets

from pydantic import SecretStr

from libs.common.audit.record import record
from libs.common.contracts.access import StaffRole
from libs.common.contracts.ids import StaffId
from libs.common.contracts.people import Done, UserState
from libs.common.contracts.staff import (
    ChangeStaff,
    CreatedStaff,
    CreateStaff,
    GetStaff,
    ListStaff,
    RemoveStaff,
    Staff,
    StaffList,
)
from libs.common.db import Database, Row, Transaction
from services.tenants.people.access import LONGEST_INSIDE, tokens_end
from services.tenants.people.emails import normalised
from services.tenants.people.errors import AlreadyStaff, LastPlatformAdmin
from services.tenants.people.passwords import Passwords
from services.tenants.people.staff import store
from services.tenants.people.staff.store import sql

_REASON = "keep the staff"


class Roster:
    """The use cases."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def create(self, query: CreateStaff) -> CreatedStaff:
        """Somebody new, with a password for the first sign-in alone. EmailInvalid, AlreadyStaff."""
        email, password = normalised(query.email), SecretStr(secrets.token_urlsafe(18))
        kept = await self._passwords.hash(password)
        async with self._database.platform(_REASON) as tx:
            row = await tx.fetchrow(sql.insert_staff, StaffId.new(), email, query.name, query.role, kept)
            if row is None:
                raise AlreadyStaff(field="email")
            record(tx, "staff.created", row["id"], role=query.role)
        return CreatedStaff(staff=store.staff(row), password=password)

    async def list(self, _: ListStaff) -> StaffList:
        async with self._database.platform(_REASON) as tx:
            return StaffList(items=tuple(map(store.staff, await tx.fetch(sql.list_staff))))

    async def get(self, query: GetStaff) -> Staff:
        """NoSuchStaff."""
        async with self._database.platform(_REASON) as tx:
            return store.staff(await store.get(tx, query.staff_id))

    async def change(self, query: ChangeStaff) -> Staff:
        """NoSuchStaff, LastPlatformAdmin."""
        async with self._database.platform(_REASON) as tx:
            await tx.execute(sql.lock_all)
            before = await store.get(tx, query.staff_id)
            role, state = query.role or before["role"], query.state or before["state"]
            if (role, state) == (before["role"], before["state"]):
                return store.staff(before)
            await _keep_an_admin(tx, before, stays=(role, state) == _ADMIN)
            row = await tx.fetchrow(sql.change_staff, query.staff_id, role, state)
            assert row is not None
            if state == UserState.DISABLED:
                await store.end_sessions(tx, query.staff_id)
            tokens_end(tx, query.staff_id, LONGEST_INSIDE)
            record(tx, "staff.changed", query.staff_id, role=role, state=state)
        return store.staff(row)

    async def remove(self, query: RemoveStaff) -> Done:
        """NoSuchStaff, LastPlatformAdmin."""
        async with self._database.platform(_REASON) as tx:
            await tx.execute(sql.lock_all)
            before = await store.get(tx, query.staff_id)
            await _keep_an_admin(tx, before, stays=False)
            await store.end_sessions(tx, query.staff_id)
            tokens_end(tx, query.staff_id, LONGEST_INSIDE)
            await tx.execute(sql.delete_staff, query.staff_id)
            record(tx, "staff.removed", query.staff_id, role=before["role"])
        return Done()


_ADMIN = (StaffRole.ADMIN, UserState.ACTIVE)


async def _keep_an_admin(tx: Transaction, before: Row, *, stays: bool) -> None:
    was = (before["role"], before["state"]) == _ADMIN
    if was and not stays and not await tx.fetchval(sql.other_admins, before["id"]):
        raise LastPlatformAdmin
