"""On a template every garment has its line at the same place, straight, and at the same scale."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.catalogue import CatalogueTemplate, Measure, Stand
from libs.common.contracts.inference import Landmarks
from libs.common.contracts.options import GarmentChoice, PictureFields, RenderOptions
from services.inference.pipeline.align import Catalogue, catalogue_of
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.compose import compose, frame
from services.inference.pipeline.layers import Layers
from tests.unit.layer_samples import block, layers_of

TEMPLATE = CatalogueTemplate()
PHOTO = (900, 1200)
Point = tuple[float, float]


def shirt(centre: Point, scale: float, slant: float) -> tuple[Layers, Landmarks]:
    """A body of 200×300 px with two sleeves, at a place, a scale and a slant (degrees) of its own."""
    body = [(-100, 0), (100, 0), (190, 120), (150, 140), (100, 80), (100, 300), (-100, 300), (-100, 80)]
    body += [(-150, 140), (-190, 120)]
    marks = {"left_shoulder": (-100, 0), "right_shoulder": (100, 0)}
    marks |= {"left_hem": (-100, 300), "right_hem": (100, 300)}

    def put(point: Point) -> Point:
        angle = math.radians(slant)
        x, y = point[0] * scale, point[1] * scale
        turned = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
        return centre[0] + turned[0], centre[1] + turned[1]

    alpha = np.zeros(PHOTO[::-1], np.uint8)
    corners = np.rint(np.array([put(point) for point in body]) * 16).astype(np.int32)
    cv2.fillPoly(alpha, [corners], 255, lineType=cv2.LINE_AA, shift=4)
    rgb = np.full((*alpha.shape, 3), (60, 90, 160), np.uint8)
    return layers_of(alpha, rgb), Landmarks(**{name: put(point) for name, point in marks.items()})


def width_at(alpha: U8, row: int) -> tuple[int, int]:
    """First and last column of the garment in a row."""
    columns = np.flatnonzero(alpha[row] > 127)
    return int(columns[0]), int(columns[-1])


@given(
    x=st.floats(350, 550),
    y=st.floats(300, 500),
    scale=st.floats(0.6, 1.5),
    slant=st.floats(-5.5, 5.5),
)
@settings(max_examples=40, deadline=None)
def test_a_garment_stands_where_the_template_says(x: float, y: float, scale: float, slant: float) -> None:
    """The same picture, whatever its place, scale and slant in the photo."""
    layers, landmarks = shirt((x, y), scale, slant)
    result = compose(layers, PictureFields(size=800), Catalogue(landmarks, TEMPLATE))
    assert result.shape == (800, 640, 4)
    alpha = result[..., 3]
    rows = np.flatnonzero((alpha > 127).any(1))
    assert abs(int(rows[0]) - 800 * TEMPLATE.upper.line) <= 5
    left, right = width_at(alpha, int(rows[0] + (rows[-1] - rows[0]) * 0.8))
    assert abs((right - left) - 640 * TEMPLATE.upper.share) <= 5
    assert abs((right + left) / 2 - 320) <= 4


@given(x=st.floats(250, 650), y=st.floats(200, 800), scale=st.floats(0.3, 2), slant=st.floats(-8, 8))
@settings(max_examples=40, deadline=None)
def test_no_part_of_a_garment_is_cut(x: float, y: float, scale: float, slant: float) -> None:
    """It is drawn smaller rather than beyond the border."""
    layers, landmarks = shirt((x, y), scale, slant)
    template = TEMPLATE.model_copy(update={"upper": Stand(line=0.2, measure=Measure.WIDTH, share=0.9)})
    result = compose(layers, PictureFields(size=600), Catalogue(landmarks, template))
    clear = 600 * 0.8 * template.border - 3
    rows, columns = np.nonzero(result[..., 3])
    assert min(rows.min(), columns.min()) >= clear
    assert rows.max() <= 599 - clear
    assert columns.max() <= result.shape[1] - 1 - clear


def test_turning_brings_no_colour_from_outside() -> None:
    """The garment keeps its colour to the edge."""
    layers, landmarks = shirt((450, 400), 1, 4)
    result = compose(layers, PictureFields(), Catalogue(landmarks, TEMPLATE))
    seen = result[result[..., 3] > 100][:, :3].astype(int)
    assert np.abs(seen - (60, 90, 160)).max() <= 4


def test_a_straight_garment_of_no_given_size_keeps_its_pixels() -> None:
    """Moved by whole pixels only."""
    layers, landmarks = shirt((450, 400), 1, 0)
    layout = frame(layers, PictureFields(), Catalogue(landmarks, TEMPLATE))
    assert layout.keeps_pixels
    assert layout.outer == (round(200 / 0.44), round(200 / 0.44 / 0.8))


@pytest.mark.parametrize("slant", [0.2, 7, -9, 30])
def test_a_slant_that_is_none_or_no_accident_stays(slant: float) -> None:
    """Noise of the landmarks, and a pose."""
    layers, landmarks = shirt((450, 400), 1, slant)
    assert frame(layers, PictureFields(), Catalogue(landmarks, TEMPLATE)).turn == 0


def test_lower_and_full_garments_keep_their_length() -> None:
    """From waist or shoulders to the hem."""
    layers = layers_of(block(PHOTO, 300, 200, 200, 800))
    ends = {"left_hem": (300, 1000), "right_hem": (500, 1000)}
    waist = Landmarks(left_waist=(300, 200), right_waist=(500, 200), **ends)
    shoulders = Landmarks(left_shoulder=(300, 200), right_shoulder=(500, 200), **ends)
    for landmarks, stand in ((waist, TEMPLATE.lower), (shoulders, TEMPLATE.full)):
        layout = frame(layers, PictureFields(size=1000), Catalogue(landmarks, TEMPLATE))
        assert layout.inner[1] == pytest.approx(1000 * stand.share, abs=1)
        assert layout.corner[1] == pytest.approx(1000 * stand.line, abs=1)


@pytest.mark.parametrize("landmarks", [Landmarks(), Landmarks(left_shoulder=(300, 200))])
def test_without_landmarks_it_is_cropped_to_the_templates_fill(landmarks: Landmarks) -> None:
    """And to its aspect, in the middle."""
    layers = layers_of(block(PHOTO, 300, 200, 200, 800))
    layout = frame(layers, PictureFields(size=1000), Catalogue(landmarks, TEMPLATE))
    assert layout.outer == (800, 1000)
    assert layout.inner[1] == pytest.approx(850, abs=1)


def test_an_aspect_that_is_asked_for_goes_before_the_templates() -> None:
    """With landmarks and without."""
    layers, landmarks = shirt((450, 400), 1, 0)
    asked = PictureFields(size=500, aspect="1:1")
    for found in (landmarks, Landmarks()):
        assert frame(layers, asked, Catalogue(found, TEMPLATE)).outer == (500, 500)


def test_an_empty_picture_keeps_its_frame() -> None:
    """There is nothing to align."""
    layers = layers_of(np.zeros((40, 30), np.uint8))
    assert frame(layers, PictureFields(), Catalogue(Landmarks(), TEMPLATE)).outer == (30, 40)


def test_options_say_whether_to_align_and_by_what() -> None:
    """A tenant's own template goes with them."""
    own = {"aspect": "1:1", "upper": {"line": 0.25, "measure": "length", "share": 0.5}}
    options = RenderOptions.model_validate({"align": "catalogue", "template": own, "garment": "top"})
    catalogue = catalogue_of(options, Landmarks())
    assert catalogue is not None
    assert catalogue.garment is GarmentChoice.TOP
    assert catalogue.template.upper.line == 0.25
    assert catalogue_of(RenderOptions(), Landmarks()) is None


def test_a_template_whose_line_lies_in_its_border_is_refused() -> None:
    """No garment could be drawn small enough for it."""
    with pytest.raises(ValueError, match="border"):
        CatalogueTemplate(upper=Stand(line=0.02, measure=Measure.WIDTH, share=0.4))
