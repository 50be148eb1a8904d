"""A tenant's own ONNX model from its upload to the result that it renders, and back again."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ulid import ULID

from libs.common.bus.bus import Delivery
from libs.common.contracts.custom_models import (
    AddModelVersion,
    CheckModelVersion,
    DeleteCustomModel,
    GetCustomModel,
    ListCustomModels,
    ModelRollout,
    RollBackModel,
    RollOutModel,
    VersionStatus,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import BatchId, ChunkId, CustomModelId, TenantId
from libs.common.contracts.inference import RenderImages
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.tenants import Plan, PlanChanged
from libs.common.db import Database
from libs.common.errors import NotFound
from libs.common.objects import Objects, tenant_key
from services.inference.custom.cache import CustomModelCache, place_of, remove_unused
from services.inference.custom.checking import checker, plan_changed
from services.inference.custom.errors import (
    NoSuchCustomModel,
    NoSuchModelVersion,
    NotInPlan,
    VersionNotReady,
)
from services.inference.custom.service import CustomModels
from services.inference.custom.strays import ModelStrays
from services.inference.local import LocalEngine
from services.inference.models.registry import DEFAULT_MODEL, MODELS
from services.inference.renderer import OnnxRendererFactory
from services.inference.shots import Shots
from tests.servers.databases import TestDatabase
from tests.servers.photos import jpegs
from tests.unit.tiny_onnx import tiny_model

OWN = MODELS / DEFAULT_MODEL
_PARTS = yaml.safe_load((OWN / "model.yaml").read_text())
CARD = {name: _PARTS[name] for name in ("input", "hint", "output")}
CHUNK = RenderImages(chunk_id=ChunkId.new(), batch_id=BatchId.new(), options=RenderOptions(), items=())


@dataclass
class Desk:
    """The service over real servers, and a worker's engine that goes by what is rolled out."""

    database: Database
    objects: Objects
    models: CustomModels
    folder: Path

    async def tenant(self, *, custom_models: bool = True) -> TenantId:
        tenant = TenantId.new()
        async with self.database.tenant(tenant) as tx:
            await plan_changed(PlanChanged(plan=Plan(custom_models=custom_models), revision=1), tx)
        return tenant

    async def uploaded(self, tenant: TenantId, content: bytes, name: str = "knitwear", **card: Any) -> str:
        """The SHA-256 of a version that was taken in."""
        sha256 = hashlib.sha256(content).hexdigest()
        key = tenant_key(tenant, "custom-models", sha256[:8], "model.onnx")
        await self.objects.put(key, content)
        query = AddModelVersion(name=name, card=CARD | card, key=key, sha256=sha256, size=len(content))
        await self.models.add(query, tenant)
        return sha256

    async def checked(self, tenant: TenantId, sha256: str) -> None:
        told = CheckModelVersion(sha256=sha256)
        envelope = Envelope.of(told, source="inference", tenant=tenant)
        await checker(self.database, self.objects)(Delivery(envelope, told))

    async def ready(self, tenant: TenantId) -> str:
        """A version of the project's own network, ready to serve."""
        sha256 = await self.uploaded(tenant, (OWN / "model.fp32.onnx").read_bytes())
        await self.checked(tenant, sha256)
        return sha256

    @asynccontextmanager
    async def engine(self, factory: OnnxRendererFactory) -> AsyncIterator[LocalEngine]:
        """A worker's, closed at the end."""
        engine = LocalEngine(factory(), factory, places=1, image_timeout_s=60, custom=self.cache())
        yield engine
        await engine.close()

    def cache(self) -> CustomModelCache:
        return CustomModelCache(self.database, self.objects, self.folder, DEFAULT_MODEL)


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    own, objects = database.of("inference"), Objects((tmp_path / "objects").as_uri())
    await own.start()
    yield Desk(own, objects, CustomModels(own, objects), tmp_path / "cache")
    await own.close()


