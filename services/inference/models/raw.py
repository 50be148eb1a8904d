"""A model of the registry run on tensors as they are: what an inference server elsewhere would do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnxruntime as ort

from services.inference.errors import ModelRefused
from services.inference.models.lanes import Tensor
from services.inference.models.providers import CPU
from services.inference.models.registry import Model

_ERRORS_ONLY = 3


class RawModel:
    """Inputs and outputs by their names in the graph. Safe to call from several threads at once."""

    def __init__(self, model: Model) -> None:
        """ModelRefused if ONNX Runtime can't open it."""
        self.label = model.label
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(model.onnx, options, providers=[CPU], enable_fallback=0)
        except Exception as exc:  # its errors share no base class
            raise ModelRefused(f"ONNX Runtime cannot open model {model.label}: {exc}") from exc

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> dict[str, Tensor]:
        """ValueError where the tensors are not those of the graph."""
        try:
            answers = self._session.run(list(outputs), dict(inputs))
        except Exception as exc:  # as above
            raise ValueError(f"model {self.label} does not take these tensors") from exc
        return dict(zip(outputs, answers, strict=True))
