"""A card's words about its tensors are followed to the letter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from services.inference.models.card import ModelInput, ModelOutput
from services.inference.models.tensors import hint_tensor, maps_of, picture_tensor
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.segment import BACKGROUND, BODY, GARMENT, OTHER, Hint

INTERIOR = 4


def photos() -> U8:
    pictures = np.random.default_rng(0).integers(0, 201, (2, 32, 34, 3)).astype(np.uint8)
    pictures[0, 0, 0] = 200
    return pictures


def taken(**about: Any) -> ModelInput:
    return ModelInput.model_validate({"height": 32, "width": 34} | about)


def given(**about: Any) -> ModelOutput:
    return ModelOutput.model_validate({"channels": ["garment"]} | about)


def test_whole_pixels_are_sent_as_they_are() -> None:
    """And turned where the card says so."""
    assert np.array_equal(picture_tensor(photos(), taken()), photos())
    turned = picture_tensor(photos(), taken(layout="NCHW", colour="BGR"))
    assert turned.dtype == np.uint8
    assert turned.flags.c_contiguous
    assert np.array_equal(turned, photos()[..., ::-1].transpose(0, 3, 1, 2))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_pixels_are_normalised_as_the_card_says(dtype: str) -> None:
    """(pixel * scale - mean) / std by colour, in the order of the model's channels."""
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    about = taken(dtype=dtype, colour="BGR", normalise={"scale": 1 / 128, "mean": mean, "std": std})
    wanted = (photos()[..., ::-1].astype(np.float64) / 128 - mean) / std
    made = picture_tensor(photos(), about)
    assert made.dtype == np.dtype(dtype)
    assert np.allclose(made, wanted, atol=2e-3 if dtype == "float16" else 1e-5)


def test_without_a_word_about_it_a_float_input_is_0_to_1() -> None:
    """The plain scale."""
    made = picture_tensor(photos(), taken(dtype="float32"))
    assert np.allclose(made, photos() / 255.0, atol=1e-6)


def test_each_picture_can_be_divided_by_its_brightest_value() -> None:
    """As U2-Net's authors do; a black picture stays finite."""
    pictures = np.stack([photos()[0], np.zeros((32, 34, 3), np.uint8)])
    made = picture_tensor(pictures, taken(dtype="float32", normalise={"divide_by_max": True}))
    assert np.allclose(made[0], pictures[0] / 200.0, atol=1e-6)
    assert not made[1].any()


def test_hints_are_numbers_in_their_order() -> None:
    """int64."""
    numbers = hint_tensor([Hint.FULL, Hint.AUTO, Hint.UPPER, Hint.LOWER])
    assert numbers.dtype == np.int64
    assert numbers.tolist() == [3, 0, 1, 2]


def test_several_channels_can_be_one_class() -> None:
    """They add up; ignored ones do not count, and what is given as background is taken as it is."""
    raw = np.arange(6, dtype=np.float32).reshape(1, 6, 1, 1) / 15
    roles = ["body", "garment", "body", "interior", "ignored", "background"]
    maps = maps_of(raw, given(channels=roles), [Hint.AUTO])[0, :, 0, 0]
    assert np.allclose(maps, [5 / 15, 1 / 15, 2 / 15, 0, 3 / 15], atol=1e-6)


def test_the_background_is_what_is_left() -> None:
    """Where no channel says it; never less than nothing."""
    raw = np.array([[0.3, 0.5, 0.9], [0.8, 0.7, 0.1]], np.float32)[..., None, None]
    maps = maps_of(raw, given(channels=["garment", "other", "interior"]), [Hint.AUTO] * 2)[..., 0, 0]
    assert np.allclose(maps[:, BACKGROUND], [0.2, 0], atol=1e-6)
    assert np.allclose(maps[:, INTERIOR], [0.9, 0.1], atol=1e-6)


def test_a_role_can_depend_on_the_hint() -> None:
    """Picture by picture."""
    trousers = {"auto": "garment", "upper": "other", "lower": "garment", "full": "garment"}
    output = given(channels=["garment", trousers])
    raw = np.full((2, 2, 1, 1), 0.25, np.float32)
    maps = maps_of(raw, output, [Hint.AUTO, Hint.UPPER])[..., 0, 0]
    assert maps[0, [GARMENT, OTHER]].tolist() == [0.5, 0]
    assert maps[1, [GARMENT, OTHER]].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("shape", [(2, 1, 4, 6), (2, 4, 6, 1), (2, 4, 6)])
def test_channels_may_stand_anywhere(shape: tuple[int, ...]) -> None:
    """First, last, or be left out where there is but one."""
    raw = np.random.default_rng(1).random(shape).astype(np.float32)
    layout = "NHWC" if shape[-1] == 1 else "NCHW"
    maps = maps_of(raw, given(layout=layout), [Hint.AUTO] * 2)
    assert np.allclose(maps[:, GARMENT], raw.reshape(2, 4, 6))
    assert np.allclose(maps[:, BACKGROUND], 1 - raw.reshape(2, 4, 6))


def test_half_precision_comes_out_as_float32() -> None:
    """Whatever follows computes in it."""
    assert maps_of(np.zeros((1, 1, 2, 2), np.float16), given(), [Hint.AUTO]).dtype == np.float32


def test_logits_become_probabilities() -> None:
    """Sigmoid or softmax, without overflow at any size."""
    raw = np.array([-1e4, -1.0, 0.0, 2.0, 1e4], np.float32)
    sigmoid = maps_of(raw.reshape(5, 1, 1, 1), given(activation="sigmoid"), [Hint.AUTO] * 5)[:, GARMENT]
    assert np.allclose(sigmoid.ravel(), [0, 0.268941, 0.5, 0.880797, 1], atol=1e-5)
    output = given(activation="softmax", channels=["background", "garment", "body"])
    softmax = maps_of(np.array([[1e4, 1e4, 0.0]], np.float32)[..., None, None], output, [Hint.AUTO])
    assert np.allclose(softmax.ravel()[:3], [0.5, 0.5, 0], atol=1e-6)


def test_minmax_stretches_each_picture_by_itself() -> None:
    """A flat one is nothing rather than an error."""
    raw = np.array([[[1.0, 3.0, 2.0]], [[5.0, 5.0, 5.0]]], np.float32)
    maps = maps_of(raw, given(activation="minmax"), [Hint.AUTO] * 2)
    assert maps[:, GARMENT, 0].tolist() == [[0, 1, 0.5], [0, 0, 0]]


def test_a_coarse_output_is_enlarged_in_place() -> None:
    """To half of the input's size: an edge stays where it is, and the classes still add up."""
    raw = np.zeros((1, 2, 16, 16), np.float32)
    raw[:, 0, :, :4], raw[:, 1, :, 4:] = 1, 1
    maps = maps_of(raw, given(stride=8, channels=["garment", "body"]), [Hint.AUTO])
    assert maps.shape == (1, 5, 64, 64)
    assert np.allclose(maps[:, :INTERIOR].sum(axis=1), 1, atol=1e-5)
    assert maps[0, GARMENT].mean() == pytest.approx(0.25, abs=0.01)
    assert maps[0, BODY, :, 20:].min() == 1
