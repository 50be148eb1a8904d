"""The whole pipeline: one photo in, one result out, the same one each time."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import ImageFormat, RenderOptions
from services.inference.errors import PictureRefused
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.hollow import NOTES, Source
from services.inference.pipeline.render import Render, render
from services.inference.pipeline.segment import Hint
from tests.unit.picture_samples import ColourSegmenter, draw_photo, encoded, garment_mask

STAGES = {
    "decode",
    "segment",
    "matte",
    "hollow",
    "landmarks",
    "verdict",
    "compose",
    "encode",
    "renditions",
    "artefacts",
}
PHOTO = encoded(draw_photo(600, 800), "PNG")


def codes(result: Render) -> tuple[str, ...]:
    """What was found, in the order of the findings."""
    return tuple(finding.code for finding in result.findings)


def test_a_photo_becomes_a_cut_out_of_its_garment() -> None:
    """With everything said about it that its receiver needs."""
    result = render(PHOTO, RenderOptions(), ColourSegmenter())
    pixels = np.asarray(Image.open(BytesIO(result.result.data)))
    assert (result.result.media_type, result.result.width, result.result.height) == ("image/png", 600, 800)
    assert (result.verdict, codes(result), result.model) == (Verdict.PUBLISHABLE, (), "colours@1")
    assert result.score > 0.9
    assert set(result.timings) == STAGES
    drawn = garment_mask(draw_photo(600, 800))
    assert ((pixels[..., 3] > 127) == drawn).mean() > 0.99


@pytest.mark.parametrize("kind", list(ImageFormat))
def test_size_and_type_are_those_of_the_data(kind: ImageFormat) -> None:
    """For every format, cropped and resized."""
    options = RenderOptions(format=kind, background="#eeeeee", crop=True, size=300)
    result = render(PHOTO, options, ColourSegmenter())
    with Image.open(BytesIO(result.result.data)) as image:
        assert image.size == (result.result.width, result.result.height)
        assert Image.MIME[image.format or ""] == result.result.media_type


def test_the_same_photo_gives_the_same_bytes_on_any_thread() -> None:
    """A retry overwrites a result with itself."""
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(render, PHOTO, RenderOptions(), ColourSegmenter()) for _ in range(8)]
    assert len({done.result().result.data for done in work}) == 1


def test_a_photo_without_a_garment_is_rejected_but_rendered() -> None:
    """It is for the customer to decide what to do with an empty picture."""
    wall = encoded(np.full((90, 60, 3), 232, np.uint8), "PNG")
    result = render(wall, RenderOptions(crop=True), ColourSegmenter())
    assert (result.verdict, codes(result)) == (Verdict.REJECTED, ("no_garment",))
    assert (result.result.width, result.result.height) == (60, 90)


def test_a_photo_at_fault_is_refused_by_name() -> None:
    """Before the model is asked."""
    with pytest.raises(PictureRefused):
        render(PHOTO[:1000], RenderOptions(), ColourSegmenter())


def test_a_render_travels_between_processes() -> None:
    """And its repr does not spill the picture into a log."""
    result = render(PHOTO, RenderOptions(), ColourSegmenter())
    again: Render = pickle.loads(pickle.dumps(result))
    assert again == result
    assert len(repr(result)) < 1000


def test_renders_overlap() -> None:
    """Two threads are inside the model at the same time: nothing in front of it holds a lock for long."""
    both = threading.Barrier(2, timeout=30)

    class Meeting(ColourSegmenter):
        def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
            both.wait()
            return super().maps(batch, hints)

    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(render, PHOTO, RenderOptions(), Meeting()) for _ in range(2)]
    assert all(done.result().result.data for done in work)


def test_an_inside_shot_that_cannot_be_used_is_said() -> None:
    """A picture of something else: the front is rendered all the same, for a person to look at."""
    wall = encoded(np.full((800, 600, 3), 232, np.uint8), "PNG")
    result = render(PHOTO, RenderOptions(), ColourSegmenter(), inside=wall)
    assert result.verdict is Verdict.REVIEW
    assert set(codes(result)) & {note.value for note in NOTES}
    assert result.inner_back is not Source.INSIDE_SHOT
