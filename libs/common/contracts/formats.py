"""How finished pictures are written down: encodings, grounds and proportions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

_COLOUR = "#[0-9a-fA-F]{6}"
Colour = Annotated[str, Field(pattern=rf"^{_COLOUR}$")]
Background = Annotated[str, Field(pattern=rf"^(transparent|{_COLOUR}(\.\.{_COLOUR})?)$")]
Aspect = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$")]


class ImageFormat(StrEnum):
    """Encodings a result can have."""

    PNG = "png"
    WEBP = "webp"
    JPEG = "jpeg"
    AVIF = "avif"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        return "jpg" if self is ImageFormat.JPEG else self.value


def ratio(aspect: str) -> float:
    """Width over height of an aspect such as `4:5`."""
    width, _, height = aspect.partition(":")
    return int(width) / int(height)
