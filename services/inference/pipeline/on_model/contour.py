"""Points along the outline of a shape, each with the direction in which the shape ends there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.inference.pipeline.arrays import Bools

F64 = NDArray[np.float64]

_SMALLEST = 0.01
"""Share of the shape's area below which a part or a hole of it says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """`points` float64 [n,2] (x, y) and unit `normals` [n,2] that point out of the shape."""

    points: F64
    normals: F64

    def moved(self, matrix: F64) -> Contour:
        """Under an affine map [2,3] that turns, moves and enlarges."""
        normals = self.normals @ matrix[:, :2].T
        return Contour(
            self.points @ matrix[:, :2].T + matrix[:, 2],
            normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9),
        )


def contour_of(mask: Bools, count: int) -> Contour:
    """About `count` points, evenly spread over the outlines of a mask [h,w] and of its larger holes.

    Where the mask is cut off by the frame there is no outline.
    """
    smooth = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5), np.float32)
    found, _ = cv2.findContours((smooth > 0.5).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    least = _SMALLEST * max(1, int(mask.sum()))
    lines = [line[:, 0].astype(np.float64) for line in found if cv2.contourArea(line) > least]
    if not lines:
        return Contour(np.empty((0, 2)), np.empty((0, 2)))
    points = np.concatenate(lines)
    points = points[np.linspace(0, len(points) - 1, min(count, len(points))).round().astype(int)]
    inside = np.all((points > 1) & (points < np.array(mask.shape[::-1]) - 2), axis=1)
    points = points[inside]
    return Contour(points, _outwards(smooth, points))


def _outwards(smooth: NDArray[np.float32], points: F64) -> F64:
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *axis, ksize=5) for axis in ((1, 0), (0, 1)))
    at = points[:, 1].round().astype(int), points[:, 0].round().astype(int)
    slope = -np.stack([across[at], down[at]], axis=1).astype(np.float64)
    return np.asarray(slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9))
