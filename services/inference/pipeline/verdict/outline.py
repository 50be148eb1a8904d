"""The garment's outline: a rim of the old ground along it."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools, Indices
from services.inference.pipeline.verdict.blobs import shrunk
from services.inference.pipeline.verdict.reasons import Reason
from services.inference.pipeline.verdict.view import SHOWN, Evidence, Findings, View

_RIM = 8
"""Depth (px of the close view) of the rim that is looked at; a garment's own colour is taken further in."""
_REDUCED, _REACH = 4, 9
"""How much smaller the colours around are looked up, and the side (px there) of their windows."""
_KNOWN = 0.01
_CONTRAST = 45.0
"""Distance in RGB by which garment and ground must differ for a rim to be seen at all."""
_UNLIKE_NEW = 20.0
"""Distance in RGB of the old ground from the new one up to which a rim of it does not show."""
_GROUND_LIKE = 0.7
"""How far (0 garment, 1 ground) a rim pixel's colour is on the way to the ground if it is ground."""
_EVERY = 2
"""One in so many rim pixels is looked at."""
_FEWEST = 30


def halo(view: View) -> Findings:
    """Rim of ground along the outline. Amount: its mean width, px of the close view (500 px longest side).

    White stripes on a white wall are no halo: what is as common further in is taken off.
    """
    shown = view.own > SHOWN
    core = shrunk(shown, _RIM)
    inner, outer = _surroundings(view, core)
    rim = np.flatnonzero((view.own > 0) & ~core)[::_EVERY]
    likeness, seen = _likeness(view, rim, inner, outer)
    length = int(np.count_nonzero((shown & ~shrunk(shown, 1)).reshape(-1)[rim] & seen))
    if length < _FEWEST:
        return {Reason.HALO: Evidence(0.0)}
    further_in = np.flatnonzero(core & ~shrunk(core, _RIM))[::_EVERY]
    common = _share(*_likeness(view, further_in, inner, outer))
    like_ground = seen & (likeness > _GROUND_LIKE)
    weight = view.own.reshape(-1)[rim] * np.float32(1 / 255)
    width = float((weight * (like_ground - common * seen)).sum()) / length
    where = np.zeros(shown.size, np.bool_)
    where[rim[like_ground]] = True
    return {Reason.HALO: Evidence(max(0.0, width), where.reshape(shown.shape))}


def _share(likeness: F32, seen: Bools) -> float:
    return float((likeness[seen] > _GROUND_LIKE).mean()) if seen.any() else 0.0


def _surroundings(view: View, core: Bools) -> tuple[F32, F32]:
    """Local colours of the garment and of the ground, and how much is known of each: see `_local`."""
    garment, ground = view.closely(view.garment), view.closely(view.background)
    return _local(view.rgb, core & shrunk(garment, _RIM)), _local(view.rgb, view.outside() & ground)


def _likeness(view: View, rim: Indices, inner: F32, outer: F32) -> tuple[F32, Bools]:
    """Where each rim px lies between garment (0) and ground (1) around it, and whether these differ there."""
    rows, columns = np.divmod(rim, view.rgb.shape[1])
    at = rows * inner.shape[0] // view.rgb.shape[0], columns * inner.shape[1] // view.rgb.shape[1]
    garment, ground = inner[at], outer[at]
    way = ground[:, :3] - garment[:, :3]
    square = np.einsum("nc,nc->n", way, way)
    colours = view.rgb.reshape(-1, 3)[rim]
    share = np.einsum("nc,nc->n", colours - garment[:, :3], way) / (square + 1)
    seen = (garment[:, 3] > _KNOWN) & (ground[:, 3] > _KNOWN) & (square > _CONTRAST**2)
    new = view.ground()
    if new is not None:
        seen &= np.linalg.norm(ground[:, :3] - new, axis=1) > _UNLIKE_NEW
    return np.asarray(share, np.float32), np.asarray(seen, np.bool_)


def _local(rgb: U8, mask: Bools) -> F32:
    """Mean colour of the mask around each px, and how much of the window the mask fills; [h,w,4], reduced."""
    every = slice(_REDUCED // 2, None, _REDUCED) if min(mask.shape) > _REDUCED else slice(None)
    weight = mask[every, every, None].astype(np.float32)
    layers = np.concatenate([rgb[every, every] * weight, weight], 2)
    means = np.asarray(cv2.blur(layers, (_REACH, _REACH), borderType=cv2.BORDER_CONSTANT), np.float32)
    means[..., :3] /= np.maximum(means[..., 3:], 1e-3)
    return means
