"""Who is in a tenant, and as what."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from libs.common.audit.record import record
from libs.common.contracts.access import ROLES, Permission, Role
from libs.common.contracts.ids import TenantId, UserId
from libs.common.contracts.people import (
    ChangeProfile,
    ChangeUser,
    Done,
    GetUser,
    ListUsers,
    RemoveUser,
    User,
    UserList,
    UserState,
)
from libs.common.db import Database, Row, Transaction
from services.tenants.people import store
from services.tenants.people.access import end_sessions, tokens_end
from services.tenants.people.errors import LastOwner, RoleNotYours
from services.tenants.people.store import sql


def must_cover(within: AbstractSet[Permission], *roles: Role | str) -> None:
    """RoleNotYours if one of the roles may do anything beyond `within`."""
    if any(not within >= ROLES[Role(role)] for role in roles):
        raise RoleNotYours


class Members:
    """The use cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, _: ListUsers, tenant: TenantId) -> UserList:
        async with self._database.tenant(tenant) as tx:
            return UserList(items=tuple(map(store.user, await tx.fetch(sql.list_users, tenant))))

    async def get(self, query: GetUser, tenant: TenantId) -> User:
        """NoSuchUser."""
        async with self._database.tenant(tenant) as tx:
            return store.user(await store.get(tx, tenant, query.user_id))

    async def change_profile(self, query: ChangeProfile, tenant: TenantId) -> User:
        """NoSuchUser."""
        async with self._database.tenant(tenant) as tx:
            await store.lock(tx, tenant, query.user_id)
            row = await tx.fetchrow(sql.change_profile, tenant, query.user_id, query.name, query.language)
            assert row is not None
            record(tx, "user.profile_changed", query.user_id)
        return store.user(row)

    async def change(self, query: ChangeUser, tenant: TenantId) -> User:
        """NoSuchUser, RoleNotYours, LastOwner, SeatsTaken."""
        async with self._database.tenant(tenant) as tx:
            await store.lock_tenant(tx, tenant)
            before = await store.lock(tx, tenant, query.user_id)
            role, state = query.role or before["role"], query.state or before["state"]
            if (role, state) == (before["role"], before["state"]):
                return store.user(before)
            must_cover(query.within, before["role"], role)
            await self._keep_an_owner(tx, tenant, before, role, state)
            if state == UserState.ACTIVE != before["state"]:
                await store.seat_for(tx, tenant, before["email"])
            row = await tx.fetchrow(sql.change_user, tenant, query.user_id, role, state)
            assert row is not None
            await self._tell(tx, tenant, before, row)
        return store.user(row)

    async def remove(self, query: RemoveUser, tenant: TenantId) -> Done:
        """NoSuchUser, RoleNotYours, LastOwner."""
        async with self._database.tenant(tenant) as tx:
            await store.lock_tenant(tx, tenant)
            before = await store.lock(tx, tenant, query.user_id)
            must_cover(query.within, before["role"])
            await self._keep_an_owner(tx, tenant, before, None, None)
            await end_sessions(tx, tenant, query.user_id)
            tokens_end(tx, query.user_id)
            await tx.execute(sql.delete_user, tenant, query.user_id)
            record(tx, "user.removed", query.user_id, role=before["role"])
        return Done()

    async def _keep_an_owner(
        self, tx: Transaction, tenant: TenantId, before: Row, role: str | None, state: str | None
    ) -> None:
        was = before["role"] == Role.OWNER and before["state"] == UserState.ACTIVE
        stays = role == Role.OWNER and state == UserState.ACTIVE
        if was and not stays and not await tx.fetchval(sql.other_owners, tenant, UserId(before["id"])):
            raise LastOwner

    async def _tell(self, tx: Transaction, tenant: TenantId, before: Row, after: Row) -> None:
        if after["state"] == UserState.DISABLED:
            await end_sessions(tx, tenant, after["id"])
        tokens_end(tx, after["id"])
        if before["role"] != after["role"]:
            record(tx, "user.role_changed", after["id"], before=before["role"], after=after["role"])
        if before["state"] != after["state"]:
            verb = "disabled" if after["state"] == UserState.DISABLED else "enabled"
            record(tx, f"user.{verb}", after["id"])
