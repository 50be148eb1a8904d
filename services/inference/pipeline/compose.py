"""The garment on its new ground, framed and sized as the options say."""

from __future__ import annotations

import cv2
import numpy as np

from libs.common.contracts.options import PictureFields, Shadow
from services.inference.pipeline.align import Catalogue, lay_out_aligned, unaligned
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.crop import Layout, lay_out
from services.inference.pipeline.cut_out import cut_out
from services.inference.pipeline.fitting import fitted
from services.inference.pipeline.ground import draw_ground
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.outline import garment_window, hull
from services.inference.pipeline.over import lay_over, lay_under
from services.inference.pipeline.place import place
from services.inference.pipeline.shadow import cast_shadow


def compose(layers: Layers, asked: PictureFields, catalogue: Catalogue | None = None) -> U8:
    """sRGB uint8 [h,w,3] on a coloured ground, or [h,w,4] with straight alpha on a transparent one.

    Where the matte's alpha is 255 and neither `size` nor a turn asks for resampling, the result holds the
    photo's pixels bit for bit. Under alpha 0 there is nothing of the photo left.
    """
    layout = _tight(frame(layers, asked, catalogue), layers)
    part = fitted(cut_out(layers, layout.window), layout)
    if asked.background == "transparent":
        return _on_nothing(part, layout, asked.shadow)
    return _on_ground(part, layout, asked)


def frame(layers: Layers, asked: PictureFields, catalogue: Catalogue | None = None) -> Layout:
    """Which part of the photo is shown, where and how large: on the catalogue's template if there is one."""
    photo = layers.picture.width, layers.picture.height
    garment = garment_window(layers)
    if catalogue is None or garment is None:
        return lay_out(photo, garment, asked)
    aligned = lay_out_aligned(garment, hull(layers, garment), asked, catalogue)
    return aligned or lay_out(photo, garment, unaligned(asked, catalogue.template))


def _tight(layout: Layout, layers: Layers) -> Layout:
    """The same picture from fewer pixels: those beside the garment are empty anyway."""
    if not layout.keeps_pixels:
        return layout
    garment = garment_window(layers, visible=1)
    return layout.narrowed_to(garment) if garment else layout


def _on_nothing(part: U8, layout: Layout, shadow: Shadow) -> U8:
    to, of = place(part.shape, layout.corner, layout.outer[::-1])
    canvas = np.zeros((*layout.outer[::-1], 4), np.uint8)
    canvas[to] = part[of]
    if shadow is not Shadow.NONE:
        lay_under(canvas, cast_shadow(part[..., 3], layout, shadow))
    return canvas


def _on_ground(part: U8, layout: Layout, asked: PictureFields) -> U8:
    canvas = draw_ground(asked.background, layout.outer)
    if asked.shadow is not Shadow.NONE:
        canvas = _shaded(canvas, cast_shadow(part[..., 3], layout, asked.shadow))
    to, of = place(part.shape, layout.corner, canvas.shape)
    lay_over(canvas[to], part[of])
    return canvas


def _shaded(ground: U8, density: U8) -> U8:
    light = cv2.bitwise_not(density)
    return np.asarray(cv2.multiply(ground, cv2.merge([light] * 3), scale=1 / 255), np.uint8)
