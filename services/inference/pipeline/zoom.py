"""A second, closer look at a garment that is small in its photo: the segmenter's pixels go where it is."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

ROOM = 0.18
"""Room left around the garment, as a share of its longer side: its wearer tells what it is."""
LEAST_GAIN = 1.5
"""Enlargement from which a second look pays."""
MOST_GAIN = 3.0
_LIKELY = 0.4
_FEATHER = 0.06
"""Share of the window's sides over which the closer look fades into the first one."""


def window_of(garment: F32) -> Box | None:
    """The window of a probability map [h,w] that deserves a closer look, in its pixels; None if none does."""
    height, width = garment.shape
    left, top, wide, high = cv2.boundingRect(_largest((garment > _LIKELY).astype(np.uint8)))
    room = round(ROOM * max(wide, high))
    box = (
        max(0, left - room),
        max(0, top - room),
        min(width, left + wide + room),
        min(height, top + high + room),
    )
    if not wide or min(width / (box[2] - box[0]), height / (box[3] - box[1])) < 1:
        return None
    gain = min(MOST_GAIN, max(width, height) / max(box[2] - box[0], box[3] - box[1]))
    return box if gain >= LEAST_GAIN else None


def merged(first: F32, closer: F32, box: Box) -> F32:
    """Planes [c,h,w] of the whole photo, enlarged, with those of a window [c,m,n] faded in."""
    scale = min(MOST_GAIN, closer.shape[2] / (box[2] - box[0]))
    size = round(first.shape[2] * scale), round(first.shape[1] * scale)
    whole = _resized(first, size)
    left, top = round(box[0] * scale), round(box[1] * scale)
    right, bottom = min(size[0], round(box[2] * scale)), min(size[1], round(box[3] * scale))
    weight = _weight((bottom - top, right - left), box, first.shape)
    part = whole[:, top:bottom, left:right]
    part += (_resized(closer, (right - left, bottom - top)) - part) * weight
    return whole


def _largest(
    mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    # A garment in two parts, cut by an arm or a bag, is looked at as a whole.
    large = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= 0.2 * stats[1:, cv2.CC_STAT_AREA].max()) + 1
    return np.isin(labels, large).astype(np.uint8)


def _resized(planes: F32, size: tuple[int, int]) -> F32:
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in planes])


def _weight(shape: tuple[int, int], box: Box, whole: Sequence[int]) -> F32:
    """1 inside, down to 0 at those sides of the window that are not the photo's own."""
    rows = _fade(shape[0], box[1] > 0, box[3] < whole[1])
    columns = _fade(shape[1], box[0] > 0, box[2] < whole[2])
    return np.asarray(np.minimum(rows[:, None], columns[None]), np.float32)


def _fade(length: int, at_start: bool, at_end: bool) -> F32:
    ramp = np.arange(length, dtype=np.float32) / max(1, round(length * _FEATHER))
    weight = np.ones(length, np.float32)
    if at_start:
        weight = np.minimum(weight, ramp)
    if at_end:
        weight = np.minimum(weight, ramp[::-1])
    return weight
