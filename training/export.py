"""The trained network as an ONNX file, with the model card that the inference service reads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
import yaml

from training.net import CLASSES, Deployed, MannequinNet

INPUT = (384, 320)
"""Height and width in pixels of the shipped model's input."""

FOLDER = Path(__file__).resolve().parents[1] / "services/inference/models/mannequin"
VERSION = "1.0.0"
_OPSET = 17


def export(net: MannequinNet, seen: int) -> Path:
    """Write model.onnx and model.yaml; the path of the former."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "model.onnx"
    net.eval()
    torch.onnx.export(
        Deployed(net).eval(),
        (torch.zeros(1, *INPUT, 3, dtype=torch.uint8),),
        str(path),
        input_names=["image"],
        output_names=["probabilities"],
        dynamic_axes={"image": {0: "n"}, "probabilities": {0: "n"}},
        opset_version=_OPSET,
        dynamo=False,
    )
    card = {
        "name": "mannequin",
        "version": VERSION,
        "task": "segmentation",
        "input": {"name": "image", "layout": "NHWC", "height": INPUT[0], "width": INPUT[1], "colour": "RGB"},
        "output": "probabilities",
        "classes": list(CLASSES),
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "trained_on": f"{seen} procedural photos, none seen twice",
    }
    (FOLDER / "model.yaml").write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")
    return path
