"""Models run by ONNX Runtime. The only module that imports it."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import onnxruntime as ort

from services.inference.errors import ModelRefused
from services.inference.models.registry import Model
from services.inference.pipeline.arrays import F32, U8

CLASSES = 3


class Provider(StrEnum):
    """Where a model runs. `auto` takes CUDA if it works here and the CPU if not."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"


_CPU, _CUDA, _TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
_CHOICES = {
    Provider.AUTO: (_CUDA, _CPU),
    Provider.CPU: (_CPU,),
    Provider.CUDA: (_CUDA, _CPU),
    Provider.TENSORRT: (_TENSORRT, _CUDA, _CPU),
}
"""In order of preference. The CPU stays last, for the operators that the others lack."""
_ERRORS_ONLY = 3


class OnnxSegmenter:
    """A Segmenter on an ONNX Runtime session."""

    def __init__(self, model: Model, session: ort.InferenceSession) -> None:
        self._model = model
        self._session = session

    @property
    def name(self) -> str:
        return self._model.label

    @property
    def input_size(self) -> tuple[int, int]:
        return self._model.card.input.height, self._model.card.input.width

    @property
    def provider(self) -> str:
        """The execution provider that is active, by ONNX Runtime's name."""
        return str(self._session.get_providers()[0])

    def probabilities(self, batch: U8) -> F32:
        card = self._model.card
        (maps,) = self._session.run([card.output], {card.input.name: batch})
        return np.asarray(maps, np.float32)


def open_session(model: Model, provider: str = Provider.AUTO, threads: int = 1) -> OnnxSegmenter:
    """Opens a session and runs it once. `threads` is a number of cores for each call.

    Raises ModelRefused if the file is no model, if a provider asked for by name is not active (ONNX Runtime
    itself falls back to the CPU in silence), or if the output is not what a Segmenter gives.
    """
    choice = _choice(provider)
    segmenter = OnnxSegmenter(model, _open(model, choice, threads))
    _require_provider(segmenter, choice)
    _try_out(segmenter)
    return segmenter


def _choice(provider: str) -> Provider:
    try:
        return Provider(provider)
    except ValueError as exc:
        names = ", ".join(choice.value for choice in Provider)
        raise ModelRefused(f"there is no execution provider {provider!r}; choose one of {names}") from exc


def _open(model: Model, provider: Provider, threads: int) -> ort.InferenceSession:
    available = ort.get_available_providers()
    wanted = [name for name in _CHOICES[provider] if name in available]
    try:
        return ort.InferenceSession(model.onnx, _options(threads), providers=wanted)
    except Exception as exc:  # its errors share no base class
        raise ModelRefused(f"ONNX Runtime cannot open model {model.label}: {exc}") from exc


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _require_provider(segmenter: OnnxSegmenter, provider: Provider) -> None:
    wanted = _CHOICES[provider][0]
    if provider is not Provider.AUTO and segmenter.provider != wanted:
        raise ModelRefused(
            f"execution provider {provider.value} was asked for and {segmenter.provider} is active: "
            f"install what {wanted} needs, or choose auto or cpu"
        )


def _try_out(segmenter: OnnxSegmenter) -> None:
    height, width = segmenter.input_size
    try:
        maps = segmenter.probabilities(np.zeros((1, height, width, 3), np.uint8))
    except Exception as exc:  # as above
        raise ModelRefused(f"model {segmenter.name} does not run: {exc}") from exc
    if maps.shape not in ((1, CLASSES, height, width), (1, CLASSES, height // 2, width // 2)):
        raise ModelRefused(f"model {segmenter.name} gives {maps.shape} for a picture of {height}×{width}")
    if not np.allclose(maps.sum(axis=1), 1, atol=1e-2):
        raise ModelRefused(f"model {segmenter.name} gives no probabilities: they do not add up to 1")