async def test_a_model_is_checked_rolled_out_renders_and_is_rolled_back(desk: Desk) -> None:
    """The result names it; after the roll back the platform's own renders again."""
    tenant = await desk.tenant()
    sha256 = await desk.ready(tenant)
    (model,) = (await desk.models.list_all(ListCustomModels(), tenant)).items
    assert (model.versions[0].status, model.versions[0].opset) == (VersionStatus.READY, 17)
    await desk.models.roll_out(RollOutModel(sha256=sha256, share=1), tenant)
    factory = OnnxRendererFactory(provider="cpu", custom_folder=desk.folder)
    (photo,) = jpegs(1)
    async with desk.engine(factory) as engine:
        job = await engine.begin(CHUNK, tenant, 0)
        rendered = await job.render(Shots(photo), RenderOptions())
        apart = await job.render_apart(Shots(photo), RenderOptions())
        assert rendered.render.model == apart.render.model == f"knitwear@{sha256[:16]}"
        others = await engine.begin(CHUNK, await desk.tenant(), 0)
        assert (await others.render(Shots(photo), RenderOptions())).render.model.startswith("mannequin@")
    await desk.models.roll_back(RollBackModel(), tenant)
    assert await desk.cache().rollout(tenant) is None


async def test_a_try_takes_its_share_alone(desk: Desk) -> None:
    """The platform's own model has the rest."""
    tenant = await desk.tenant()
    sha256 = await desk.ready(tenant)
    await desk.models.roll_out(RollOutModel(sha256=sha256, share=0.25), tenant)
    rollout = await desk.cache().rollout(tenant)
    assert rollout is not None
    assert (rollout.live, rollout.canary_share) == (DEFAULT_MODEL, 0.25)
    assert str(rollout.canary).startswith(f"{tenant}/")


async def test_a_model_that_is_refused_says_why_and_serves_nobody(desk: Desk) -> None:
    """Neither does one that is still looked at."""
    tenant = await desk.tenant()
    sha256 = await desk.uploaded(tenant, b"no model at all")
    with pytest.raises(VersionNotReady):
        await desk.models.roll_out(RollOutModel(sha256=sha256, share=1), tenant)
    await desk.checked(tenant, sha256)
    (model,) = (await desk.models.list_all(ListCustomModels(), tenant)).items
    assert model.versions[0].status is VersionStatus.REFUSED
    assert "ONNX" in str(model.versions[0].reason)
    with pytest.raises(VersionNotReady, match="ONNX"):
        await desk.models.roll_out(RollOutModel(sha256=sha256, share=1), tenant)


async def test_the_same_file_again_is_the_same_version(desk: Desk) -> None:
    """Another file is another version of the same model, and a second upload leaves no second object."""
    tenant = await desk.tenant()
    first = await desk.uploaded(tenant, b"one")
    key = tenant_key(tenant, "custom-models", "again", "model.onnx")
    await desk.objects.put(key, b"one")
    again = AddModelVersion(name="knitwear", card=CARD, key=key, sha256=first, size=3)
    await desk.models.add(again, tenant)
    await desk.uploaded(tenant, b"two")
    (model,) = (await desk.models.list_all(ListCustomModels(), tenant)).items
    assert len(model.versions) == 2
    with pytest.raises(NotFound):
        await desk.objects.head(key)


async def test_a_refused_file_may_come_again_with_another_card(desk: Desk) -> None:
    """A wrong card, or a file that was lost before it was looked at, is no last word on the file."""
    tenant, content = await desk.tenant(), tiny_model()
    card: dict[str, Any] = {"input": {"name": "image", "height": 64, "width": 48}, "hint": None}
    output = {"name": "probabilities", "stride": 2, "channels": ["background", "garment"]}
    sha256 = await desk.uploaded(tenant, content, **card, output=output)
    await desk.checked(tenant, sha256)
    (model,) = (await desk.models.list_all(ListCustomModels(), tenant)).items
    assert model.versions[0].status is VersionStatus.REFUSED
    output["channels"] = ["background", "garment", "body"]
    await desk.uploaded(tenant, content, **card, output=output)
    await desk.checked(tenant, sha256)
    (model,) = (await desk.models.list_all(ListCustomModels(), tenant)).items
    assert model.versions[0].status is VersionStatus.READY, model.versions[0].reason


async def test_a_good_file_under_another_name_makes_no_model(desk: Desk) -> None:
    """It is the version that it was; no model without any version is left."""
    tenant = await desk.tenant()
    await desk.uploaded(tenant, b"one", name="first")
    await desk.uploaded(tenant, b"one", name="second")
    models = (await desk.models.list_all(ListCustomModels(), tenant)).items
    assert [(model.name, len(model.versions)) for model in models] == [("first", 1)]


