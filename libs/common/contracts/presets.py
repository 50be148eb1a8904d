"""Shops' requirements as data: what a picture must be, and what it is made to when nothing else is asked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.common.contracts.formats import Aspect, Background, ImageFormat


class Preset(StrEnum):
    """Requirements that we know by name."""

    AMAZON = "amazon"
    SHOPIFY = "shopify"


class PresetRule(BaseModel):
    """What a shop requires of a picture. `size`, `fill` and `max_enlargement` say how it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    formats: tuple[ImageFormat, ...] = Field(
        (ImageFormat.JPEG,),
        min_length=1,
        max_length=len(ImageFormat),
        description="Encodings that are taken; the first is made.",
    )
    background: Background | None = Field(None, description="The ground, exactly.")
    shadow: bool = Field(True, description="Whether a shadow is allowed.")
    aspect: Aspect | None = Field(None, description="Width to height.")
    min_size: int = Field(16, ge=16, le=16_383, description="Shortest longest side, px.")
    max_size: int = Field(16_383, ge=16, le=16_383, description="Longest longest side, px.")
    size: int | None = Field(
        None, ge=16, le=8192, description="Longest side to make, px; `max_size` if absent."
    )
    min_fill: float | None = Field(None, ge=0.1, le=1, description="Least share of the tighter side.")
    fill: float | None = Field(None, ge=0.1, le=1, description="Share of the tighter side to make.")
    max_bytes: int | None = Field(None, ge=1, description="Largest file.")
    max_enlargement: float = Field(
        1.0, ge=1, le=4, description="Largest factor by which the photo is enlarged to reach the size."
    )
    whole: bool = Field(
        True, description="Whether the garment must be whole, not cut off by the photo's frame."
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        size = self.size or self.max_size
        if not self.min_size <= size <= self.max_size:
            raise ValueError("sizes do not fit: min_size ≤ size ≤ max_size")
        if self.min_fill and self.fill and self.fill < self.min_fill:
            raise ValueError("fill is below min_fill")
        if self.background == "transparent" and self.formats[0] is ImageFormat.JPEG:
            raise ValueError("format jpeg has no transparency: choose a background, or another first format")
        return self


RULES: Mapping[Preset, PresetRule] = {
    Preset.AMAZON: PresetRule(
        formats=(ImageFormat.JPEG, ImageFormat.PNG),
        background="#ffffff",
        shadow=False,
        min_size=1000,
        max_size=10_000,
        size=3000,
        min_fill=0.85,
        fill=0.9,
        max_bytes=10_000_000,
    ),
    Preset.SHOPIFY: PresetRule(
        formats=(ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.AVIF),
        background="#ffffff",
        aspect="1:1",
        min_size=2048,
        max_size=2048,
        size=2048,
        fill=0.85,
        max_bytes=20_000_000,
        max_enlargement=1.5,
    ),
}
"""Amazon: the main image of its product image requirements. Shopify: product media, square at 2,048 px.

Enlarging invents detail: none for Amazon, whose customers zoom in; up to 1.5 for Shopify's fixed size.
"""


def filled_in(rule: PresetRule, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given, and what the rule says of those that were not."""
    size = rule.size or min(rule.max_size, 8192)
    made = {
        "format": rule.formats[0],
        "background": rule.background,
        "aspect": rule.aspect,
        "size": size,
        "fill": rule.fill or rule.min_fill,
        "max_enlargement": rule.max_enlargement,
    }
    return {**{name: value for name, value in made.items() if value is not None}, **given}
