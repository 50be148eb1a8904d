"""Before and after, side by side, on one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps
from pillow_heif import register_heif_opener

MOST = 60
"""Pairs on a sheet; a JPEG can't be much higher, and nobody looks at more."""
_CELL = (260, 340)
_GAP, _CAPTION, _LINE = 14, 44, 19
_COLUMNS = 3
_CHECKER = 13
_COLOURS = {"publishable": "#1a7f37", "review": "#9a6700", "rejected": "#cf222e"}
_INK, _DIM, _PAPER, _TILE = "#1f2328", "#656d76", "#f6f8fa", "#e6e9ed"


@dataclass(frozen=True)
class Pair:
    """A photo and its result, read when they are drawn, with what is written below in two lines."""

    before: Callable[[], bytes]
    after: Callable[[], bytes]
    caption: str
    verdict: str
    reasons: str = ""


def write_contact_sheet(pairs: Sequence[Pair], path: Path) -> int:
    """A JPEG of the first `MOST` pairs; transparency shows as a checkerboard. How many there are on it.

    A picture that can't be read leaves its place empty.
    """
    shown = pairs[:MOST]
    path.parent.mkdir(parents=True, exist_ok=True)
    _drawn(shown).save(path, quality=88)
    return len(shown)


def add_to_contact_sheet(pairs: Sequence[Pair], path: Path) -> None:
    """Further pairs below those of a sheet, if there is one."""
    more = _drawn(pairs)
    if not path.exists():
        more.save(path, quality=88)
        return
    with Image.open(path) as above:
        sheet = Image.new("RGB", (max(above.width, more.width), above.height + more.height), _PAPER)
        sheet.paste(above, (0, 0))
    sheet.paste(more, (0, sheet.height - more.height))
    sheet.save(path, quality=92)


def _drawn(pairs: Sequence[Pair]) -> Image.Image:
    register_heif_opener()
    width, height = 2 * _CELL[0] + 3 * _GAP, _CELL[1] + _CAPTION + 2 * _GAP
    columns, rows = min(_COLUMNS, len(pairs)) or 1, math.ceil(len(pairs) / _COLUMNS) or 1
    sheet = Image.new("RGB", (width * columns, height * rows), _PAPER)
    for number, pair in enumerate(pairs):
        row, column = divmod(number, _COLUMNS)
        _draw(sheet, pair, column * width + _GAP, row * height + _GAP)
    return sheet


def _draw(sheet: Image.Image, pair: Pair, left: int, top: int) -> None:
    sheet.paste(_cell(pair.before), (left, top))
    sheet.paste(_cell(pair.after), (left + _CELL[0] + _GAP, top))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    below, end = top + _CELL[1] + 6, left + 2 * _CELL[0] + _GAP
    room = end - left - draw.textlength(pair.verdict, font=font) - _GAP
    draw.text((left, below), _shortened(pair.caption, room, draw, font), fill=_INK, font=font)
    draw.text((end, below), pair.verdict, fill=_COLOURS.get(pair.verdict, _INK), font=font, anchor="ra")
    reasons = _shortened(pair.reasons, end - left, draw, font)
    draw.text((end, below + _LINE), reasons, fill=_DIM, font=font, anchor="ra")


def _shortened(
    text: str, room: float, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> str:
    """The end of a path says more than its beginning."""
    shown = text
    while draw.textlength(shown, font=font) > room and len(text) > 1:
        text = text[1:]
        shown = f"…{text}"
    return shown


def _cell(read: Callable[[], bytes]) -> Image.Image:
    """The picture, upright and as large as fits, on a checkerboard."""
    cell = _checkerboard().copy()
    try:
        picture = _upright(read())
    except (OSError, ValueError, KeyError, Image.DecompressionBombError):
        return cell
    place = ((_CELL[0] - picture.width) // 2, (_CELL[1] - picture.height) // 2)
    cell.paste(picture, place, picture)
    return cell


def _upright(data: bytes) -> Image.Image:
    opened = Image.open(BytesIO(data))
    opened.draft("RGB", (2 * max(_CELL), 2 * max(_CELL)))  # a JPEG is decoded no larger than needed
    turned = ImageOps.exif_transpose(opened)
    if turned.mode not in ("RGBA", "LA", "PA") and "transparency" not in turned.info:
        turned = turned.convert("RGB")  # CMYK, for one, has no way to RGBA but this
    picture = turned.convert("RGBA")
    picture.thumbnail(_CELL)
    return picture


@cache
def _checkerboard() -> Image.Image:
    cell = Image.new("RGB", _CELL, "white")
    draw = ImageDraw.Draw(cell)
    for top in range(0, _CELL[1], _CHECKER):
        for left in range(top // _CHECKER % 2 * _CHECKER, _CELL[0], 2 * _CHECKER):
            draw.rectangle((left, top, left + _CHECKER - 1, top + _CHECKER - 1), fill=_TILE)
    return cell
