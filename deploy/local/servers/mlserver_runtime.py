"""A runtime of MLServer that serves any ONNX file by ONNX Runtime. Loaded by MLServer, in its process."""

from __future__ import annotations

import asyncio
from typing import Any

import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxRuntime(MLModel):  # type: ignore[misc]  # MLServer carries no types
    """The file of `parameters.uri`, its tensors by the names in the graph."""

    async def load(self) -> bool:
        options = ort.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        uri = self.settings.parameters.uri
        self._session = ort.InferenceSession(uri, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        names = [output.name for output in payload.outputs or self.outputs]
        answers: list[Any] = await asyncio.to_thread(self._session.run, names, feeds)
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[
                NumpyCodec.encode_output(name, answer) for name, answer in zip(names, answers, strict=True)
            ],
        )
