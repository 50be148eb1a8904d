"""The garment out of its photo: its own pixels, what was put under them, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import U8
from services.inference.pipeline.crop import Window
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import Matte
from services.inference.pipeline.over import lay_under


def cut_out(layers: Layers, window: Window) -> U8:
    """Straight RGBA uint8 [h,w,4] of a window of the photo.

    Where the matte's alpha is 255 it holds the photo's own pixels; on the edge the garment's estimated
    colours, over the filling; zeros where nothing is shown.
    """
    alpha = np.ascontiguousarray(window.of(layers.matte.alpha))
    rgba = cv2.cvtColor(window.of(layers.picture.rgb), cv2.COLOR_RGB2RGBA)
    cv2.insertChannel(alpha, rgba, 3)
    cut = np.asarray(cv2.bitwise_and(rgba, rgba, mask=alpha), np.uint8)
    _colour_edge(cut, layers.matte, window)
    _put_under(cut, layers.filling, window)
    return cut


def _colour_edge(cut: U8, matte: Matte, window: Window) -> None:
    rows, columns = np.divmod(matte.edge, matte.alpha.shape[1])
    rows, columns = rows - window.top, columns - window.left
    inside = (rows >= 0) & (rows < window.height) & (columns >= 0) & (columns < window.width)
    cut[rows[inside], columns[inside], :3] = matte.colours[inside]


def _put_under(cut: U8, filling: Filling, window: Window) -> None:
    alpha = window.of(filling.alpha)
    left, top, width, height = cv2.boundingRect(alpha)
    if not width:
        return
    part = slice(top, top + height), slice(left, left + width)
    lay_under(cut[part], alpha[part], window.of(filling.rgb)[part])
