"""Where the garment ends, decided by colour in the band in which the segmenter is not sure."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.regions import without_pinholes, without_specks
from services.inference.pipeline.resample import reduced, within

SIDE = 440
"""Longest side (px) of the picture in which the cut is searched: its time grows with the area."""
BAND = 27
"""Distance (px at `SIDE`) from the segmenter's own edge beyond which it is believed."""
SURE = 0.985
_FEWEST = 50
_NO_BOX = (0, 0, 1, 1)
_NEVER, _SURELY, _UNLIKELY, _LIKELY = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD


def find_boundary(rgb: U8, garment: F32) -> U8:
    """The garment as a mask of 0 and 1 (longest side `SIDE`) from its probability [h,w] and photo [H,W,3].

    One round of GrabCut (Rother, Kolmogorov, Blake 2004) in a band around the segmenter's edge: what is
    surer than `SURE`, or further away than `BAND`, stays as the segmenter said.
    """
    size = within(rgb.shape[1], rgb.shape[0], SIDE)
    belief = np.asarray(cv2.resize(garment, size, interpolation=cv2.INTER_LINEAR), np.float32)
    mask = without_specks((belief > 0.5).astype(np.uint8))
    cut = _cut(reduced(rgb, size), _trimap(mask, belief))
    return without_pinholes(without_specks(cut), belief)


def _trimap(mask: U8, belief: F32) -> U8:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND + 1, 2 * BAND + 1))
    near = cv2.dilate(mask, disc) > 0
    inside = cv2.erode(mask, disc, borderType=cv2.BORDER_REPLICATE) > 0
    trimap = np.where(mask > 0, _LIKELY, _UNLIKELY).astype(np.uint8)
    trimap[inside | (near & (belief > SURE))] = _SURELY
    trimap[~near | (belief < 1 - SURE)] = _NEVER
    return trimap


def _cut(rgb: U8, trimap: U8) -> U8:
    """The trimap decided by colour; as the segmenter had it if there is too little to learn colours from."""
    mask = (trimap & 1).astype(np.uint8)  # garment, surely or likely, is odd
    if _too_plain(trimap):
        return mask
    window = _window(trimap)
    part = np.ascontiguousarray(trimap[window])
    cv2.setRNGSeed(
        0
    )  # this thread's: k-means starts at random, and the same photo must give the same picture
    garment, ground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(rgb[window]), part, _NO_BOX, ground, garment, 1, cv2.GC_INIT_WITH_MASK)
    mask[window] = part & 1
    return mask


def _too_plain(trimap: U8) -> bool:
    counts = np.bincount(trimap.ravel(), minlength=4)
    return bool(min(counts[_SURELY], counts[_NEVER], counts[_LIKELY] + counts[_UNLIKELY]) < _FEWEST)


def _window(trimap: U8) -> tuple[slice, slice]:
    """The part of the picture that the cut can touch, and enough ground around it to learn its colours."""
    left, top, width, height = cv2.boundingRect((trimap != _NEVER).astype(np.uint8))
    rows = slice(max(0, top - BAND), top + height + BAND)
    return rows, slice(max(0, left - BAND), left + width + BAND)
