"""Where garments stand in a catalogue's pictures: a template that a whole batch is aligned to."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.common.contracts.formats import Aspect


class Measure(StrEnum):
    """What of the garment gets a fixed size: its shoulder or waist line, or from there down to the hem."""

    WIDTH = "width"
    LENGTH = "length"


class Stand(BaseModel):
    """One kind of garment in the picture; its line is the shoulders', or the waist's of a lower garment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: float = Field(
        ge=0, le=1, description="Height of the line, as a share of the picture's from its top."
    )
    measure: Measure = Field(
        description="What has a fixed size: `width` of the line, or `length` to the hem."
    )
    share: float = Field(
        gt=0,
        le=1,
        description="That size: a width as a share of the picture's width, a length of its height.",
    )


class CatalogueTemplate(BaseModel):
    """Scale and place of the garments of a catalogue; the line's middle is in the middle of the picture.

    Upper garments keep the width of their shoulders, so that a cropped top is shorter than a long shirt; full
    and lower ones keep their length. A garment that would come nearer to the picture's edge than `border` is
    drawn smaller.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    aspect: Aspect = Field(
        "4:5", description="Width to height of the picture, unless `aspect` asks otherwise."
    )
    upper: Stand = Stand(line=0.2, measure=Measure.WIDTH, share=0.44)
    full: Stand = Stand(line=0.12, measure=Measure.LENGTH, share=0.8)
    lower: Stand = Stand(line=0.08, measure=Measure.LENGTH, share=0.84)
    border: float = Field(0.03, ge=0, le=0.2, description="Least free border, as a share of each side.")
    fill: float = Field(
        0.85, ge=0.1, le=1, description="Share of the tighter side where no line was found to align by."
    )
    deskew: float = Field(
        6, ge=0, le=15, description="Slant (degrees) of the line up to which it is straightened."
    )

    @model_validator(mode="after")
    def _lines_inside(self) -> Self:
        lines = (self.upper.line, self.full.line, self.lower.line)
        if not all(self.border < line < 1 - self.border for line in lines):
            raise ValueError("a line lies in the border: move it further in")
        return self
