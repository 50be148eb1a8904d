"""What is thought of a person in a garment: the faults of the garment's own cut-out that still count, and
those of the fit.
"""

from __future__ import annotations

import numpy as np

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.on_model.arms import exposed
from services.inference.pipeline.on_model.figure import Figure
from services.inference.pipeline.on_model.fit import Fit
from services.inference.pipeline.segment import Maps
from services.inference.pipeline.verdict import Reason
from services.inference.pipeline.verdict.judgement import Judgement, judged, measured
from services.inference.pipeline.verdict.view import Evidence, View, view_of

_OF_THE_GARMENT = {
    Reason.NO_GARMENT,
    Reason.RESIDUAL_MANNEQUIN,
    Reason.RESIDUAL_SKIN,
    Reason.HALO,
    Reason.SEVERAL_GARMENTS,
    Reason.CUT_OFF_BY_FRAME,
    Reason.OCCLUDED,
    Reason.BLURRED,
    Reason.TOO_DARK,
    Reason.LOW_CONFIDENCE,
}
"""Faults of a cut-out that are seen on a person, too; openings are filled by the person."""
_LOOKED_AT = 1.5
"""Bare arm is for a person to judge: a wide garment may hide the arm beside it."""
_OUTLINE, _BESIDE, _STRAIN, _BARE = 0.22, 0.1, 1.0, 0.025
"""From where on a pose does not match: share of the outline missed, share of the garment that hangs in the
air beside the person, uneven stretch of the cloth, bare arm beside a sleeve.
"""


def judge_worn(
    layers: Layers,
    maps: Maps,
    options: RenderOptions,
    fit: Fit,
    figure: Figure,
    *,
    arms: F32,
    old_share: float,
    enlarged: float,
) -> Judgement:
    """`layers` and `maps` are the garment photo's; `arms`: see `along_arms`; `old_share`: what
    is seen of the old garment, 0..1;
    `enlarged`: px of the result for one of the garment's photo. Boxes would be of another photo than the
    result's, so there are none.
    """
    view = view_of(layers, maps, options)
    evidence = _of_the_garment(view)
    evidence[Reason.ON_MODEL_POSE_MISMATCH] = Evidence(mismatch(fit, figure.whole, arms))
    evidence[Reason.ON_MODEL_OLD_GARMENT_VISIBLE] = Evidence(old_share)
    evidence[Reason.ON_MODEL_LOW_RESOLUTION] = Evidence(enlarged)
    return judged(view, evidence)


def judge_garment(layers: Layers, maps: Maps, options: RenderOptions) -> Judgement:
    """What is thought of the garment's photo alone, for whoever else puts it on a person."""
    view = view_of(layers, maps, options)
    return judged(view, _of_the_garment(view))


def _of_the_garment(view: View) -> dict[Reason, Evidence]:
    """Without places: they would be in another photo than the result."""
    found = measured(view).items()
    return {reason: Evidence(fault.amount) for reason, fault in found if reason in _OF_THE_GARMENT}


def mismatch(fit: Fit, person: Bools, arms: F32) -> float:
    """How badly it fits: 1 where a person should look, 2 where it is no use."""
    area = int(fit.garment.sum())
    if not area:
        return 10.0
    beside = float(np.count_nonzero(fit.garment & ~person)) / area
    bare = float(np.count_nonzero(exposed(arms, fit.garment))) / area
    return max(
        (1 - fit.overlap) / _OUTLINE, beside / _BESIDE, fit.strain / _STRAIN, min(bare / _BARE, _LOOKED_AT)
    )
