"""The cards of docs/models.md run graphs of those models' signatures, with their authors' preprocessing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from services.inference.models.registry import load_model
from services.inference.models.sessions import open_session
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.segment import (
    BACKGROUND,
    BODY,
    GARMENT,
    OTHER,
    Hint,
    Maps,
    Segmenter,
    segment,
)
from tests.unit.tiny_onnx import SALIENT, parsing_model, saliency_model

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/models.md"
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_U2NET_MORE = [f"19{number}" for number in range(60, 66)]


def cards() -> dict[str, dict[str, Any]]:
    """The documented cards by name."""
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return {card["name"]: card for card in map(yaml.safe_load, blocks)}


def dropped_in(folder: Path, name: str, onnx: bytes) -> Segmenter:
    """The documented card, with nothing changed but the file's sum, beside the file."""
    card = cards()[name]
    (folder / name).mkdir()
    for file in card["files"].values():
        (folder / name / file["file"]).write_bytes(onnx)
        file["sha256"] = hashlib.sha256(onnx).hexdigest()
    (folder / name / "model.yaml").write_text(yaml.safe_dump(card))
    return open_session(load_model(name, folder), "cpu")


def photo(width: int, height: int) -> U8:
    """A smooth ramp of colours, none brighter than 200."""
    across, down = np.linspace(0, 200, width), np.linspace(0, 200, height)
    red = np.broadcast_to(across, (height, width))
    green = np.broadcast_to(down[:, None], (height, width))
    return np.stack([red, green, 200 - red], axis=-1).astype(np.uint8)


def saliency(pixels: U8, brightest: float, mean: tuple[float, ...], std: tuple[float, ...]) -> F32:
    """The tiny graph's logits on pixels normalised in one line of NumPy."""
    values = (pixels / brightest - np.array(mean)) / np.array(std)
    return np.asarray(values @ np.array(SALIENT), np.float32)


def sigmoid(values: F32) -> F32:
    return np.asarray(1 / (1 + np.exp(-values)), np.float32)


def minmax(values: F32) -> F32:
    return np.asarray((values - values.min()) / (values.max() - values.min()), np.float32)


def assert_saliency(maps: Maps, wanted: F32) -> None:
    """The salient is the garment, the rest is background, and nothing else is claimed."""
    assert np.allclose(maps.classes[GARMENT], wanted, atol=2e-3)
    assert np.allclose(maps.classes[BACKGROUND], 1 - wanted, atol=2e-3)
    assert not maps.classes[[BODY, OTHER]].any()
    assert not maps.interior.any()


def test_all_five_families_are_documented() -> None:
    """By cards that a reader can copy."""
    names = {"u2net", "isnet-general-use", "birefnet-general", "modnet", "segformer-b2-clothes"}
    assert set(cards()) == names


@pytest.mark.parametrize("name", ["u2net", "isnet-general-use"])
def test_the_models_of_rembg_see_what_they_see_there(tmp_path: Path, name: str) -> None:
    """Stretched to a square, divided by the brightest value, the first output stretched over 0..1."""
    side, std = (320, IMAGENET[1]) if name == "u2net" else (1024, (1.0, 1.0, 1.0))
    names = ("input.1", "1959") if name == "u2net" else ("input_image", "output_image")
    more = _U2NET_MORE if name == "u2net" else []
    segmenter = dropped_in(
        tmp_path, name, saliency_model(side, side, names=names, batch=1, more_outputs=more)
    )
    pixels = photo(side, side)
    maps = segment(Picture(pixels), segmenter)
    assert_saliency(maps, minmax(sigmoid(saliency(pixels, 200, IMAGENET[0], std))))


def test_birefnet_gives_logits(tmp_path: Path) -> None:
    """Which become probabilities here."""
    names = ("input_image", "output_image")
    onnx = saliency_model(1024, 1024, names=names, batch=1, sigmoid=False)
    pixels = photo(1024, 1024)
    maps = segment(Picture(pixels), dropped_in(tmp_path, "birefnet-general", onnx))
    assert_saliency(maps, sigmoid(saliency(pixels, 200, *IMAGENET)))


def test_modnet_sees_pixels_from_minus_one_to_one(tmp_path: Path) -> None:
    """And the photo in its proportions: this one has the card's."""
    pixels = photo(512, 672)
    maps = segment(Picture(pixels), dropped_in(tmp_path, "modnet", saliency_model(672, 512)))
    assert_saliency(maps, sigmoid(saliency(pixels, 255, (0.5,) * 3, (0.5,) * 3)))


@pytest.mark.parametrize("size", [(640, 480), (300, 900)])
def test_a_stretched_model_still_covers_the_photo_exactly(tmp_path: Path, size: tuple[int, int]) -> None:
    """Whatever its proportions: what stands in its right third is found in the right third."""
    width, height = size
    segmenter = dropped_in(
        tmp_path, "u2net", saliency_model(320, 320, names=("input.1", "1959"), more_outputs=_U2NET_MORE)
    )
    pixels = np.full((height, width, 3), (60, 60, 120), np.uint8)
    pixels[:, -(width // 3) :] = (220, 20, 20)
    shown = segment(Picture(pixels), segmenter).classes[GARMENT] > 0.5
    assert shown.shape == (320, 320)
    assert abs(shown.mean(axis=0).sum() - 320 / 3) <= 2
    assert shown[:, -1].all()


_CLOTHES = {4: "upper", 5: "lower", 6: "lower", 7: "upper"}
_BODY = (2, 11, 12, 13, 14, 15)


@pytest.mark.parametrize("hint", list(Hint))
def test_the_eighteen_classes_of_atr_become_ours(tmp_path: Path, hint: Hint) -> None:
    """Each class as a column of the picture; which clothes are the garment is up to the hint."""
    onnx = parsing_model(512, 512, 18, 4, ("pixel_values", "logits"))
    segmenter = dropped_in(tmp_path, "segformer-b2-clothes", onnx)
    found = segment(Picture(_classes_as_columns()), segmenter, hint).classes
    assert found.shape == (4, 256, 256)
    assert np.allclose(found.sum(axis=0), 1, atol=1e-4)
    middles = [round((column + 0.5) * 256 / 18) for column in range(18)]
    assert [int(found[:, 128, middle].argmax()) for middle in middles] == [
        _ours(column, hint) for column in range(18)
    ]


def _ours(column: int, hint: Hint) -> int:
    if column == 0:
        return BACKGROUND
    if column in _CLOTHES:
        return GARMENT if hint in (Hint.AUTO, Hint.FULL) or hint.value == _CLOTHES[column] else OTHER
    return BODY if column in _BODY else OTHER


def _classes_as_columns() -> U8:
    """Red whose normalised value is the middle of each class of the tiny graph, from left to right."""
    values = [-1 + 2 * place / 17 for place in range(18)]
    reds = [round((value * IMAGENET[1][0] + IMAGENET[0][0]) * 255) for value in values]
    columns = [reds[min(17, x * 18 // 512)] for x in range(512)]
    picture = np.full((512, 512, 3), 128, np.uint8)
    picture[..., 0] = columns
    return picture
