"""Asking the segmenter again, in another way, when the first result is not good enough."""

from __future__ import annotations

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.segment import BACKGROUND, GARMENT, Hint, Maps, Segmenter, segment
from services.inference.pipeline.verdict import Judgement, Reason

_MENDABLE = {
    Reason.NO_GARMENT,
    Reason.OUTPUT_EQUALS_INPUT,
    Reason.RESIDUAL_MANNEQUIN,
    Reason.RESIDUAL_SKIN,
    Reason.OPENING_NOT_HOLLOW,
    Reason.OFF_WHITE_BACKGROUND,
    Reason.SEVERAL_GARMENTS,
    Reason.LOW_CONFIDENCE,
}
"""What another answer of the segmenter may mend; a better photo is needed for the rest."""
_WHICH = {Reason.SEVERAL_GARMENTS, Reason.LOW_CONFIDENCE}
_LIGHT, _LIGHTEST = 215.0, 98
"""Luma that the photo's lightest parts get, and their percentile."""
_UPPER_HALF, _LOWER_HALF = 0.45, 0.3
"""Shares of the figure's height: an upper garment's middle lies above, a lower one's top edge below."""


def look_again(
    picture: Picture, segmenter: Segmenter, hint: Hint, first: Maps, judgement: Judgement
) -> Maps | None:
    """Other maps of a photo whose result was judged, or None if nothing speaks for another try.

    A dark photo is shown lighter; if it is not clear which garment is meant, the likeliest kind is asked for;
    otherwise the mirrored photo's answer is averaged with the first. The same input gives the same maps.
    """
    reasons = set(judgement.reasons)
    if Reason.TOO_DARK in reasons:
        return segment(_lightened(picture), segmenter, hint)
    if not reasons & _MENDABLE:
        return None
    likely = likely_hint(first) if hint is Hint.AUTO and reasons & _WHICH else None
    if likely is not None:
        return segment(picture, segmenter, likely)
    return _mean(first, _mirrored(segment(_mirrored_picture(picture), segmenter, hint)))


def likely_hint(maps: Maps) -> Hint | None:
    """The kind of garment, by where it lies on the figure; None without a figure or a garment."""
    figure, garment = _rows(maps.classes[BACKGROUND] < 0.5), _rows(maps.classes[GARMENT] > 0.5)
    if figure is None or garment is None:
        return None
    height = max(1, figure[1] - figure[0])
    top, bottom = ((row - figure[0]) / height for row in garment)
    if (top + bottom) / 2 < _UPPER_HALF:
        return Hint.UPPER
    return Hint.LOWER if top > _LOWER_HALF else Hint.FULL


def _rows(mask: Bools) -> tuple[int, int] | None:
    rows = np.flatnonzero(mask.any(1))
    return (int(rows[0]), int(rows[-1])) if len(rows) else None


def _lightened(picture: Picture) -> Picture:
    lightest = float(np.percentile(cv2.cvtColor(picture.rgb[::4, ::4], cv2.COLOR_RGB2GRAY), _LIGHTEST))
    lighter = cv2.convertScaleAbs(picture.rgb, alpha=max(1.0, _LIGHT / max(lightest, 1.0)))
    return Picture(np.asarray(lighter, np.uint8), picture.alpha)


def _mirrored_picture(picture: Picture) -> Picture:
    alpha: U8 | None = None if picture.alpha is None else np.ascontiguousarray(picture.alpha[:, ::-1])
    return Picture(np.ascontiguousarray(picture.rgb[:, ::-1]), alpha)


def _mirrored(maps: Maps) -> Maps:
    return Maps(maps.classes[..., ::-1], maps.interior[..., ::-1])


def _mean(one: Maps, other: Maps) -> Maps:
    """Of both, at the first one's size."""
    classes = np.stack([_mean_plane(*pair) for pair in zip(one.classes, other.classes, strict=True)])
    return Maps(classes, _mean_plane(one.interior, other.interior))


def _mean_plane(one: F32, other: F32) -> F32:
    size = (one.shape[1], one.shape[0])
    fitted = cv2.resize(np.ascontiguousarray(other), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray((one + fitted) * np.float32(0.5), np.float32)
