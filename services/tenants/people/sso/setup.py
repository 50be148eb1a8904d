"""How a tenant's people sign in: set, shown, removed."""

from __future__ import annotations

from aiohttp import ClientSession

from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.contracts.ids import TenantId
from libs.common.contracts.people import Done
from libs.common.contracts.sso import GetSso, RemoveSso, SetSso, Sso
from libs.common.contracts.tenants import Entitlement, Plan
from libs.common.contracts.tokens import ProtectSecret, SecretPurpose
from libs.common.db import Database, Queries, Row
from libs.common.egress import Guard, UrlForbidden
from services.tenants.people.errors import IssuerRefused, NoSso, SecretMissing, SsoNotInPlan
from services.tenants.people.settings import PeopleSettings
from services.tenants.people.sso.provider import Provider
from services.tenants.people.store import lock_tenant

CALLBACK = "/api/v1/auth/sso/callback"
sql = Queries(__package__)


class SsoSetup:
    """The use cases."""

    def __init__(
        self, database: Database, bus: Bus, guard: Guard, session: ClientSession, settings: PeopleSettings
    ) -> None:
        self._database = database
        self._bus = bus
        self._guard = guard
        self._session = session
        self._base = settings.public_url.rstrip("/")

    async def get(self, _: GetSso, tenant: TenantId) -> Sso:
        """NoSso."""
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.get_sso, tenant)
        if row is None:
            raise NoSso
        return self._told(row)

    async def set(self, query: SetSso, tenant: TenantId) -> Sso:
        """Its configuration is read first. SsoNotInPlan, IssuerRefused, IssuerAway, SecretMissing."""
        async with self._database.tenant(tenant) as tx:
            plan = Plan.model_validate((await lock_tenant(tx, tenant))["plan"])
            before = await tx.fetchrow(sql.get_sso, tenant)
        if not plan.has(Entitlement.SSO):
            raise SsoNotInPlan
        await self._check(query.issuer)
        kept = await self._kept(query, tenant, before)
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(
                sql.set_sso,
                tenant,
                query.issuer,
                query.client_id,
                kept,
                sorted(set(query.allowed_domains)),
                query.default_role,
                query.enforce,
            )
            assert row is not None
            await tx.execute(sql.unpin, tenant, query.issuer)
            record(tx, "sso.set", tenant, enforce=query.enforce, default_role=query.default_role)
        return self._told(row)

    async def remove(self, _: RemoveSso, tenant: TenantId) -> Done:
        """People keep what other ways in they have. NoSso."""
        async with self._database.tenant(tenant) as tx:
            if await tx.fetchval(sql.delete_sso, tenant) is None:
                raise NoSso
            await tx.execute(sql.unpin, tenant, "")
            record(tx, "sso.removed", tenant)
        return Done()

    async def _check(self, issuer: str) -> None:
        try:
            url = await self._guard.check(issuer)
        except UrlForbidden as forbidden:
            raise IssuerRefused(forbidden.detail) from None
        if url.query_string or url.fragment:
            raise IssuerRefused("An issuer has no query and no fragment.")
        await Provider(self._session, self._guard, issuer).metadata()

    async def _kept(self, query: SetSso, tenant: TenantId, before: Row | None) -> str:
        """The ciphertext of the client's secret; never that of one issuer for another."""
        if query.client_secret is None:
            if before is None or (before["issuer"], before["client_id"]) != (query.issuer, query.client_id):
                raise SecretMissing
            kept: str = before["client_secret"]
            return kept
        protect = ProtectSecret(purpose=SecretPurpose.SSO_CLIENT, owner=tenant, secret=query.client_secret)
        return (await self._bus.request(protect, tenant=tenant)).ciphertext

    def _told(self, row: Row) -> Sso:
        shown = {name: row[name] for name in Sso.model_fields if not name.endswith("_url")}
        return Sso.model_validate(
            {
                **shown,
                "start_url": f"{self._base}/api/v1/auth/sso/{row['tenant_id']}/start",
                "redirect_url": self._base + CALLBACK,
            }
        )
