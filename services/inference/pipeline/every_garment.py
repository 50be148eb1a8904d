"""All garments of a photo as one: a segmenter is asked for each kind, and whatever it finds counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from libs.common.contracts.options import GarmentChoice
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import CLASSES, GARMENT, Fit, Hint, Segmenter

_ASKED = (Hint.AUTO, Hint.UPPER, Hint.LOWER)
"""The garment that the photo is about may be a dress; upper and lower ones are asked for by name."""
_LEAST = np.float32(1e-6)


def told(segmenter: Segmenter, choice: GarmentChoice) -> Segmenter:
    """The segmenter as a customer's choice of garment wants it: for one garment as it is."""
    return EveryGarment(segmenter) if choice is GarmentChoice.ALL else segmenter


class EveryGarment:
    """A Segmenter that asks another one several times; hints say nothing to it."""

    def __init__(self, inner: Segmenter) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def input_size(self) -> tuple[int, int]:
        return self._inner.input_size

    @property
    def fit(self) -> Fit:
        return self._inner.fit

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        return united([self._inner.maps(batch, [hint] * len(batch)) for hint in _ASKED])


def united(answers: Sequence[F32]) -> F32:
    """One answer [N,5,h,w] of several: garment is what is one in any; the other classes share the rest.

    What one garment leaves open and another one shows is no interior.
    """
    garments = np.stack([maps[:, GARMENT] for maps in answers])
    garment = garments.max(0)
    whole = np.asarray(np.mean(answers, axis=0), np.float32)
    whole[:, GARMENT] = 0
    rest = whole[:, : len(CLASSES)]
    rest *= ((1 - garment) / np.maximum(rest.sum(1), _LEAST))[:, None]
    rest[:, GARMENT] = 1 - rest.sum(1)
    open_parts = [
        maps[:, len(CLASSES)] * (1 - np.delete(garments, at, 0).max(0)) for at, maps in enumerate(answers)
    ]
    whole[:, len(CLASSES)] = np.max(open_parts, axis=0)
    return whole
