"""How sure the segmenter was of what is shown."""

from __future__ import annotations

import numpy as np

from services.inference.pipeline.verdict.blobs import grown, opened
from services.inference.pipeline.verdict.reasons import Reason
from services.inference.pipeline.verdict.view import Evidence, Findings, View

_UNSURE = 0.65
"""Probability of the likeliest class below which a pixel is undecided."""
_AROUND = 6


def confidence(view: View) -> float:
    """Mean probability of garment (an opening's counts too) among what is shown, 0..1."""
    if not view.shown.any():
        return 0.0
    likely = np.maximum(view.garment, view.maps.interior)
    return float(likely[view.shown].mean())


def doubt(view: View) -> Findings:
    """Amount: what the mean probability lacks, or the share of undecided patches, whichever is more."""
    undecided = opened((view.maps.classes.max(0) < _UNSURE) & grown(view.shown, _AROUND))
    patches = float(undecided.sum()) / view.area
    return {Reason.LOW_CONFIDENCE: Evidence(max(1 - confidence(view), patches), undecided)}
