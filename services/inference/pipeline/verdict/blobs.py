"""Connected pieces of small masks, and colours that tell one thing from another."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools

_SHIFT = 4
_LEVELS = 256 >> _SHIFT
_SMOOTH = np.array([0.25, 0.5, 0.25])
_FEWEST = 40
"""Pixels below which nothing is learned of a thing's colours."""


def opened(mask: Bools) -> Bools:
    """Without what is thinner than 3 px; the frame's edge does not count as an edge."""
    return grown(shrunk(mask, 1), 1)


def grown(mask: Bools, reach: int) -> Bools:
    """The mask and what is within `reach` px of it, diagonals counted as one."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), _square(reach)), np.uint8).view(np.bool_)


def shrunk(mask: Bools, reach: int) -> Bools:
    """What of the mask is further than `reach` px from its edge; the frame's edge does not count as one."""
    kept = cv2.erode(mask.view(np.uint8), _square(reach), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(kept, np.uint8).view(np.bool_)


def pieces_of_size(mask: Bools, smallest: float) -> Bools:
    """The connected pieces that have at least `smallest` px."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= max(1.0, smallest)
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)


def pieces_at(mask: Bools, seed: Bools) -> Bools:
    """The connected pieces that meet `seed`."""
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    keep = np.zeros(int(labels.max()) + 1, np.bool_)
    keep[labels[seed & mask]] = True
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)


def likelier(colours: U8, one: Bools, other: Bools) -> F32:
    """How much likelier each pixel's colour is in `one` than in `other`, by smoothed histograms; [h,w].

    0 everywhere if either is too small to learn from.
    """
    if one.sum() < _FEWEST or other.sum() < _FEWEST:
        return np.zeros(one.shape, np.float32)
    bins = (colours >> _SHIFT).astype(np.intp)
    index = (bins[..., 0] * _LEVELS + bins[..., 1]) * _LEVELS + bins[..., 2]
    ratio = _histogram(index[one]) / (_histogram(index[other]) + 1e-4)
    return np.asarray(ratio[index], np.float32)


def _histogram(index: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> F32:
    counts = np.bincount(index, minlength=_LEVELS**3).astype(np.float32).reshape(-1, _LEVELS)
    for _ in range(3):  # along one axis after another: each turn brings the next one to the end
        smooth = np.asarray(cv2.sepFilter2D(counts, -1, _SMOOTH, np.ones(1)), np.float32)
        counts = np.ascontiguousarray(smooth.reshape(_LEVELS**2, _LEVELS).T).reshape(-1, _LEVELS)
    return np.asarray(counts.ravel() / len(index), np.float32)


def _square(reach: int) -> U8:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
