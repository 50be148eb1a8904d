"""A plain woven label under the back neckline: a neutral place for a brand, with nothing written on it."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32
from services.inference.pipeline.hollow.hole import Hole

WIDTH, HEIGHT = 0.17, 0.075
"""Of the label, as shares of the opening's width."""
_DEEPEST = 0.55
"""Share of the opening's depth that a label may reach down to."""
_WHITE, _BLACK = (243.0, 241.0, 236.0), (38.0, 38.0, 40.0)
_BRIGHT = 190.0
_ROUND = 0.12


def sew_label(hole: Hole, cloth: F32, colour: F32, below: float) -> F32:
    """The cloth [h,w,3] of an opening with a label `below` px under its edge; as it was if there is no room.

    It is dark on a light fabric and light on others; `colour` [3] is the fabric's.
    """
    width = WIDTH * hole.size[0]
    height = min(HEIGHT * hole.size[0], _DEEPEST * hole.size[1] - below)
    if height < 0.4 * HEIGHT * hole.size[0]:
        return cloth
    outline = _outline(hole, width, height, below)
    plain = np.array(_BLACK if colour.mean() > _BRIGHT else _WHITE, np.float32)
    light = np.asarray((cloth / np.maximum(1.0, colour)).mean(axis=2), np.float32)
    side = max(1, round(width / 2))
    smooth = cv2.blur(light, (side, side))  # the label has no part in the fabric's grain
    shaded = plain * np.clip(smooth + 0.06, 0, 1)[..., None]
    return np.asarray(cloth + outline[..., None] * (shaded - cloth), np.float32)


def _outline(hole: Hole, width: float, height: float, below: float) -> F32:
    """Coverage 0..1 by a rectangle with round corners that hangs along the edge's curve."""
    columns = np.arange(hole.frame.left, hole.frame.right, dtype=np.float32) + np.float32(0.5)
    x = np.abs(columns - hole.rim.middle[0])[None, :] - width / 2
    y = np.abs(hole.depth - below - height / 2) - height / 2
    corner = _ROUND * height
    outside = np.hypot(np.maximum(x + corner, 0), np.maximum(y + corner, 0)) - corner
    inside = np.minimum(np.maximum(x, y) + corner, 0)
    return np.asarray(np.clip(0.5 - (outside + inside), 0, 1), np.float32)
