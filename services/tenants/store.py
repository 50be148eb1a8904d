"""Rows of the tenants schema, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import ApiKey, Plan, Tenant
from libs.common.db import Queries, Row, Transaction
from services.tenants.errors import NoSuchTenant

sql = Queries(__package__)


async def must_exist(tx: Transaction, tenant: TenantId) -> None:
    """NoSuchTenant if it does not."""
    if await tx.fetchrow(sql.get_tenant, tenant) is None:
        raise NoSuchTenant


def tenant(row: Row) -> Tenant:
    return Tenant(
        id=row["tenant_id"],
        name=row["name"],
        weight=row["weight"],
        plan=Plan.model_validate(row["plan"]),
        created_at=row["created_at"],
    )


def api_key(row: Row) -> ApiKey:
    """Without its hash."""
    return ApiKey(**{name: row[name] for name in ApiKey.model_fields})
