"""Artefacts: what the render is made of, as masks of the photo's size."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.artefacts import draw_artefacts
from services.inference.pipeline.segment import BODY, GARMENT, OTHER, Maps
from tests.unit.layer_samples import block, layers_of

PHOTO = (61, 80)


def quarters() -> F32:
    """A map of 40×30: background, garment, body and other in one corner each."""
    classes = np.full((4, 40, 30), 0.02, np.float32)
    for number, (rows, columns) in enumerate([(0, 0), (0, 15), (20, 0), (20, 15)]):
        classes[number, rows : rows + 20, columns : columns + 15] = 0.94
    return classes


def masks() -> dict[str, U8]:
    layers = layers_of(block(PHOTO, 10, 20, 30, 40), filling=block(PHOTO, 10, 15, 30, 20))
    maps = Maps(quarters(), np.zeros((40, 30), np.float32))
    drawn = draw_artefacts(layers, maps)
    assert {(artefact.width, artefact.height, artefact.media_type) for artefact in drawn} == {
        (*PHOTO, "image/png")
    }
    return {artefact.name: np.asarray(Image.open(BytesIO(artefact.data))) for artefact in drawn}


def test_the_masks_are_of_the_photos_size() -> None:
    """Each of one channel."""
    found = masks()
    assert set(found) == {"alpha", "classes", "synthesized"}
    assert {mask.shape for mask in found.values()} == {PHOTO[::-1]}


def test_alpha_is_the_visible_garment() -> None:
    """Without what was put under it."""
    assert np.array_equal(masks()["alpha"], block(PHOTO, 10, 20, 30, 40))


def test_classes_are_numbered_as_the_segmenter_does() -> None:
    """The likeliest one of each pixel, away from where they meet."""
    found = masks()["classes"]
    assert found[5, 5] == 0
    assert found[5, -5] == GARMENT
    assert found[-5, 5] == BODY
    assert found[-5, -5] == OTHER


def test_everything_but_the_garments_own_pixels_is_marked() -> None:
    """Ground and filling alike."""
    assert np.array_equal(masks()["synthesized"], 255 - block(PHOTO, 10, 20, 30, 40))
