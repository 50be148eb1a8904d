"""A finished picture held against a shop's requirements, in words that say what would mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from libs.common.contracts.formats import ImageFormat, ratio
from libs.common.contracts.options import PictureOptions, Shadow
from libs.common.contracts.presets import PresetRule
from services.inference.pipeline.align import Catalogue
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.compose import frame
from services.inference.pipeline.crop import Layout, Size
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.outline import garment_window

LARGEST_CUT = 0.01
"""Share of a side of the photo that the garment may touch and still be whole."""
_PIXEL = 1.0
"""What rounding to whole pixels may take from a share or a proportion."""


@dataclass(frozen=True, slots=True)
class Made:
    """A picture before (`pixels`, uint8 [H,W,3 or 4]) and after encoding, and how it was made."""

    asked: PictureOptions
    layout: Layout
    garment: Size
    whole: bool
    pixels: U8 = field(repr=False)
    data: bytes = field(repr=False)


def preset_problems(
    layers: Layers, asked: PictureOptions, pixels: U8, data: bytes, catalogue: Catalogue | None = None
) -> tuple[str, ...]:
    """What keeps the picture from the preset that was asked for; empty if it meets it, or none was."""
    if asked.rule is None:
        return ()
    layout = frame(layers, asked, catalogue)
    garment, whole = _garment(layers, layout), not _cut_off(layers.matte.alpha)
    return problems(asked.rule, Made(asked, layout, garment, whole, pixels, data))


def problems(rule: PresetRule, made: Made) -> tuple[str, ...]:
    """In the order of what to look at first."""
    return (
        *_whole(rule, made),
        *_large_enough(rule, made),
        *_shaped(rule, made),
        *_on_ground(rule, made),
        *_in_file(rule, made),
    )


def _whole(rule: PresetRule, made: Made) -> Iterator[str]:
    if rule.whole and not made.whole:
        yield "the garment is cut off by the frame of the photo: take it again with space all around"


def _large_enough(rule: PresetRule, made: Made) -> Iterator[str]:
    longest = max(made.layout.outer)
    if longest > rule.max_size:
        yield f"the longest side has {longest} px, at most {rule.max_size} are taken: ask for a smaller size"
    if longest < rule.min_size:
        why = _why_small(rule, made)
        yield f"the longest side has {longest} px, at least {rule.min_size} are required: {why}"


def _why_small(rule: PresetRule, made: Made) -> str:
    if made.asked.size is not None and made.asked.size < rule.min_size:
        return "ask for a larger size"
    pixels = max(made.layout.window.size)
    return f"only {pixels} px of the photo are shown, and they are not enlarged {_limit(made.asked)}"


def _limit(asked: PictureOptions) -> str:
    most = asked.max_enlargement
    return "without a size to reach" if most is None else f"more than {most:g} times"


def _shaped(rule: PresetRule, made: Made) -> Iterator[str]:
    width, height = made.layout.outer
    if rule.aspect and abs(width - height * ratio(rule.aspect)) > max(1.0, ratio(rule.aspect)) * _PIXEL:
        yield f"the picture has {width}×{height} px, {rule.aspect} is required: leave aspect to the preset"
    if rule.min_fill is None:
        return
    share = max((made.garment[0] + _PIXEL) / width, (made.garment[1] + _PIXEL) / height)
    if share < rule.min_fill:
        asked_for_less = made.asked.fill is None or made.asked.fill < rule.min_fill
        mend = "leave fill to the preset" if asked_for_less else "choose a template that draws it larger"
        yield f"the garment fills {share:.0%} of the picture, {rule.min_fill:.0%} are required: {mend}"


def _on_ground(rule: PresetRule, made: Made) -> Iterator[str]:
    if made.asked.shadow is not Shadow.NONE and not rule.shadow:
        yield "a shadow is not allowed: ask for none"
    if rule.background and not _is_ground(rule.background, made):
        yield f"the ground is not {rule.background} all around: leave background to the preset"


def _is_ground(background: str, made: Made) -> bool:
    """Whether the picture's own edge is nothing but ground."""
    if made.asked.background.lower() != background.lower():
        return False
    rows, columns = made.pixels[[0, -1]], made.pixels[:, [0, -1]]
    if background == "transparent":
        return not (rows[..., -1].any() or columns[..., -1].any())
    if ".." in background:
        return True
    colour = np.frombuffer(bytes.fromhex(background[1:]), np.uint8)
    return bool((rows == colour).all() and (columns == colour).all())


def _in_file(rule: PresetRule, made: Made) -> Iterator[str]:
    if made.asked.format not in rule.formats:
        taken = " or ".join(kind.value for kind in rule.formats)
        yield f"the file is {made.asked.format.value}, only {taken} is taken: leave format to the preset"
    if rule.max_bytes is not None and len(made.data) > rule.max_bytes:
        mend = "size" if made.asked.format is ImageFormat.PNG else "quality or size"
        yield (
            f"the file has {len(made.data) / 1e6:.1f} MB, at most {rule.max_bytes / 1e6:.1f} are taken: "
            f"ask for a lower {mend}"
        )


def _garment(layers: Layers, layout: Layout) -> Size:
    """Width and height (px) of the garment in the finished picture."""
    garment = garment_window(layers)
    if garment is None:
        return 0, 0
    if layout.turn:
        return layout.inner
    return round(garment.width * layout.scale), round(garment.height * layout.scale)


def _cut_off(alpha: U8) -> bool:
    sides = (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])
    return any(float((side > 127).mean()) > LARGEST_CUT for side in sides)
