"""What is past its time goes, objects first; killed at any line, the next sweep goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from libs.common.contracts import branding, human_models
from libs.common.contracts.batch import BatchKind
from libs.common.contracts.ids import BatchId, HumanModelId, ImageId
from libs.common.contracts.quotas import Admit
from libs.common.contracts.tenants import Plan, Quotas
from libs.common.errors import Unavailable
from libs.common.objects import Objects, tenant_key
from services.batch.errors import NoSuchBatch
from services.batch.quotas.admission import Admissions
from services.batch.retention import Retention
from tests.integration.batch_desk import broken, done
from tests.integration.byok_desk import ByokDesk, at_byok_desk
from tests.servers.databases import TestDatabase

DAY = timedelta(days=1)


class RetentionDesk(ByokDesk):
    """A tenant whose results are kept for some days."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.retention = Retention(self.database, self.objects, stray_after=DAY)

    async def keeps(self, days: int | None) -> None:
        await self.buys(Plan(quotas=Quotas(retention_days=days)))

    async def ended(self, *, days_ago: float) -> BatchId:
        """A batch of two photos and their results that ended then."""
        batch_id = await self.in_line(2)
        images = await self.released()
        outcomes = [done(image, result_key=await self._result(batch_id, image)) for image in images]
        await self.collect(batch_id, outcomes)
        await self.age(batch_id, days_ago)
        return batch_id

    async def _result(self, batch_id: BatchId, image: ImageId) -> str:
        key = self.key(batch_id, "results", f"{image}.png")
        await self.objects.put(key, b"png")
        return key

    async def age(self, batch_id: BatchId, days: float) -> None:
        async with self.database.tenant(self.tenant) as tx:
            past = timedelta(days=days)
            await tx.execute(
                "update batches set ended_at = ended_at - $2::interval where id = $1", batch_id, past
            )

    def key(self, *parts: str) -> str:
        return tenant_key(self.tenant, "batches", *parts)

    async def objects_of(self, prefix: str = "") -> list[str]:
        found = self.objects.list_prefix(tenant_key(self.tenant, prefix))
        return [stored.key async for slice_ in found for stored in slice_]

    async def leaves(self, folder: str, name: str) -> str:
        """An upload of which nothing became."""
        key = tenant_key(self.tenant, folder, name, "archive.zip")
        await self.objects.put(key, b"zip")
        return key

    async def sends(self, *parts: str, waits: HumanModelId | None = None, done: bool = False) -> str:
        """An object, and a human model that `waits` for it to be looked at, or has been refused."""
        key = tenant_key(self.tenant, *parts)
        await self.objects.put(key, b"png")
        if waits:
            status, refusal = ("refused", {"code": "x", "detail": "x"}) if done else ("checking", None)
            async with self.database.tenant(self.tenant) as tx:
                await tx.execute(
                    "insert into human_models (tenant_id, id, name, status, refusal, upload_key, consent)"
                    " values ($1, $2, 'Alex', $3, $4, $5, $6)",
                    *(self.tenant, waits, status, refusal, key, {}),
                )
        return key


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[RetentionDesk]:
    async with at_byok_desk(database.of("batch"), tmp_path) as desk:
        yield RetentionDesk(desk.database, desk.objects)


async def test_batches_go_once_the_plan_keeps_them_no_longer(desk: RetentionDesk) -> None:
    """Photos, results and rows; what is younger, or still runs, stays, and so do the charges."""
    await desk.keeps(7)
    old, young = await desk.ended(days_ago=7.1), await desk.ended(days_ago=6.9)
    running = await desk.in_line(1)
    assert await desk.retention.expire() == 1
    with pytest.raises(NoSuchBatch):
        await desk.batch(old)
    assert len(await desk.images(young)) == 2
    left = await desk.objects_of()
    assert {key.split("/")[3] for key in left} == {young, running}
    assert len([key for key in left if "/results/" in key]) == 2
    assert await desk.rows("select * from images where batch_id not in (select id from batches)") == []
    assert len(await desk.charges()) == 4
    assert await desk.retention.expire() == 0


async def test_without_a_time_everything_stays(desk: RetentionDesk) -> None:
    """Ten years, too."""
    await desk.keeps(None)
    batch_id = await desk.ended(days_ago=3650)
    assert await desk.retention.expire() == 0
    assert len(await desk.images(batch_id)) == 2


class DyingObjects(Objects):
    """A storage whose process is killed at its removal number `at`."""

    def __init__(self, url: str, at: int) -> None:
        super().__init__(url)
        self._left = at

    async def delete_prefix(self, prefix: str) -> int:
        self._left -= 1
        if self._left < 0:
            raise Unavailable("killed here")
        return await super().delete_prefix(prefix)


