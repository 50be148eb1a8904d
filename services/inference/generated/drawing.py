"""A provider's drawing, which may be anything: decoded like any photo, and held against the tenant's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from libs.common.contracts.providers import FaultCode
from services.inference.errors import PictureRefused
from services.inference.generated.agreement import agree
from services.inference.generated.ground import cover_of
from services.inference.generated.sheet import Sheet
from services.inference.pipeline.arrays import U8, Bools
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.hollow import Source
from services.inference.pipeline.hollow.evidence import Evidence
from services.inference.pipeline.hollow.inside_shot import CONFIDENT, Aligned
from services.inference.pipeline.hollow.registration import register
from services.inference.pipeline.matte import Matte, matte
from services.inference.pipeline.resample import reduced, within
from services.inference.pipeline.segment import Hint, Maps, Segmenter, segment
from services.inference.providers.faults import failed
from services.inference.providers.provider import Drawing

_SAME_PROPORTIONS = 0.04
"""How far (share) a drawing's proportions may be from the sheet's: models draw in steps of some px."""
_LARGEST = 4096
_SMALLEST = 64


@dataclass(frozen=True, slots=True, eq=False)
class DrawnGarment:
    """A drawing in the frame of the photo, its maps and its garment's alpha [h,w]."""

    picture: Picture
    maps: Maps
    alpha: U8

    def laid_behind(self, front: Evidence, photo: Picture, cut: Matte, openings: Bools) -> Aligned | None:
        """Where the photo's pixels lie in it (see `Drawn`); None unless it shows the same garment alike."""
        outline = Matte(self.alpha, cut.edge[:0], cut.colours[:0])
        registration = register(front, Evidence.of(self.maps, outline), openings)
        if registration.confidence < CONFIDENT:
            return None
        aligned = Aligned(self.picture, self.alpha, registration, Source.DRAWING, shade=0.0)
        return aligned if agree(photo, cut.alpha, aligned) else None


def read_drawing(drawing: Drawing, sheet: Sheet, segmenter: Segmenter, hint: Hint) -> DrawnGarment:
    """CallFailed (bad_answer) where it is no picture, or none of the sheet's proportions."""
    picture = picture_of(drawing, sheet)
    maps = segment(picture, segmenter, hint)
    cut = matte(picture, maps).alpha
    return DrawnGarment(picture, maps, cover_of(picture, cut))


def picture_of(drawing: Drawing, sheet: Sheet) -> Picture:
    """The part of a drawing that shows the sheet's photo. CallFailed (bad_answer) as in `read_drawing`."""
    return _in_frame(_decoded(drawing), sheet)


def _decoded(drawing: Drawing) -> Picture:
    try:
        return decode(drawing.data)
    except PictureRefused:
        refused = failed(FaultCode.BAD_ANSWER, sentence="the provider's picture can't be decoded")
    raise refused


def _in_frame(picture: Picture, sheet: Sheet) -> Picture:
    """The part of a drawn sheet that shows the photo; not larger than is of use."""
    wanted = sheet.size[0] / sheet.size[1]
    if min(picture.width, picture.height) < _SMALLEST:
        raise failed(FaultCode.BAD_ANSWER, sentence="the provider's picture is too small")
    if abs(picture.width / picture.height / wanted - 1) > _SAME_PROPORTIONS:
        raise failed(FaultCode.BAD_ANSWER, sentence="the provider's picture has other proportions")
    x, y = picture.width / sheet.size[0], picture.height / sheet.size[1]
    photo = sheet.photo
    columns = slice(round(photo.left * x), max(round(photo.left * x) + 1, round(photo.right * x)))
    rows = slice(round(photo.top * y), max(round(photo.top * y) + 1, round(photo.bottom * y)))
    alpha = None if picture.alpha is None else _usable(picture.alpha[rows, columns])
    return Picture(_usable(picture.rgb[rows, columns]), alpha)


def _usable(part: U8) -> U8:
    size = within(part.shape[1], part.shape[0], _LARGEST)
    return np.ascontiguousarray(reduced(np.ascontiguousarray(part), size))
