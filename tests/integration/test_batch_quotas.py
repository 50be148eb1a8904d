"""Plans hold on a real database: before a batch starts, while it is under way, and on its bill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from libs.common.contracts.batch import BatchKind, BatchOptions, BatchStatus, SubmitBatch, SubmitImage
from libs.common.contracts.ids import ApiKeyId, BatchId, ImageId
from libs.common.contracts.inference import RenderImages, RenderImagesNow, RenderOutcome, Verdict
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.quotas import (
    TEST_IMAGES_A_DAY,
    Admission,
    Admit,
    GetMargins,
    GetQuotaUse,
    ListTenantUsage,
    QuotaName,
    QuotaUse,
    TenantUsage,
)
from libs.common.contracts.routing import EstimateBatch
from libs.common.contracts.tenants import (
    Plan,
    Prices,
    Quotas,
    TenantRegistered,
    TenantStatus,
    TenantStatusChanged,
)
from libs.common.errors import NotBought, TooOften
from libs.common.objects import tenant_key
from services.batch.errors import ArchiveLost
from services.batch.estimate import Estimates
from services.batch.quotas.admission import Admissions
from services.batch.quotas.margins import MarginReports
from services.batch.store import sql
from tests.integration.batch_desk import archive, broken, done, photo
from tests.integration.byok_desk import ONLY, ByokDesk, at_byok_desk, credential
from tests.servers.databases import TestDatabase
from tests.unit.archive_samples import Part, build


class QuotaDesk(ByokDesk):
    """A tenant whose plan has limits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.admissions = Admissions(self.database, self.objects)

    async def may(self, **quotas: int) -> None:
        await self.buys(Plan(name="saas", byok=True, quotas=Quotas(**quotas)))

    async def upload(self, content: bytes) -> Admit:
        """An archive in storage, and the question whether it may become a batch."""
        batch_id = BatchId.new()
        key = tenant_key(self.tenant, "batches", batch_id, "archive.zip")
        await self.objects.put(key, content)
        return Admit(batch_id=batch_id, kind=BatchKind.ARCHIVE, archive_key=key, archive_size=len(content))

    async def admit(self, question: Admit) -> Admission:
        return await self.admissions.admit(question, self.tenant)

    async def sends(self, question: Admit) -> BatchId:
        """The submission of an upload; the message may come more than once."""
        command = SubmitBatch(
            batch_id=question.batch_id,
            submitted_by=ApiKeyId.new(),
            test=question.test,
            archive_key=question.archive_key,
            archive_size=question.archive_size,
            options=BatchOptions(),
            submitted_at=datetime.now(UTC),
        )
        async with self.database.tenant(self.tenant) as tx:
            await self.service.submit_batch(command, tx)
        return question.batch_id

    async def takes(self, images: int, *, test: bool = False) -> BatchId:
        """A batch of so many photos: admitted, sent and split."""
        question = (await self.upload(archive(images))).model_copy(update={"test": test})
        await self.admit(question)
        await self.split(await self.sends(question))
        return question.batch_id

    async def single(self, *, test: bool = False) -> BatchId:
        batch_id = BatchId.new()
        command = SubmitImage(
            batch_id=batch_id,
            image_id=ImageId.new(),
            submitted_by=ApiKeyId.new(),
            test=test,
            name="one.jpg",
            photo_key=tenant_key(self.tenant, "batches", batch_id, "photo"),
            photo_size=3,
            options=RenderOptions(),
            submitted_at=datetime.now(UTC),
        )
        async with self.database.tenant(self.tenant) as tx:
            await self.service.submit_image(command, tx)
        return batch_id

    async def use(self) -> dict[QuotaName, QuotaUse]:
        found = await self.admissions.use(GetQuotaUse(), self.tenant)
        return {one.name: one for one in found.items}

    async def month(self) -> tuple[int | None, int | None]:
        """Images on the bill, and under way."""
        month = (await self.use())[QuotaName.IMAGES_MONTH]
        return month.used, month.reserved


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[QuotaDesk]:
    async with at_byok_desk(database.of("batch"), tmp_path) as desk:
        yield QuotaDesk(desk.database, desk.objects)


async def test_a_batch_beyond_the_month_is_refused_before_it_starts(desk: QuotaDesk) -> None:
    """With what, how much and when it resets; nothing is kept for it."""
    await desk.may(images_month=10)
    await desk.admit(await desk.upload(archive(8)))
    question = await desk.upload(archive(3))
    with pytest.raises(NotBought) as refused:
        await desk.admit(question)
    hit = refused.value.quota
    assert hit is not None
    assert (refused.value.code, hit.what) == ("quota_exceeded", QuotaName.IMAGES_MONTH)
    assert (hit.limit, hit.used, hit.needed) == (10, 8, 3)
    assert hit.resets_at is not None
    assert hit.resets_at > datetime.now(UTC)
    assert await desk.month() == (0, 8)
    assert (await desk.admit(await desk.upload(archive(2)))).images == 2


