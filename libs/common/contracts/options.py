"""What a caller may ask of a render. One model for the API, the bus and the pipeline."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Background = Annotated[str, Field(pattern=r"^(transparent|#[0-9a-fA-F]{6})$")]


class ImageFormat(StrEnum):
    """Encodings a result can have."""

    PNG = "png"
    WEBP = "webp"
    JPEG = "jpeg"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        return "jpg" if self is ImageFormat.JPEG else self.value


class OptionFields(BaseModel):
    """Each option by itself; unknown ones are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    background: Background = Field("transparent", description="`transparent` or a colour as `#rrggbb`.")
    format: ImageFormat = Field(ImageFormat.PNG, description="Encoding of the result.")
    quality: int = Field(90, ge=1, le=100, description="Quality of lossy encodings (webp, jpeg).")
    size: int | None = Field(
        None, ge=16, le=8192, description="Longest side in pixels; as the photo if absent."
    )
    margin: float = Field(
        0.05, ge=0, le=0.5, description="Free border, as a share of the longest side, when cropped."
    )
    crop: bool = Field(False, description="Crop to the garment; otherwise the frame of the photo stays.")


class RenderOptions(OptionFields):
    """Options of a render, which also fit together."""

    @model_validator(mode="after")
    def _jpeg_has_no_transparency(self) -> Self:
        if self.format is ImageFormat.JPEG and self.background == "transparent":
            raise ValueError(
                "format jpeg has no transparency: choose a background such as #ffffff, or png or webp"
            )
        return self
