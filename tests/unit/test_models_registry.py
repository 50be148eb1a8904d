"""A model is taken only if it is the file that its card names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.inference.errors import ModelRefused
from services.inference.models.registry import DEFAULT_MODEL, MODELS, load_model
from tests.unit.tiny_onnx import tiny_model


def card(onnx: bytes, **changes: Any) -> dict[str, Any]:
    return {
        "name": "tiny",
        "version": "1.0.0",
        "task": "segmentation",
        "input": {"name": "image", "layout": "NHWC", "height": 64, "width": 48, "colour": "RGB"},
        "output": "probabilities",
        "classes": ["background", "garment", "body"],
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(onnx).hexdigest(),
    } | changes


def publish(folder: Path, onnx: bytes, **changes: Any) -> Path:
    """A model folder `tiny` as the training writes it."""
    home = folder / "tiny"
    home.mkdir()
    (home / "model.onnx").write_bytes(onnx)
    (home / "model.yaml").write_text(yaml.safe_dump(card(onnx, **changes)))
    return folder


def test_a_published_model_is_loaded(tmp_path: Path) -> None:
    """Its card, its bytes, and the name that goes into every result; fields for readers are passed over."""
    onnx = tiny_model()
    model = load_model("tiny", publish(tmp_path, onnx, metrics={"iou": 0.9}))
    assert model.onnx == onnx
    assert model.label == "tiny@1.0.0"
    assert (model.card.input.height, model.card.input.width) == (64, 48)


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    """By one bit."""
    folder = publish(tmp_path, tiny_model())
    file = folder / "tiny" / "model.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(ModelRefused, match="sha256"):
        load_model("tiny", folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["background", "body", "garment"]},
        {"task": "detection"},
        {"sha256": "abc"},
        {"file": "../../secret.onnx"},
        {"input": {"name": "image", "layout": "NCHW", "height": 64, "width": 48, "colour": "RGB"}},
        {"input": {"name": "image", "layout": "NHWC", "height": 63, "width": 48, "colour": "RGB"}},
        {"input": {"name": "image", "layout": "NHWC", "height": 64, "width": 48, "colour": "BGR"}},
    ],
)
def test_a_card_that_we_cannot_follow_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Other classes, channels or layouts would give wrong pictures without any error."""
    with pytest.raises(ModelRefused, match=r"model\.yaml"):
        load_model("tiny", publish(tmp_path, tiny_model(), **changes))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    """Folder, card or file."""
    with pytest.raises(ModelRefused, match=r"absent/model\.yaml"):
        load_model("absent", tmp_path)
    folder = publish(tmp_path, tiny_model())
    (folder / "tiny" / "model.onnx").unlink()
    with pytest.raises(ModelRefused, match=r"tiny/model\.onnx"):
        load_model("tiny", folder)
    (folder / "tiny" / "model.yaml").write_text("a: [")
    with pytest.raises(ModelRefused, match="no model card"):
        load_model("tiny", folder)


def test_the_built_in_model_is_small_and_whole() -> None:
    """At most 10 MB in the repository, and its card is right."""
    model = load_model()
    assert model.card.name == DEFAULT_MODEL
    assert len(model.onnx) <= 10_000_000
    assert (MODELS / DEFAULT_MODEL).is_dir()
