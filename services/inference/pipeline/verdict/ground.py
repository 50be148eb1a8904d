"""Whether the old background is gone, from the garment's surroundings and from the finished picture."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import U8, Bools
from services.inference.pipeline.verdict.blobs import grown, shrunk
from services.inference.pipeline.verdict.reasons import Reason
from services.inference.pipeline.verdict.view import Evidence, Findings, View

_HAZE = 12
"""Alpha from which the old background is seen on the new one."""
_NEAR = 6
"""Distance (px of the close view) from the garment within which a rest of the ground is a halo instead."""
_OPAQUE = 240
_ALL = 0.97
"""Share of the frame from which the garment is the whole photo."""
_DIFFERENT, _SAME = 8, 10
"""Levels within which a colour is the ground's, and a pixel the photo's, which was perhaps resized."""
_LITTLE = 0.02
"""Share of the frame below which there was hardly anything to change."""


def ground_left(view: View) -> Findings:
    """Old background that is still shown, away from the garment. Amount: share of the frame."""
    away = ~grown(view.closely(view.garment), _NEAR)
    background = view.closely(view.background)
    left = (view.own > _HAZE) & away & background
    unclean = _unclean(view)
    if unclean is not None:
        left |= unclean
    left = grown(shrunk(left, 2), 2)
    return {Reason.OFF_WHITE_BACKGROUND: Evidence(float(left.mean()), left)}


def nothing_changed(view: View) -> Findings:
    """How much of what should have gone is still as it was: a share. 0 if there was nothing to change."""
    untouched = float((view.own > _OPAQUE).mean())
    kept = _kept(view)
    return {Reason.OUTPUT_EQUALS_INPUT: Evidence(max(untouched if untouched > _ALL else 0.0, kept))}


def _unclean(view: View) -> Bools | None:
    """Where the finished picture should be plain ground and is not."""
    if view.result is None:
        return None
    if view.result.shape[2] == 4:
        return np.asarray(view.outside() & (view.result[..., 3] > _HAZE), np.bool_)
    ground = view.ground()
    return None if ground is None else view.outside() & ~_is_colour(view.result, ground)


def _kept(view: View) -> float:
    if view.result is None:
        return 0.0
    ground, to_change = view.ground(), view.outside()
    if ground is not None:
        to_change &= ~_is_colour(view.sampled, ground)
    if to_change.mean() < _LITTLE:
        return 0.0
    difference = cv2.absdiff(np.ascontiguousarray(view.result[..., :3]), view.sampled)
    same = np.asarray(cv2.inRange(difference, (0, 0, 0), (_SAME,) * 3), np.uint8) > 0
    if view.result.shape[2] == 4:
        same &= view.result[..., 3] > _OPAQUE
    return float(same[to_change].mean())


def _is_colour(pixels: U8, colour: U8) -> Bools:
    low, high = (tuple(float(level) + off for level in colour) for off in (-_DIFFERENT, _DIFFERENT))
    return np.asarray(cv2.inRange(pixels, low, high), np.uint8) > 0
