"""How a picture came about, in the words of the IPTC, decided from the pixels that nobody photographed.

Definitions: IPTC NewsCodes, Digital Source Type (https://cv.iptc.org/newscodes/digitalsourcetype/); decision
0043 says which was chosen for what.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from services.inference.pipeline.arrays import Bools
from services.inference.pipeline.hollow import Note, Source
from services.inference.pipeline.layers import Layers

_SCHEME = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class DigitalSource(StrEnum):
    """Digital source types that results of ours can have; one without invented pixels has none."""

    COMPOSITE_CAPTURE = f"{_SCHEME}compositeCapture"
    """Out of several photos: the inner back is another shot's."""
    COMPOSITE_SYNTHETIC = f"{_SCHEME}compositeSynthetic"
    """Some of it was made by an algorithm: a synthesised inner back, a person in a garment never worn."""
    COMPOSITE_WITH_TRAINED = f"{_SCHEME}compositeWithTrainedAlgorithmicMedia"
    """Some of it was drawn by a generative model."""


def invented(layers: Layers) -> Bools:
    """Where the result shows what is not of the garment's photo, [H,W]: fillings, as far as they are seen."""
    return np.asarray((layers.filling.alpha > 0) & (layers.matte.alpha < 255), np.bool_)


def source_of(layers: Layers, *, drawn: bool = False) -> DigitalSource | None:
    """`drawn`: whether a generative model's drawing was at hand; None where nothing invented is seen."""
    filling = layers.filling
    if not invented(layers).any():
        return None
    if filling.source is Source.DRAWING or (drawn and Note.DRAWING_DOES_NOT_FIT not in filling.notes):
        return DigitalSource.COMPOSITE_WITH_TRAINED
    if filling.source is Source.INSIDE_SHOT and not filling.hidden.filled:
        return DigitalSource.COMPOSITE_CAPTURE
    return DigitalSource.COMPOSITE_SYNTHETIC
