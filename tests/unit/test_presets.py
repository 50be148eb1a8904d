"""Presets fill in what was not asked for, survive the way over the bus, and say what a result lacks."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from libs.common.contracts.inference import Landmarks
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.presets import RULES, Preset, PresetRule
from services.inference.pipeline.align import catalogue_of
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.compose import compose
from services.inference.pipeline.encode import encode
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.presets import preset_problems
from tests.unit.layer_samples import block, layers_of

LARGE = block((2000, 2600), 400, 300, 1200, 2000)
SMALL = block((900, 1200), 200, 200, 450, 700)


def garment(alpha: U8) -> Layers:
    """Of one colour: noise would make files larger than any photo."""
    return layers_of(alpha, np.full((*alpha.shape, 3), (70, 110, 150), np.uint8))


def result(alpha: U8, **asked: object) -> tuple[Image.Image, tuple[str, ...]]:
    """The finished picture and what keeps it from its preset."""
    layers, options = garment(alpha), RenderOptions.model_validate(asked)
    catalogue = catalogue_of(options, Landmarks())
    pixels = compose(layers, options, catalogue)
    data = encode(pixels, options)
    return Image.open(BytesIO(data)), preset_problems(layers, options, pixels, data, catalogue)


def test_amazon_is_met() -> None:
    """JPEG, pure white ground, at least 1,000 px and 85 % of the frame."""
    image, problems = result(LARGE, preset="amazon")
    assert problems == ()
    assert image.format == "JPEG"
    assert max(image.size) >= 1000
    pixels = np.asarray(image)
    assert (pixels[:16] == 255).all()
    rows = np.flatnonzero((pixels < 200).any((1, 2)))
    assert (rows[-1] - rows[0] + 1) / image.height >= 0.85


def test_shopify_is_met() -> None:
    """A square of 2,048 px, also from a photo that is somewhat smaller."""
    for alpha in (LARGE, block((1200, 1600), 200, 100, 700, 1300)):
        image, problems = result(alpha, preset="shopify")
        assert problems == ()
        assert image.size == (2048, 2048)


@given(left=st.integers(0, 900), top=st.integers(0, 400), width=st.integers(300, 1100))
@settings(max_examples=15, deadline=None)
def test_a_photo_with_pixels_enough_meets_amazon(left: int, top: int, width: int) -> None:
    """Wherever in the frame the garment is, as long as it is whole."""
    alpha = block((2000, 2600), left, top, width, 1500)
    touches = left == 0 or top == 0
    _, problems = result(alpha, preset="amazon")
    assert bool(problems) is touches


def test_too_few_pixels_are_not_made_up() -> None:
    """The reason says how many there are, and the picture keeps its size."""
    image, problems = result(SMALL, preset="amazon")
    assert image.height == round(700 / 0.9)
    assert len(problems) == 1
    assert "at least 1000 are required" in problems[0]
    assert "only 700 px" in problems[0]
    _, problems = result(SMALL, preset="shopify")
    assert "not enlarged more than 1.5 times" in problems[0]


def test_a_garment_cut_off_by_the_frame_is_said_first() -> None:
    """Nothing else mends it."""
    _, problems = result(block((2000, 2600), 0, 300, 1200, 2000), preset="amazon")
    assert problems[0].startswith("the garment is cut off")


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"background": "#fefefe"}, "ground"),
        ({"background": "transparent", "format": "png"}, "ground"),
        ({"background": "#ffffff..#eeeeee"}, "ground"),
        ({"shadow": "soft"}, "shadow"),
        ({"format": "webp"}, "webp"),
        ({"fill": 0.5}, "fills 50%"),
        ({"size": 800}, "larger size"),
    ],
)
def test_what_was_asked_for_otherwise_is_held_against_the_preset(asked: dict[str, object], word: str) -> None:
    """The caller's wish is done, and said to be none of the shop's."""
    _, problems = result(LARGE, preset="amazon", **asked)
    assert len(problems) == 1
    assert word in problems[0]


def test_an_own_preset_is_held_like_the_others() -> None:
    """Each of its numbers."""
    own = {"formats": ["webp"], "background": "#f0f0f0", "aspect": "4:5", "min_size": 1200, "min_fill": 0.7}
    image, problems = result(LARGE, own_preset={**own, "max_size": 1500, "max_bytes": 1_000_000})
    assert problems == ()
    assert image.format == "WEBP"
    assert image.size == (1200, 1500)
    _, problems = result(LARGE, own_preset={**own, "max_bytes": 100}, aspect="1:1", size=2000)
    assert [word in problem for word, problem in zip(("4:5", "MB"), problems, strict=True)] == [True, True]


def test_a_preset_with_a_template_is_held_against_what_came_out() -> None:
    """The template's aspect is not Shopify's, unless the preset says so: it does."""
    image, problems = result(LARGE, preset="shopify", align="catalogue")
    assert problems == ()
    assert image.size == (2048, 2048)
    layers, options = garment(LARGE), RenderOptions.model_validate({"preset": "amazon", "align": "catalogue"})
    waist = Landmarks(
        left_waist=(800, 300), right_waist=(1200, 300), left_hem=(800, 2300), right_hem=(1200, 2300)
    )
    catalogue = catalogue_of(options, waist)
    pixels = compose(layers, options, catalogue)
    problems = preset_problems(layers, options, pixels, encode(pixels, options), catalogue)
    assert [problem.endswith("choose a template that draws it larger") for problem in problems] == [True]


def test_without_a_preset_there_is_nothing_to_meet() -> None:
    """Not even for a picture that no shop would take."""
    assert result(SMALL, size=16)[1] == ()


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_fills_in_once(preset: Preset) -> None:
    """What it filled in travels as if it had been asked for, and stays what it is."""
    options = RenderOptions(preset=preset, quality=70)
    assert options.background == "#ffffff"
    assert options.quality == 70
    assert options.rule == RULES[preset]
    assert RenderOptions.model_validate_json(options.model_dump_json()) == options


def test_a_rendition_has_a_preset_of_its_own() -> None:
    """One render, a picture for each shop."""
    options = RenderOptions.model_validate({"renditions": [{"name": "shop", "preset": "shopify", "dpi": 72}]})
    assert (options.aspect, options.format.value) == (None, "png")
    assert options.renditions[0].aspect == "1:1"
    assert options.renditions[0].format.value == "jpeg"


@pytest.mark.parametrize(
    "asked",
    [
        {"preset": "etsy"},
        {"preset": ["amazon"]},
        {"preset": "amazon", "own_preset": {}},
        {"preset": "amazon", "background": "transparent"},
        {"own_preset": {"formats": ["gif"]}},
        {"own_preset": {"formats": []}},
        {"own_preset": {"min_size": 900, "max_size": 800}},
        {"own_preset": {"min_fill": 0.9, "fill": 0.8}},
        {"own_preset": {"background": "transparent"}},
    ],
)
def test_presets_that_can_not_be_met_are_refused(asked: dict[str, object]) -> None:
    """By name, before anything is rendered."""
    with pytest.raises(ValidationError):
        RenderOptions.model_validate(asked)


def test_an_own_preset_takes_a_photo_as_large_as_it_is() -> None:
    """Unless it says how large pictures are."""
    options = RenderOptions(own_preset=PresetRule(background="#ffffff"))
    pixels = compose(garment(SMALL), options)
    assert pixels.shape == (1200, 900, 3)
