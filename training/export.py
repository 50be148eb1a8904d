"""The trained network as ONNX files: full, half and 8-bit precision."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from training.cases import HINTS, Case
from training.net import CLASSES, Deployed, MannequinNet

INPUT = (384, 320)
"""Height and width in pixels of the shipped model's input."""
PRECISIONS = ("fp32", "fp16", "int8")
_OPSET = 17


class _Half(nn.Module):
    """Half precision inside; pictures come in and probabilities leave as before, the softmax is full."""

    def __init__(self, net: MannequinNet) -> None:
        super().__init__()
        self.net = copy.deepcopy(net).half()

    def forward(self, image: Tensor, hint: Tensor) -> Tensor:
        picture = image.permute(0, 3, 1, 2).to(torch.float16) / 255
        scores = self.net(picture, hint).float()
        classes = torch.softmax(scores[:, : len(CLASSES)], 1)
        return torch.cat([classes, torch.sigmoid(scores[:, len(CLASSES) :])], 1)


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Letterboxed cases, one by one, from which the ranges of 8-bit values are taken."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = iter(cases)

    def get_next(self) -> dict[str, np.ndarray] | None:
        case = next(self._cases, None)
        return None if case is None else feed(case)


def feed(case: Case) -> dict[str, np.ndarray]:
    """The inputs of the shipped model for a letterboxed case."""
    return {"image": case.rgb[None], "hint": np.array([HINTS.index(case.hint)], np.int64)}


def export(net: MannequinNet, folder: Path, calibration: Sequence[Case]) -> dict[str, Path]:
    """Writes `model.<precision>.onnx` for each precision; their paths.

    `image` uint8 [N,384,320,3] and `hint` int64 [N] to `maps` float32 [N,5,192,160].
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {precision: folder / f"model.{precision}.onnx" for precision in PRECISIONS}
    net = net.cpu().eval()
    _write(Deployed(net), paths["fp32"])
    _write(_Half(net), paths["fp16"])
    _quantise(paths["fp32"], paths["int8"], calibration)
    return paths


def _write(module: nn.Module, path: Path) -> None:
    inputs = (torch.zeros(2, *INPUT, 3, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            inputs,
            str(path),
            input_names=["image", "hint"],
            output_names=["maps"],
            dynamic_axes={"image": {0: "n"}, "hint": {0: "n"}, "maps": {0: "n"}},
            opset_version=_OPSET,
            dynamo=False,
        )


def _quantise(full: Path, path: Path, calibration: Sequence[Case]) -> None:
    """Convolutions in 8 bits, a scale for each output channel; the last one and the softmax stay full."""
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(full), str(prepared), skip_symbolic_shape=True)
        head = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "Conv"][-1]
        quantize_static(
            str(prepared),
            str(path),
            _Pictures(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Concat", "Resize", "Add"],
            nodes_to_exclude=[head],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
