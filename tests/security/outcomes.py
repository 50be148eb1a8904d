"""What may come of hostile bytes: a picture, or a refusal by a known name."""

from __future__ import annotations

import warnings

import numpy as np

from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.decode import decode

CODES = {code.value for code in RefusalCode}
PICTURE = "picture"
OUTCOMES = CODES | {PICTURE}


def decoded(data: bytes) -> str:
    """`picture`, or the code of the refusal. As in production, Pillow's warnings are no errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = decode(data)
        except PictureRefused as refused:
            return refused.code if refused.detail else "refused without a word"
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.shape == (picture.height, picture.width, 3)
    assert picture.alpha is None or picture.alpha.shape == picture.rgb.shape[:2]
    return PICTURE