async def test_of_two_that_want_the_last_images_one_gets_them(desk: QuotaDesk) -> None:
    """Asked at the same moment, many times over."""
    await desk.may(images_month=10)
    await desk.admit(await desk.upload(archive(5)))
    questions = [await desk.upload(archive(5)) for _ in range(6)]
    answers = await asyncio.gather(*map(desk.admit, questions), return_exceptions=True)
    assert sum(isinstance(answer, NotBought) for answer in answers) == 5
    assert [answer.images for answer in answers if isinstance(answer, Admission)] == [5]
    assert await desk.month() == (0, 10)


async def test_what_is_kept_is_kept_once_and_ends_with_the_split(desk: QuotaDesk) -> None:
    """Asked twice, sent twice, split: always the same images."""
    await desk.may(images_month=100)
    question = await desk.upload(archive(7))
    for _ in range(2):
        await desk.admit(question)
        assert await desk.month() == (0, 7)
    for _ in range(2):
        await desk.sends(question)
        assert await desk.month() == (0, 7)
    await desk.split(question.batch_id)
    assert await desk.month() == (0, 7)
    assert await desk.rows("select * from reservations") == []


async def test_images_that_are_not_billed_give_their_share_back(desk: QuotaDesk) -> None:
    """A failed one, a rejected one, and a copy that never had one; each ends once, told twice or not."""
    await desk.may(images_month=100)
    parts = [Part(f"{n}.jpg".encode(), photo(n)) for n in range(4)]
    parts += [Part(b"copy.jpg", photo(0)), Part(b"note.txt", b"x")]
    question = await desk.upload(build(parts))
    assert (await desk.admit(question)).images == 4
    await desk.split(await desk.sends(question))
    assert await desk.month() == (0, 4)
    images = await desk.released()
    assert await desk.month() == (0, 4)
    outcomes: list[RenderOutcome] = [
        done(images[0]),
        done(images[1], verdict=Verdict.REJECTED),
        broken(images[2]),
    ]
    for _ in range(2):
        await desk.collect(question.batch_id, outcomes)
        assert await desk.month() == (1, 1)
    await desk.collect(question.batch_id, [done(images[3])])
    assert await desk.month() == (2, 0)
    assert (await desk.batch(question.batch_id)).counts.billable == 2


async def test_a_retry_needs_room_as_well(desk: QuotaDesk) -> None:
    """Failed images gave their share back, and somebody else may have it now."""
    await desk.may(images_month=4)
    batch_id = await desk.takes(3)
    images = await desk.released()
    await desk.collect(batch_id, [done(images[0]), broken(images[1]), broken(images[2])])
    await desk.admit(other := await desk.upload(archive(2)))
    with pytest.raises(NotBought, match="needs 2 more"):
        await desk.retry(batch_id)
    assert (await desk.batch(batch_id)).status is BatchStatus.COMPLETED
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute("delete from reservations where batch_id = $1", other.batch_id)
    assert (await desk.retry(batch_id)).counts.waiting == 2
    assert await desk.month() == (1, 2)


async def test_what_no_submission_follows_is_free_again(desk: QuotaDesk) -> None:
    """After an hour; a submission that comes later still counts."""
    await desk.may(images_month=5)
    question = await desk.upload(archive(5))
    kept = await desk.admit(question)
    assert kept.expires_at is not None
    assert kept.expires_at - datetime.now(UTC) > timedelta(minutes=50)
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute("update reservations set expires_at = now() - interval '1 second'")
    assert await desk.month() == (0, 0)
    await desk.split(await desk.sends(question))
    assert await desk.month() == (0, 5)


async def test_without_limits_nothing_is_kept(desk: QuotaDesk) -> None:
    """But what is used is known, should a limit come."""
    await desk.may()
    assert await desk.admit(await desk.upload(archive(3))) == Admission(images=3)
    assert await desk.rows("select * from reservations") == []
    batch_id = await desk.takes(2)
    await desk.collect(batch_id, [done(image) for image in await desk.released()])
    await desk.may(images_month=2)
    with pytest.raises(NotBought):
        await desk.admit(Admit(batch_id=BatchId.new(), kind=BatchKind.SINGLE, archive_key="", archive_size=1))


