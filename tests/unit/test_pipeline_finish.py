"""Each picture that was asked for becomes a file, with findings where it is not what its shop takes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from libs.common.contracts.inference import Landmarks
from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.align import catalogue_of
from services.inference.pipeline.compose import compose
from services.inference.pipeline.finish import RESULT, Finished, finish, finish_renditions
from services.inference.pipeline.layers import Layers
from tests.unit.layer_samples import block, layers_of

PHOTO = (600, 800)


def garment() -> Layers:
    return layers_of(block(PHOTO, 150, 100, 300, 600), np.full((800, 600, 3), 90, np.uint8))


def finished(**asked: object) -> tuple[Finished, ...]:
    """The result, then the renditions."""
    layers, options = garment(), RenderOptions.model_validate(asked)
    catalogue = catalogue_of(options, Landmarks())
    pixels = compose(layers, options, catalogue)
    result = finish(RESULT, pixels, layers, options, catalogue)
    return (result, *finish_renditions(layers, options, catalogue))


def test_several_pictures_come_of_one_render() -> None:
    """Each in its own format, size and frame, under its own name."""
    thumb = {"name": "thumb", "size": 100, "format": "webp"}
    square = {"name": "square", "aspect": "1:1", "fill": 0.9, "background": "#ffffff", "format": "jpeg"}
    made = finished(renditions=[thumb, square])
    assert [(one.file.name, one.file.media_type, one.file.width, one.file.height) for one in made] == [
        ("result", "image/png", 600, 800),
        ("thumb", "image/webp", 75, 100),
        ("square", "image/jpeg", 667, 667),
    ]
    for one in made:
        with Image.open(BytesIO(one.file.data)) as image:
            assert image.size == (one.file.width, one.file.height)
            assert not one.findings()


def test_a_rendition_is_aligned_as_the_result_is() -> None:
    """To the template's aspect, if it asks for none of its own."""
    thumb, square = {"name": "thumb", "size": 400}, {"name": "square", "size": 400, "aspect": "1:1"}
    made = finished(align="catalogue", renditions=[thumb, square])
    sizes = [(one.file.width, one.file.height) for one in made]
    assert abs(sizes[0][0] - sizes[0][1] * 0.8) <= 1
    assert sizes[1:] == [(320, 400), (400, 400)]


def test_findings_say_which_picture_is_meant() -> None:
    """The result's are plain, a rendition's begin with its name; all have one stable code."""
    result, shop = finished(preset="amazon", renditions=[{"name": "shop", "preset": "shopify"}])
    found = [*result.findings(), *shop.findings()]
    assert [finding.code for finding in found] == ["preset_not_met"] * 2
    assert found[0].detail.startswith("the longest side has 667 px, at least 1000 are required")
    assert found[1].detail.startswith("shop: the longest side has 1059 px, at least 2048 are required")
