"""From class probabilities to the garment's alpha at full resolution, with clean colours along its edge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools, Indices
from services.inference.pipeline.boundary import find_boundary
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.foreground import fuse, local_colours
from services.inference.pipeline.grid import Grid
from services.inference.pipeline.guided import fit
from services.inference.pipeline.resample import Pixels, reduced
from services.inference.pipeline.segment import GARMENT, Maps

EDGE_SIDE = 800
"""Longest side (px) at which the edge's colours are taken; they are applied at full resolution."""
EDGE_RADIUS = 4
"""Radius (px at that size) of the windows in which alpha is linear in colour."""
COLOUR_SIDE = 500
"""Longest side (px) at which garment and ground colours are smoothed."""
_BARELY, _ALMOST = np.array([1]), np.array([254])
_FLOOR, _CEILING = 0.22, 0.9
"""Filtered values up to which an edge pixel is nothing, and from which it is garment."""


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """What is garment in a photo of H×W px.

    `alpha` is uint8 [H,W]: 255 is garment exactly as photographed, 0 is nothing. `edge` holds the flat
    indices [n] of the pixels in between, `colours` uint8 [n,3] what the garment's own colour is there.
    """

    alpha: U8
    edge: Indices
    colours: U8


def matte(picture: Picture, maps: Maps) -> Matte:
    """The visible garment's matte from the photo and what the segmenter said of it."""
    mask = find_boundary(picture.rgb, maps.classes[GARMENT])
    alpha = refine(picture.rgb, mask)
    if picture.alpha is not None:
        alpha = np.asarray(cv2.multiply(alpha, picture.alpha, scale=1 / 255), np.uint8)
    edge = mixed_pixels(alpha)
    return Matte(alpha, edge, _edge_colours(picture.rgb, alpha, edge))


def mixed_pixels(alpha: U8) -> Indices:
    """Flat indices of the pixels that are neither garment alone nor nothing."""
    return np.flatnonzero(cv2.inRange(alpha, _BARELY, _ALMOST).view(np.bool_))


def refine(rgb: U8, mask: U8) -> U8:
    """Alpha uint8 [H,W] from a coarse mask [h,w] of 0 and 1.

    Near the mask's edge it follows the photo's colours; away from it, it is exactly 255 or 0.
    """
    alpha = _resized(mask * np.uint8(255), rgb, cv2.INTER_NEAREST)
    near = _near_edge(mask, rgb.shape)
    if not near.any():
        return alpha
    band = np.flatnonzero(_resized(near, rgb, cv2.INTER_NEAREST).view(np.bool_))
    alpha.reshape(-1)[band] = _snapped(_fitted(rgb, mask, near, band))
    return alpha


def _fitted(rgb: U8, mask: U8, near: U8, band: Indices) -> F32:
    """The guided filter's values [n] at the photo's pixels `band`."""
    grid = Grid.of(rgb, EDGE_SIDE)
    soft = _resized(mask.astype(np.float32), grid.rgb, cv2.INTER_LINEAR)
    solve: Bools = _resized(near, grid.rgb, cv2.INTER_NEAREST) > 0
    factors = grid.at(fit(grid.rgb, soft, solve, EDGE_RADIUS), band)
    colours = rgb.reshape(-1, 3)[band] * np.float32(1 / 255)
    return np.asarray(np.einsum("nc,nc->n", factors[:, :3], colours) + factors[:, 3], np.float32)


def _near_edge(mask: U8, photo_shape: tuple[int, ...]) -> U8:
    """Mask pixels that the filter's two windows reach from the mask's edge."""
    scale = max(mask.shape) / min(EDGE_SIDE, max(photo_shape))
    reach = math.ceil(2 * EDGE_RADIUS * scale + 0.5)
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.dilate(mask, square) - cv2.erode(mask, square), np.uint8)


def _snapped(fitted: F32) -> U8:
    stretched = (fitted - _FLOOR) / (_CEILING - _FLOOR)
    return np.asarray(np.rint(np.clip(stretched, 0, 1) * 255), np.uint8)


def _resized(values: Pixels, like: U8 | F32, how: int) -> Pixels:
    resized = cv2.resize(values, (like.shape[1], like.shape[0]), interpolation=how)
    return cast("Pixels", resized)


def _edge_colours(rgb: U8, alpha: U8, edge: Indices) -> U8:
    if not len(edge):
        return np.empty((0, 3), np.uint8)
    grid = Grid.of(rgb, COLOUR_SIDE)
    small = reduced(alpha, grid.size) * np.float32(1 / 255)
    garment, ground = (grid.at(colours, edge) for colours in local_colours(grid.rgb, small))
    own = rgb.reshape(-1, 3)[edge] * np.float32(1 / 255)
    weight = alpha.reshape(-1, 1)[edge] * np.float32(1 / 255)
    return np.asarray(np.rint(fuse(own, weight, garment, ground) * 255), np.uint8)
