"""Contrast of colours, and the nearest that has enough."""

from __future__ import annotations

import pytest
from coloraide import Color
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.common.contracts.branding import Colours
from services.tenants.branding import contrast

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
NEEDED = st.sampled_from([contrast.TEXT, contrast.INTERFACE])
GREY = 0.04
"""Below this chroma, a step of one in eight bits turns the hue by more than can be compared."""


def polar(colour: str) -> tuple[float, float, float]:
    lightness, chroma, hue = Color(colour).convert("oklch").coords(nans=False)
    return lightness, chroma, hue


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_ratios_are_those_of_wcag(one: str, other: str, expected: float) -> None:
    """Known pairs, whichever is in front."""
    assert contrast.ratio(one, other) == pytest.approx(expected, abs=0.005)
    assert contrast.ratio(one, other) == contrast.ratio(other, one)


@settings(max_examples=120, deadline=None)
@given(COLOURS, COLOURS, NEEDED)
@example("#0000ff", "#000000", 4.5)
@example("#ffff00", "#ffffff", 3.0)
@example("#777777", "#767676", 4.5)
def test_the_nearest_passes_and_keeps_the_hue(colour: str, background: str, needed: float) -> None:
    """Whatever the colours; a result without colour has no hue that it could have changed."""
    found = contrast.nearest(colour, background, needed)
    assert contrast.ratio(found, background) >= needed
    (_, chroma, hue), (_, new_chroma, new_hue) = polar(colour), polar(found)
    assert new_chroma <= chroma + 0.01
    if min(chroma, new_chroma) > GREY:
        assert abs((hue - new_hue + 180) % 360 - 180) < 6


@settings(max_examples=60, deadline=None)
@given(COLOURS, COLOURS, NEEDED, st.floats(0, 1), st.floats(0, 1))
def test_no_colour_of_the_hue_that_passes_is_nearer(
    colour: str, background: str, needed: float, lightness: float, share: float
) -> None:
    """Any other of the same hue and no more chroma, but for what eight bits and the search leave open."""
    _, chroma, hue = polar(colour)
    other = Color("oklch", [lightness, chroma * share, hue])
    if not other.in_gamut("srgb"):
        return
    written = other.convert("srgb").to_string(hex=True)
    if contrast.ratio(written, background) < needed:
        return
    found = contrast.nearest(colour, background, needed)
    assert contrast.distance(found, colour) <= contrast.distance(written, colour) + 0.01


@settings(max_examples=60, deadline=None)
@given(COLOURS, COLOURS, COLOURS, COLOURS)
def test_a_report_offers_a_colour_for_what_fails_alone(
    primary: str, accent: str, background: str, text: str
) -> None:
    """And with what it offers, everything passes."""
    colours = Colours(primary=primary, accent=accent, background=background, text=text)
    report = contrast.report(colours)
    assert [pair.passes for pair in report.items] == [pair.nearest is None for pair in report.items]
    mended = {
        name: pair.nearest
        for name, pair in zip(contrast.NEEDED, report.items, strict=True)
        if pair.nearest is not None
    }
    assert all(pair.passes for pair in contrast.report(colours.model_copy(update=mended)).items)


def test_the_platforms_own_colours_pass() -> None:
    """They are what a tenant starts with."""
    assert all(pair.passes for pair in contrast.report(Colours()).items)
