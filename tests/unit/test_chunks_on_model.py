"""A chunk of garments on one human model, from stored photos to stored results."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import numpy as np
import pytest

from libs.common.contracts.ids import BatchId, ChunkId, HumanModelId, ImageId, TenantId
from libs.common.contracts.inference import (
    PersonSource,
    RenderedImage,
    RenderImages,
    RenderItem,
    RenderOutcome,
    StoredPhoto,
    UnrenderableImage,
)
from libs.common.contracts.options import RenderOptions
from libs.common.db import Database
from libs.common.objects import Objects
from services.inference.chunks import Chunks
from services.inference.errors import PictureRefused
from services.inference.human_models.decoded import DecodedPersons
from services.inference.human_models.persons import Persons
from services.inference.local import LocalEngine
from services.inference.photos import Photos
from services.inference.pipeline.decode import decode
from services.inference.pipeline.on_model.person import PersonShot
from services.inference.pipeline.on_model.render import render_on_model
from services.inference.pipeline.render import Render, render
from services.inference.shots import Shots, render_shots
from tests.unit.dressing_scenes import PeopleSegmenter, as_png, person, top

PERSON = as_png(person())
TENANT = TenantId.new()


class PeopleRenderer:
    """A renderer that dresses people, on the drawings' own segmenter."""

    def __init__(self) -> None:
        self.persons = DecodedPersons()

    def __call__(self, photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
        return render(photo, options, PeopleSegmenter(), inside)

    def dress(self, photo: bytes, options: RenderOptions, person: PersonShot) -> Render:
        wearer = self.persons.of(person, PeopleSegmenter.name)
        return render_on_model(photo, options, PeopleSegmenter(), wearer)


class CountedPersons(Persons):
    """`reads`: how often a photo was asked for."""

    reads = 0

    async def read(self, person: PersonSource) -> bytes:
        self.reads += 1
        return await super().read(person)


async def outcomes(objects: Objects, persons: Persons, **person: Any) -> list[RenderOutcome]:
    """Of two garments on a person."""
    items = []
    for _ in range(2):
        image_id = ImageId.new()
        photo = as_png(top())
        await objects.put(f"photos/{image_id}", photo)
        source = StoredPhoto(key=f"photos/{image_id}", size=len(photo))
        items.append(RenderItem(image_id=image_id, photo=source, result_key=f"results/{image_id}.png"))
    model_id = HumanModelId.new()
    known = {"model_id": model_id, "key": "people/one", "sha256": hashlib.sha256(PERSON).hexdigest()}
    chunk = RenderImages(
        chunk_id=ChunkId.new(),
        batch_id=BatchId.new(),
        options=RenderOptions(render="on_model", human_model=model_id),
        items=tuple(items),
        person=PersonSource(**(known | person)),
    )
    chunks = Chunks(cast("Database", None), Photos(objects), places=2, persons=persons)
    engine = LocalEngine(PeopleRenderer(), PeopleRenderer, places=2, image_timeout_s=60)
    try:
        return await chunks.together(chunk, TENANT, await engine.begin(chunk, TENANT, 0))
    finally:
        await engine.close()


async def test_a_chunks_images_are_rendered_on_one_person_that_is_read_once() -> None:
    """Each result has the frame of the person's photo, and says what it is."""
    objects = Objects("memory://")
    await objects.put("people/one", PERSON)
    persons = CountedPersons(objects)
    found = await outcomes(objects, persons)
    assert persons.reads == 1
    for outcome in found:
        assert isinstance(outcome, RenderedImage), outcome
        result = decode(await objects.read(outcome.result_key)).rgb
        assert (result[:130] == person()[:130]).all()
        assert outcome.digital_source_type is not None
        assert outcome.digital_source_type.endswith("/compositeSynthetic")
        assert outcome.synthesized_fraction
        assert (outcome.photo_width, outcome.photo_height) == (result.shape[1], result.shape[0])


async def test_images_of_a_deleted_person_fail_by_name() -> None:
    """Nothing of them is rendered."""
    objects = Objects("memory://")
    found = await outcomes(objects, Persons(objects))
    assert [isinstance(each, UnrenderableImage) and each.code for each in found] == [
        "human_model_deleted"
    ] * 2


async def test_a_person_who_is_not_the_one_that_was_stored_is_refused() -> None:
    """By its SHA-256."""
    objects = Objects("memory://")
    await objects.put("people/one", as_png(np.zeros((20, 20, 3), np.uint8)))
    found = await outcomes(objects, Persons(objects))
    assert [isinstance(each, UnrenderableImage) and each.code for each in found] == ["corrupt"] * 2


def test_a_garment_without_a_person_is_refused() -> None:
    """A renderer that dresses nobody, too."""
    options = RenderOptions(render="on_model", human_model=HumanModelId.new())
    shot = PersonShot(TENANT, "0" * 64, PERSON)
    for renderer, shots in (
        (PeopleRenderer(), Shots(as_png(top()))),
        (PeopleRenderer().__call__, Shots(as_png(top()), person=shot)),
    ):
        with pytest.raises(PictureRefused):
            render_shots(renderer, shots, options)
