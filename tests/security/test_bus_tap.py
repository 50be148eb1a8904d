"""Who listens to everything on the bus, and reads all that it keeps, learns no credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import nats as nats_client
import pytest
from pydantic import SecretStr

from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MODEL_NAME, MlServer
from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.credentials import (
    CreateCredential,
    Credential,
    CredentialTerms,
    GetIntakeKey,
    HealthState,
    LeaseCredential,
    ProbeCredential,
    ReplaceCredential,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import BatchId, ChunkId, CredentialId, ImageId, TenantId
from libs.common.contracts.inference import (
    ImagesRendered,
    RenderedImage,
    RenderItem,
    RenderRemotely,
    StoredPhoto,
)
from libs.common.contracts.message import Message
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Payer, ProviderName, Route
from libs.common.contracts.routing import CheckedRoutes, CheckRoutes
from libs.common.contracts.tenants import Plan, PlanChanged
from libs.common.errors import Conflict
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.sealing import seal_for_vault
from services.inference.wiring import wire as wire_inference
from services.keyvault.settings import KeyvaultSettings
from services.keyvault.wiring import wire as wire_keyvault
from tests.integration.remote_desk import Told, remote_settings
from tests.servers.databases import TestDatabase
from tests.servers.having import fresh_state, having
from tests.servers.mlserver import mlserver
from tests.servers.photos import jpegs
from tests.servers.planted import leaks, planted
from tests.servers.witnesses import tap

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def own_nats(ports: Ports) -> Iterator[Nats]:
    """A broker of this module's own: all that it keeps is read at the end, where it lies."""
    with fresh_state("nats-tapped") as state:
        yield from having(Nats(state, ports.get("nats-tapped"), SecretStr("nats-password"), durable=False))


@pytest.fixture(scope="module")
def account(ports: Ports) -> Iterator[MlServer]:
    yield from mlserver(ports)


