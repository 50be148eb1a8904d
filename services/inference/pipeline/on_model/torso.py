"""Where a person's torso is, by the outline of what is worn and of the body; and who can be no human model.

No skeleton is estimated: shoulders are where the upper edge of the figure turns down, waist and hips are the
ends of what is worn at heights that go with the shoulders' width. That holds for people who stand upright and
face the camera or turn their back to it, which an outline cannot tell apart.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

from libs.common.contracts.inference import Torso
from services.inference.errors import PictureRefused
from services.inference.pipeline.arrays import Bools
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.on_model.figure import Figure, ends_near
from services.inference.pipeline.segment import Hint, Maps, Segmenter, segment

LEAST_SHOULDERS = 90.0
"""Width (px) of shoulders below which a person is too small to be dressed."""
_LEAST_FIGURE, _LEAST_BODY = 0.015, 0.05
"""Shares: of the frame that is a figure, and of the figure that is skin or hair."""
_CORNER = 1.5
"""How many px outwards make up for one down: a shoulder's slope is flatter than that, an arm's steeper."""
_MOST_TILT = 18.0
"""Degrees by which the line of the shoulders may lean."""
_MOST_LEANING = 0.5
_CHEST = (0.22, 0.27, 0.32, 0.37, 0.42)
"""Heights of what is worn, from its top, at which it is as wide as its wearer's chest."""
_INNERMOST, _OUTERMOST = 0.3, 0.68
"""Where a shoulder can end: distance from the middle, in widths at the chest."""
_SLOPE_ENDS = 0.4
_FEWEST_ROWS = 12
_TORSO_ABOVE = 0.6
"""Share of the garment's width that a body has at the frame's upper edge, where it is no neck."""
_NECK_ABOVE = 0.1
_WAIST, _HIPS = (0.75, 1.25), 1.5
"""Heights below the shoulders, in shoulder widths."""
_HALF_WAIST, _HALF_HIPS = (0.27, 0.52), (0.32, 0.56)
"""Half widths there that a body has, in shoulder widths; beyond them it is a coat or an arm that was seen."""
_LIKELY_WAIST, _LIKELY_HIPS = 0.37, 0.42
_SLIMMEST, _WIDEST = 0.1, 0.7
"""Half the shoulders' width, as a share of what is worn below: beyond, those were no shoulders."""
Point = tuple[float, float]


class Unfit(StrEnum):
    """Why a photo can be no human model, or why this garment can't be put on it. Stable: customers' programs
    compare these strings.
    """

    NOBODY = "person_not_found"
    SEVERAL = "person_several"
    TOO_SMALL = "person_too_small"
    NO_TORSO = "person_no_torso"
    CUT_OFF = "person_cut_off"
    NO_LEGS = "person_no_legs"
    NO_GARMENT = "no_garment"


_SENTENCES = {
    Unfit.NOBODY: "Nobody was found in the photo. Send one of a real person, on an even ground.",
    Unfit.SEVERAL: "More than one person is in the photo. Send one of a single person.",
    Unfit.TOO_SMALL: f"The person is too small: the shoulders must be {LEAST_SHOULDERS:.0f} px wide or more.",
    Unfit.NO_TORSO: "No upright torso was found. The person must stand straight and face the camera.",
    Unfit.NO_GARMENT: "No garment to put on the human model was found in the photo. Check that it is the "
    "right one, or name the kind of garment with the option `garment`.",
    Unfit.NO_LEGS: "The garment is worn below the waist, which the human model's photo does not show.",
    Unfit.CUT_OFF: "A shoulder lies outside the photo. Leave a free border around the person.",
}


class PersonRefused(PictureRefused):
    """The photo shows nobody whom a garment could be put on; `code` is one of Unfit, `detail` what to do."""


def find_torso(photo: bytes, segmenter: Segmenter) -> Torso:
    """Torso of the one person in a photo, px; left and right are the picture's.

    PictureRefused if the file is no picture that is taken, PersonRefused if it shows no torso.
    """
    picture = decode(photo)
    return torso_of(picture, segment(picture, segmenter, Hint.UPPER))


def torso_of(picture: Picture, maps: Maps) -> Torso:
    """The same, from what a segmenter said of the photo. PersonRefused."""
    figure = Figure.of(maps, picture.width, picture.height)
    unfit = judge_person(figure)
    if unfit is not None:
        raise refused(unfit)
    torso = None if hangs_from_waist(figure) else measured(figure)
    unfit = judge_torso(torso, figure) if torso is not None else Unfit.NO_TORSO
    if torso is None or unfit is not None:
        raise refused(unfit or Unfit.NO_TORSO)
    return torso


def refused(unfit: Unfit) -> PersonRefused:
    """The refusal for a reason."""
    return PersonRefused(unfit, _SENTENCES[unfit])


def judge_person(figure: Figure) -> Unfit | None:
    """Why the figure is nobody to dress, before anything of it is measured; None if it may be."""
    if figure.whole.mean() < _LEAST_FIGURE or not figure.clothes.any():
        return Unfit.NOBODY
    if figure.body.sum() < _LEAST_BODY * figure.whole.sum():
        return Unfit.NOBODY
    return Unfit.SEVERAL if figure.people() > 1 else None


def judge_torso(torso: Torso, figure: Figure) -> Unfit | None:
    """Why the torso is none to put a garment on, or None."""
    across = torso.right_shoulder[0] - torso.left_shoulder[0]
    down = torso.right_shoulder[1] - torso.left_shoulder[1]
    if across <= 0 or abs(math.degrees(math.atan2(down, across))) > _MOST_TILT:
        return Unfit.NO_TORSO
    if _leaning(figure) > _MOST_LEANING:
        return Unfit.NO_TORSO
    edge = 0.01 * torso.width
    if torso.left_shoulder[0] < edge or torso.right_shoulder[0] > torso.width - edge:
        return Unfit.CUT_OFF
    if torso.left_hip[1] > 1.15 * torso.height:
        return Unfit.CUT_OFF
    if across < LEAST_SHOULDERS:
        return Unfit.TOO_SMALL
    return None if _plausible(across, figure) else Unfit.NO_TORSO


