"""What can be done with tenants and their API keys."""

from __future__ import annotations

from libs.common.api_keys import generate
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import (
    ApiKey,
    ApiKeyIssued,
    ApiKeyList,
    ApiKeyRevoked,
    CreateTenant,
    IssueApiKey,
    IssuedApiKey,
    ListApiKeys,
    ListTenants,
    PlanChanged,
    RevokeApiKey,
    SetPlan,
    Tenant,
    TenantList,
    TenantRegistered,
)
from libs.common.db import Database
from services.tenants import store
from services.tenants.errors import NoSuchApiKey, NoSuchTenant
from services.tenants.store import sql


class TenantsService:
    """The use cases; what they change is told in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_tenant(self, query: CreateTenant) -> Tenant:
        tenant = TenantId.new()
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.insert_tenant, tenant, query.name, query.weight)
            assert row is not None
            tx.publish(TenantRegistered(name=query.name, weight=query.weight))
        return store.tenant(row)

    async def list_tenants(self, _: ListTenants) -> TenantList:
        async with self._database.platform("list tenants") as tx:
            return TenantList(items=tuple(map(store.tenant, await tx.fetch(sql.list_tenants))))

    async def set_plan(self, query: SetPlan, tenant: TenantId) -> Tenant:
        """What it bought from now on. NoSuchTenant."""
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.set_plan, tenant, query.plan.model_dump(mode="json"))
            if row is None:
                raise NoSuchTenant
            tx.publish(PlanChanged(plan=query.plan, revision=row["plan_revision"]))
        return store.tenant(row)

    async def issue_api_key(self, query: IssueApiKey, tenant: TenantId) -> IssuedApiKey:
        """A new key, whose secret is in this reply and nowhere else. NoSuchTenant."""
        key = generate(query.mode)
        async with self._database.tenant(tenant) as tx:
            await store.must_exist(tx, tenant)
            row = await tx.fetchrow(
                sql.insert_api_key, tenant, ApiKeyId.new(), key.mode, key.public_id, key.sha256, query.label
            )
            assert row is not None
            issued = store.api_key(row)
            tx.publish(
                ApiKeyIssued(key_id=issued.id, public_id=key.public_id, sha256=key.sha256, mode=key.mode)
            )
        return IssuedApiKey(key=issued, secret=key.secret)

    async def list_api_keys(self, _: ListApiKeys, tenant: TenantId) -> ApiKeyList:
        """NoSuchTenant."""
        async with self._database.tenant(tenant) as tx:
            await store.must_exist(tx, tenant)
            return ApiKeyList(items=tuple(map(store.api_key, await tx.fetch(sql.list_api_keys, tenant))))

    async def revoke_api_key(self, query: RevokeApiKey, tenant: TenantId) -> ApiKey:
        """Told again if it is revoked again, for a gateway that missed it. NoSuchTenant, NoSuchApiKey."""
        async with self._database.tenant(tenant) as tx:
            await store.must_exist(tx, tenant)
            row = await tx.fetchrow(sql.revoke_api_key, tenant, query.key_id)
            if row is None:
                raise NoSuchApiKey
            tx.publish(ApiKeyRevoked(key_id=query.key_id, revoked_at=row["revoked_at"]))
        return store.api_key(row)
