"""Whether colours can be told apart, and the nearest that can.

Contrast ratio: WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio; text needs 4.5:1 (1.4.3, level
AA), parts of an interface 3:1 (1.4.11, level AA). Nearness: Euclidean distance in Oklab
(https://bottosson.github.io/posts/oklab/) at the same hue, found by its polar form OKLCH.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from coloraide import Color

from libs.common.contracts.branding import Colours, ContrastPair, ContrastReport

TEXT, INTERFACE = 4.5, 3.0
NEEDED = {"text": TEXT, "primary": INTERFACE, "accent": INTERFACE}
"""What each colour needs on `background`."""
_CHROMA_STEPS = 40
_BISECTIONS = 12
_NUDGE = 1 / 512
_GREY = 0.002
"""Chroma below which a colour has no hue to keep."""


def report(colours: Colours) -> ContrastReport:
    """Every pair that matters, in the order of `NEEDED`."""
    return ContrastReport(
        items=tuple(
            _pair(getattr(colours, name), colours.background, least) for name, least in NEEDED.items()
        )
    )


def _pair(foreground: str, background: str, needed: float) -> ContrastPair:
    found = ratio(foreground, background)
    return ContrastPair(
        foreground=foreground,
        background=background,
        ratio=math.floor(found * 100) / 100,  # rounding up could show a 4.5 that does not pass
        needed=needed,
        passes=found >= needed,
        nearest=None if found >= needed else nearest(foreground, background, needed),
    )


def ratio(one: str, other: str) -> float:
    """From 1 (alike) to 21 (black and white), whichever is in front."""
    return _contrast(Color(one).luminance(), Color(other).luminance())


def nearest(foreground: str, background: str, needed: float) -> str:
    """The colour nearest to `foreground` that has `needed`:1 on `background` and the same hue.

    needed: at most 4.58, which black or white reaches on any background.
    """
    lightness, chroma, hue = Color(foreground).convert("oklch").coords(nans=False)
    chroma = chroma if chroma > _GREY else 0.0
    against = Color(background).luminance()
    candidates = _candidates(lightness, chroma, hue, against, needed)
    return min(candidates, key=lambda hex_: distance(hex_, foreground))


def distance(one: str, other: str) -> float:
    """ΔE in Oklab: 0 is alike, black and white are 1 apart."""
    return float(Color(one).delta_e(other, method="ok"))


def _candidates(lightness: float, chroma: float, hue: float, against: float, needed: float) -> Iterator[str]:
    """At each chroma up to the colour's own, the first lightness that passes, darker and lighter."""
    yield from (extreme for extreme in ("#000000", "#ffffff") if _passes(Color(extreme), against, needed))
    for step in range(_CHROMA_STEPS + 1) if chroma else (0,):
        level = chroma * step / _CHROMA_STEPS
        for end in (0.0, 1.0):
            yield from _threshold(lightness, end, level, hue, against, needed)


def _threshold(
    lightness: float, end: float, chroma: float, hue: float, against: float, needed: float
) -> Iterator[str]:
    """The lightness nearest to `lightness`, towards `end`, at which the colour passes as it is written."""
    if not _passes(_shade(end, chroma, hue), against, needed):
        return
    fails, passes = lightness, end
    if _passes(_shade(fails, chroma, hue), against, needed):
        passes = fails  # less chroma alone was enough
    for _ in range(_BISECTIONS):
        middle = (fails + passes) / 2
        if _passes(_shade(middle, chroma, hue), against, needed):
            passes = middle
        else:
            fails = middle
    yield from _written(passes, math.copysign(_NUDGE, end - lightness), chroma, hue, against, needed)


def _written(
    lightness: float, nudge: float, chroma: float, hue: float, against: float, needed: float
) -> Iterator[str]:
    """The colour in 8 bits a channel, pushed on where rounding made it fail; nothing outside of sRGB."""
    for push in range(4):
        shade = _shade(min(max(lightness + push * nudge, 0.0), 1.0), chroma, hue)
        if not shade.in_gamut("srgb"):
            return
        written = shade.convert("srgb").to_string(hex=True)
        if _passes(Color(written), against, needed):
            yield written
            return


def _shade(lightness: float, chroma: float, hue: float) -> Color:
    return Color("oklch", [lightness, chroma, hue])


def _passes(colour: Color, against: float, needed: float) -> bool:
    return _contrast(colour.luminance(), against) >= needed


def _contrast(one: float, other: float) -> float:
    lighter, darker = max(one, other), min(one, other)
    return (max(lighter, 0.0) + 0.05) / (max(darker, 0.0) + 0.05)