def test_another_card_is_another_place_on_the_disk() -> None:
    """So that no worker runs a file by a card that it had before."""
    assert place_of("ab" * 32, {"input": 1}) != place_of("ab" * 32, {"input": 2})
    assert place_of("ab" * 32, {"a": 1, "b": 2}) == place_of("ab" * 32, {"b": 2, "a": 1})


async def test_a_deleted_model_is_gone_with_its_file(desk: Desk) -> None:
    """And what it served goes back to the platform's own."""
    tenant = await desk.tenant()
    sha256 = await desk.ready(tenant)
    await desk.models.roll_out(RollOutModel(sha256=sha256, share=1), tenant)
    (model,) = (await desk.models.list_all(ListCustomModels(), tenant)).items
    await desk.models.delete(DeleteCustomModel(model_id=model.id), tenant)
    left = await desk.models.list_all(ListCustomModels(), tenant)
    assert (left.items, left.rollout) == ((), ModelRollout())
    assert await desk.cache().rollout(tenant) is None


async def test_models_are_each_tenants_own(desk: Desk) -> None:
    """A stranger finds neither the model nor its version, and a plan without them has none."""
    tenant, stranger = await desk.tenant(), await desk.tenant()
    sha256 = await desk.ready(tenant)
    (model,) = (await desk.models.list_all(ListCustomModels(), tenant)).items
    for query in (GetCustomModel(model_id=model.id), GetCustomModel(model_id=CustomModelId.new())):
        with pytest.raises(NoSuchCustomModel):
            await desk.models.get(query, stranger)
    with pytest.raises(NoSuchModelVersion):
        await desk.models.roll_out(RollOutModel(sha256=sha256, share=1), stranger)
    with pytest.raises(NotInPlan):
        await desk.uploaded(await desk.tenant(custom_models=False), b"one")


async def test_a_lost_file_leaves_the_platforms_own_to_serve(desk: Desk) -> None:
    """Rather than failing every image of the tenant."""
    tenant = await desk.tenant()
    sha256 = await desk.ready(tenant)
    await desk.models.roll_out(RollOutModel(sha256=sha256, share=1), tenant)
    await desk.objects.delete(tenant_key(tenant, "custom-models", sha256[:8], "model.onnx"))
    assert await desk.cache().rollout(tenant) is None


async def test_what_has_not_served_for_long_leaves_the_disk(desk: Desk) -> None:
    """What serves is kept."""
    tenant = await desk.tenant()
    sha256 = await desk.ready(tenant)
    await desk.models.roll_out(RollOutModel(sha256=sha256, share=1), tenant)
    rollout = await desk.cache().rollout(tenant)
    assert rollout is not None
    remove_unused(desk.folder, 3600)
    assert (desk.folder / rollout.live / "model.onnx").exists()
    remove_unused(desk.folder, -1)
    assert not (desk.folder / tenant).exists()
    assert await desk.cache().rollout(tenant) is not None


async def test_files_that_no_version_names_go_after_a_day(desk: Desk) -> None:
    """Of every tenant; what a version names stays, and so does what is young or not named by its moment."""
    day = timedelta(days=1)
    old = str(ULID.from_datetime(datetime.now(UTC) - 2 * day)).lower()
    tenant, other = await desk.tenant(), TenantId.new()
    named = tenant_key(tenant, "custom-models", old, "model.onnx")
    sha256 = hashlib.sha256(b"one").hexdigest()
    await desk.models.add(AddModelVersion(name="a", card=CARD, key=named, sha256=sha256, size=3), tenant)
    stays = {
        named,
        tenant_key(tenant, "custom-models", str(ULID()).lower(), "model.onnx"),
        tenant_key(tenant, "custom-models", "not-ours", "model.onnx"),
        tenant_key(tenant, "batches", old, "archive.zip"),
    }
    gone = {
        tenant_key(tenant, "custom-models", f"{old[:-1]}{'1' if old[-1] == '0' else '0'}", "model.onnx"),
        tenant_key(other, "custom-models", old, "model.onnx"),
    }
    for key in stays | gone:
        await desk.objects.put(key, b"one")
    assert await ModelStrays(desk.database, desk.objects).remove(datetime.now(UTC) - day) == 2
    left = {stored.key async for slice_ in desk.objects.list_prefix("tenants/") for stored in slice_}
    assert left == stays
