"""The options of a render, as command-line options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from libs.client.models import RenderOptions

_PANEL = "Options of the render"
Background = Annotated[
    str | None, typer.Option(help="transparent, or a colour as #rrggbb.", rich_help_panel=_PANEL)
]
Format = Annotated[str | None, typer.Option("--format", help="png, webp or jpeg.", rich_help_panel=_PANEL)]
Quality = Annotated[int | None, typer.Option(help="1 to 100, of webp and jpeg.", rich_help_panel=_PANEL)]
Size = Annotated[
    int | None,
    typer.Option(help="Longest side in pixels; as the photo if not given.", rich_help_panel=_PANEL),
]
Margin = Annotated[
    float | None,
    typer.Option(
        help="Free border around a cropped garment, as a share of the longest side.", rich_help_panel=_PANEL
    ),
]
Crop = Annotated[bool, typer.Option("--crop", help="Crop to the garment.", rich_help_panel=_PANEL)]


def given(
    background: str | None,
    format_: str | None,
    quality: int | None,
    size: int | None,
    margin: float | None,
    crop: bool,
) -> RenderOptions:
    """Only what was asked for; the API has the defaults, and says what does not fit."""
    options = {
        "background": background,
        "format": format_,
        "quality": quality,
        "size": size,
        "margin": margin,
        "crop": crop or None,
    }
    return cast("RenderOptions", {name: value for name, value in options.items() if value is not None})
