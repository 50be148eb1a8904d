"""Chunks that come again after their worker died: each image in a child process, its calls by the parent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.servers.nats import Nats
from libs.common.bus.bus import Delivery
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.inference import (
    ImagesRendered,
    RenderedImage,
    RenderOutcome,
    RenderRemotely,
    UnrenderableImage,
    UnroutedImage,
)
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import FaultCode
from libs.common.db import Database
from services.inference.chunks import Chunks
from services.inference.leases import Leases, Lessor
from services.inference.observing import Observations
from services.inference.photos import Photos
from services.inference.pipeline.render import Render
from services.inference.providers.provider import CallFailed
from services.inference.remote import RemoteEngine
from services.inference.remote.renderer import RemoteRenderer, RemoteRendererFactory
from services.inference.renderer import OnnxRendererFactory
from services.inference.shots import Shots
from services.inference.worker import Worker
from tests.integration.remote_desk import Desk, ModelAccount, at_desk, failing
from tests.servers.databases import TestDatabase
from tests.servers.photos import jpegs

DEADLY = b"this picture kills"
MODELS = OnnxRendererFactory(provider="cpu", precision="fp32")


class DeadlyRenderer(RemoteRenderer):
    """Ends the process where a photo holds the mark."""

    def render(self, calls: Any, ability: Any, shots: Shots, options: RenderOptions) -> Render:
        if DEADLY in shots.front:
            os._exit(139)
        return super().render(calls, ability, shots, options)


@dataclass(frozen=True, slots=True)
class DeadlyFactory(RemoteRendererFactory):
    def __call__(self) -> RemoteRenderer:
        card = self.models.registry.card(self.models.model)
        return DeadlyRenderer(card, self.models.sessions(), self.models.model)


@dataclass
class Bench:
    """A worker whose deliveries are handed to it, so that they can be second ones."""

    desk: Desk
    worker: Worker
    database: Database
    account: ModelAccount

    async def render_again(self, chunk: RenderRemotely) -> Sequence[RenderOutcome]:
        envelope = Envelope.of(chunk, source="test", tenant=self.desk.tenant)
        await self.worker.handler(flow.REMOTE_RENDERS)(Delivery(envelope, chunk, attempt=2))
        async with self.database.platform("look") as tx:
            rows = await tx.fetch(
                "select data from outbox where headers->>'type' = $1 order by id", ImagesRendered.wire
            )
        return ImagesRendered.model_validate_json(rows[-1]["data"]).outcomes


@pytest.fixture
async def bench(database: TestDatabase, nats_server: Nats, tmp_path: Path) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(at_desk(nats_server, tmp_path.as_uri()))
        own, bus, account = database.of("inference"), connect(nats_server.url, "inference"), ModelAccount()
        for resource in (own, bus):
            stack.push_async_callback(resource.close)
            await resource.start()
        engine = RemoteEngine(
            Leases(Lessor(bus, "worker"), account.connect),
            Observations(own),
            DeadlyFactory(MODELS),
            places=2,
            cores=2,
            image_timeout_s=60,
        )
        stack.push_async_callback(engine.close)
        worker = Worker("worker", own, Chunks(own, Photos(desk.objects), places=2), engine)
        yield Bench(desk, worker, own, account)


async def test_a_picture_that_kills_is_found_and_fails_alone(bench: Bench) -> None:
    """The others come out as they would have otherwise, on the chunk's one lease."""
    good = jpegs(2)
    chunk = await bench.desk.chunk([good[0], good[1] + DEADLY, good[1]])
    first, killer, last = await bench.render_again(chunk)
    assert isinstance(killer, UnrenderableImage)
    assert killer.code == "killed_worker"
    local = MODELS()
    for photo, outcome in zip(good, (first, last), strict=True):
        assert isinstance(outcome, RenderedImage)
        own = local(photo, RenderOptions())
        assert await bench.desk.objects.read(outcome.result_key) == own.result.data
        assert outcome.compute_ms
        assert outcome.compute_ms <= outcome.render_ms
    assert len(bench.desk.vault.leased) == 1


async def test_a_fault_of_the_key_reaches_the_parent_through_the_child(bench: Bench) -> None:
    """As it was raised; then nothing more is called."""
    revoked = CallFailed(FaultCode.REVOKED, "the key was revoked")
    bench.account.before = failing(revoked)
    outcomes = await bench.render_again(await bench.desk.chunk(jpegs(3)))
    assert [type(outcome) for outcome in outcomes] == [UnroutedImage] * 3
    assert {outcome.fault for outcome in outcomes if isinstance(outcome, UnroutedImage)} == {revoked.fault}
    assert bench.account.calls == 1


async def test_a_bad_answer_is_found_in_the_child(bench: Bench) -> None:
    """It is a fault of the provider there as well."""

    async def segment(inputs: object, outputs: object) -> object:
        return {}

    bench.account.segment = segment  # type: ignore[assignment, method-assign]
    (outcome,) = await bench.render_again(await bench.desk.chunk(jpegs(1)))
    assert isinstance(outcome, UnroutedImage)
    assert outcome.fault.code is FaultCode.BAD_ANSWER


async def test_a_chunk_that_is_no_picture_is_refused_in_the_child(bench: Bench) -> None:
    """Without a call."""
    (outcome,) = await bench.render_again(await bench.desk.chunk([b"no picture"]))
    assert isinstance(outcome, UnrenderableImage)
    assert outcome.code == "not_an_image"
    assert not bench.account.calls