class DyingDatabase:
    """A database whose process is killed when it begins its tenant's transaction number `at`."""

    def __init__(self, database: Any, at: int) -> None:
        self._database = database
        self._left = at
        self.platform = database.platform

    def tenant(self, tenant: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Unavailable("killed here")
        return self._database.tenant(tenant)


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("where", ["objects", "rows"])
async def test_killed_at_any_line_the_next_sweep_goes_on(
    desk: RetentionDesk, tmp_path: Path, at: int, where: str
) -> None:
    """There is no row left that names nothing, and no object that nothing names."""
    await desk.keeps(1)
    batches = [await desk.ended(days_ago=2) for _ in range(3)]
    database: Any = DyingDatabase(desk.database, at) if where == "rows" else desk.database
    objects = DyingObjects(tmp_path.as_uri(), at) if where == "objects" else desk.objects
    with pytest.raises(Unavailable):
        await Retention(database, objects, stray_after=DAY).expire()
    left = [batch for batch in batches if await desk.rows(f"select id from batches where id = '{batch}'")]
    assert len(left) == 3 - at
    for batch_id in left:
        with pytest.raises(NoSuchBatch):
            await desk.retry(batch_id)
    assert await desk.retention.expire() == 3 - at
    assert await desk.objects_of() == []
    assert await desk.rows("select * from images") == []


async def test_a_plan_that_keeps_longer_brings_nothing_back_half_removed(desk: RetentionDesk) -> None:
    """What was begun is finished."""
    await desk.keeps(1)
    batch_id = await desk.in_line(1)
    await desk.collect(batch_id, [broken(image) for image in await desk.released()])
    await desk.age(batch_id, 2)
    await desk.retention._mark()
    await desk.keeps(None)
    with pytest.raises(NoSuchBatch):
        await desk.retry(batch_id)
    assert await desk.retention.expire() == 1


async def test_uploads_of_nobody_go_after_a_day(desk: RetentionDesk) -> None:
    """Those that no batch and no reservation knows, and archives of estimates; others' folders stay."""
    old = ULID.from_datetime(datetime.now(UTC) - 2 * DAY)
    name = str(old).lower()
    gone = [await desk.leaves("batches", f"bat_{name}"), await desk.leaves("estimates", name)]
    known, kept = await desk.in_line(1), BatchId(f"bat_{str(ULID.from_datetime(old.datetime)).lower()}")
    await desk.buys(Plan(quotas=Quotas(images_month=5)))
    question = Admit(batch_id=kept, kind=BatchKind.SINGLE, archive_key="", archive_size=1)
    await Admissions(desk.database, desk.objects).admit(question, desk.tenant)
    stays = [
        await desk.leaves("batches", kept),
        await desk.leaves("batches", BatchId.new()),
        await desk.leaves("estimates", str(ULID()).lower()),
        await desk.leaves("batches", "not-ours"),
        await desk.leaves("branding", name),
        desk.key(known, "archive.zip"),
    ]
    assert set(await desk.objects_of()) == {*gone, *stays}
    assert await desk.retention.remove_strays(datetime.now(UTC) - DAY) == 2
    assert set(await desk.objects_of()) == set(stays)
    later = datetime.now(UTC) + DAY
    await desk.retention.remove_strays(later)
    assert set(await desk.objects_of()) == {stays[0], stays[3], stays[4], stays[5]}


async def test_photos_of_people_and_logos_that_became_nothing_go_too(desk: RetentionDesk) -> None:
    """The photo of a human model that waits to be looked at stays, and so does what is no upload."""
    name, new = str(ULID.from_datetime(datetime.now(UTC) - 2 * DAY)).lower(), str(ULID()).lower()
    waiting, refused, nobody = HumanModelId.new(), HumanModelId.new(), HumanModelId.new()
    stays = [
        await desk.sends(*human_models.upload_parts(waiting, name), waits=waiting),
        await desk.sends(*human_models.upload_parts(nobody, new)),
        await desk.sends(*human_models.photo_parts(nobody)),
        await desk.sends(*branding.upload_parts(new)),
        await desk.sends("branding", name),
        await desk.sends("custom-models", name, "model.onnx"),
    ]
    gone = [
        await desk.sends(*human_models.upload_parts(refused, name), waits=refused, done=True),
        await desk.sends(*human_models.upload_parts(waiting, _beside(name))),
        await desk.sends(*human_models.upload_parts(nobody, name)),
        await desk.sends(*branding.upload_parts(name)),
    ]
    assert set(await desk.objects_of()) == {*gone, *stays}
    assert await desk.retention.remove_strays(datetime.now(UTC) - DAY) == len(gone)
    assert set(await desk.objects_of()) == set(stays)


def _beside(name: str) -> str:
    """Another ULID of the same moment."""
    return name[:-1] + ("1" if name[-1] == "0" else "0")


async def test_one_sweep_does_it_all(desk: RetentionDesk) -> None:
    """And forgets what was kept for uploads long ago."""
    await desk.keeps(1)
    await desk.ended(days_ago=2)
    async with desk.database.tenant(desk.tenant) as tx:
        await tx.execute(
            "insert into reservations values ($1, $2, false, 3, now() - interval '2 days')",
            desk.tenant,
            BatchId.new(),
        )
    await desk.retention.sweep()
    assert await desk.objects_of() == []
    assert await desk.rows("select * from reservations") == []
