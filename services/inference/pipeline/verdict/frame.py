"""What of the garment is not in the photo, and what else is: the frame, things in front, other garments."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import U8, Bools
from services.inference.pipeline.verdict.blobs import opened, pieces_of_size
from services.inference.pipeline.verdict.reasons import Reason
from services.inference.pipeline.verdict.view import SHOWN, Evidence, Findings, View

_REACH_ACROSS, _REACH_ALONG = 0.15, 0.3
"""How far (in square roots of the garment's area) a thing in front may be from garment on each of its sides.

Less across: bare shoulders have a strap on their left and on their right too, but further away.
"""
_CLOTH = 0.05
"""Share of the garment below which a piece is no cloth that something could lie between."""
_HAND = 0.006
"""Share of the garment below which a thing in front is a strand of hair or a finger."""
_OTHER_COUNTS = 0.5
"""Clothing that the segmenter does not take for the garment counts half as a second one."""


def emptiness(view: View) -> Findings:
    """Share of the frame that shows no garment."""
    return {Reason.NO_GARMENT: Evidence(1 - float(view.shown.mean()))}


def cut_off(view: View) -> Findings:
    """The garment at the frame. Amount: share of a side that it touches, of the side where it does most."""
    shown = view.own > SHOWN
    border = np.ones_like(shown)
    border[1:-1, 1:-1] = False
    touched = max(float(side.mean()) for side in (shown[0], shown[-1], shown[:, 0], shown[:, -1]))
    return {Reason.CUT_OFF_BY_FRAME: Evidence(touched, shown & border)}


def hidden(view: View) -> Findings:
    """Things in front of the garment. Amount: their share of the shown garment."""
    opening = view.maps.interior > 0.3
    thing = (view.body + view.other > 0.5) & ~view.shown & ~opening
    cloth = pieces_of_size(view.shown | (view.garment > 0.5), _CLOTH * view.area)
    # A hand on the hip has garment on three sides, an arm beside the body on two. A neck has it on three as
    # well: where no openings are known, that says nothing.
    covered = _sides(cloth, view.area**0.5) >= (3 if opening.any() else 4)
    where = pieces_of_size(opened(thing & covered), _HAND * view.area)
    return {Reason.OCCLUDED: Evidence(float(where.sum()) / view.area, where)}


def others(view: View) -> Findings:
    """Garments apart from the one shown. Amount: the size of the largest, as a share of the one shown."""
    if not view.one_is_meant:
        return {Reason.SEVERAL_GARMENTS: Evidence(0.0)}
    figure = view.background < 0.5
    count, labels = cv2.connectedComponents(figure.view(np.uint8), connectivity=8)
    weight = np.where(view.garment > 0.5, 1.0, _OTHER_COUNTS * (view.other > 0.5))
    cloth = np.bincount(labels.ravel(), weights=weight.ravel(), minlength=count)
    main = int(np.argmax(np.bincount(labels[view.shown & figure], minlength=count)))
    cloth[[0, main]] = 0
    second = int(np.argmax(cloth))
    where = (labels == second) & (weight > 0)
    return {Reason.SEVERAL_GARMENTS: Evidence(float(cloth[second]) / view.area, where)}


def _sides(mask: Bools, size: float) -> U8:
    """On how many of its four sides each pixel has the mask close by."""
    plane = mask.view(np.uint8)
    row = np.ones((1, max(2, round(_REACH_ACROSS * size))), np.uint8)
    column = np.ones((max(2, round(_REACH_ALONG * size)), 1), np.uint8)
    looks = ((row, (0, 0)), (row, (row.size - 1, 0)), (column, (0, 0)), (column, (0, column.size - 1)))
    return np.asarray(sum(cv2.dilate(plane, kernel, anchor=anchor) for kernel, anchor in looks), np.uint8)
