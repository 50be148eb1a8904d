"""A render for a test key: the same judgement, another file; a live one is not touched by it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from libs.common.contracts.ids import BatchId, ChunkId
from libs.common.contracts.inference import RenderImages
from libs.common.contracts.options import ImageFormat, RenderOptions, Rendition
from services.inference.chunks import asked_of
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.artefacts import Encoded
from services.inference.pipeline.render import Render, render
from services.inference.pipeline.watermark import LONGEST, TrialOptions, marked, trial
from tests.unit.picture_samples import ColourSegmenter, draw_photo, encoded

PHOTO = encoded(draw_photo(1200, 1600), "PNG")
OPTIONS = RenderOptions(
    background="#ffffff",
    artefacts=True,
    renditions=(Rendition(name="thumb", size=300, background="#000000"),),
)


def both(options: RenderOptions) -> tuple[Render, Render]:
    """The live render and the one for a test key."""
    return render(PHOTO, options, ColourSegmenter()), render(PHOTO, trial(options), ColourSegmenter())


def pixels(file: Encoded) -> U8:
    return np.asarray(Image.open(BytesIO(file.data)))


def test_only_the_files_differ() -> None:
    """What is thought of the result is what a live key would be told."""
    live, tried = both(OPTIONS)
    for name in ("verdict", "score", "findings", "preserved_fraction", "landmarks", "photo_size", "model"):
        assert getattr(tried, name) == getattr(live, name)
    assert [file.name for file in tried.files] == [file.name for file in live.files]


def test_every_picture_is_small_and_marked() -> None:
    """The result and the renditions; masks are small."""
    live, tried = both(OPTIONS)
    assert (live.result.width, live.result.height) == (1200, 1600)
    assert (tried.result.width, tried.result.height) == (768, LONGEST)
    for clean, file in zip((live.result, *live.renditions), (tried.result, *tried.renditions), strict=True):
        assert np.array_equal(pixels(file), marked(pixels(clean)))
        assert not np.array_equal(pixels(file), pixels(clean))
    for mask in tried.artefacts:
        assert max(mask.width, mask.height) == LONGEST
        assert pixels(mask).shape == (mask.height, mask.width)


@pytest.mark.parametrize("kind", list(ImageFormat))
def test_sizes_are_those_of_the_data(kind: ImageFormat) -> None:
    """In every format."""
    _, tried = both(RenderOptions(format=kind, background="#eeeeee"))
    with Image.open(BytesIO(tried.result.data)) as image:
        assert image.size == (tried.result.width, tried.result.height) == (768, LONGEST)


def test_a_preset_is_judged_by_the_picture_that_a_live_key_would_get() -> None:
    """Though the test's own would be too small for the shop."""
    live, tried = both(RenderOptions(preset="amazon"))
    assert tried.findings == live.findings
    assert tried.verdict is live.verdict


def test_a_chunk_of_a_live_key_is_rendered_with_its_very_options() -> None:
    """Nothing of this comes near it."""
    chunk = RenderImages(chunk_id=ChunkId.new(), batch_id=BatchId.new(), options=OPTIONS, items=())
    assert asked_of(chunk) is chunk.options
    asked = asked_of(chunk.model_copy(update={"test": True}))
    assert type(asked) is TrialOptions
    assert asked.model_dump() == OPTIONS.model_dump()
