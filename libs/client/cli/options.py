"""The options of a render, as command-line options."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Background = Annotated[str | None, typer.Option(help="transparent, or a colour as #rrggbb.")]
Format = Annotated[str | None, typer.Option("--format", help="png, webp or jpeg.")]
Quality = Annotated[int | None, typer.Option(help="1 to 100, for webp and jpeg.")]
Size = Annotated[int | None, typer.Option(help="Longest side in pixels; as the photo if not given.")]
Margin = Annotated[
    float | None, typer.Option(help="Free border when cropped, as a share of the longest side.")
]
Crop = Annotated[bool, typer.Option("--crop", help="Crop to the garment.")]


def given(
    background: str | None,
    format_: str | None,
    quality: int | None,
    size: int | None,
    margin: float | None,
    crop: bool,
) -> dict[str, Any]:
    """Only what was asked for; the API has the defaults."""
    options = {
        "background": background,
        "format": format_,
        "quality": quality,
        "size": size,
        "margin": margin,
        "crop": "true" if crop else None,
    }
    return {name: value for name, value in options.items() if value is not None}
