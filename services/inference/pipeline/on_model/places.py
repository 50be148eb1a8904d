"""Which places of a garment and of a person belong together, and which outlines the garment may take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from libs.common.contracts.inference import Torso
from services.inference.pipeline.arrays import F32, Bools
from services.inference.pipeline.on_model.arms import HAND, along_arms
from services.inference.pipeline.on_model.contour import F64
from services.inference.pipeline.on_model.figure import Figure
from services.inference.pipeline.on_model.fit import least_squares
from services.inference.pipeline.on_model.torso import Unfit, measured, refused

_SHOULDER, _NECK = 0.14, 0.36
"""How far above the shoulders' line an arm begins, and how far from the middle, in shoulder widths."""
_UPPER_EDGE, _KNEE = 0.03, 0.5
"""Heights of what is worn below the waist, from its top."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """In px of the person's figure and of the garment's: `start` [2,3] from the one to the other, `pairs` of
    places that belong together [k,2], `unit`, the shoulders' width (or the waist's and half as much) on the
    person, and `shoulders` [2,2] there. `targets` [h,w] are outlines that the garment may take; of these, the
    ones from `bare` on cover bare arms or legs. `arms`: see `along_arms`.
    """

    start: F64
    pairs: tuple[F64, F64]
    unit: float
    shoulders: F64
    targets: list[Bools]
    bare: int
    arms: F32


def places_above(person: Figure, torso: Torso, garment: Figure) -> Places:
    """For a garment that hangs from the shoulders. PersonRefused where it shows none."""
    worn = measured(garment)
    if worn is None:
        raise refused(Unfit.NO_GARMENT)
    on, of = _points(torso, person), _points(worn, garment)
    shoulders = on[:2]
    unit = float(np.linalg.norm(shoulders[1] - shoulders[0]))
    arms = along_arms(person.body & _beside(person, shoulders, unit), shoulders, unit)
    with np.errstate(invalid="ignore"):
        sleeves = np.asarray(arms <= HAND, np.bool_)
    targets = [person.garment, person.clothes, person.garment | sleeves]
    start = least_squares(np.concatenate([on[:2], on]), np.concatenate([of[:2], of]))
    return Places(start, (on[:4], of[:4]), unit, shoulders, targets, 2, arms)


def places_below(person: Figure, garment: Figure) -> Places:
    """For a garment that hangs from the waist."""
    on, of = _hanging(person.garment), _hanging(garment.garment)
    unit = 1.5 * float(np.linalg.norm(on[1] - on[0]))
    top = np.flatnonzero(person.garment.any(1))[0]
    legs = person.body & (np.arange(person.shape[0])[:, None] > top)
    nowhere = np.full(person.shape, np.nan, np.float32)
    start = least_squares(np.concatenate([on[:2], on]), np.concatenate([of[:2], of]))
    targets = [person.garment, person.garment | legs]
    return Places(start, (on[:2], of[:2]), unit, on[:2], targets, 1, nowhere)


def _beside(person: Figure, shoulders: F64, unit: float) -> Bools:
    """Where arms can be: below the shoulders, and at them beside the neck."""
    middle, y = shoulders.mean(0)
    rows, columns = np.arange(person.shape[0])[:, None], np.arange(person.shape[1])[None]
    at_shoulders = (rows > y - _SHOULDER * unit) & (np.abs(columns - middle) > _NECK * unit)
    return np.asarray((rows > y) | at_shoulders, np.bool_)


def _points(torso: Torso, figure: Figure) -> F64:
    """Shoulders, waist, hips: left, right of each, in px of the figure."""
    places = [torso.left_shoulder, torso.right_shoulder, torso.left_waist, torso.right_waist]
    points = np.array([*places, torso.left_hip, torso.right_hip], np.float64)
    return np.asarray(points / np.array(figure.scale) - 0.5, np.float64)


def _hanging(mask: Bools) -> F64:
    """The ends of the upper edge, and of the middle height; left, right of each."""
    rows = np.flatnonzero(mask.any(1))
    found = []
    for share in (_UPPER_EDGE, _KNEE):
        row = rows[min(len(rows) - 1, round(share * len(rows)))]
        columns = np.flatnonzero(mask[row])
        found += [(columns[0], row), (columns[-1], row)]
    return np.array(found, np.float64)
