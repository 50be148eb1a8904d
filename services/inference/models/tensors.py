"""From the pipeline's pictures to a model's input, and from its output to the pipeline's maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.inference.models.card import ModelInput, ModelOutput, Normalise, Role
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import CLASSES, Hint

Tensor = NDArray[Any]
_HINTS = tuple(Hint)
_PLANES = (*(Role(name) for name in CLASSES), Role.INTERIOR)
COARSEST = 2
"""Input px for one px of the maps, at most: what is coarser is enlarged to it."""
_LEAST_SPAN = 1e-6


def picture_tensor(batch: U8, into: ModelInput) -> Tensor:
    """The model's input from sRGB uint8 [N,H,W,3]."""
    pixels: Tensor = batch if into.colour == "RGB" else batch[..., ::-1]
    if into.dtype != "uint8":
        pixels = np.stack([_normalised(picture, into.normalise or Normalise()) for picture in pixels])
    if into.layout == "NCHW":
        pixels = pixels.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pixels, dtype=into.dtype)


def hint_tensor(hints: Sequence[Hint]) -> NDArray[np.int64]:
    """int64 [N]: each hint's place in its order."""
    return np.array([_HINTS.index(hint) for hint in hints], np.int64)


def maps_of(raw: Tensor, output: ModelOutput, hints: Sequence[Hint]) -> F32:
    """float32 [N,5,h,w], CLASSES then INTERIOR, of what the model gave: [N,C,h,w], [N,h,w,C] or [N,h,w]."""
    channels = _activated(_channels_first(raw, output), output.activation)
    pairs = zip(channels, hints, strict=True)
    maps = np.stack([_planes(values, output.roles(hint)) for values, hint in pairs])
    return maps if output.stride <= COARSEST else _enlarged(maps, output.stride // COARSEST)


def _normalised(picture: Tensor, how: Normalise) -> F32:
    """By a table of what each of the 256 values becomes, which is one pass whatever the arithmetic."""
    scale = 1 / max(float(picture.max()), _LEAST_SPAN) if how.divide_by_max else how.scale
    values = np.arange(256, dtype=np.float64)[:, None] * scale
    table = (values - np.array(how.mean)) / np.array(how.std)
    looked_up = cv2.LUT(np.ascontiguousarray(picture), table.astype(np.float32).reshape(1, 256, 3))
    return np.asarray(looked_up, np.float32)


def _channels_first(raw: Tensor, output: ModelOutput) -> F32:
    values = np.asarray(raw, np.float32)
    if values.ndim == 3:
        values = values[:, None]
    elif output.layout == "NHWC":
        values = values.transpose(0, 3, 1, 2)
    return values


def _activated(values: F32, activation: str) -> F32:
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), np.float32)
    if activation == "softmax":
        grown = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True), np.float32)
    if activation == "minmax":
        low, high = (edge(values, axis=(1, 2, 3), keepdims=True) for edge in (np.min, np.max))
        return np.asarray((values - low) / np.maximum(high - low, _LEAST_SPAN), np.float32)
    return values


def _enlarged(values: F32, times: int) -> F32:
    height, width = values.shape[2] * times, values.shape[3] * times
    enlarged = [
        [cv2.resize(np.ascontiguousarray(plane), (width, height)) for plane in picture] for picture in values
    ]
    return np.array(enlarged, np.float32)


def _planes(values: F32, roles: Sequence[Role]) -> F32:
    planes = np.zeros((len(_PLANES), *values.shape[1:]), np.float32)
    for role, plane in zip(roles, values, strict=True):
        if role is not Role.IGNORED:
            planes[_PLANES.index(role)] += plane
    if Role.BACKGROUND not in roles:
        planes[0] = np.clip(1 - planes[1 : len(CLASSES)].sum(axis=0), 0, 1)
    return planes