def measured(figure: Figure) -> Torso | None:
    """The torso of whoever or whatever wears the garment, unjudged; None where there are no shoulders."""
    shoulders = _shoulders(figure)
    if shoulders is None:
        return None
    left, right = shoulders
    width = right[0] - left[0]
    middle, y = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    waist = _waist(figure, middle, y, width)
    hips = _at(figure, middle, y + _HIPS * width, width, _HALF_HIPS, _LIKELY_HIPS)
    return Torso(
        width=round(figure.shape[1] * figure.scale[0]),
        height=round(figure.shape[0] * figure.scale[1]),
        left_shoulder=figure.photo(*left),
        right_shoulder=figure.photo(*right),
        neck=figure.photo(middle, y - _NECK_ABOVE * width),
        left_waist=figure.photo(*waist[0]),
        right_waist=figure.photo(*waist[1]),
        left_hip=figure.photo(*hips[0]),
        right_hip=figure.photo(*hips[1]),
    )


def _leaning(figure: Figure) -> float:
    """Px to the side for one down, along the middle of what is worn."""
    rows = np.flatnonzero(figure.garment.any(1))
    rows = rows[len(rows) // 5 : -(len(rows) // 5) or None]
    if len(rows) < _FEWEST_ROWS:
        return 0.0
    middles = [float(np.median(np.flatnonzero(figure.garment[row]))) for row in rows]
    return abs(float(np.polyfit(rows, middles, 1)[0])) * figure.scale[0] / figure.scale[1]


def _plausible(across: float, figure: Figure) -> bool:
    columns = np.flatnonzero(figure.whole.any(0))
    span = (columns[-1] - columns[0] + 1) * figure.scale[0]
    return bool(_SLIMMEST < across / 2 / span < _WIDEST)


def _shoulders(figure: Figure) -> tuple[Point, Point] | None:
    """The outer ends of the slope from the neck, on the figure below the top of what is worn.

    A collar or hood on that slope is too near to the middle.
    """
    rows = np.flatnonzero(figure.garment.any(1))
    if len(rows) < _FEWEST_ROWS:
        return None
    top, height = int(rows[0]), int(rows[-1] - rows[0])
    middle, width = _chest(figure, top, height)
    region = figure.whole[top : top + round(_SLOPE_ENDS * height) + 1].copy()
    across = np.abs(np.arange(region.shape[1]) - middle)
    region[:, (across < _INNERMOST * width) | (across > _OUTERMOST * width)] = False
    return _corners(region, middle, top)


def _chest(figure: Figure, top: int, height: int) -> tuple[float, float]:
    """Middle and width of what is worn where a chest is."""
    everywhere = np.flatnonzero(figure.garment.any(0))
    around = float(np.median(np.nonzero(figure.garment[: top + height // 2])[1]))
    runs = [ends_near(figure.garment[top + round(share * height)], around) for share in _CHEST]
    known = [run for run in runs if run is not None] or [(int(everywhere[0]), int(everywhere[-1]))]
    left, right = np.median(known, axis=0)
    return float(left + right) / 2, max(1.0, float(right - left))


def hangs_from_waist(figure: Figure) -> bool:
    """Whether what is worn begins at a waist: the body above it is as wide, and cut off by the frame."""
    rows = np.flatnonzero(figure.garment.any(1))
    if len(rows) < _FEWEST_ROWS:
        return False
    run = ends_near(figure.garment[rows[len(rows) // 8]], figure.garment.shape[1] / 2)
    if run is None:
        return False
    edge = (figure.whole & ~figure.garment)[:2, run[0] : run[1] + 1].any(0)
    return float(edge.mean()) > _TORSO_ABOVE


def _corners(region: Bools, middle: float, top: int) -> tuple[Point, Point] | None:
    columns = np.flatnonzero(region.any(0))
    if not len(columns):
        return None
    depth = region[:, columns].argmax(0)
    found = []
    for side in (-1, 1):
        reach = np.where(side * (columns - middle) > 0, side * (columns - middle) - _CORNER * depth, -np.inf)
        if not np.isfinite(reach).any():
            return None
        at = np.flatnonzero(reach >= reach.max() - 0.01)
        found.append((float(columns[at].mean()), float(depth[at].mean()) + top))
    return found[0], found[1]


def _waist(figure: Figure, middle: float, y: float, width: float) -> tuple[Point, Point]:
    """At the narrowest of the heights that a waist can have."""
    heights = np.linspace(y + _WAIST[0] * width, y + _WAIST[1] * width, 9)
    runs = [_at(figure, middle, height, width, _HALF_WAIST, _LIKELY_WAIST) for height in heights]
    return min(runs, key=lambda run: run[1][0] - run[0][0])


def _at(
    figure: Figure, middle: float, y: float, width: float, half: tuple[float, float], likely: float
) -> tuple[Point, Point]:
    """The ends of what is worn at a height; a likely body's where that can't be one."""
    row = min(figure.shape[0] - 1, round(y))
    run = ends_near(figure.clothes[row], middle)
    ends = []
    for side, end in zip((-1, 1), run or (-1e9, 1e9), strict=True):
        away = side * (end - middle)
        ends.append(middle + side * (away if half[0] * width <= away <= half[1] * width else likely * width))
    return (ends[0], y), (ends[1], y)
