"""A remote worker and a tenant's own server, which is not ours: MLServer with the exported model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MODEL_NAME, MlServer
from deploy.local.servers.nats import Nats
from libs.common.contracts.inference import RenderedImage, UnroutedImage
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import FaultCode, FaultKind
from services.inference.renderer import OnnxRendererFactory
from tests.integration.remote_desk import Desk, at_desk, remote_settings, working
from tests.servers.databases import TestDatabase
from tests.servers.mlserver import mlserver
from tests.servers.photos import jpegs
from tests.servers.planted import planted


@pytest.fixture(scope="module")
def server(ports: Ports) -> Iterator[MlServer]:
    yield from mlserver(ports)


@pytest.fixture(params=["http", "grpc"])
async def desk(
    request: pytest.FixtureRequest,
    database: TestDatabase,
    nats_server: Nats,
    tmp_path: Path,
    server: MlServer,
) -> AsyncIterator[Desk]:
    """A tenant whose key the server accepts."""
    key = planted()
    server.accept(key)
    async with (
        at_desk(nats_server, tmp_path.as_uri()) as desk,
        working(remote_settings(database, nats_server, tmp_path.as_uri())),
    ):
        url = server.url if request.param == "http" else server.grpc_url
        desk.settings |= {"url": url, "model": MODEL_NAME}
        desk.vault.secrets[desk.credential] = {"bearer": key}
        yield desk
    server.revoke(key)


async def test_a_picture_is_the_same_as_the_platform_s_own(desk: Desk) -> None:
    """Bit for bit, with the model at the same precision."""
    photos = jpegs(3, (800, 600))
    done = await desk.render(await desk.chunk(photos))
    local = OnnxRendererFactory(provider="cpu", precision="int8")()
    for photo, outcome in zip(photos, done.outcomes, strict=True):
        assert isinstance(outcome, RenderedImage)
        own = local(photo, RenderOptions())
        assert await desk.objects.read(outcome.result_key) == own.result.data
        assert (outcome.verdict, outcome.score) == (own.verdict, own.score)


async def test_a_key_that_is_revoked_half_way_loses_no_image(desk: Desk, server: MlServer) -> None:
    """Each ends rendered or goes back for another route, and the fault is the key's."""
    chunk = await desk.chunk(jpegs(6))
    assert isinstance((await desk.render(chunk)).outcomes[0], RenderedImage)
    server.revoke(desk.vault.secrets[desk.credential]["bearer"])
    async with asyncio.timeout(30):
        done = await desk.render(await desk.chunk(jpegs(6), chunk.batch_id))
    assert len(done.outcomes) == 6
    for outcome in done.outcomes:
        assert isinstance(outcome, UnroutedImage)
        assert outcome.fault.kind is FaultKind.KEY
    assert (await desk.fault_told()).kind is FaultKind.KEY


async def test_a_probe_tells_a_good_key_from_a_bad_one(desk: Desk, server: MlServer) -> None:
    """Without running the model."""
    await desk.probe()
    (good,) = await desk.observed()
    assert good.fault is None
    server.revoke(desk.vault.secrets[desk.credential]["bearer"])
    await desk.probe()
    bad = (await desk.observed(2))[1].fault
    assert bad is not None
    assert bad.code in (FaultCode.REVOKED, FaultCode.NO_PERMISSION)
