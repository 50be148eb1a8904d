"""A remote worker and a provider that draws: its contract server, and the worker's own model for the lock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from deploy.local.servers.nats import Nats
from libs.common.contracts.inference import RenderedImage, UnroutedImage
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Ability, FaultCode, ProviderName
from services.inference.generated.render import render_generated
from services.inference.providers.photoroom import MODEL
from services.inference.providers.provider import Drawing
from services.inference.renderer import OnnxRendererFactory
from tests.integration.remote_desk import Desk, at_desk, remote_settings, working
from tests.servers.databases import TestDatabase
from tests.servers.photoroom_contract import PhotoroomContract, photoroom_contract
from tests.servers.photos import jpegs


@pytest.fixture
async def photoroom() -> AsyncIterator[PhotoroomContract]:
    async with photoroom_contract() as server:
        yield server


@pytest.fixture
async def desk(
    database: TestDatabase, nats_server: Nats, tmp_path: Path, photoroom: PhotoroomContract
) -> AsyncIterator[Desk]:
    settings = remote_settings(
        database,
        nats_server,
        tmp_path.as_uri(),
        remote_endpoints={ProviderName.PHOTOROOM: photoroom.url},
    )
    async with at_desk(nats_server, tmp_path.as_uri()) as desk, working(settings):
        desk.vault.provider = ProviderName.PHOTOROOM
        desk.vault.secrets[desk.credential] = {"api_key": photoroom.key()}
        yield desk


def drawing_of(photo: bytes) -> bytes:
    """As good a drawing as there can be: the photo."""
    pixels = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return cv2.imencode(".png", pixels)[1].tobytes()


async def test_a_drawing_is_locked_to_the_photo_as_the_pipeline_does_it(
    desk: Desk, photoroom: PhotoroomContract
) -> None:
    """One call an image; the model's name says who drew."""
    (photo,) = jpegs(1)
    photoroom.picture = drawing_of(photo)
    chunk = await desk.chunk([photo])
    chunk = chunk.model_copy(update={"route": desk.route(ability=Ability.GHOST)})
    (outcome,) = (await desk.render(chunk)).outcomes
    assert isinstance(outcome, RenderedImage), outcome
    own = OnnxRendererFactory(provider="cpu")
    with own.sessions().lease(own.model) as segmenter:
        drawing = Drawing(photoroom.picture, "image/png", MODEL)
        expected = render_generated(photo, RenderOptions(), segmenter, lambda *_: drawing)
    assert await desk.objects.read(outcome.result_key) == expected.result.data
    assert outcome.model == expected.model
    assert outcome.compute_ms is not None
    assert not photoroom.problems
    assert len(photoroom.sizes) == 1


async def test_a_drawing_that_is_no_picture_is_the_provider_s_fault(
    desk: Desk, photoroom: PhotoroomContract
) -> None:
    """The photo did nothing wrong."""
    chunk = await desk.chunk(jpegs(1))
    chunk = chunk.model_copy(update={"route": desk.route(ability=Ability.GHOST)})
    (outcome,) = (await desk.render(chunk)).outcomes
    assert isinstance(outcome, UnroutedImage)
    assert outcome.fault.code is FaultCode.BAD_ANSWER
    (seen,) = await desk.observed()
    assert seen.fault == outcome.fault
