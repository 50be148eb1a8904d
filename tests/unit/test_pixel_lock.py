"""The pixel lock: what was visible of the garment stays bit for bit, and everything else is marked.

MANNEQUIN_PHOTOS may name a folder of real photos: each goes through with the service's own model.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from libs.common.contracts.options import RenderOptions, Shadow
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import decode
from services.inference.pipeline.render import Render, render
from services.inference.pipeline.segment import Fit, Hint, letterbox
from services.inference.renderer import OnnxRendererFactory, Renderer
from tests.unit.picture_samples import encoded
from training.photos import Drawn, sample_photo, training_photo

SIZE = (320, 240)
OPTIONS = (
    RenderOptions(artefacts=True),
    RenderOptions(artefacts=True, hollow=False),
    RenderOptions(artefacts=True, fill_occlusions=True, neck_label=True),
    RenderOptions(artefacts=True, background="#ffffff"),
    RenderOptions(artefacts=True, background="#f4f4f4..#c8c8c8", fill_occlusions=True),
    RenderOptions(artefacts=True, shadow=Shadow.SOFT),
    RenderOptions(artefacts=True, background="#ffffff", shadow=Shadow.CONTACT, neck_label=True),
)
REAL = sorted(Path(os.environ.get("MANNEQUIN_PHOTOS", os.devnull)).glob("*.jpg"))


@dataclass(frozen=True, slots=True, eq=False)
class TruthSegmenter:
    """Says of one drawn photo what is true of it, at the resolution of a network.

    Asked again for a part of the photo it says the same, and is wrong: the lock holds for wrong maps too.
    """

    drawn: Drawn
    name: str = "truth@1"
    input_size: tuple[int, int] = (256, 192)
    fit: Fit = Fit.LETTERBOX

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        one_hot = [np.asarray(self.drawn.classes == number, np.uint8) for number in range(4)]
        planes = [*one_hot, np.asarray(self.drawn.interior, np.uint8)]
        full = [np.asarray(cv2.merge([plane * 255] * 3), np.uint8) for plane in planes]
        sheets = [letterbox(plane, *self.input_size)[0][..., 0] for plane in full]
        return np.stack(sheets)[None] * np.float32(1 / 255)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: described(options))
@pytest.mark.parametrize("seed", range(10))
def test_drawn_photos_keep_every_visible_pixel(seed: int, options: RenderOptions) -> None:
    """On people, mannequins, forms and hangers, before rooms and walls."""
    drawn = draw(seed)
    photo = encoded(drawn.rgb, "PNG" if seed % 3 else "JPEG", **({} if seed % 3 else {"quality": 90}))
    check_lock(photo, render(photo, options, TruthSegmenter(drawn)))


@pytest.mark.parametrize("seed", range(3))
def test_an_inside_shot_changes_no_visible_pixel(seed: int) -> None:
    """Whether it fits or not."""
    drawn = sample_photo(seed, SIZE)
    photo = encoded(drawn.rgb, "PNG")
    check_lock(photo, render(photo, OPTIONS[0], TruthSegmenter(drawn), photo))


def test_transparency_of_the_photo_is_no_visible_garment() -> None:
    """Only what was opaque in it is its own pixel."""
    drawn = sample_photo(1, SIZE)
    alpha = np.tile(np.linspace(0, 255 * 2, SIZE[1]).clip(0, 255).astype(np.uint8), (SIZE[0], 1))
    photo = encoded(np.dstack([drawn.rgb, alpha]), "PNG")
    result = render(photo, OPTIONS[0], TruthSegmenter(drawn))
    check_lock(photo, result)
    assert (synthesized(result)[alpha < 255] == 255).all()


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return OnnxRendererFactory(provider="cpu")()


@pytest.mark.parametrize("path", [None, *REAL], ids=lambda path: path.stem if path else "drawn")
def test_the_services_own_model_keeps_every_visible_pixel(path: Path | None, renderer: Renderer) -> None:
    """With every combination of options: a drawn photo, and those of the folder if one is named."""
    photo = path.read_bytes() if path else encoded(sample_photo(0, (640, 480)).rgb, "PNG")
    for options in OPTIONS:
        check_lock(photo, renderer(photo, options))


@cache
def draw(seed: int) -> Drawn:
    return training_photo(seed, SIZE) if seed % 2 else sample_photo(seed, SIZE)


def check_lock(photo: bytes, result: Render) -> None:
    """The promise, and that it is not kept by marking everything."""
    original = decode(photo).rgb
    shown = np.asarray(Image.open(BytesIO(result.result.data)).convert("RGBA"))
    marked = synthesized(result)
    assert marked.shape == shown.shape[:2] == original.shape[:2]
    assert set(np.unique(marked)) <= {0, 255}
    kept = marked == 0
    assert np.array_equal(shown[kept][:, :3], original[kept])
    assert (shown[kept][:, 3] == 255).all()
    assert (marked[(shown[..., :3] != original).any(axis=2)] == 255).all()
    visible = artefact(result, "alpha")
    assert kept.sum() == (visible == 255).sum()
    assert result.preserved_fraction <= 1
    assert (result.preserved_fraction > 0) == bool(kept.any())


def synthesized(result: Render) -> U8:
    return artefact(result, "synthesized")


def artefact(result: Render, name: str) -> U8:
    (found,) = [file for file in result.artefacts if file.name == name]
    return np.asarray(Image.open(BytesIO(found.data)))


def described(options: RenderOptions) -> str:
    asked = options.model_dump(exclude_defaults=True, exclude={"artefacts"}, mode="json")
    return ",".join(f"{name}={value}" for name, value in asked.items()) or "plain"
