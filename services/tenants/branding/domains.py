"""What a tenant can do with hosts of its own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from libs.common.audit.record import record
from libs.common.contracts.branding import (
    MAX_DOMAINS,
    AddDomain,
    Domain,
    DomainFault,
    DomainList,
    DomainStatus,
    GetDomain,
    ListDomains,
    RemoveDomain,
    VerifyDomain,
)
from libs.common.contracts.ids import DomainId, TenantId
from libs.common.db import Database, Row, Transaction
from services.tenants.branding import store
from services.tenants.branding.errors import HostNotAvailable, NoSuchDomain, TooManyDomains
from services.tenants.branding.hosts import proof_value, proper_host
from services.tenants.branding.proof import Proof
from services.tenants.branding.store import sql

MAX_FAILURES = 3
DAY_S = 86_400.0
UNAVAILABLE_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a domain is after a look at its record."""

    status: DomainStatus
    failures: int
    next_s: float


def after_look(status: DomainStatus, failures: int, fault: DomainFault | None) -> Seen:
    """A record that is there counts at once; one that is gone counts after `MAX_FAILURES` looks, and a DNS
    that does not answer says nothing.
    """
    match fault:
        case None:
            return Seen(DomainStatus.VERIFIED, 0, DAY_S)
        case DomainFault.DNS_UNAVAILABLE:
            return Seen(status, failures, UNAVAILABLE_S)
        case _:
            lost = status is not DomainStatus.PENDING and failures + 1 >= MAX_FAILURES
            return Seen(DomainStatus.FAILING if lost else status, failures + 1, DAY_S)


class Domains:
    """The use cases; what they change is told in the same transaction. base_domain: the platform's own."""

    def __init__(self, database: Database, proof: Proof, base_domain: str | None) -> None:
        self._database = database
        self._proof = proof
        self._base_domain = base_domain

    async def add(self, query: AddDomain, tenant: TenantId) -> Domain:
        """NoSuchTenant, NotInPlan, HostRefused, TooManyDomains."""
        host = proper_host(query.host, self._base_domain)
        async with self._database.tenant(tenant) as tx:
            await store.held(tx, await store.entitled_row(tx, tenant))  # counted one after another
            if found := await tx.fetchrow(sql.find_domain, tenant, host):
                return store.domain(found)
            if len(await tx.fetch(sql.list_domains, tenant)) >= MAX_DOMAINS:
                raise TooManyDomains
            token = secrets.token_urlsafe(24)
            row = await tx.fetchrow(sql.insert_domain, tenant, DomainId.new(), host, token)
            assert row is not None
            record(tx, "domain.added", row["id"], host=host)
        return store.domain(row)

    async def list(self, _: ListDomains, tenant: TenantId) -> DomainList:
        async with self._database.tenant(tenant) as tx:
            return DomainList(items=tuple(map(store.domain, await tx.fetch(sql.list_domains, tenant))))

    async def get(self, query: GetDomain, tenant: TenantId) -> Domain:
        """NoSuchDomain."""
        async with self._database.tenant(tenant) as tx:
            return store.domain(await _domain(tx, sql.get_domain, tenant, query.domain_id))

    async def remove(self, query: RemoveDomain, tenant: TenantId) -> DomainList:
        """NoSuchTenant, NoSuchDomain."""
        async with self._database.tenant(tenant) as tx:
            owner = await store.tenant_row(tx, tenant)
            await store.held(tx, owner)
            row = await _domain(tx, sql.get_domain, tenant, query.domain_id)
            await tx.execute(sql.delete_domain, tenant, query.domain_id)
            record(tx, "domain.removed", query.domain_id, host=row["host"])
            if row["status"] == DomainStatus.VERIFIED:
                await store.announce(tx, owner)
        return await self.list(ListDomains(), tenant)

    async def verify(self, query: VerifyDomain, tenant: TenantId) -> Domain:
        """NoSuchTenant, NotInPlan, NoSuchDomain, HostNotAvailable."""
        async with self._database.tenant(tenant) as tx:
            await store.entitled_row(tx, tenant)
        return await self.look(query.domain_id, tenant)

    async def look(self, domain_id: DomainId, tenant: TenantId) -> Domain:
        """See whether the record is there, with no transaction open meanwhile. NoSuchDomain,
        HostNotAvailable.
        """
        async with self._database.tenant(tenant) as tx:
            row = await _domain(tx, sql.get_domain, tenant, domain_id)
        fault = await self._proof.look(row["host"], proof_value(row["token"]))
        async with self._database.tenant(tenant) as tx:
            owner = await store.tenant_row(tx, tenant)
            await store.held(tx, owner)
            before = await _domain(tx, sql.hold_domain, tenant, domain_id)
            after = await _settle(tx, before, fault)
            if after["status"] != before["status"]:
                record(tx, f"domain.{after['status']}", domain_id, host=after["host"])
                await store.announce(tx, owner)
        return store.domain(after)


async def _settle(tx: Transaction, row: Row, fault: DomainFault | None) -> Row:
    """The domain's row with what was found; its host is claimed or let go with it."""
    key = (row["tenant_id"], row["id"])
    seen = after_look(DomainStatus(row["status"]), row["failures"], fault)
    if seen.status is DomainStatus.VERIFIED and not await _claimed(tx, row):
        raise HostNotAvailable
    if seen.status is DomainStatus.FAILING:
        await tx.execute(sql.release_host, *key)
    verified_at = row["verified_at"]
    if seen.status is DomainStatus.VERIFIED and row["status"] != DomainStatus.VERIFIED:
        verified_at = await tx.fetchval("select now()")
    after = await tx.fetchrow(
        sql.looked, *key, seen.status.value, fault and fault.value, seen.failures, verified_at, seen.next_s
    )
    assert after is not None
    return after


async def _claimed(tx: Transaction, row: Row) -> bool:
    if await tx.fetchval(sql.holds_host, row["tenant_id"], row["id"]):
        return True
    return await tx.fetchval(sql.claim_host, row["tenant_id"], row["host"], row["id"]) is not None


async def _domain(tx: Transaction, query: str, tenant: TenantId, domain_id: DomainId) -> Row:
    row = await tx.fetchrow(query, tenant, domain_id)
    if row is None:
        raise NoSuchDomain
    return row
