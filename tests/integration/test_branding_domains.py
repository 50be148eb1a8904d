"""Hosts of a tenant's own: proved by a real DNS server, looked up again, and never two tenants'."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.common.contracts.branding import (
    MAX_DOMAINS,
    AddDomain,
    Domain,
    DomainFault,
    DomainStatus,
    ListDomains,
    RemoveDomain,
    VerifyDomain,
)
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import Plan
from services.tenants.branding.domains import MAX_FAILURES
from services.tenants.branding.errors import (
    HostNotAvailable,
    HostRefused,
    NoSuchDomain,
    NotInPlan,
    TooManyDomains,
)
from services.tenants.branding.sweep import DomainSweep
from tests.integration.branding_desk import Desk, branding_desk
from tests.servers.databases import TestDatabase

HOST = "photos.lumiere-shop.com"


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    async with branding_desk(database, tmp_path) as desk:
        async with desk.database.platform("clean up") as tx:
            await tx.execute("delete from tenants")
        yield desk


async def added(desk: Desk, tenant: TenantId, host: str = HOST) -> Domain:
    return await desk.domains.add(AddDomain(host=host), tenant)


async def verified(desk: Desk, tenant: TenantId, domain: Domain) -> Domain:
    desk.zone.records[domain.txt_name] = ["v=spf1 -all", domain.txt_value]
    return await desk.domains.verify(VerifyDomain(domain_id=domain.id), tenant)


async def sweep(desk: Desk, times: int = 1) -> None:
    """As if so many days had passed."""
    for _ in range(times):
        async with desk.database.platform("let a day pass") as tx:
            await tx.execute("update domains set next_check_at = now() where status <> 'pending'")
        await DomainSweep(desk.database, desk.domains).sweep()


async def hosts_told(desk: Desk, tenant: TenantId) -> list[str]:
    told = await desk.told(tenant, "tenants.brand_changed.v1")
    hosts: list[str] = told[-1]["hosts"] if told else []
    return hosts


async def test_a_domain_is_verified_once_its_record_is_there(desk: Desk) -> None:
    """Among other records of the same name, and told to the gateway from then on alone."""
    tenant = await desk.tenant()
    domain = await added(desk, tenant, "Photos.Lumiere-Shop.com.")
    assert (domain.host, domain.txt_name) == (HOST, f"_mannequin.{HOST}")
    assert domain.txt_value.startswith("mannequin-verification=")
    missing = await desk.domains.verify(VerifyDomain(domain_id=domain.id), tenant)
    assert (missing.status, missing.fault) == (DomainStatus.PENDING, DomainFault.TXT_MISSING)
    desk.zone.records[domain.txt_name] = ["mannequin-verification=another"]
    different = await desk.domains.verify(VerifyDomain(domain_id=domain.id), tenant)
    assert (different.status, different.fault) == (DomainStatus.PENDING, DomainFault.TXT_DIFFERENT)
    assert await hosts_told(desk, tenant) == []
    found = await verified(desk, tenant, domain)
    assert (found.status, found.fault, found.failures) == (DomainStatus.VERIFIED, None, 0)
    assert await hosts_told(desk, tenant) == [HOST]


async def test_the_same_host_added_again_is_the_same_domain(desk: Desk) -> None:
    """With the same record, so that a repeat costs nobody another change of the DNS."""
    tenant = await desk.tenant()
    assert await added(desk, tenant) == await added(desk, tenant)


async def test_each_tenant_has_a_record_of_its_own_to_set(desk: Desk) -> None:
    """A record that proves a host for one tenant proves it for no other."""
    one, other = await desk.tenant(), await desk.tenant("Other")
    theirs, ours = await added(desk, one), await added(desk, other)
    assert theirs.txt_value != ours.txt_value
    await verified(desk, one, theirs)
    found = await desk.domains.verify(VerifyDomain(domain_id=ours.id), other)
    assert (found.status, found.fault) == (DomainStatus.PENDING, DomainFault.TXT_DIFFERENT)


async def test_a_host_that_is_verified_elsewhere_cannot_be_taken_and_nobody_is_named(desk: Desk) -> None:
    """Even with the record in place; once its tenant lets go of it, it can be."""
    one, other = await desk.tenant("Maison"), await desk.tenant("Other")
    theirs, ours = await added(desk, one), await added(desk, other)
    await verified(desk, one, theirs)
    with pytest.raises(HostNotAvailable) as refusal:
        await verified(desk, other, ours)
    assert one not in refusal.value.detail
    assert "Maison" not in refusal.value.detail
    await desk.domains.remove(RemoveDomain(domain_id=theirs.id), one)
    assert await hosts_told(desk, one) == []
    assert (await verified(desk, other, ours)).status is DomainStatus.VERIFIED


async def test_of_two_that_verify_at_once_one_wins(desk: Desk) -> None:
    """The claim is one row, whoever comes first."""
    tenants = [await desk.tenant(f"Shop {number}") for number in range(4)]
    domains = [await added(desk, tenant) for tenant in tenants]
    desk.zone.records[domains[0].txt_name] = [domain.txt_value for domain in domains]
    verifying = (
        desk.domains.verify(VerifyDomain(domain_id=domain.id), tenant)
        for tenant, domain in zip(tenants, domains, strict=True)
    )
    outcomes = await asyncio.gather(*verifying, return_exceptions=True)
    won = [found for found in outcomes if isinstance(found, Domain)]
    lost = [found for found in outcomes if isinstance(found, HostNotAvailable)]
    assert (len(won), len(lost)) == (1, 3)


async def test_a_record_that_is_gone_for_days_ends_it_and_one_that_is_back_mends_it(desk: Desk) -> None:
    """One bad day changes nothing; and while it fails, somebody else may prove the host."""
    tenant, other = await desk.tenant(), await desk.tenant("Other")
    domain = await added(desk, tenant)
    await verified(desk, tenant, domain)
    del desk.zone.records[domain.txt_name]
    await sweep(desk, MAX_FAILURES - 1)
    assert (await desk.domains.list(ListDomains(), tenant)).items[0].status is DomainStatus.VERIFIED
    assert await hosts_told(desk, tenant) == [HOST]
    await sweep(desk)
    failing = (await desk.domains.list(ListDomains(), tenant)).items[0]
    assert (failing.status, failing.failures) == (DomainStatus.FAILING, MAX_FAILURES)
    assert await hosts_told(desk, tenant) == []
    desk.zone.records[domain.txt_name] = [domain.txt_value]
    await sweep(desk)
    assert await hosts_told(desk, tenant) == [HOST]
    del desk.zone.records[domain.txt_name]
    await sweep(desk, MAX_FAILURES)
    await verified(desk, other, await added(desk, other))
    await sweep(desk)
    assert await hosts_told(desk, tenant) == []
    assert await hosts_told(desk, other) == [HOST]


async def test_a_dns_that_does_not_answer_ends_nothing(desk: Desk) -> None:
    """However long: it says nothing of whose host it is."""
    tenant = await desk.tenant()
    await verified(desk, tenant, await added(desk, tenant))
    desk.zone.broken = True
    await sweep(desk, MAX_FAILURES + 2)
    found = (await desk.domains.list(ListDomains(), tenant)).items[0]
    assert (found.status, found.fault) == (DomainStatus.VERIFIED, DomainFault.DNS_UNAVAILABLE)


async def test_a_domain_is_looked_up_once_a_day(desk: Desk) -> None:
    """One that was never verified is looked up when its tenant asks."""
    tenant = await desk.tenant()
    await verified(desk, tenant, await added(desk, tenant))
    await added(desk, tenant, "later.lumiere-shop.com")
    asked = desk.zone.asked
    assert await DomainSweep(desk.database, desk.domains).sweep() == 0
    await sweep(desk)
    assert desk.zone.asked == asked + 1


async def test_a_tenant_has_ten_domains_and_none_without_white_label(desk: Desk) -> None:
    """The eleventh is refused; one that is removed makes room."""
    tenant, plain = await desk.tenant(), await desk.tenant("Plain", Plan())
    domains = [await added(desk, tenant, f"s{number}.lumiere-shop.com") for number in range(MAX_DOMAINS)]
    with pytest.raises(TooManyDomains):
        await added(desk, tenant)
    await desk.domains.remove(RemoveDomain(domain_id=domains[3].id), tenant)
    await added(desk, tenant)
    with pytest.raises(NotInPlan):
        await added(desk, plain)


async def test_another_tenants_domain_is_not_there(desk: Desk) -> None:
    """Not to be looked at, verified or removed."""
    tenant, other = await desk.tenant(), await desk.tenant("Other")
    domain = await added(desk, tenant)
    assert (await desk.domains.list(ListDomains(), other)).items == ()
    with pytest.raises(NoSuchDomain):
        await desk.domains.verify(VerifyDomain(domain_id=domain.id), other)
    with pytest.raises(NoSuchDomain):
        await desk.domains.remove(RemoveDomain(domain_id=domain.id), other)
    assert (await desk.domains.list(ListDomains(), tenant)).items == (domain,)


async def test_hosts_of_the_platform_cannot_be_added(desk: Desk) -> None:
    """They need no proof, so nobody may claim them by one."""
    tenant = await desk.tenant()
    with pytest.raises(HostRefused):
        await added(desk, tenant, "other.client.example")
