"""The tenant's own photo of the inner back, laid behind the front's neckline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow.back_neckline import Rim
from services.inference.pipeline.hollow.colour_transfer import transfer
from services.inference.pipeline.hollow.evidence import Evidence, Frame
from services.inference.pipeline.hollow.filling import Source
from services.inference.pipeline.hollow.hole import Hole
from services.inference.pipeline.hollow.registration import Registration, register
from services.inference.pipeline.matte import Matte, matte
from services.inference.pipeline.segment import Maps

CONFIDENT = 0.85
"""Overlap of the two outlines from which the shots are believed to show the same garment alike."""
COVERED = 0.6
"""Share of an opening that the registered inner back must cover."""
HEADROOM = 0.18
"""How far (share of its width) the real back edge may lie above the one that was guessed."""
SHADE, REACH = 0.25, 0.06
"""The front edge's shadow on it: how dark, and how far as a share of the opening's width."""
_SAMPLES = 4000


@dataclass(frozen=True, slots=True, eq=False)
class InsideShot:
    """A photo of the same garment turned so that its inner back shows, by the same camera, and its maps."""

    picture: Picture
    maps: Maps


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A picture that shows the inner back, its garment's alpha [h,w], and where the front's pixels lie in it.

    shade: how much the front edge is to darken it, where that does not show yet.
    """

    picture: Picture
    alpha: U8
    registration: Registration
    source: Source = Source.INSIDE_SHOT
    shade: float = SHADE

    @property
    def is_sure(self) -> bool:
        return self.registration.confidence >= CONFIDENT


Drawn = Callable[[Evidence, Picture, Matte, Bools], Aligned | None]
"""Lays a drawing of the garment behind a front: its evidence, photo and matte, and where its openings are (at
the evidence's size). None where the drawing does not show this garment.
"""


def align(front: Evidence, shot: InsideShot, unknown: Bools) -> Aligned:
    """Finds the front's garment in the inside shot; `unknown` (the evidence's size) is the opening."""
    cut = matte(shot.picture, shot.maps)
    return Aligned(shot.picture, cut.alpha, register(front, Evidence.of(shot.maps, cut), unknown))


def with_headroom(rim: Rim) -> Rim:
    """A guessed edge moved up, so that the real one shows under it."""
    return replace(rim, hang=rim.hang - HEADROOM * rim.width)


def show_behind(hole: Hole, shot: Aligned, picture: Picture, alpha: U8) -> tuple[U8, F32] | None:
    """Alpha [h,w] and RGB [h,w,3] (0..255) of the inner back over the hole; None where it leaves it open."""
    cover = _warped(shot.alpha, shot, hole.frame)
    open_part = (hole.alpha > 127) & (alpha[hole.frame.window] < 128)
    low = open_part & (hole.depth > HEADROOM * hole.size[0])
    if not low.any() or (cover[low] > 127).mean() < COVERED:
        return None
    reach = np.float32(max(1.0, REACH * hole.size[0]))
    light = 1 - np.float32(shot.shade) * np.exp(-hole.front / reach)
    matched = _matched(hole.frame, shot, picture, alpha)
    return np.minimum(cover, hole.alpha), np.asarray(matched * light[..., None], np.float32)


def show_over(cloth: F32, frame: Frame, shot: Aligned, picture: Picture, alpha: U8) -> F32:
    """Cloth [h,w,3] for a part of the front, replaced by the other picture's where its garment is."""
    weight = _warped(shot.alpha, shot, frame)[..., None] * np.float32(1 / 255)
    return np.asarray(cloth * (1 - weight) + _matched(frame, shot, picture, alpha) * weight, np.float32)


def _matched(frame: Frame, shot: Aligned, picture: Picture, alpha: U8) -> F32:
    """The other picture's pixels [h,w,3] (0..255) under a part of the front, in the front's colours."""
    pixels = _warped(shot.picture.rgb, shot, frame).astype(np.float32)
    near = frame.grown(frame.width / 2, frame.height, alpha.shape)
    return transfer(pixels, *_samples(near, shot, picture, alpha))


def _warped(plane: U8, shot: Aligned, frame: Frame) -> U8:
    """The part of the inside shot that lies under a part of the front."""
    matrix = shot.registration.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([frame.left, frame.top], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, (frame.width, frame.height), flags=flags), np.uint8)


def _samples(near: Frame, shot: Aligned, picture: Picture, alpha: U8) -> tuple[U8, U8, U8, U8]:
    """Pixels [n,3] near the opening: their and our garment, their and our ground."""
    rgb, cover = _warped(shot.picture.rgb, shot, near), _warped(shot.alpha, shot, near)
    theirs, ours = picture.rgb[near.window], alpha[near.window]
    neither = (cover == 0) & (ours == 0)
    return (
        _thinned(rgb[cover == 255]),
        _thinned(theirs[ours == 255]),
        _thinned(rgb[neither]),
        _thinned(theirs[neither]),
    )


def _thinned(colours: U8) -> U8:
    return colours[:: max(1, len(colours) // _SAMPLES)]
