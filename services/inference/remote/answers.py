"""What a provider answers, held against the model's card: it may be another model, or no model at all."""

from __future__ import annotations

import numpy as np

from libs.common.contracts.providers import FaultCode
from services.inference.models.card import ModelCard
from services.inference.pipeline.arrays import F32
from services.inference.pipeline.segment import CLASSES
from services.inference.providers.provider import CallFailed, Tensors

_TOLERANCE = 1e-2
_WIDEST = 0.5 + _TOLERANCE


def output_name(card: ModelCard) -> str:
    """The output that a remote server is asked for; a card for that names it."""
    assert card.output.name is not None
    return card.output.name


def output_of(answer: Tensors, card: ModelCard, count: int) -> F32:
    """The output for `count` pictures. CallFailed (bad answer) where it is not as the card says."""
    raw = answer.get(output_name(card))
    expected = shape_of(card, count)
    if raw is None or raw.shape != expected or not np.issubdtype(raw.dtype, np.floating):
        given = "nothing" if raw is None else f"{raw.dtype} {list(raw.shape)}"
        raise CallFailed(
            FaultCode.BAD_ANSWER,
            f"the endpoint answered {given} where {card.label} gives floats {list(expected)}",
        )
    return np.asarray(raw, np.float32)


def require_chances(maps: F32, card: ModelCard) -> F32:
    """The maps [N,5,h,w], if they can be a model's. CallFailed (bad answer) if not, NaN among them."""
    sums = maps[:, : len(CLASSES)].sum(axis=1)
    if not float(np.abs(sums - 1).max()) <= _TOLERANCE or not float(np.abs(maps - 0.5).max()) <= _WIDEST:
        raise CallFailed(FaultCode.BAD_ANSWER, f"the endpoint's answer is none that {card.label} can give")
    return maps


def shape_of(card: ModelCard, count: int) -> tuple[int, ...]:
    """The shape of the output for so many pictures."""
    height, width = card.input.height // card.output.stride, card.input.width // card.output.stride
    channels = len(card.output.channels)
    first = card.output.layout == "NCHW"
    return (count, channels, height, width) if first else (count, height, width, channels)
