"""The proportions of pictures that generative models draw: each provider here knows all of these.

Sources, read 2026-11-24: the aspect ratios of the Gemini image models
(https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini/3-1-flash-image), and the values of
`ghostMannequin.size` (https://docs.photoroom.com/getting-started/api-reference-openapi).
"""

from __future__ import annotations

import math
from enum import Enum
from io import BytesIO

from PIL import Image

_KINDS = ("JPEG", "PNG", "WEBP")


class Proportion(Enum):
    """Width to height."""

    PORTRAIT_9_16 = (9, 16)
    PORTRAIT_2_3 = (2, 3)
    PORTRAIT_3_4 = (3, 4)
    SQUARE = (1, 1)
    LANDSCAPE_4_3 = (4, 3)
    LANDSCAPE_3_2 = (3, 2)
    LANDSCAPE_16_9 = (16, 9)

    @property
    def ratio(self) -> float:
        return self.value[0] / self.value[1]


def nearest(width: int, height: int) -> Proportion:
    """The proportion that a picture of this size (px) has, or nearly has."""
    wanted = math.log(width / height)
    return min(Proportion, key=lambda one: abs(math.log(one.ratio) - wanted))


def of_photo(photo: bytes) -> Proportion | None:
    """That of an encoded photo, by its header; None where that can't be read."""
    try:
        with Image.open(BytesIO(photo), formats=_KINDS) as image:
            return nearest(*image.size)
    except Exception:  # noqa: BLE001  # Pillow raises anything; without it the provider chooses
        return None
