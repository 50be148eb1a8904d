"""The gallery's contact sheet: a strip of panels for each photo, as one PNG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from deploy.engine.gallery.panels import COLOURS, Panels, Shown, checkered, over

MOST = 120
"""Photos on a sheet; the page has all of them."""
_FEW, _CELL_OF_FEW, _CELL = 8, (264, 352), (168, 224)
_GAP, _CAPTION, _MARGIN, _HEAD, _LIST = 8, 44, 28, 64, 26
_PAPER, _LINE, _INK, _SOFT, _MARK = "#f5f5f7", "#dcdce1", "#1d1d1f", "#6e6e73", "#ff2d55"
_VERDICTS = {"publishable": "#1a7f37", "review": "#9a6700", "rejected": "#cf222e", "failed": "#cf222e"}
_GREY = 138
_PANELS = 6


def write_sheet(shown: Sequence[Shown], path: Path) -> None:
    """The first `MOST` photos in columns of strips, so that the sheet is about as wide as it is high."""
    shown = shown[:MOST]
    cell = _CELL_OF_FEW if len(shown) <= _FEW else _CELL
    strip = (_PANELS * (cell[0] + _GAP) + _LIST, cell[1] + _CAPTION + _LIST)
    columns = max(1, round(math.sqrt(len(shown) * strip[1] / strip[0])))
    rows = math.ceil(len(shown) / columns)
    sheet = Image.new(
        "RGB", (2 * _MARGIN + columns * strip[0] - _LIST, _HEAD + _MARGIN + rows * strip[1]), _PAPER
    )
    _legend(sheet)
    for number, one in enumerate(shown):
        row, column = number % rows, number // rows
        _strip(sheet, one, (_MARGIN + column * strip[0], _HEAD + row * strip[1]), cell)
    sheet.save(path, optimize=False, compress_level=6)


def _legend(sheet: Image.Image) -> None:
    draw, left = ImageDraw.Draw(sheet), float(_MARGIN)
    for name, colour in COLOURS.items():
        draw.rounded_rectangle((left, 24, left + 14, 38), 3, fill=colour)
        draw.text((left + 21, 23), name, fill=_SOFT, font=_font(14))
        left += 21 + draw.textlength(name, font=_font(14)) + 22


def _strip(sheet: Image.Image, shown: Shown, corner: tuple[int, int], cell: tuple[int, int]) -> None:
    _caption(ImageDraw.Draw(sheet), shown, corner, _PANELS * (cell[0] + _GAP) - _GAP)
    if shown.panels is None:
        return
    size = _fitting(shown.panels.size, cell)
    for number, panel in enumerate(_pictures(shown.panels, shown.outcome.told, size)):
        left = corner[0] + number * (cell[0] + _GAP) + (cell[0] - size[0]) // 2
        sheet.paste(ImageOps.expand(panel, 1, _LINE), (left - 1, corner[1] + _CAPTION - 1))


def _fitting(size: tuple[int, int], cell: tuple[int, int]) -> tuple[int, int]:
    scale = min(cell[0] / size[0], cell[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _pictures(panels: Panels, told: Mapping[str, Any], size: tuple[int, int]) -> Iterator[Image.Image]:
    photo, classes, alpha = (_opened(path, size) for path in (panels.photo, panels.classes, panels.alpha))
    _mark(photo, told)
    yield from (photo, classes, alpha)
    cut_out = np.asarray(_opened(panels.result, size, "RGBA"))
    shape = (size[1], size[0], 3)
    for ground in (np.full(shape, 255, np.uint8), np.full(shape, _GREY, np.uint8), checkered(size, 8)):
        yield Image.fromarray(over(cut_out, ground))


def _opened(path: Path, size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    with Image.open(path) as image:
        return image.convert(mode).resize(size, Image.Resampling.LANCZOS)


def _mark(photo: Image.Image, told: Mapping[str, Any]) -> None:
    """Boxes of the findings."""
    draw, scale = ImageDraw.Draw(photo), photo.width / told["size"]["width"]
    for finding in told["findings"]:
        if box := finding["box"]:
            left, top = box["left"] * scale, box["top"] * scale
            corners = (left, top, left + box["width"] * scale, top + box["height"] * scale)
            draw.rectangle(corners, outline=_MARK, width=2)


def _caption(draw: ImageDraw.ImageDraw, shown: Shown, corner: tuple[int, int], room: int) -> None:
    told, (left, top) = shown.outcome.told, corner
    verdict = str(told.get("verdict", "failed"))
    said = f"{verdict} {told['score']:.2f}" if shown.panels else verdict
    draw.text((left + room, top), said, fill=_VERDICTS[verdict], font=_font(14), anchor="ra")
    end = draw.textlength(said, font=_font(14)) + _GAP
    name = shown.outcome.job.photo.name.encode("utf-8", "replace").decode("utf-8")
    draw.text((left, top), _cut(name, room - end, draw, 14), fill=_INK, font=_font(14))
    draw.text((left, top + 18), _cut(_reasons(told), room, draw, 12), fill=_SOFT, font=_font(12))


def _reasons(told: Mapping[str, Any]) -> str:
    if "findings" not in told:
        return f"{told['code']}: {told['detail']}"
    return ", ".join(str(finding["code"]) for finding in told["findings"])


def _cut(text: str, room: float, draw: ImageDraw.ImageDraw, size: int) -> str:
    text = text.replace("\n", " ")
    if draw.textlength(text, font=_font(size)) <= room:
        return text
    while text and draw.textlength(f"{text}…", font=_font(size)) > room:
        text = text[:-1]
    return f"{text}…"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
