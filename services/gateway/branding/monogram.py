"""A logo for a brand that has none: its first letter on its colour."""

from __future__ import annotations

from html import escape

from libs.common.contracts.branding import Brand

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img">'
    '<title>{name}</title><rect width="64" height="64" rx="14" fill="{primary}"/>'
    '<text x="32" y="33" fill="{background}" font-family="system-ui, sans-serif" font-size="34" '
    'font-weight="600" text-anchor="middle" dominant-baseline="central">{letter}</text></svg>'
)


def monogram(brand: Brand) -> bytes:
    """An SVG; `primary` on `background` was checked for contrast, so the letter can be read."""
    letter = next((char for char in brand.display_name if char.isalnum()), "•").upper()
    return _SVG.format(
        name=escape(brand.display_name),
        letter=escape(letter),
        primary=brand.colours.primary,
        background=brand.colours.background,
    ).encode()
