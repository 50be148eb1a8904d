"""What the gateway tells of keys in use, shown with the keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import ApiKeysUsed, GetApiKey, IssueApiKey, KeyUsed
from services.tenants.last_used import keys_used
from tests.integration.tenants_desk import Desk, tenants_desk
from tests.servers.databases import TestDatabase

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def desk(database: TestDatabase) -> AsyncIterator[Desk]:
    async with tenants_desk(database) as desk:
        yield desk


async def tell(desk: Desk, tenant: TenantId, **uses: datetime) -> None:
    told = ApiKeysUsed(uses=tuple(KeyUsed(key_id=ApiKeyId(key), at=at) for key, at in uses.items()))
    async with desk.database.tenant(tenant) as tx:
        await keys_used(told, tx)


async def test_the_last_use_of_a_key_is_the_latest_that_was_told(desk: Desk) -> None:
    """Replicas tell in any order; other keys, and another tenant's, are not touched."""
    tenant, other = await desk.tenant(), await desk.tenant()
    used, idle = [(await desk.keys.issue(IssueApiKey(), tenant)).key.id for _ in range(2)]
    await tell(desk, tenant, **{used: NOW})
    await tell(desk, tenant, **{used: NOW - timedelta(minutes=1)})
    await tell(desk, other, **{idle: NOW})
    found = [await desk.keys.get(GetApiKey(key_id=key), tenant) for key in (used, idle)]
    assert [key.last_used_at for key in found] == [NOW, None]
