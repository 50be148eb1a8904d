"""Looking at a human model's photo: crashes between the steps, photos that kill, tenants that are gone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from libs.common.bus.bus import Delivery
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.human_models import (
    CheckHumanModel,
    CleanPhoto,
    HumanModelChecked,
    HumanModelDeleted,
)
from libs.common.contracts.ids import HumanModelId, TenantId, tenant_sha256
from libs.common.contracts.inference import PersonSource, Torso
from libs.common.db import Database, Transaction
from libs.common.errors import Unavailable
from libs.common.objects import Objects
from services.inference.errors import PictureRefused
from services.inference.human_models.checking import Checking
from services.inference.human_models.clean import Cleaned
from services.inference.human_models.examine import Examiner
from services.inference.human_models.persons import Persons
from services.inference.renderer import OnnxRenderer, OnnxRendererFactory
from tests.integration.human_model_desk import person
from tests.servers.databases import TestDatabase

ON_CPU = OnnxRendererFactory(provider="cpu")
TORSO = Torso(
    width=2,
    height=2,
    left_shoulder=(0, 0),
    right_shoulder=(1, 0),
    neck=(0, 0),
    left_waist=(0, 1),
    right_waist=(1, 1),
    left_hip=(0, 1),
    right_hip=(1, 1),
)
CLEAN = Cleaned(
    b"clean",
    CleanPhoto(media_type="image/png", width=2, height=2, size=5, sha256="0" * 64, torso=TORSO),
)


@dataclass
class Quick:
    """Finds every photo good, and says where it looked at each."""

    places: list[str] = field(default_factory=list)

    async def here(self, photo: bytes) -> Cleaned:
        self.places.append("here")
        return CLEAN

    async def apart(self, photo: bytes) -> Cleaned:
        self.places.append("apart")
        return CLEAN


@dataclass
class Desk:
    """One command and what comes of it; there is no broker."""

    database: Database
    objects: Objects
    examiner: Quick = field(default_factory=Quick)
    tenant: TenantId = field(default_factory=TenantId.new)

    def __post_init__(self) -> None:
        command = CheckHumanModel(model_id=HumanModelId.new(), upload_key="up", photo_key="photo")
        self.envelope = Envelope.of(command, source="batch", tenant=self.tenant)
        self.command = command

    async def deliver(self, attempt: int = 1, database: Any = None) -> None:
        checking = Checking(database or self.database, self.objects, self.examiner)
        await checking.handle(Delivery(self.envelope, self.command, attempt))

    async def told(self) -> list[HumanModelChecked]:
        async with self.database.tenant(self.tenant) as tx:
            rows = await tx.fetch("select data from outbox where tenant_id = $1", self.tenant)
        return [HumanModelChecked.model_validate_json(row["data"]) for row in rows]

    def kept(self, folder: Path) -> set[str]:
        return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    own = database.of("inference")
    await own.start()
    desk = Desk(own, Objects(tmp_path.as_uri()))
    await desk.objects.put("up", b"sent")
    yield desk
    await own.close()


async def test_the_clean_photo_stays_and_what_was_sent_goes(desk: Desk, tmp_path: Path) -> None:
    """And it is told once."""
    await desk.deliver()
    (told,) = await desk.told()
    assert told.photo == CLEAN.photo
    assert desk.kept(tmp_path) == {"photo"}
    assert desk.examiner.places == ["here"]


async def test_a_command_that_comes_again_tells_nothing_more(desk: Desk, tmp_path: Path) -> None:
    """It removes what was sent, should the first one have died before that."""
    await desk.deliver()
    await desk.objects.put("up", b"left behind")
    await desk.deliver(attempt=2)
    assert len(await desk.told()) == 1
    assert desk.kept(tmp_path) == {"photo"}
    assert desk.examiner.places == ["here"]


class Away:
    """A database that is away for this transaction and all later ones."""

    def tenant(self, tenant: TenantId) -> AbstractAsyncContextManager[Transaction]:
        raise Unavailable("the database is away")


async def test_a_photo_whose_worker_died_is_looked_at_apart(desk: Desk, tmp_path: Path) -> None:
    """What was sent is there until the answer is committed."""
    with pytest.raises(Unavailable):
        await desk.deliver(database=Away())
    assert desk.kept(tmp_path) == {"photo", "up"}
    await desk.deliver(attempt=2)
    assert desk.examiner.places == ["here", "apart"]
    assert len(await desk.told()) == 1
    assert desk.kept(tmp_path) == {"photo"}


async def test_an_upload_that_is_lost_is_refused(desk: Desk) -> None:
    """By its code, so that the tenant can send it again."""
    await desk.objects.delete("up")
    await desk.deliver()
    (told,) = await desk.told()
    assert told.refusal is not None
    assert told.refusal.code == "photo_lost"


async def test_nothing_comes_back_of_an_erased_tenant(desk: Desk, tmp_path: Path) -> None:
    """The clean photo goes like what was sent."""
    async with desk.database.platform("erase") as tx:
        await tx.fetch("select * from inference.erase_tenant($1)", desk.tenant)
        assert await tx.fetchval(
            "select count(*) from erased where tenant_sha256 = $1", tenant_sha256(desk.tenant)
        )
    await desk.deliver()
    assert await desk.told() == []
    assert desk.kept(tmp_path) == set()


class Deadly(OnnxRenderer):
    """Ends its process instead of looking at anything."""

    def segmenter_for(self, photo: bytes) -> Any:
        os._exit(139)


def deadly() -> OnnxRenderer:
    made = ON_CPU()
    made.__class__ = Deadly
    return made


async def test_a_photo_that_kills_its_process_is_refused(tmp_path: Path) -> None:
    """The worker lives, and looks at the next one."""
    examiner = Examiner(ON_CPU(), deadly, image_timeout_s=60)
    try:
        with pytest.raises(PictureRefused) as refused:
            await examiner.apart(person())
        assert refused.value.code == "killed_worker"
        assert (await examiner.here(person())).photo.width == 450
    finally:
        await examiner.close()


async def test_a_person_is_read_once_and_forgotten_when_deleted(tmp_path: Path) -> None:
    """What was deleted is not rendered with, though the worker had it at hand."""
    objects = Objects(tmp_path.as_uri())
    persons = Persons(objects)
    source = PersonSource(model_id=HumanModelId.new(), key="photo", sha256="0" * 64)
    await objects.put("photo", b"clean")
    assert await persons.read(source) == b"clean"
    await objects.delete("photo")
    assert await persons.read(source) == b"clean"
    deleted = HumanModelDeleted(model_id=source.model_id, sha256=source.sha256)
    await persons.forget(Delivery(Envelope.of(deleted, source="batch", tenant=TenantId.new()), deleted))
    with pytest.raises(PictureRefused) as refused:
        await persons.read(source)
    assert refused.value.code == "human_model_deleted"
    await objects.put("photo", b"there again")
    assert await persons.read(source) == b"there again"


async def test_a_person_is_held_for_a_short_time_only(tmp_path: Path) -> None:
    """Should the word of the deletion be lost."""
    objects = Objects(tmp_path.as_uri())
    persons = Persons(objects, kept_s=0)
    source = PersonSource(model_id=HumanModelId.new(), key="photo", sha256="0" * 64)
    await objects.put("photo", b"one")
    assert await persons.read(source) == b"one"
    await objects.put("photo", b"two")
    assert await persons.read(source) == b"two"
