"""A model is taken only if it is the file that its card names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.inference.errors import ModelRefused
from services.inference.models.card import Device, ModelCard, Precision
from services.inference.models.registry import DEFAULT_MODEL, MODELS, Registry, load_model
from tests.unit.tiny_onnx import hinted_model, tiny_model


def card(onnx: bytes, **changes: Any) -> dict[str, Any]:
    """A card for `tiny_model`."""
    return {
        "name": "tiny",
        "version": "1.0.0",
        "task": "segmentation",
        "licence": "Apache-2.0",
        "input": {"name": "image", "height": 64, "width": 48},
        "output": {"name": "probabilities", "stride": 2, "channels": ["background", "garment", "body"]},
        "files": {"fp32": {"file": "model.onnx", "sha256": hashlib.sha256(onnx).hexdigest()}},
    } | changes


def hinted_card(onnx: bytes, **changes: Any) -> dict[str, Any]:
    """A card for `hinted_model`."""
    channels = ["background", "garment", "body", "other", "interior"]
    output = {"name": "maps", "stride": 2, "channels": channels}
    return card(onnx, hint={"name": "hint"}, output=output, **changes)


def publish(folder: Path, onnx: bytes, home: str = "tiny", **changes: Any) -> Path:
    """A model folder as the training writes it, or over one that is there."""
    (folder / home).mkdir(parents=True, exist_ok=True)
    (folder / home / "model.onnx").write_bytes(onnx)
    (folder / home / "model.yaml").write_text(yaml.safe_dump(card(onnx, **changes)))
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


_NO_FILE = {"fp32": {"file": "../../secret.onnx", "sha256": "0" * 64}}
_NO_SUM = {"fp32": {"file": "model.onnx", "sha256": "abc"}}
_HALF_BY_HINT = {"auto": "garment", "upper": "garment"}
_NONE_FOR_LOWER = {"auto": "garment", "upper": "garment", "lower": "other", "full": "garment"}


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "detection"},
        {"version": "../1"},
        {"files": {}},
        {"files": _NO_FILE},
        {"files": _NO_SUM},
        {"input": {"height": 63, "width": 48}},
        {"input": {"height": 64, "width": 48, "colour": "CMYK"}},
        {"input": {"height": 64, "width": 48, "color": "BGR"}},
        {"input": {"height": 64, "width": 48, "normalise": {"scale": 1.0}}},
        {"input": {"height": 64, "width": 48, "dtype": "float32", "normalise": {"std": [0.5, 0, 0.5]}}},
        {"output": {"channels": []}},
        {"output": {"channels": ["background", "body"]}},
        {"output": {"channels": ["garment"], "stride": 3}},
        {"output": {"channels": [_HALF_BY_HINT]}},
        {"output": {"channels": ["background", _NONE_FOR_LOWER]}},
    ],
)
def test_a_card_that_we_cannot_follow_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A key that is misspelt or a role that is missing would give wrong pictures without any error."""
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


def test_a_version_lies_beside_the_others(tmp_path: Path) -> None:
    """By name alone it is the folder of that name; a version that is nowhere is refused."""
    publish(tmp_path, tiny_model())
    publish(tmp_path, tiny_model(), home="tiny@2.0.0", version="2.0.0")
    registry = Registry(tmp_path)
    versions = [registry.card(name).version for name in ("tiny", "tiny@1.0.0", "tiny@2.0.0")]
    assert versions == ["1.0.0", "1.0.0", "2.0.0"]
    with pytest.raises(ModelRefused, match=r"tiny@3\.0\.0"):
        registry.card("tiny@3.0.0")


def test_the_first_folder_that_has_a_model_is_taken(tmp_path: Path) -> None:
    """So the operator's own comes before what comes with the service."""
    ours = publish(tmp_path / "ours", tiny_model(), version="9")
    registry = Registry(ours, publish(tmp_path / "theirs", tiny_model()))
    assert registry.card("tiny").version == "9"
    assert registry.card("tiny@1.0.0").version == "1.0.0"


def test_a_fingerprint_changes_with_the_model(tmp_path: Path) -> None:
    """Also under the same version."""
    registry = Registry(publish(tmp_path, tiny_model()))
    before = registry.fingerprint("tiny")
    assert registry.fingerprint("tiny") == before
    publish(tmp_path, hinted_model())
    assert registry.fingerprint("tiny") != before


def three_files(**recommended: str) -> ModelCard:
    files = {name: {"file": f"{name}.onnx", "sha256": "0" * 64} for name in ("fp32", "fp16", "int8")}
    return ModelCard.model_validate(card(b"", files=files, recommended=recommended))


@pytest.mark.parametrize(
    ("device", "recommended", "wanted", "chosen"),
    [
        (Device.CPU, {}, Precision.AUTO, Precision.FP32),
        (Device.GPU, {}, Precision.AUTO, Precision.FP16),
        (Device.CPU, {"cpu": "int8"}, Precision.AUTO, Precision.INT8),
        (Device.GPU, {"cpu": "int8"}, Precision.AUTO, Precision.FP16),
        (Device.CPU, {"cpu": "int8"}, Precision.FP32, Precision.FP32),
    ],
)
def test_auto_takes_what_the_card_recommends(
    device: Device, recommended: dict[str, str], wanted: Precision, chosen: Precision
) -> None:
    """For where it runs; what is asked for by name comes first."""
    assert three_files(**recommended).precision_for(device, wanted) is chosen


def test_a_precision_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """With those that there are; `auto` takes one of them."""
    registry = Registry(publish(tmp_path, tiny_model(), recommended={"cpu": "int8"}))
    assert registry.load("tiny").precision is Precision.FP32
    with pytest.raises(ModelRefused, match="no int8 file, but fp32"):
        registry.load("tiny", Precision.INT8)


def test_a_result_says_which_precision_made_it(tmp_path: Path) -> None:
    """As the version's build, where it is not the full one."""
    onnx = tiny_model()
    files = {"int8": {"file": "model.onnx", "sha256": hashlib.sha256(onnx).hexdigest()}}
    assert Registry(publish(tmp_path, onnx, files=files)).load("tiny").label == "tiny@1.0.0+int8"


def test_the_built_in_model_is_small_and_whole() -> None:
    """At most 10 MB in the repository, and its card is right."""
    model = load_model()
    assert model.card.name == DEFAULT_MODEL
    assert len(model.onnx) <= 10_000_000
    assert (MODELS / DEFAULT_MODEL).is_dir()
