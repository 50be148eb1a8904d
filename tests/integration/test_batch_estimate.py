"""What a batch would be, told before anything runs: the same counts and routes that it then has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.credentials import HealthState
from libs.common.contracts.ids import TenantId
from libs.common.contracts.providers import Payer, ProviderName
from libs.common.contracts.routing import Estimate, EstimateBatch, WhenUnavailable
from libs.common.errors import Invalid
from libs.common.objects import tenant_key
from libs.common.providers.cards import PRICE_TABLE, cost, price_of
from services.batch.accounts import platform
from services.batch.errors import ArchiveLost
from services.batch.estimate import Estimates
from tests.integration.batch_desk import archive, photo
from tests.integration.byok_desk import ONLY, PROVIDER, THEN, ByokDesk, at_byok_desk, credential
from tests.servers.databases import TestDatabase
from tests.unit.archive_samples import Part, build

PRICE, OURS = cost(price_of(PROVIDER), Decimal(1)), platform().price
PARTS = [
    Part(b"a_front.jpg", photo(1)),
    Part(b"a_inside.jpg", photo(2)),
    Part(b"b.jpg", photo(3)),
    Part(b"copy of b.jpg", photo(3)),
    Part(b"note.txt", b"hello"),
]


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[ByokDesk]:
    async with at_byok_desk(database.of("batch"), tmp_path) as desk:
        yield desk


async def estimate(desk: ByokDesk, content: bytes, **options: object) -> Estimate:
    key = tenant_key(desk.tenant, "estimates", "e", "archive.zip")
    await desk.objects.put(key, content)
    query = EstimateBatch(
        archive_key=key, archive_size=len(content), options=BatchOptions.model_validate(options)
    )
    return await Estimates(desk.database, desk.objects).estimate(query, desk.tenant)


def shares(found: Estimate) -> list[tuple[Payer | None, int]]:
    return [(share.payer, share.images) for share in found.routes]


async def test_the_counts_are_those_that_the_batch_then_has(desk: ByokDesk) -> None:
    """Pairs, repeated photos and entries that are none."""
    content = build(PARTS)
    found = await estimate(desk, content)
    assert (found.photos, found.refused, found.paired, found.duplicates) == (4, 1, 1, 1)
    assert (found.billable_at_most, found.waiting) == (2, 0)
    assert (found.cost, found.price_table, found.currency) == (OURS * 2, PRICE_TABLE, "USD")
    batch_id = await desk.submit(content)
    await desk.split(batch_id)
    await desk.work_off()
    counts = (await desk.batch(batch_id)).counts
    assert (counts.refused, counts.paired, counts.duplicates, counts.billable) == (1, 1, 1, 2)


async def test_the_routes_are_those_that_the_images_then_take(desk: ByokDesk) -> None:
    """Here the one with an inside shot falls back, as the key can't have it."""
    await desk.has(credential())
    await desk.wants(THEN)
    found = await estimate(desk, build(PARTS))
    assert shares(found) == [(Payer.TENANT, 1), (Payer.PLATFORM, 1)]
    assert found.cost == PRICE + OURS
    assert [share.fallback for share in found.routes] == [False, True]
    await desk.submit(build(PARTS))
    assert (await desk.rows("select count(*)::int as n from images")) == [{"n": 0}]


async def test_a_cap_is_followed_through_to_what_comes_after_it(desk: ByokDesk) -> None:
    """The key takes what its cap allows, the platform the rest up to the cap of falling back; others wait."""
    await desk.has(credential(monthly_cap=PRICE * 3))
    await desk.wants(THEN, fallback_monthly_cap=OURS * 2)
    found = await estimate(desk, archive(8))
    assert shares(found) == [(Payer.TENANT, 3), (Payer.PLATFORM, 2), (None, 3)]
    assert (found.waiting, found.cost) == (3, PRICE * 3 + OURS * 2)
    assert "monthly cap of falling back" in found.routes[-1].reason
    assert await desk.spend() == {}


@pytest.mark.parametrize("then", WhenUnavailable)
async def test_images_without_a_route_are_told_of_with_the_reason(
    desk: ByokDesk, then: WhenUnavailable
) -> None:
    """They wait, or would fail, as the tenant chose."""
    await desk.has(credential(state=HealthState.FAILED))
    await desk.wants(ONLY, when_unavailable=then)
    found = await estimate(desk, archive(2))
    assert shares(found) == [(None, 2)]
    assert found.cost == 0
    assert found.waiting == (2 if then is WhenUnavailable.WAIT else 0)


async def test_a_price_by_the_second_is_estimated_by_what_images_took(desk: ByokDesk) -> None:
    """A second at first; then the month's own average."""
    await desk.has(credential(provider=ProviderName.OPEN_INFERENCE))
    await desk.wants(ONLY)
    second = price_of(ProviderName.OPEN_INFERENCE).amount
    assert (await estimate(desk, archive(1))).cost == second
    await desk.in_line(4)
    await desk.work_off()
    quarter = (second / 4).quantize(Decimal("0.000001"))
    assert (await estimate(desk, archive(10))).cost == quarter * 10


async def test_an_archive_that_can_not_be_read_is_refused_as_a_batch_would_be(desk: ByokDesk) -> None:
    """By the same code; and nobody has another's archive looked at."""
    with pytest.raises(Invalid) as refused:
        await estimate(desk, b"no archive")
    assert refused.value.code == "not_a_zip"
    query = EstimateBatch(
        archive_key=tenant_key(TenantId.new(), "x.zip"), archive_size=1, options=BatchOptions()
    )
    with pytest.raises(ArchiveLost):
        await Estimates(desk.database, desk.objects).estimate(query, desk.tenant)
    gone = query.model_copy(update={"archive_key": tenant_key(desk.tenant, "gone.zip")})
    with pytest.raises(ArchiveLost):
        await Estimates(desk.database, desk.objects).estimate(gone, desk.tenant)
