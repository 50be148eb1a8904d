"""What a caller may ask of a render. One model for the API, the bus and the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.common.contracts.catalogue import CatalogueTemplate
from libs.common.contracts.formats import Aspect, Background
from libs.common.contracts.formats import ImageFormat as ImageFormat
from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.presets import RULES, PresetRule, filled_in
from libs.common.contracts.presets import Preset as Preset

RenditionName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]
MAX_RENDITIONS = 8


class GarmentChoice(StrEnum):
    """Which garment of the photo is meant; `auto` is the one that the photo is about."""

    AUTO = "auto"
    TOP = "top"
    OUTERWEAR = "outerwear"
    DRESS = "dress"
    BOTTOM = "bottom"
    ALL = "all"


class Shadow(StrEnum):
    """What the garment casts on its new ground."""

    NONE = "none"
    SOFT = "soft"
    CONTACT = "contact"


class Render(StrEnum):
    """`ghost`: the garment alone, nobody in it; `on_model`: on one of the tenant's own human models."""

    GHOST = "ghost"
    ON_MODEL = "on_model"


class Align(StrEnum):
    """`catalogue`: every garment at the same scale and place, by its landmarks."""

    NONE = "none"
    CATALOGUE = "catalogue"


class PictureFields(BaseModel):
    """How a finished picture looks and is encoded: what one rendition can have different from another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    background: Background = Field(
        "transparent",
        description="`transparent`, a colour as `#rrggbb`, or top to bottom `#rrggbb..#rrggbb`.",
    )
    shadow: Shadow = Field(Shadow.NONE, description="Shadow of the garment on the background.")
    format: ImageFormat = Field(ImageFormat.PNG, description="Encoding of the result.")
    quality: int = Field(90, ge=1, le=100, description="Quality of lossy encodings (webp, jpeg, avif).")
    size: int | None = Field(
        None,
        ge=16,
        le=8192,
        description="Longest side in pixels (and 50 megapixels at most); as the photo if absent.",
    )
    margin: float = Field(
        0.05, ge=0, le=0.5, description="Free border, as a share of the longest side, when cropped."
    )
    crop: bool = Field(False, description="Crop to the garment; otherwise the frame of the photo stays.")
    fill: float | None = Field(
        None, ge=0.1, le=1, description="Share of the picture's tighter side that the garment takes; crops."
    )
    aspect: Aspect | None = Field(None, description="Width to height, as `4:5`; the ground is extended.")
    max_enlargement: float | None = Field(
        None, ge=1, le=16, description="Largest factor by which `size` enlarges the photo; any if absent."
    )
    dpi: int | None = Field(None, ge=36, le=1200, description="Resolution written into the file.")
    preset: Preset | None = Field(None, description="A shop's requirements: `amazon` or `shopify`.")


class OptionFields(PictureFields):
    """Each option by itself; unknown ones are refused by name."""

    render: Render = Field(Render.GHOST, description="`ghost`, or `on_model` with a `human_model`.")
    human_model: HumanModelId | None = Field(
        None, description="Which of your human models wears the garment, with `render=on_model`."
    )
    garment: GarmentChoice = Field(GarmentChoice.AUTO, description="Which garment to show.")
    hollow: bool = Field(True, description="Show the inner back in the neckline and other openings.")
    neck_label: bool = Field(False, description="Draw a plain brand label on a synthesised inner back.")
    fill_occlusions: bool = Field(
        False, description="Fill what hair, hands, straps or bags hide; otherwise it is only reported."
    )
    align: Align = Field(Align.NONE, description="Same scale and place for every garment: `catalogue`.")
    artefacts: bool = Field(
        False, description="Keep the alpha, classes and synthesized masks (PNG) beside the result."
    )


class PictureOptions(PictureFields):
    """How a finished picture looks: fields that fit together, a preset's among them."""

    own_preset: PresetRule | None = Field(None, description="Requirements of a shop of your own, as data.")

    @model_validator(mode="before")
    @classmethod
    def _preset_fills_in(cls, given: Any) -> Any:
        rule = _rule_in(given) if isinstance(given, Mapping) else None
        return filled_in(rule, given) if rule else given

    @model_validator(mode="after")
    def _one_preset(self) -> Self:
        if self.preset and self.own_preset:
            raise ValueError("preset and own_preset: give one of them")
        return self

    @model_validator(mode="after")
    def _encodable(self) -> Self:
        if self.format is ImageFormat.JPEG and self.background == "transparent":
            raise ValueError(
                "format jpeg has no transparency: choose a background such as #ffffff, or png, webp or avif"
            )
        return self

    @property
    def rule(self) -> PresetRule | None:
        """What the result is held against, if anything."""
        return self.own_preset or (RULES[self.preset] if self.preset else None)


class Rendition(PictureOptions):
    """One more picture of the same render, under its own name."""

    name: RenditionName


class RenderOptions(OptionFields, PictureOptions):
    """Options of a render, which also fit together."""

    template: CatalogueTemplate = Field(
        CatalogueTemplate(), description="Where garments stand in the picture with `align=catalogue`."
    )
    renditions: tuple[Rendition, ...] = Field(
        (), max_length=MAX_RENDITIONS, description="Further pictures of the same render, each under its name."
    )

    @model_validator(mode="after")
    def _somebody_to_wear_it(self) -> Self:
        if (self.render is Render.ON_MODEL) != (self.human_model is not None):
            raise ValueError("render on_model and human_model: give both, or neither")
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [rendition.name for rendition in self.renditions]
        if len(set(names)) < len(names):
            raise ValueError("two renditions have the same name: give each its own")
        return self


def _rule_in(given: Mapping[str, Any]) -> PresetRule | None:
    """The rule of a preset that is named or given; None also where that is none: its field says so."""
    named, own = given.get("preset"), given.get("own_preset")
    if named in tuple(Preset):
        return RULES[Preset(named)]
    try:
        return PresetRule.model_validate(own) if own is not None else None
    except ValueError:
        return None