async def test_the_size_of_an_archive_is_held_against_the_plan(desk: QuotaDesk) -> None:
    """Bytes and photos; entries that are no photos do not count."""
    content = build([Part(f"{n}.jpg".encode(), photo(n)) for n in range(3)] + [Part(b"a.txt", b"x")] * 1)
    question = await desk.upload(content)
    await desk.may(archive_items=3, archive_bytes=len(content))
    await desk.admit(question)
    for quotas, what in (
        ({"archive_items": 2}, QuotaName.ARCHIVE_ITEMS),
        ({"archive_bytes": len(content) - 1}, QuotaName.ARCHIVE_BYTES),
    ):
        await desk.may(**quotas)
        with pytest.raises(NotBought) as refused:
            await desk.admit(question)
        assert refused.value.quota is not None
        assert (refused.value.quota.what, refused.value.quota.resets_at) == (what, None)


async def test_an_archive_that_nobody_asked_for_ends_when_it_is_split(desk: QuotaDesk) -> None:
    """The gateway may not have heard of the plan yet."""
    await desk.may(archive_items=2)
    batch_id = await desk.sends(await desk.upload(archive(3)))
    with pytest.raises(NotBought):
        await desk.split(batch_id)
    assert await desk.images(batch_id) == ()


async def test_an_archive_that_is_none_is_left_to_its_batch(desk: QuotaDesk) -> None:
    """Its batch says what is wrong with it; one of another tenant is none at all."""
    await desk.may(images_month=0)
    assert (await desk.admit(await desk.upload(b"no zip"))).images == 0
    foreign = Admit(
        batch_id=BatchId.new(), kind=BatchKind.ARCHIVE, archive_key="tenants/other/a.zip", archive_size=3
    )
    with pytest.raises(ArchiveLost):
        await desk.admit(foreign)


async def test_a_dry_run_says_what_it_would_take(desk: QuotaDesk) -> None:
    """And which limit it would hit."""
    await desk.may(images_month=5)
    await desk.takes(2)
    key = tenant_key(desk.tenant, "estimates", "e", "archive.zip")
    for images, fits in ((3, True), (4, False)):
        content = archive(images)
        await desk.objects.put(key, content)
        look = EstimateBatch(archive_key=key, archive_size=len(content), options=BatchOptions())
        quota = (await Estimates(desk.database, desk.objects).estimate(look, desk.tenant)).quota
        assert quota is not None
        assert (quota.limit, quota.reserved, quota.needed, quota.fits) == (5, 2, images, fits)
        assert (quota.hit is None) == fits


async def test_no_more_images_are_under_way_than_the_plan_allows(desk: QuotaDesk) -> None:
    """The others wait, and go on one by one as there is room; single photos count with them."""
    await desk.may(concurrent_items=3)
    batch_id = await desk.takes(8)
    await desk.single()
    first = await desk.released()
    singles = [message.items[0].image_id for message in await desk.outbox(RenderImagesNow)]  # type: ignore[attr-defined]
    assert (len(first), len(singles)) == (2, 1)
    assert (await desk.use())[QuotaName.CONCURRENT_ITEMS].used == 3
    assert (await desk.batch(batch_id)).counts.waiting == 6
    await desk.collect(batch_id, [done(first[0])])
    assert len(await desk.released()) == 1
    await desk.single()
    assert await desk.dispatcher.dispatch() == 0
    await desk.may()
    assert len(await desk.released()) == 5


async def test_a_tenant_at_its_limit_keeps_nobody_else_waiting(desk: QuotaDesk) -> None:
    """Not even with a crowd of single photos in front."""
    await desk.may(concurrent_items=1)
    for _ in range(40):
        await desk.single()
    other = QuotaDesk(desk.database, desk.objects)
    await other.may()
    batch_id = await other.single()
    await desk.dispatcher.dispatch()
    await desk.dispatcher.dispatch()
    assert (await other.batch(batch_id)).counts.rendering == 1
    assert (await desk.use())[QuotaName.CONCURRENT_ITEMS].used == 1


async def test_the_plan_says_how_a_tenant_is_weighed(desk: QuotaDesk) -> None:
    """Instead of what it was registered with."""
    await desk.hears(TenantRegistered(name="Shop", weight=2))
    await desk.buys(Plan(name="enterprise", weight=7))
    await desk.takes(1)
    async with desk.database.platform("look") as tx:
        rows = await tx.fetch(sql.demands)
    assert [row["weight"] for row in rows if row["tenant_id"] == desk.tenant] == [7]


@pytest.mark.parametrize("status", [TenantStatus.SUSPENDED, TenantStatus.ERASING])
async def test_nothing_of_a_suspended_tenant_is_released(desk: QuotaDesk, status: TenantStatus) -> None:
    """It goes on after it is resumed; an older word changes nothing."""
    await desk.hears(TenantStatusChanged(status=status, revision=2))
    await desk.hears(TenantStatusChanged(status=TenantStatus.ACTIVE, revision=1))
    await desk.takes(2)
    await desk.single()
    assert await desk.dispatcher.dispatch() == 0
    await desk.hears(TenantStatusChanged(status=TenantStatus.ACTIVE, revision=3))
    assert await desk.dispatcher.dispatch() == 3


