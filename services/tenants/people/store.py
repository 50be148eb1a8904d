"""Rows of people, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.ids import TenantId, UserId
from libs.common.contracts.people import Invite, Session, User
from libs.common.contracts.tenants import Plan
from libs.common.db import Queries, Row, Transaction
from services.tenants.errors import NoSuchTenant
from services.tenants.people.errors import NoSuchUser, SeatsTaken

sql = Queries(__package__)


def user(row: Row) -> User:
    """Without anything that opens a door."""
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        language=row["language"],
        state=row["state"],
        password=row["password_hash"] is not None,
        totp=row["totp_active"],
        sso=row["sso_subject"] is not None,
        created_at=row["created_at"],
        last_login_at=row["last_login_at"],
    )


def invite(row: Row) -> Invite:
    return Invite.model_validate({name: row[name] for name in Invite.model_fields})


def session(row: Row) -> Session:
    return Session.model_validate({name: row[name] for name in Session.model_fields})


async def get(tx: Transaction, tenant: TenantId, user_id: UserId) -> Row:
    """NoSuchUser."""
    return _there(await tx.fetchrow(sql.get_user, tenant, user_id))


async def lock(tx: Transaction, tenant: TenantId, user_id: UserId) -> Row:
    """The same, held until the transaction ends. NoSuchUser."""
    return _there(await tx.fetchrow(sql.lock_user, tenant, user_id))


async def lock_tenant(tx: Transaction, tenant: TenantId) -> Row:
    """Its name and plan; whoever holds it is alone in changing seats and owners. NoSuchTenant."""
    row = await tx.fetchrow(sql.lock_tenant, tenant)
    if row is None:
        raise NoSuchTenant
    return row


async def seat_for(tx: Transaction, tenant: TenantId, email: str) -> Row:
    """The tenant's row, if it has a seat for somebody with this address. NoSuchTenant, SeatsTaken."""
    row = await lock_tenant(tx, tenant)
    seats = Plan.model_validate(row["plan"]).quotas.members
    if seats is not None and await tx.fetchval(sql.count_seats, tenant, email) >= seats:
        raise SeatsTaken(seats)
    return row


def _there(row: Row | None) -> Row:
    if row is None:
        raise NoSuchUser
    return row
