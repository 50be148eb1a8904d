"""The garment on its new ground, framed and sized as the options say."""

from __future__ import annotations

import cv2
import numpy as np

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.crop import Layout, lay_out
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.matte import Matte, mixed_pixels
from services.inference.pipeline.resample import reduced


def compose(picture: Picture, matte: Matte, options: RenderOptions) -> U8:
    """sRGB uint8 [h,w,3] on a coloured ground, or [h,w,4] with straight alpha on a transparent one.

    Where alpha is 255 and no `size` asks for resampling, the result holds the photo's pixels bit for bit.
    Under alpha 0 there is nothing of the photo left.
    """
    layout = lay_out(matte.alpha, options)
    cut_out = _fitted(_cut_out(picture, matte), layout)
    if options.background == "transparent":
        return cut_out
    return _on_ground(cut_out, options.background)


def _cut_out(picture: Picture, matte: Matte) -> U8:
    """Straight RGBA of the whole photo: own pixels inside, estimated colours on the edge, zeros outside."""
    rgba = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2RGBA)
    cv2.insertChannel(matte.alpha, rgba, 3)
    cut_out = np.asarray(cv2.bitwise_and(rgba, rgba, mask=matte.alpha), np.uint8)
    cut_out.reshape(-1, 4)[matte.edge, :3] = matte.colours
    return cut_out


def _fitted(cut_out: U8, layout: Layout) -> U8:
    part = layout.window.of(cut_out)
    if not layout.keeps_pixels:
        part = _resampled(part, layout.inner)
    return _bordered(part, layout)


def _bordered(part: U8, layout: Layout) -> U8:
    if layout.inner == layout.outer:
        return np.ascontiguousarray(part)
    left, top = layout.corner
    right, bottom = layout.outer[0] - layout.inner[0] - left, layout.outer[1] - layout.inner[1] - top
    bordered = cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    return np.asarray(bordered, np.uint8)


def _resampled(rgba: U8, size: tuple[int, int]) -> U8:
    """Resized by weight of alpha, so that what lies outside the garment colours none of it."""
    shrinks = size[0] <= rgba.shape[1] and size[1] <= rgba.shape[0]
    weighted = _premultiplied(rgba)
    if shrinks:
        return _straight(reduced(weighted, size))
    # Sharper kernels overshoot, and colours and alpha clip at different places: a rim.
    return _straight(np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_LINEAR), np.uint8))


def _premultiplied(rgba: U8) -> U8:
    alpha = cv2.extractChannel(rgba, 3)
    weight = cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)])
    return np.asarray(cv2.multiply(rgba, weight, scale=1 / 255), np.uint8)


def _straight(premultiplied: U8) -> U8:
    flat = premultiplied.reshape(-1, 4)
    alpha = flat[:, 3]
    mixed = mixed_pixels(np.ascontiguousarray(premultiplied[..., 3]))
    weight = alpha[mixed, None].astype(np.float32) / 255
    flat[mixed, :3] = np.rint(np.minimum(flat[mixed, :3] / weight, 255))
    return premultiplied


def _on_ground(rgba: U8, background: str) -> U8:
    """Straight RGBA over a colour `#rrggbb`."""
    colour = tuple(bytes.fromhex(background[1:]))
    alpha = np.ascontiguousarray(rgba[..., 3])
    result = np.asarray(cv2.merge([np.full_like(alpha, level) for level in colour]), np.uint8)
    cv2.copyTo(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), alpha, result)
    mixed = mixed_pixels(alpha)
    weight = alpha.reshape(-1, 1)[mixed].astype(np.float32) / 255
    own = np.asarray(rgba.reshape(-1, 4)[mixed, :3] * weight, np.float32)
    over = own + np.asarray(colour, np.float32) * (1 - weight)
    result.reshape(-1, 3)[mixed] = np.rint(over)
    return result
