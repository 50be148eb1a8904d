"""The faults that a result can have: their codes, what a person is told, and from where on they count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a result is not publishable. Stable: customers' programs compare these strings."""

    NO_GARMENT = "no_garment"
    OUTPUT_EQUALS_INPUT = "output_equals_input"
    RESIDUAL_MANNEQUIN = "residual_mannequin"
    RESIDUAL_SKIN = "residual_skin"
    OPENING_NOT_HOLLOW = "opening_not_hollow"
    OFF_WHITE_BACKGROUND = "off_white_background"
    HALO = "halo"
    SEVERAL_GARMENTS = "several_garments"
    CUT_OFF_BY_FRAME = "cut_off_by_frame"
    OCCLUDED = "occluded"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    LOW_CONFIDENCE = "low_confidence"
    PRESET_NOT_MET = "preset_not_met"
    ON_MODEL_POSE_MISMATCH = "on_model_pose_mismatch"
    ON_MODEL_OLD_GARMENT_VISIBLE = "on_model_old_garment_visible"
    ON_MODEL_LOW_RESOLUTION = "on_model_low_resolution"


SENTENCES = {
    Reason.NO_GARMENT: "No garment was found in the photo. "
    "Check that it is the right one, or name the kind of garment with the option `garment`.",
    Reason.OUTPUT_EQUALS_INPUT: "The result shows the photo as it was: nothing was taken away. "
    "Send a photo on a ground that differs from the garment.",
    Reason.RESIDUAL_MANNEQUIN: "A piece of the mannequin is still seen. "
    "Retouch it, or photograph the garment on a form whose colour differs from it.",
    Reason.RESIDUAL_SKIN: "A piece of skin is still seen. Retouch it, or photograph the garment on a form.",
    Reason.OPENING_NOT_HOLLOW: "An opening of the garment still shows what was in it, or nothing at all. "
    "Send a photo of the garment's inside too, or retouch the opening.",
    Reason.OFF_WHITE_BACKGROUND: "A part of the old background is still seen. "
    "Retouch it, or photograph the garment before an even ground.",
    Reason.HALO: "A rim of the old background runs along the garment. "
    "Retouch it, or photograph the garment before a ground that differs from its edge.",
    Reason.SEVERAL_GARMENTS: "There is more than one garment, and it is not clear which is meant. "
    "Name the kind with the option `garment`, or photograph one at a time.",
    Reason.CUT_OFF_BY_FRAME: "The garment runs out of the photo. Photograph it again with a free border.",
    Reason.OCCLUDED: "Something in front hides a part of the garment: hair, a hand, a bag. "
    "Photograph it again without that, or ask for `fill_occlusions`.",
    Reason.BLURRED: "The photo is not sharp. Photograph the garment again.",
    Reason.TOO_DARK: "The photo is too dark. Photograph the garment again with more light.",
    Reason.LOW_CONFIDENCE: "It is not sure where the garment ends. Look at its outline before publishing.",
    Reason.PRESET_NOT_MET: "The result does not meet the requirements of the shop that were asked for.",
    Reason.ON_MODEL_POSE_MISMATCH: "The garment does not lie on this person as it would be worn. "
    "Use a photo of the garment, or a human model, in a pose that is more like the other's.",
    Reason.ON_MODEL_OLD_GARMENT_VISIBLE: "What the human model wears is seen beside the garment. "
    "Use a human model in close-fitting clothes with short sleeves and a wide neck.",
    Reason.ON_MODEL_LOW_RESOLUTION: "The garment's photo is smaller than its place on the human model. "
    "Send a larger photo, or a human model's photo of fewer pixels.",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts of a fault from which a person should look at the result, and from which it is no use.

    What the amount of a fault is, is said where it is measured.
    """

    review: float
    reject: float = math.inf


LIMITS = {
    Reason.NO_GARMENT: Limits(0.995, 0.995),
    Reason.OUTPUT_EQUALS_INPUT: Limits(0.9, 0.9),
    Reason.RESIDUAL_MANNEQUIN: Limits(0.008, 0.25),
    Reason.RESIDUAL_SKIN: Limits(0.008, 0.25),
    Reason.OPENING_NOT_HOLLOW: Limits(0.006, 0.25),
    Reason.OFF_WHITE_BACKGROUND: Limits(0.008, 0.4),
    Reason.HALO: Limits(0.8),
    Reason.SEVERAL_GARMENTS: Limits(0.15),
    Reason.CUT_OFF_BY_FRAME: Limits(0.012),
    Reason.OCCLUDED: Limits(0.015, 0.4),
    Reason.BLURRED: Limits(1.0),
    Reason.TOO_DARK: Limits(1.0),
    Reason.LOW_CONFIDENCE: Limits(0.15, 0.45),
    Reason.ON_MODEL_POSE_MISMATCH: Limits(1.0, 1.8),
    Reason.ON_MODEL_OLD_GARMENT_VISIBLE: Limits(0.015, 0.2),
    Reason.ON_MODEL_LOW_RESOLUTION: Limits(1.8, 5.0),
}
"""Set by `training.faults`, which plants each fault into good results: see the table that it prints. Those of
a person in the garment were set by eye, on pairs of the studio photos that the engine is measured with."""