async def test_a_test_is_rendered_on_the_platform_and_costs_nothing(desk: QuotaDesk) -> None:
    """Though the tenant's own keys are all that it wants, and none of them works."""
    await desk.may(images_month=0)
    await desk.has(credential())
    await desk.wants(ONLY)
    batch_id = await desk.takes(3, test=True)
    await desk.dispatcher.dispatch()
    [message] = await desk.outbox(RenderImages)
    assert isinstance(message, RenderImages)
    assert message.test
    images = [item.image_id for item in message.items]
    await desk.collect(batch_id, [done(image) for image in images])
    batch, shown = await desk.batch(batch_id), await desk.images(batch_id)
    assert (batch.status, batch.test, batch.counts.billable) == (BatchStatus.COMPLETED, True, 0)
    assert {(image.test, image.billable, image.route and image.route.cost) for image in shown} == {
        (True, False, Decimal(0))
    }
    assert await desk.charges() == []
    assert await desk.month() == (0, 0)
    assert (await desk.use())[QuotaName.TEST_IMAGES_DAY].used == 3


async def test_tests_and_live_images_go_their_own_ways_at_once(desk: QuotaDesk) -> None:
    """A tenant on its own key has both under way."""
    await desk.may()
    key = credential()
    await desk.has(key)
    await desk.wants(ONLY)
    live, test = await desk.takes(4), await desk.takes(3, test=True)
    went = await desk.dispatched()
    assert {(route and route.credential_id, len(images)) for route, images in went} == {
        (key.id, 4),
        (None, 3),
    }
    assert (await desk.batch(live)).counts.rendering == 4
    assert (await desk.batch(test)).counts.rendering == 3


async def test_test_keys_have_their_own_day(desk: QuotaDesk) -> None:
    """200 images, whatever becomes of them; live keys are not held up by it."""
    await desk.may(images_month=1)
    batch_id = await desk.takes(TEST_IMAGES_A_DAY - 1, test=True)
    images = await desk.released()
    await desk.collect(batch_id, [broken(image) for image in images])
    question = (await desk.upload(archive(2))).model_copy(update={"test": True})
    with pytest.raises(TooOften) as refused:
        await desk.admit(question)
    hit = refused.value.quota
    assert hit is not None
    assert (refused.value.code, hit.what) == ("test_quota_exceeded", QuotaName.TEST_IMAGES_DAY)
    assert (hit.used, hit.needed, hit.limit) == (TEST_IMAGES_A_DAY - 1, 2, TEST_IMAGES_A_DAY)
    assert refused.value.retry_after is not None
    assert refused.value.retry_after <= 86_400
    await desk.admit((await desk.upload(archive(1))).model_copy(update={"test": True}))
    await desk.admit(await desk.upload(archive(1)))
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute("update batches set created_at = created_at - interval '1 day'")
        await tx.execute("delete from reservations")
    await desk.admit(question)


async def test_margins_are_sums_over_the_charges(desk: QuotaDesk) -> None:
    """Each tenant by its plan's prices, page by page, and all of them together."""
    prices = Prices(image_platform=Decimal("0.05"), image_own_key=Decimal("0.01"))
    await desk.hears(TenantRegistered(name="Shop", weight=1))
    await desk.buys(Plan(name="saas", prices=prices))
    await desk.takes(4)
    await desk.takes(2, test=True)
    await desk.work_off()
    other = QuotaDesk(desk.database, desk.objects)
    await other.hears(TenantRegistered(name="Other", weight=1))
    today, reports = datetime.now(UTC).date(), MarginReports(desk.database)
    query = ListTenantUsage(start=today, end=today, limit=1)
    seen: list[TenantUsage] = []
    while True:
        page = await reports.list_usage(desk.delivery(query))
        seen += page.items
        if page.next_cursor is None:
            break
        query = query.model_copy(update={"cursor": page.next_cursor})
    found = {one.tenant_id: one for one in seen}
    assert {desk.tenant, other.tenant} <= set(found)
    assert len(found) == len(seen)
    own = found[desk.tenant]
    assert (own.plan, own.images_platform, own.images_own_key, own.test_images) == ("saas", 4, 0, 2)
    assert own.revenue == Decimal("0.05") * own.images_platform
    assert own.cost_platform == sum(charge["cost"] for charge in await desk.charges())
    assert own.margin == own.revenue - own.cost_platform
    assert found[other.tenant].images_platform == 0
    alone = await reports.list_usage(
        desk.delivery(ListTenantUsage(start=today, end=today, tenant_id=desk.tenant))
    )
    assert alone.items == (own,)
    together = await reports.margins(desk.delivery(GetMargins(start=today, end=today)))
    assert together.tenants == len(found)
    assert together.revenue == sum(one.revenue for one in seen)
