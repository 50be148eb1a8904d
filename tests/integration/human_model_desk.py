"""A tenant with human models in its plan at the public API, in front of real batch and inference services."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from libs.common.api_keys import generate
from libs.common.bus.connect import connect
from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, ActorKind, Permission
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode, Plan, PlanChanged
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.outbox import Relay
from services.batch.projection import remember_tenant
from services.batch.settings import BatchSettings
from services.batch.wiring import wire as wire_batch
from services.gateway.app import create_app
from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KnownKey
from services.gateway.gateway import Gateway
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import assemble
from services.inference.settings import InferenceSettings
from services.inference.wiring import wire as wire_inference
from tests.servers.databases import TestDatabase
from training.photos import sample_photo

MODELS = "/api/v1/human-models"
LIMIT_S = 30.0
SUBJECT = "Planted Person-Name"
PLACE = "planted-place-in-the-exif"
CONSENT = {
    "subject_name": SUBJECT,
    "scope": "Pictures in the planted shop.",
    "obtained_at": "2026-02-01T10:00:00Z",
    "reference": "HR-planted-42",
}


def person(seed: int = 0, *, turned: bool = False, size: tuple[int, int] = (600, 450)) -> bytes:
    """A JPEG of a person, with a place and a camera in its EXIF; `turned` lies on its side and says so."""
    image = Image.fromarray(sample_photo(seed, size)[0])
    exif = Image.Exif()
    exif[0x010E] = PLACE
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    if turned:
        exif[0x0112] = 6
        image = image.transpose(Image.Transpose.ROTATE_90)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, exif=exif, comment=PLACE.encode())
    return out.getvalue()


@dataclass
class Desk:
    """One tenant, and what is kept of it."""

    database: TestDatabase
    batch: Database
    gateway: Gateway
    folder: Path
    http: httpx.AsyncClient
    tenant: TenantId
    stack: AsyncExitStack
    _revision: int = field(default=0)

    async def buys(self, tenant: TenantId | None = None, **entitlements: bool) -> None:
        """A plan, as the tenants service would tell of it."""
        self._revision += 1
        told = PlanChanged(plan=Plan(name="enterprise", **entitlements), revision=self._revision)
        async with self.batch.tenant(tenant or self.tenant) as tx:
            await remember_tenant(told, tx)

    async def another(
        self, tenant: TenantId | None = None, permissions: frozenset[Permission] = DEFAULT_KEY_PERMISSIONS
    ) -> httpx.AsyncClient:
        """Somebody else's client."""
        return await self.stack.enter_async_context(
            calling(self.gateway, tenant or TenantId.new(), permissions)
        )

    async def add(self, photo: bytes | None = None, **more: Any) -> httpx.Response:
        headers = more.pop("headers", None)
        told = json.dumps(CONSENT | more).encode()
        parts = {
            "file": ("front.jpg", person() if photo is None else photo, "image/jpeg"),
            "consent": ("", told, "application/json"),
        }
        return await self.http.post(MODELS, files=parts, headers=headers)

    async def looked_at(self, model_id: str) -> dict[str, Any]:
        """The model once its photo was looked at."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                shown: dict[str, Any] = (await self.http.get(f"{MODELS}/{model_id}")).json()
                if shown["status"] != "checking":
                    return shown
                await asyncio.sleep(0.05)

    async def ready(self, **more: Any) -> dict[str, Any]:
        made = await self.add(**more)
        assert made.status_code == 201, made.text
        shown = await self.looked_at(made.json()["id"])
        assert shown["status"] == "ready", shown
        return shown

    def objects(self) -> dict[str, bytes]:
        """Every object of the storage by its key."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    async def settled(self, count: int) -> dict[str, bytes]:
        """The objects, once there are so many below `human-models`."""
        async with asyncio.timeout(LIMIT_S):
            while len(found := {k: v for k, v in self.objects().items() if "/human-models/" in k}) != count:
                await asyncio.sleep(0.05)
        return found

    async def rows(self) -> str:
        """All that the services' databases hold of the tenant."""
        found: list[dict[str, Any]] = []
        for schema in ("gateway", "batch", "inference"):
            own = self.database.of(schema)
            await own.start()
            async with own.platform("look") as tx:
                for table in await tx.fetch(
                    "select table_name as name from information_schema.columns "
                    "where table_schema = $1 and column_name = 'tenant_id'",
                    schema,
                ):
                    found += map(dict, await tx.fetch(f"select * from {schema}.{table['name']}"))
            await own.close()
        return "\n".join(str(row) for row in found if row["tenant_id"] == self.tenant)


@asynccontextmanager
async def calling(
    gateway: Gateway, tenant: TenantId, permissions: frozenset[Permission]
) -> AsyncIterator[httpx.AsyncClient]:
    key = generate(KeyMode.LIVE)
    known = Caller(tenant, ApiKeyId.new(), ActorKind.API_KEY, permissions)
    gateway.keys.put(KnownKey(key.public_id, key.sha256, known))
    headers = {"authorization": f"Bearer {key.secret.get_secret_value()}"}
    transport = httpx.ASGITransport(create_app(gateway))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://api.test", headers=headers, timeout=60
    ) as http:
        yield http


def _settings(database: TestDatabase, nats: Nats, folder: Path, service: str) -> dict[str, Any]:
    return {
        "bus_url": SecretStr(nats.url),
        "objects_url": SecretStr(folder.as_uri()),
        "database_url": database.url(service),
        "platform_database_url": database.url(f"{service}_platform"),
    }


@asynccontextmanager
async def at_desk(database: TestDatabase, nats: Nats, folder: Path) -> AsyncIterator[Desk]:
    """Everything started; the plan holds human models."""
    async with AsyncExitStack() as stack:
        batch_life, inference_life, life = Lifecycle(), Lifecycle(), Lifecycle()
        stack.push_async_callback(batch_life.close)
        stack.push_async_callback(inference_life.close)
        stack.push_async_callback(life.close)
        await wire_batch(BatchSettings(**_settings(database, nats, folder, "batch")), batch_life)
        inference = InferenceSettings(
            **_settings(database, nats, folder, "inference"), provider="cpu", threads=2
        )
        await wire_inference(inference, inference_life)
        own, batch, bus = database.of("gateway"), database.of("batch"), connect(nats.url, "gateway")
        await life.open("gateway", own)
        await life.open("batch", batch)
        await life.open("bus", bus)
        life.background("outbox", Relay(own, bus).run())
        settings = GatewaySettings(**_settings(database, nats, folder, "gateway"))
        metrics = GatewayMetrics(CollectorRegistry())
        gateway = assemble(settings, own, bus, Objects(folder.as_uri()), metrics)
        tenant = TenantId.new()
        http = await stack.enter_async_context(calling(gateway, tenant, DEFAULT_KEY_PERMISSIONS))
        desk = Desk(database, batch, gateway, folder, http, tenant, stack)
        await desk.buys(human_models=True)
        yield desk