class Parties:
    """Everybody but the vault and the worker: the gateway, the batch service and who sells plans."""

    def __init__(self, gateway: Bus, batch: Bus, tenants: Bus, objects: Objects, url: str) -> None:
        self.tenant = TenantId.new()
        self.told = Told(self.tenant)
        self._gateway, self._batch, self._tenants = gateway, batch, tenants
        self._objects = objects
        self._settings = {"url": url, "model": MODEL_NAME, "header": "X-API-Key"}

    async def begin(self) -> None:
        async def routes(delivery: Delivery) -> CheckedRoutes:
            assert isinstance(delivery.message, CheckRoutes)
            return CheckedRoutes(open=(True,) * len(delivery.message.claims))

        await self._batch.respond(CheckRoutes, routes)
        await self._batch.subscribe(flow.OUTCOMES, self.told.handle)
        plan = PlanChanged(plan=Plan(name="enterprise", byok=True), revision=1)
        await self._tenants.publish([Envelope.of(plan, source="tenants", tenant=self.tenant)])

    async def create(self, key: str) -> Credential:
        """As the gateway does it; the vault may not have heard of the plan yet."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    return await self._create(key)
                except Conflict:
                    await asyncio.sleep(0.05)

    async def _create(self, key: str) -> Credential:
        credential_id = CredentialId.new()
        intake = await self._gateway.request(GetIntakeKey())
        query = CreateCredential(
            credential_id=credential_id,
            provider=ProviderName.OPEN_INFERENCE,
            terms=CredentialTerms(label="our GPUs"),
            settings=self._settings,
            secret=seal_for_vault({"api_key": key}, intake, self.tenant, credential_id),
        )
        return await self._gateway.request(query, tenant=self.tenant, timeout=15)

    async def replace(self, old: Credential, key: str) -> Credential:
        intake = await self._gateway.request(GetIntakeKey())
        sealed = seal_for_vault({"api_key": key}, intake, self.tenant, old.id)
        query = ReplaceCredential(credential_id=old.id, secret=sealed)
        return await self._gateway.request(query, tenant=self.tenant, timeout=15)

    async def render(self, credential: Credential) -> ImagesRendered:
        """A chunk on the credential, and what comes of it."""
        image_id, (photo,) = ImageId.new(), jpegs(1)
        await self._objects.put("photo", photo)
        source = StoredPhoto(key="photo", size=len(photo))
        chunk = RenderRemotely(
            chunk_id=ChunkId.new(),
            batch_id=BatchId.new(),
            options=RenderOptions(),
            items=(RenderItem(image_id=image_id, photo=source, result_key="result.png"),),
            route=Route(
                provider=credential.provider,
                payer=Payer.TENANT,
                credential_id=credential.id,
                credential_version=credential.version,
                settings=credential.settings,
            ),
        )
        before = len(self.told.came)
        await self._batch.publish([Envelope.of(chunk, source="batch", tenant=self.tenant)])
        done: ImagesRendered = (await self.told.of(ImagesRendered, before + 1))[-1]
        return done


@asynccontextmanager
async def everybody(
    database: TestDatabase, nats: Nats, vault: OpenBao, account: MlServer, folder: Path
) -> AsyncIterator[Parties]:
    async with AsyncExitStack() as stack:
        services = Lifecycle()
        stack.push_async_callback(services.close)
        await wire_keyvault(keyvault_settings(database, nats, vault), services)
        await wire_inference(remote_settings(database, nats, folder.as_uri()), services)
        gateway, batch, tenants = (connect(nats.url, name) for name in ("gateway", "batch", "tenants"))
        for bus in (gateway, batch, tenants):
            stack.push_async_callback(bus.close)
            await bus.start()
        parties = Parties(gateway, batch, tenants, Objects(folder.as_uri()), account.url)
        await parties.begin()
        yield parties


def keyvault_settings(database: TestDatabase, nats: Nats, vault: OpenBao) -> KeyvaultSettings:
    values: dict[str, Any] = {
        "bus_url": SecretStr(nats.url),
        "database_url": database.url("keyvault"),
        "platform_database_url": database.url("keyvault_platform"),
        "vault_addr": vault.url,
        "vault_ca": vault.ca,
        "approle_folder": vault.approles,
    }
    return KeyvaultSettings(**values)


async def test_the_bus_never_carries_a_credential_that_can_be_read(
    database: TestDatabase,
    own_nats: Nats,
    vault_server: OpenBao,
    account: MlServer,
    tmp_path: Path,
) -> None:
    """Stored, checked, leased, rendered with and replaced: each over the bus, each under the tap."""
    heard, files = tmp_path / "heard", tmp_path / "objects"
    heard.mkdir()
    files.mkdir()
    first, second = planted(), planted()
    account.accept(first)
    account.accept(second)
    with tap(SecretStr(own_nats.url), heard / "tap"):
        async with everybody(database, own_nats, vault_server, account, files) as parties:
            credential = await parties.create(first)
            assert credential.health.state is HealthState.HEALTHY
            assert isinstance((await parties.render(credential)).outcomes[0], RenderedImage)
            replaced = await parties.replace(credential, second)
            assert isinstance((await parties.render(replaced)).outcomes[0], RenderedImage)
    listened = (heard / "tap").read_bytes()
    everything: tuple[type[Message], ...] = (
        CreateCredential,
        ReplaceCredential,
        ProbeCredential,
        LeaseCredential,
        RenderRemotely,
        ImagesRendered,
    )
    assert not [message for message in everything if message.wire.encode() not in listened]
    assert b'"sealed":' in listened
    assert not leaks(heard)


async def test_the_tap_would_have_heard_it(own_nats: Nats, tmp_path: Path) -> None:
    """What is said in the clear is found, in a message or in a header of one."""
    for number, how in enumerate(("body", "header")):
        folder = tmp_path / how
        folder.mkdir()
        with tap(SecretStr(own_nats.url), folder / "tap"):
            client = await nats_client.connect(own_nats.url)
            headers = {"key": planted()} if number else None
            await client.publish("anything", b"" if number else planted().encode(), headers=headers)
            await client.drain()
        assert leaks(folder) == ["tap"]
