"""Whether a result may go to a shop as it is: simple rules on probabilities and geometry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts.inference import Verdict
from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.resample import reduced
from services.inference.pipeline.segment import BODY, GARMENT

SMALLEST_GARMENT = 0.005
"""Share of the frame below which nothing is worth showing."""
CONFIDENT = 0.85
"""Mean garment probability from which the outline is believed.

The limits are set on held-out synthetic photos, against an IoU of 0.9: 78 % of what passes is that good,
and 91 % of what is that good passes.
"""
LARGEST_CUT = 0.03
"""Share of a side of the frame that the garment may touch."""
BODY_LIKELY = 0.4
MOST_BODY = 0.05
"""Share of the garment that may be body with a probability of `BODY_LIKELY` or more."""


class Reason(StrEnum):
    """Why a result is not publishable. Stable: customers' programs compare these strings."""

    NO_GARMENT = "no_garment"
    LOW_CONFIDENCE = "low_confidence"
    CUT_OFF_BY_FRAME = "cut_off_by_frame"
    RESIDUAL_MANNEQUIN = "residual_mannequin"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`score` is 0..1: the garment's mean probability, less the share of it that may be body."""

    verdict: Verdict
    score: float
    reasons: tuple[Reason, ...] = ()


def judge(probabilities: F32, alpha: U8) -> Judgement:
    """Judges a matte (alpha uint8 [H,W]) by the class probabilities [3,h,w] that it was made from."""
    shown = _at_model_size(alpha, probabilities)
    if shown.mean() < SMALLEST_GARMENT:
        return Judgement(Verdict.REJECTED, 0.0, (Reason.NO_GARMENT,))
    confidence = float(probabilities[GARMENT][shown].mean())
    body = float((probabilities[BODY][shown] >= BODY_LIKELY).mean())
    found = {
        Reason.LOW_CONFIDENCE: confidence < CONFIDENT,
        Reason.CUT_OFF_BY_FRAME: _touches_frame(shown),
        Reason.RESIDUAL_MANNEQUIN: body > MOST_BODY,
    }
    reasons = tuple(reason for reason, holds in found.items() if holds)
    verdict = Verdict.REVIEW if reasons else Verdict.PUBLISHABLE
    return Judgement(verdict, round(confidence * (1 - body), 4), reasons)


def _at_model_size(alpha: U8, probabilities: F32) -> Bools:
    size = (probabilities.shape[2], probabilities.shape[1])
    return reduced(alpha, size) > 127


def _touches_frame(shown: Bools) -> bool:
    sides = (shown[0], shown[-1], shown[:, 0], shown[:, -1])
    return any(side.mean() > LARGEST_CUT for side in sides)
