"""An opening at the photo's own size: its smooth outline, and how deep each pixel lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.hollow.back_neckline import Rim
from services.inference.pipeline.hollow.evidence import Evidence, Frame, distance_to, grown
from services.inference.pipeline.hollow.openings import GROUND, Opening, Place

TUCK = 2.0
"""How far (px of the evidence) a filling reaches under the garment, so that no gap shows at a soft edge."""
_DOUBT = 0.12
"""How far (share of its width) an opening may be larger than the maps say."""


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """A part of the photo, `frame` (px). All maps are [h,w] of it.

    `alpha` is uint8, the opening's outline with what lies hidden under the garment; `depth` float32, px below
    the back edge; `front` float32, px from the front edge; `size` is the opening's width and depth (px).
    """

    frame: Frame
    alpha: U8
    depth: F32
    front: F32
    rim: Rim
    size: tuple[float, float]


def open_hole(evidence: Evidence, opening: Opening, rim: Rim, alpha: U8) -> Hole | None:
    """The hole under a back edge, as the garment's matte [H,W] bounds it; None if nothing is open."""
    region = _region(evidence, opening, rim)
    if not region.any():
        return None
    x, y = 1 / evidence.scale[0], 1 / evidence.scale[1]
    frame = Frame.around(region).grown(2 * TUCK, 2 * TUCK, region.shape).scaled(x, y)
    frame = frame.grown(0, 0, alpha.shape)
    large = rim.scaled(x, y)
    depth = _depth(frame, large)
    soft = outline_of(region | (grown(region, TUCK) & evidence.garment), frame, evidence.scale)
    outline = np.minimum(soft, _under(depth, large, frame))
    front = distance_to(alpha[frame.window] >= 128)
    deepest = float((depth * (outline > 0.5) * (alpha[frame.window] < 128)).max())
    return Hole(
        frame, np.asarray(np.rint(outline * 255), np.uint8), depth, front, large, (large.width, deepest)
    )


def _region(evidence: Evidence, opening: Opening, rim: Rim) -> Bools:
    """What is open below the back edge, at the evidence's size and a little beyond that edge."""
    if opening.place in (Place.SLEEVE, Place.HEM):
        return _hull(opening.seed) & ~evidence.garment
    seed = Frame.around(opening.seed)
    height, width = evidence.shape
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    between = (columns >= rim.left[0]) & (columns <= rim.right[0])
    below = rows >= rim.height_at(columns) + np.where(between, -2, 2)
    near = grown(opening.seed, max(3.0, _DOUBT * rim.width)) & (rows <= seed.bottom + 2 + seed.height // 8)
    if opening.place is Place.WAIST:
        near |= between & (rows <= seed.bottom)
    near &= _floored(evidence.garment) | grown(opening.seed, 1)
    free = ~evidence.garment & below
    inside = np.zeros(evidence.shape, np.bool_)
    inside[seed.window] = evidence.ground[seed.window] < GROUND
    return _touching(free & near, opening.seed) | (free & inside & _across(opening.seed))


def _floored(garment: Bools) -> Bools:
    """What has garment somewhere below it; elsewhere an opening ends where the maps say, as an open front."""
    return np.asarray(np.maximum.accumulate(garment[::-1], axis=0)[::-1], np.bool_)


def _hull(seed: Bools) -> Bools:
    """The convex hull: the far edge of a cuff or a hem is never ragged."""
    contours, _ = cv2.findContours(seed.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(np.concatenate(contours))
    return np.asarray(cv2.fillConvexPoly(np.zeros(seed.shape, np.uint8), hull, 1), np.uint8) > 0


def _across(seed: Bools) -> Bools:
    """Everything between the leftmost and the rightmost pixel of the seed in each of its rows."""
    left = np.maximum.accumulate(seed, axis=1)
    right = np.maximum.accumulate(seed[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(left & right, np.bool_)


def _touching(mask: Bools, seed: Bools) -> Bools:
    """The connected parts of a mask that hold something of the seed."""
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    held = np.unique(labels[seed & mask])
    return np.isin(labels, held[held > 0])


def _depth(frame: Frame, rim: Rim) -> F32:
    columns = np.arange(frame.left, frame.right, dtype=np.float32) + np.float32(0.5)
    rows = np.arange(frame.top, frame.bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    return np.asarray(rows - rim.height_at(columns), np.float32)


def _under(depth: F32, rim: Rim, frame: Frame) -> F32:
    """Coverage 0..1 of each pixel by what lies below the back edge."""
    columns = np.arange(frame.left, frame.right, dtype=np.float32) + np.float32(0.5)
    return np.asarray(np.clip(depth / np.sqrt(1 + rim.slope_at(columns) ** 2) + 0.5, 0, 1), np.float32)


def outline_of(region: Bools, frame: Frame, scale: tuple[float, float]) -> F32:
    """A small mask's outline without its steps, 0..1 over a part of the photo."""
    soft = cv2.GaussianBlur(region.astype(np.float32), (0, 0), 1.2)
    part = _enlarged(np.asarray(soft, np.float32), frame, scale)
    return np.asarray(np.clip((part - 0.5) * (2 / max(scale)) + 0.5, 0, 1), np.float32)


def _enlarged(plane: F32, frame: Frame, scale: tuple[float, float]) -> F32:
    """The part of a small map that lies under a part of the photo, bilinearly at the photo's size."""
    to_small = np.array(
        [
            [scale[0], 0, (frame.left + 0.5) * scale[0] - 0.5],
            [0, scale[1], (frame.top + 0.5) * scale[1] - 0.5],
        ],
        np.float32,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (frame.width, frame.height)
    part = cv2.warpAffine(plane, to_small, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(part, np.float32)
