"""What should be gone and is still there: body, background, and openings that are not hollow.

Two witnesses: the segmenter's map where the matte went beyond it, and colour. What looks like this photo's
body rather than like its garment, and is joined to the body, is a piece of it even if the map says garment.
"""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import Bools
from services.inference.pipeline.verdict.blobs import (
    grown,
    likelier,
    opened,
    pieces_at,
    pieces_of_size,
    shrunk,
)
from services.inference.pipeline.verdict.reasons import Reason
from services.inference.pipeline.verdict.view import Evidence, Findings, View

_LIKELY, _SURE = 0.4, 0.8
_OPEN = 0.5
_EMPTY_COUNTS = 0.4
_LIKER = 6.0
"""How much likelier a colour is in the body than in the garment if it is a witness."""
_SMALLEST, _SMALLEST_BY_COLOUR = 0.004, 0.012
"""Shares of the garment below which a piece is noise, or a shadow, a button or a seam."""
_STEP = 0.5
"""Share of the colours' distance by which a piece stands out at its border; a shadow changes more slowly."""
_BESIDE = 0.05
_SKIN_CR, _SKIN_CB = (138, 173), (77, 127)
"""Skin in YCrCb after Chai and Ngan, "Face segmentation using skin-color map", IEEE TCSVT 1999.

They begin at a Cr of 133, which takes cream-coloured shells for skin.
"""


def body_left(view: View) -> Findings:
    """Pieces of body among what is shown, outside of openings. Amount: share of the shown garment."""
    inside = view.maps.interior > _OPEN
    said = opened(view.shown & (view.body > _LIKELY) & ~inside)
    left = pieces_of_size(said | (_like_body(view) & ~inside), _SMALLEST * view.area)
    evidence = Evidence(float(left.sum()) / view.area, left)
    return {Reason.RESIDUAL_SKIN if _is_skin(view, left) else Reason.RESIDUAL_MANNEQUIN: evidence}


def openings_not_hollow(view: View) -> Findings:
    """Openings in which the body is still seen, or nothing at all. Amount: share of the shown garment.

    Nothing counts less than a body: a waist that is cut off straight still looks like one.
    """
    opening = view.maps.interior > _OPEN
    full = opening & view.shown & (view.garment < _OPEN)
    empty = opening & ~view.shown & ~view.hollow & view.options.hollow
    full, empty = (pieces_of_size(_thick(piece), _SMALLEST * view.area) for piece in (full, empty))
    amount = float(full.sum() + _EMPTY_COUNTS * empty.sum()) / view.area
    return {Reason.OPENING_NOT_HOLLOW: Evidence(amount, full | empty)}


def _thick(mask: Bools) -> Bools:
    """Without what is a single px thin: a waist's opening is not much thicker."""
    return cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0


def _like_body(view: View) -> Bools:
    body = (view.body > _SURE) & ~view.shown
    garment = shrunk(view.shown & (view.garment > _SURE), 1)
    ratio = likelier(view.colours, body, garment)
    alike = opened(view.shown & (ratio > _LIKER))
    pieces = pieces_of_size(pieces_at(alike, grown(body, 3)), _SMALLEST_BY_COLOUR * view.area)
    rest = shrunk(garment, 1) & (ratio < 1)
    return pieces if pieces.any() and _stands_out(view, pieces, rest) else np.zeros_like(pieces)


def _stands_out(view: View, pieces: Bools, garment: Bools) -> bool:
    """Whether their colour changes at the border to the garment, and not little by little within it."""
    around = grown(pieces, 4) & ~grown(pieces, 1) & garment
    rim = shrunk(pieces, 1) & grown(around, 5)
    if around.sum() < _BESIDE * pieces.sum() or not rim.any():
        return True  # they do not lie in the garment but beside it
    step, apart = (
        float(np.linalg.norm(view.colours[one].mean(0) - view.colours[other].mean(0)))
        for one, other in ((rim, around), (pieces, garment))
    )
    return step > _STEP * apart


def _is_skin(view: View, where: Bools) -> bool:
    if not where.any():
        return False
    mean = np.uint8(view.colours[where].mean(0)).reshape(1, 1, 3)
    _, cr, cb = np.asarray(cv2.cvtColor(mean, cv2.COLOR_RGB2YCrCb)).ravel()
    return bool(_SKIN_CR[0] <= cr <= _SKIN_CR[1] and _SKIN_CB[0] <= cb <= _SKIN_CB[1])
