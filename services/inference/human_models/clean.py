"""A photo of a person as it may be kept: decoded, found fit to wear something, and written anew.

Nothing of the file that was sent goes into the one that is kept but its pixels: no EXIF, no place, no
thumbnail, no comment, and nothing hidden behind the picture's end.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from libs.common.contracts.human_models import CleanPhoto
from libs.common.contracts.options import ImageFormat, PictureFields
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.encode import encode
from services.inference.pipeline.limits import MAX_BYTES
from services.inference.pipeline.on_model.torso import torso_of
from services.inference.pipeline.segment import Hint, Segmenter, segment

_AS_PNG = PictureFields(format=ImageFormat.PNG)
_AS_JPEG = PictureFields(format=ImageFormat.JPEG, quality=95)
"""For what is too large as a PNG to be decoded again; colour stays at full resolution."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The file to keep, and what there is to know of it."""

    data: bytes = field(repr=False)
    photo: CleanPhoto


def cleaned(photo: bytes, segmenter: Segmenter, most_bytes: int = MAX_BYTES) -> Cleaned:
    """The photo upright in sRGB: as a PNG with every pixel, or as a JPEG where that has over `most_bytes`.

    PictureRefused if it is no picture that is taken, PersonRefused if nobody in it can wear a garment.
    """
    picture = decode(photo)
    torso = torso_of(picture, segment(picture, segmenter, Hint.UPPER))
    data, media_type = encode(_pixels(picture), _AS_PNG), "image/png"
    if len(data) > most_bytes:
        data, media_type = encode(_on_white(picture), _AS_JPEG), "image/jpeg"
    kept = CleanPhoto(
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        torso=torso,
    )
    return Cleaned(data, kept)


def _pixels(picture: Picture) -> U8:
    return picture.rgb if picture.alpha is None else np.dstack((picture.rgb, picture.alpha))


def _on_white(picture: Picture) -> U8:
    """JPEG has no transparency."""
    if picture.alpha is None:
        return picture.rgb
    share = picture.alpha[..., None].astype(np.uint16)
    return ((picture.rgb * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)
