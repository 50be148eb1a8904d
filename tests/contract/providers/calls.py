"""One call of a connection by its ability, and what the model says when it runs here."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from deploy.local.servers.mlserver import MODEL
from libs.common.contracts.providers import Ability
from services.inference.providers.provider import Connection, Tensors

OUTPUTS = ("maps",)
_HEIGHT, _WIDTH = 384, 320


def tensors(pictures: int = 1, seed: int = 0) -> dict[str, NDArray[Any]]:
    """The model's inputs for some made-up pictures: a light shape on a dark ground, with noise."""
    draw = np.random.default_rng(seed)
    image = draw.integers(0, 60, (pictures, _HEIGHT, _WIDTH, 3), dtype=np.uint8)
    for picture in image:
        cv2.rectangle(picture, (90, 60), (230, 330), draw.integers(120, 255, 3).tolist(), -1)
    return {"image": image, "hint": np.zeros(pictures, np.int64)}


def photo() -> bytes:
    """A JPEG of such a picture."""
    encoded, data = cv2.imencode(".jpg", tensors()["image"][0])
    assert encoded
    return data.tobytes()


def local_maps(inputs: Tensors) -> NDArray[np.float32]:
    """The same model by ONNX Runtime in this process."""
    (maps,) = _session().run(list(OUTPUTS), dict(inputs))
    return np.asarray(maps, np.float32)


async def call(connection: Connection, ability: Ability) -> object:
    """One call of that kind."""
    if ability is Ability.SEGMENT:
        return await connection.segment(tensors(), OUTPUTS)
    if ability is Ability.GHOST:
        return await connection.ghost(photo(), "image/jpeg")
    return await connection.on_model(photo(), "image/jpeg", "a woman in a white studio")


@cache
def _session() -> ort.InferenceSession:
    return ort.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
