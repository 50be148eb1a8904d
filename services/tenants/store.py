"""Rows of the tenants schema, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.plans import PlanDefinition
from libs.common.contracts.tenants import ApiKey, Plan, Tenant, TenantStatus
from libs.common.db import Queries, Row, Transaction
from services.tenants.errors import NoSuchApiKey, NoSuchPlan, NoSuchTenant, SlugTaken, TenantIsErasing

sql = Queries(__package__)

_TENANT = (
    *("name", "slug", "weight", "plan_code", "status", "status_reason", "status_since", "contact_email"),
    *("created_by", "created_at"),
)
_PLAN = ("code", "description", "revision", "tenants", "pending", "created_at", "updated_at", "retired_at")


async def must_exist(tx: Transaction, tenant: TenantId) -> None:
    """NoSuchTenant if it does not."""
    await get(tx, tenant)


async def get(tx: Transaction, tenant: TenantId) -> Row:
    """NoSuchTenant."""
    return _there(await tx.fetchrow(sql.get_tenant, tenant))


async def lock(tx: Transaction, tenant: TenantId) -> Row:
    """The tenant's row, to change it or what belongs to it. NoSuchTenant, TenantIsErasing."""
    row = _there(await tx.fetchrow(sql.lock_tenant, tenant))
    if row["status"] == TenantStatus.ERASING:
        raise TenantIsErasing
    return row


async def claim_slug(tx: Transaction, tenant: TenantId, slug: str) -> None:
    """Let it be the tenant's only one. SlugTaken."""
    await tx.execute(sql.release_slug, tenant)
    if await tx.fetchval(sql.claim_slug, tenant, slug) is None:
        raise SlugTaken(field="slug")


def tenant(row: Row) -> Tenant:
    return Tenant(
        id=row["tenant_id"],
        plan=Plan.model_validate(row["plan"]),
        overrides=row["plan_overrides"],
        **{name: row[name] for name in _TENANT},
    )


async def plan_row(tx: Transaction, code: str) -> Row:
    """NoSuchPlan."""
    row = await tx.fetchrow(sql.find_plan, code)
    if row is None:
        raise NoSuchPlan(field="code")
    return row


async def definition(tx: Transaction, code: str) -> PlanDefinition:
    """With how many are on it. NoSuchPlan."""
    row = await tx.fetchrow(sql.list_plans, code, True)
    if row is None:
        raise NoSuchPlan(field="code")
    return plan_definition(row)


def plan_definition(row: Row) -> PlanDefinition:
    """Of a row of `list_plans`."""
    return PlanDefinition(
        plan=Plan.model_validate(row["terms"]),
        **{name: row[name] for name in _PLAN},
    )


async def lock_key(tx: Transaction, tenant_: TenantId, key_id: ApiKeyId) -> Row:
    """NoSuchApiKey."""
    row = await tx.fetchrow(sql.lock_api_key, tenant_, key_id)
    if row is None:
        raise NoSuchApiKey
    return row


def api_key(row: Row) -> ApiKey:
    """Without its hash."""
    return ApiKey(**{name: row[name] for name in ApiKey.model_fields})


def _there(row: Row | None) -> Row:
    if row is None:
        raise NoSuchTenant
    return row
