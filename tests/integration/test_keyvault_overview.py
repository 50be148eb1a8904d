"""How the keys of all tenants stand, as the platform's own people see it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.key_health import ListCredentialHealth
from libs.common.contracts.providers import FaultCode, ProviderName
from libs.common.db import Database
from services.keyvault.health.overview import Overview
from tests.integration.keyvault_rows import fetch, put_credential
from tests.servers.databases import TestDatabase


@pytest.fixture
async def own(database: TestDatabase) -> AsyncIterator[Database]:
    own = database.of("keyvault")
    await own.start()
    await fetch(own, "delete from credentials")
    yield own
    await own.close()


async def test_a_failed_key_is_found_over_tenants_with_its_reason(own: Database) -> None:
    """Filters hold together; a deleted key is no one's worry, and nothing tells of the secret."""
    first, second = sorted(TenantId.new() for _ in range(2))
    failed = await put_credential(own, first, health="failed", health_code="revoked")
    healthy = await put_credential(own, second, provider=ProviderName.PHOTOROOM)
    deleted = await put_credential(own, second, health="failed")
    await fetch(own, "update credentials set deleted_at = now() where id = $1", deleted)

    async def listed(**filters: object) -> list[CredentialId]:
        query = ListCredentialHealth.model_validate(filters)
        return [one.credential_id for one in (await Overview(own).page(query)).items]

    assert await listed() == [failed, healthy]
    assert await listed(state="failed") == [failed]
    assert await listed(provider="photoroom") == await listed(tenant_id=second) == [healthy]
    assert await listed(state="failed", tenant_id=second) == []
    page = await Overview(own).page(ListCredentialHealth(tenant_id=first))
    assert (page.items[0].tenant_id, page.items[0].code) == (first, FaultCode.REVOKED)
    assert not {"last", "print", "vault:v1:none"} & set(page.model_dump(mode="json")["items"][0].values())


async def test_pages_follow_one_another_over_tenants(own: Database) -> None:
    """Each key once, by tenant."""
    made = [
        (tenant, await put_credential(own, tenant))
        for tenant in (TenantId.new(), TenantId.new())
        for _ in "abc"
    ]
    seen: list[tuple[TenantId, CredentialId]] = []
    cursor: str | None = None
    while True:
        page = await Overview(own).page(ListCredentialHealth(cursor=cursor, limit=4))
        seen += [(one.tenant_id, one.credential_id) for one in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == sorted(made)
