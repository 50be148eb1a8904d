"""What can be done with tenants; `keys.py` has their API keys, `plans.py` what they can be put on."""

from __future__ import annotations

from pydantic import JsonValue, ValidationError

from libs.common.audit import current_actor
from libs.common.audit.record import record
from libs.common.contracts.ids import TenantId
from libs.common.contracts.plans import ChangePlan, overridden
from libs.common.contracts.tenants import (
    CreateTenant,
    GetTenant,
    ListTenants,
    Plan,
    PlanChanged,
    ResumeTenant,
    SetPlan,
    SuspendTenant,
    Tenant,
    TenantList,
    TenantRegistered,
    TenantStatus,
    UpdateTenant,
)
from libs.common.db import Database, Row, Transaction
from services.tenants import store
from services.tenants.branding.store import announce
from services.tenants.errors import PlanRetired, TermsInvalid
from services.tenants.people.emails import normalised
from services.tenants.slugs import check_slug
from services.tenants.standing import set_standing
from services.tenants.store import sql

_FREE_PLAN = Plan()


class TenantsService:
    """The use cases; what they change is told in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_tenant(self, query: CreateTenant) -> Tenant:
        """NoSuchPlan, PlanRetired, SlugRefused, SlugTaken, EmailInvalid."""
        if query.slug:
            check_slug(query.slug)
        email = normalised(query.contact_email) if query.contact_email else None
        sold = await self._for_sale(query.plan_code) if query.plan_code else None
        plan = Plan.model_validate(sold["terms"]) if sold else _FREE_PLAN
        tenant, by = TenantId.new(), current_actor()
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(
                sql.insert_tenant,
                tenant,
                query.name,
                query.name.casefold(),
                plan.weight or query.weight,
                query.slug,
                plan.model_dump(mode="json"),
                query.plan_code,
                sold["revision"] if sold else 0,
                1 if sold else 0,
                email,
                by.id if by else None,
            )
            assert row is not None
            await _registered(tx, row, plan)
        return store.tenant(row)

    async def list_tenants(self, query: ListTenants) -> TenantList:
        async with self._database.platform("list tenants") as tx:
            rows = await tx.fetch(
                sql.list_tenants,
                query.cursor,
                query.status,
                query.plan_code,
                query.name_prefix and query.name_prefix.casefold(),
                query.created_from,
                query.created_before,
                query.limit + 1,
            )
        page = tuple(map(store.tenant, rows[: query.limit]))
        return TenantList(items=page, next_cursor=page[-1].id if len(rows) > query.limit else None)

    async def get_tenant(self, _: GetTenant, tenant: TenantId) -> Tenant:
        """NoSuchTenant."""
        async with self._database.tenant(tenant) as tx:
            return store.tenant(await store.get(tx, tenant))

    async def update_tenant(self, query: UpdateTenant, tenant: TenantId) -> Tenant:
        """NoSuchTenant, TenantIsErasing, SlugRefused, SlugTaken, EmailInvalid."""
        if query.slug:
            check_slug(query.slug)
        email = normalised(query.contact_email) if query.contact_email else None
        async with self._database.tenant(tenant) as tx:
            before = await store.lock(tx, tenant)
            wanted = {
                "name": query.name or before["name"],
                "slug": query.slug or before["slug"],
                "contact_email": before["contact_email"] if query.contact_email is None else email,
            }
            changed: list[JsonValue] = [name for name, value in wanted.items() if value != before[name]]
            if not changed:
                return store.tenant(before)
            folded = str(wanted["name"]).casefold()
            row = await tx.fetchrow(sql.update_tenant, tenant, *wanted.values(), folded)
            assert row is not None
            if "slug" in changed:
                await _at_slug(tx, row)
            record(tx, "tenant.changed", tenant, fields=changed)
        return store.tenant(row)

    async def suspend_tenant(self, query: SuspendTenant, tenant: TenantId) -> Tenant:
        """NoSuchTenant, TenantIsErasing."""
        async with self._database.tenant(tenant) as tx:
            return store.tenant(await set_standing(tx, tenant, TenantStatus.SUSPENDED, query.reason))

    async def resume_tenant(self, _: ResumeTenant, tenant: TenantId) -> Tenant:
        """NoSuchTenant, TenantIsErasing."""
        async with self._database.tenant(tenant) as tx:
            return store.tenant(await set_standing(tx, tenant, TenantStatus.ACTIVE))

    async def set_plan(self, query: SetPlan, tenant: TenantId) -> Tenant:
        """What it bought from now on, for it alone. NoSuchTenant, TenantIsErasing."""
        return await self._put_on(tenant, query.plan, None, {}, 0)

    async def change_plan(self, query: ChangePlan, tenant: TenantId) -> Tenant:
        """One of the plans that are sold, with terms of its own; staying on a retired one is fine.

        NoSuchTenant, TenantIsErasing, NoSuchPlan, PlanRetired, TermsInvalid.
        """
        async with self._database.tenant(tenant) as tx:
            stays = (await store.get(tx, tenant))["plan_code"] == query.code
        sold = await self._for_sale(query.code, even_retired=stays)
        plan = _with_own_terms(sold, query.overrides)
        return await self._put_on(tenant, plan, query.code, query.overrides, sold["revision"])

    async def _for_sale(self, code: str, *, even_retired: bool = False) -> Row:
        async with self._database.platform("read a plan") as tx:
            row = await store.plan_row(tx, code)
        if row["retired_at"] is not None and not even_retired:
            raise PlanRetired(field="code")
        return row

    async def _put_on(
        self, tenant: TenantId, plan: Plan, code: str | None, overrides: dict[str, JsonValue], definition: int
    ) -> Tenant:
        """A definition that is replaced at this moment reaches the tenant by the rollout."""
        async with self._database.tenant(tenant) as tx:
            await store.lock(tx, tenant)
            terms = plan.model_dump(mode="json")
            row = await tx.fetchrow(sql.set_plan, tenant, terms, code, overrides, definition)
            assert row is not None
            tx.publish(PlanChanged(plan=plan, revision=row["plan_revision"]))
            record(tx, "tenant.plan_changed", tenant, plan=code or plan.name, overrides=overrides)
        return store.tenant(row)


async def _registered(tx: Transaction, row: Row, plan: Plan) -> None:
    tenant = TenantId(row["tenant_id"])
    tx.publish(TenantRegistered(name=row["name"], weight=row["weight"]))
    if row["plan_code"]:
        tx.publish(PlanChanged(plan=plan, revision=row["plan_revision"]))
    if row["slug"]:
        await _at_slug(tx, row)
    record(tx, "tenant.created", tenant, plan=row["plan_code"] or plan.name)


async def _at_slug(tx: Transaction, row: Row) -> None:
    """SlugTaken; else the gateway hears where the tenant's brand is shown."""
    await store.claim_slug(tx, TenantId(row["tenant_id"]), row["slug"])
    await announce(tx, row)


def _with_own_terms(sold: Row, overrides: dict[str, JsonValue]) -> Plan:
    try:
        return overridden(Plan.model_validate(sold["terms"]), overrides)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        where = ".".join(map(str, wrong["loc"])) or "overrides"
        raise TermsInvalid(f"{where}: {wrong['msg']}", field="overrides") from None
