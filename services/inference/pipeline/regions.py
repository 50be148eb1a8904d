"""Connected regions of a garment mask: specks dropped, pinholes closed."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8

SMALLEST_PART = 0.03
"""Share of the largest part below which a part is a speck: under a belt or a shoe, over a reflection."""
LARGEST_PINHOLE = 0.002
"""Share of the garment up to which a hole may be the segmenter's doubt; a gap at an arm is larger."""
_BELIEVED = 0.3


def without_specks(mask: U8) -> U8:
    """The mask (uint8 [h,w], 0 or 1) without parts that are tiny beside its largest one."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # the ground
    keep = areas >= max(1.0, SMALLEST_PART * areas.max())
    return np.asarray(keep[labels], np.uint8)


def without_pinholes(mask: U8, garment: F32) -> U8:
    """The mask with its small holes closed, where the garment's probability [h,w] half believes in them."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    sums = np.bincount(labels.ravel(), weights=garment.ravel(), minlength=len(areas))
    fill = (areas <= LARGEST_PINHOLE * mask.sum()) & (sums > _BELIEVED * areas)
    fill[0] = False  # the mask itself
    return np.asarray(mask | fill[labels], np.uint8)


def window_around(marked: U8, margin: int) -> tuple[slice, slice]:
    """Rows and columns of everything that is not 0 in a mask [h,w], and `margin` px more where there are."""
    left, top, width, height = cv2.boundingRect(marked)
    rows = slice(max(0, top - margin), top + height + margin)
    return rows, slice(max(0, left - margin), left + width + margin)
